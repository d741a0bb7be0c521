"""Which days have changed, and at which place of the record: what was summed up before then is not right any more.

Written in the transaction of the change, so that both are visible together. Days are of UTC; a day of any
other zone lies in at most three of them.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from chassis.database import Transaction

_DAY = timedelta(days=1)


def days_of(moments: Iterable[datetime | None]) -> set[date]:
    return {moment.astimezone(UTC).date() for moment in moments if moment is not None}


def days_between(first: datetime, last: datetime) -> set[date]:
    """Both days and those between: of what is ongoing until its end is reported."""
    day, end = first.astimezone(UTC).date(), last.astimezone(UTC).date()
    days = {day}
    while day < end:
        day += _DAY
        days.add(day)
    return days


async def touch(tx: Transaction, source: str, days: set[date], message_count: int) -> None:
    if days:
        await tx.execute(
            """insert into days_touched as known (source, day, message_count)
               select $1, day, $3 from unnest($2::date[]) as changed (day) order by day
               on conflict (source, day) do update
               set message_count = greatest(known.message_count, excluded.message_count)""",
            source,
            sorted(days),
            message_count,
        )
