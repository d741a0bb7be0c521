"""The rules of figures: one row that an operator changes.

They are read for each question, so that no figure is counted by rules that have changed meanwhile.
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

import asyncpg

from chassis.database import Statements
from reporting.figures.periods import TimeZoneUnknown, check_time_zone
from reporting.figures.rules import FigureRules

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
