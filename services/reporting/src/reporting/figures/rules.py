"""The numbers that figures use where a question says nothing else: one row that an operator changes.

Whoever makes a question reads them for it, so that nobody counts by rules that have been changed meanwhile.
"""

from dataclasses import dataclass, fields
from datetime import datetime

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
        }


_COLUMNS = ", ".join(field.name for field in fields(FigureRules))


async def get_figure_rules(statements: Statements) -> FigureRules:
    return FigureRules(**await statements.fetchrow(f"select {_COLUMNS} from figure_rules"))


async def put_figure_rules(statements: Statements, rules: FigureRules, *, by: str, now: datetime) -> FigureRules:
    """Raises `TimeZoneUnknown`, also for a zone of this machine's list that is not in PostgreSQL's."""
    check_time_zone(rules.time_zone)
    try:
        # A zone that PostgreSQL does not know is an error of the condition, and nothing is written.
        row = await statements.fetchrow(
            f"""update figure_rules set threshold_seconds = $1, short_seconds = $2, near_seconds = $3,
                    late_after_seconds = $4, time_zone = $5::text, version = version + 1, changed_by = $6,
                    changed_at = $7
                where now() at time zone $5::text is not null returning {_COLUMNS}""",
            rules.threshold_seconds,
            rules.short_seconds,
            rules.near_seconds,
            rules.late_after_seconds,
            rules.time_zone,
            by,
            now,
        )
    except asyncpg.InvalidParameterValueError as error:
        raise TimeZoneUnknown(time_zone=rules.time_zone) from error
    return FigureRules(**row)
