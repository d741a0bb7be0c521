"""Sums of whole days in the database, each with the place of the record at which it was made."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import msgspec

from chassis.database import Database, Statements
from reporting.figures.days import DayRow, DaySums, Kept, utc_days
from reporting.figures.question import Question

_DAY = timedelta(days=1)
_FORGOTTEN_AT_ONCE = 5000
_ROWS = msgspec.json.Decoder(list[dict[str, Any]])
_BUCKETS = msgspec.json.Decoder(list[list[tuple[int, int]]])


async def days_touched(statements: Statements, sources: Sequence[str]) -> list[date]:
    """The days on which something of these tables has changed, the earliest first."""
    rows = await statements.fetch(
        "select distinct day from days_touched where source = any($1) order by day", list(sources)
    )
    return [row["day"] for row in rows]


async def kept(
    statements: Statements, question: Question, shape: str, days: Sequence[date], *, with_buckets: bool = False
) -> DaySums:
    """The sums that are still right; buckets are most of a distribution's bytes, and are read when days are added."""
    if not days:
        return {}
    changed = await _changes(statements, question, days)
    rows = await statements.fetch(
        """select day, message_count, rows, case when $4 then buckets end as buckets from day_sums
           where shape = $1 and day between $2 and $3""",
        shape,
        days[0],
        days[-1],
        with_buckets,
    )
    asked = set(days)
    return {
        row["day"]: _stored(row["rows"], row["buckets"])
        for row in rows
        if row["day"] in asked and row["message_count"] >= changed[row["day"]]
    }


async def _changes(statements: Statements, question: Question, days: Sequence[date]) -> dict[date, int]:
    """Of each day, the place of the latest message that has changed its sums."""
    spans = {day: utc_days(question, day) for day in days}
    rows = await statements.fetch(
        """select day, max(message_count) as place from days_touched
           where source = any($1) and day between $2 and $3 group by day""",
        list(question.metric.source.tables),
        spans[days[0]][0],
        spans[days[-1]][1],
    )
    places = {row["day"]: row["place"] for row in rows}
    return {
        day: max(places.get(first + _DAY * ahead, 0) for ahead in range((last - first).days + 1))
        for day, (first, last) in spans.items()
    }


def _stored(rows: bytes, buckets: bytes | None) -> list[DayRow]:
    found = _ROWS.decode(rows)
    if buckets is not None:
        for row, counts in zip(found, _BUCKETS.decode(buckets), strict=True):
            row["buckets"] = counts
    return found


async def keep(db: Database, made: Kept) -> None:
    """Stores sums after the response; a sum that another process made of a later state stays."""
    async with db.statements() as statements:
        await statements.execute(
            """insert into day_sums as known (shape, day, message_count, rows, buckets)
               select $1, day, $2, rows, buckets from unnest($3::date[], $4::bytea[], $5::bytea[])
                   as made (day, rows, buckets) order by day
               on conflict (shape, day) do update
               set (message_count, rows, buckets) = (excluded.message_count, excluded.rows, excluded.buckets)
               where excluded.message_count >= known.message_count""",
            made.shape,
            made.message_count,
            list(made.sums),
            [msgspec.json.encode([_without_buckets(row) for row in rows]) for rows in made.sums.values()],
            [
                msgspec.json.encode([row["buckets"] for row in rows]) if rows and "buckets" in rows[0] else None
                for rows in made.sums.values()
            ],
        )


async def forget_older(db: Database) -> bool:
    """Deletes some sums of sets that were shown before the present one; whether there were any.

    A shape begins with the generation it was counted in, and no question asks for an older one.
    """
    async with db.statements() as statements:
        done = await statements.execute(
            """delete from day_sums where ctid = any(array(
                   select ctid from day_sums where substring(shape from '[0-9]+')::bigint < (
                       select generation from stream_state) limit $1))""",
            _FORGOTTEN_AT_ONCE,
        )
    return done != "DELETE 0"


def _without_buckets(row: DayRow) -> DayRow:
    return {name: value for name, value in row.items() if name != "buckets"}
