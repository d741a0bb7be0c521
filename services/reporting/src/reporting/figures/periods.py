"""Periods of a zone's calendar in SQL, and their labels."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from contracts.refusals import Invalid
from contracts.time_zones import time_zones
from reporting.metrics import Grain

_DAY = timedelta(days=1)
_MOST_DAYS = 4000
_LONGEST = {Grain.DAY: 1, Grain.WEEK: 7, Grain.MONTH: 31, Grain.QUARTER: 92, Grain.YEAR: 366}
"""In days."""
CALENDAR = "Gregorian, weeks from Monday (ISO 8601)"


class TimeZoneUnknown(Invalid):
    """There is no time zone {time_zone}; use a name such as Asia/Shanghai."""

    zh = "没有时区 {time_zone}；请使用如 Asia/Shanghai 的名称。"


def check_time_zone(name: str) -> None:
    """Raises `TimeZoneUnknown`."""
    if name not in time_zones():
        raise TimeZoneUnknown(time_zone=name)


def period_sql(
    grain: Grain,
    moment: str,
    time_zone: str,
    window: tuple[datetime | None, datetime | None],
    give: Callable[[Any], str],
) -> str:
    """Days and longer are dates of the zone's calendar; hours are moments, because a date has some twice.

    `give` takes a value and returns its parameter.
    """
    if grain is Grain.HOUR:
        return f"date_trunc('hour', {moment}, {give(time_zone)})"
    if starts := _starts(grain, time_zone, *window):
        days, moments = give([day for day, _ in starts]), give([at for _, at in starts])
        # To find a moment among the beginnings takes a quarter of what it takes to compute the date of each.
        return f"({days}::date[])[width_bucket({moment}, {moments}::timestamptz[])]"
    if grain is Grain.DAY:
        return f"({moment} at time zone {give(time_zone)})::date"
    return f"date_trunc('{grain.value}', {moment} at time zone {give(time_zone)})::date"


def _starts(grain: Grain, time_zone: str, begin: datetime | None, end: datetime | None) -> list[tuple[date, datetime]]:
    """The periods of a window, their first days and when these begin; none where that cannot be told so."""
    if begin is None or end is None or (end - begin).days > _MOST_DAYS:
        return []
    try:
        found = list(_periods(grain, ZoneInfo(time_zone), begin, end))
    except OverflowError:  # at the ends of the calendar
        return []
    # Where a clock was put back over midnight, some of the day before comes after the day began.
    is_plain = all(last < following for (_, _, last), (_, following, _) in pairwise(found))
    return [(day, at) for day, at, _ in found] if is_plain else []


def _periods(grain: Grain, zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[tuple[date, datetime, datetime]]:
    """The first day of each, its first moment and its last."""
    day = first_day(begin.astimezone(zone).date(), grain)
    while (at := datetime.combine(day, time(), zone).astimezone(UTC)) < end:
        following = first_day(day + _LONGEST[grain] * _DAY, grain)
        last = datetime.combine(following - _DAY, time.max, zone).replace(fold=1)
        yield day, at, last.astimezone(UTC)
        day = following


def first_day(day: date, grain: Grain | None) -> date:
    """The first day of the period that a day lies in."""
    match grain:
        case Grain.WEEK:
            return day - timedelta(days=day.weekday())
        case Grain.MONTH:
            return day.replace(day=1)
        case Grain.QUARTER:
            return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
        case Grain.YEAR:
            return date(day.year, 1, 1)
    return day


@cache
def slice_of(time_zone: str) -> str:
    """How finely time that runs on must be cut so that hours, and all that is longer, are made of whole pieces."""
    if time_zone not in time_zones():
        return "1 hour"
    offsets = (datetime(2026, month, 1, tzinfo=ZoneInfo(time_zone)).utcoffset() for month in (1, 7))
    return "15 minutes" if any((offset or timedelta()) % timedelta(hours=1) for offset in offsets) else "1 hour"


def period_label(period: date, zone: ZoneInfo) -> str:
    """A date as it is; an hour's beginning with its offset: the hour that a clock change repeats is two hours."""
    if not isinstance(period, datetime):
        return period.isoformat()
    try:
        return period.astimezone(zone).isoformat(timespec="seconds")
    except OverflowError:
        return period.isoformat(timespec="seconds")
