"""The numbers that figures use where a question says nothing else: one row that an operator changes.

Whoever makes a question reads them for it, so that nobody counts by rules that have been changed meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import asyncpg

from chassis.database import Statements
from reporting.figures.periods import TimeZoneUnknown, check_time_zone


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureRules:
    threshold_seconds: int
    """Y of a service level."""
    short_seconds: int
    """A short abandon is at most so long."""
    near_seconds: int
    """A limit is near when it is over within so long."""
    late_after_seconds: int
    """An event that was recorded so long after it happened corrects figures that somebody may have read."""
    time_zone: str
    silent_after_seconds: int = 14_400
    """An agent of whom nothing was heard for longer counts nowhere until the next sign. The rules of a report that was
    asked for before there was such a rule have none: they take what is shipped, as its figures do."""
    three_rings_seconds: int = 15
    """Three rings 三声: the ringing tone of China is one second on and four off."""
    version: int = 1
    changed_by: str | None = None
    """None: as shipped."""
    changed_at: datetime | None = None

    @property
    def thresholds(self) -> dict[str, int]:
        """Those that a question can set, in seconds."""
        return {
            "threshold_seconds": self.threshold_seconds,
            "short_seconds": self.short_seconds,
            "near_seconds": self.near_seconds,
            "silent_after_seconds": self.silent_after_seconds,
            "three_rings_seconds": self.three_rings_seconds,
        }


_COLUMNS = ", ".join(field.name for field in fields(FigureRules))


async def get_figure_rules(statements: Statements) -> FigureRules:
    return FigureRules(**await statements.fetchrow(f"select {_COLUMNS} from figure_rules"))


async def put_figure_rules(statements: Statements, rules: Mapping[str, Any], *, by: str, now: datetime) -> FigureRules:
    """Writes the rules by their names; silence and rings stay as they are where they are None.

    Raises `TimeZoneUnknown`, also for a zone of this machine's list that is not in PostgreSQL's.
    """
    check_time_zone(rules["time_zone"])
    try:
        # A zone that PostgreSQL does not know is an error of the condition, and nothing is written.
        row = await statements.fetchrow(
            f"""update figure_rules set threshold_seconds = $1, short_seconds = $2, near_seconds = $3,
                    late_after_seconds = $4, time_zone = $5::text, version = version + 1, changed_by = $6,
                    changed_at = $7, silent_after_seconds = coalesce($8, silent_after_seconds),
                    three_rings_seconds = coalesce($9, three_rings_seconds)
                where now() at time zone $5::text is not null returning {_COLUMNS}""",
            *(rules[name] for name in ("threshold_seconds", "short_seconds", "near_seconds", "late_after_seconds")),
            rules["time_zone"],
            by,
            now,
            rules["silent_after_seconds"],
            rules["three_rings_seconds"],
        )
    except asyncpg.InvalidParameterValueError as error:
        raise TimeZoneUnknown(time_zone=rules["time_zone"]) from error
    return FigureRules(**row)
