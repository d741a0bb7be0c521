"""Which days have changed, and at which place of the record: what was summed up before then is not right any more.

Written in the transaction of the change, so that both are visible together. Days are of UTC; a day of any
other zone lies in at most three of them.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

from chassis.one_statement import Part

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


def touched(by_source: Mapping[str, set[date]], message_count: int) -> Part | None:
    """Notes the days that have changed, by table."""
    changed = sorted((source, day) for source, days in by_source.items() for day in days)
    if not changed:
        return None
    return Part(_TOUCH, (*map(list, zip(*changed, strict=True)), message_count))


# In one order, so that whoever else writes days queues instead of deadlocking.
_TOUCH = """insert into days_touched as known (source, day, message_count)
    select source, day, $3::bigint from unnest($1::text[], $2::date[]) as changed (source, day) order by source, day
    on conflict (source, day) do update
    set message_count = greatest(known.message_count, excluded.message_count)"""
