"""Periods of a zone's calendar in SQL, and their labels."""

from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from contracts.refusals import Invalid
from contracts.time_zones import time_zones
from reporting.metrics import Grain

CALENDAR = "Gregorian, weeks from Monday (ISO 8601)"


class TimeZoneUnknown(Invalid):
    """There is no time zone {time_zone}; use a name such as Asia/Shanghai."""

    zh = "没有时区 {time_zone}；请使用如 Asia/Shanghai 的名称。"


def check_time_zone(name: str) -> None:
    """Raises `TimeZoneUnknown`."""
    if name not in time_zones():
        raise TimeZoneUnknown(time_zone=name)


def period_sql(grain: Grain, moment: str, zone: str) -> str:
    """Days and longer are dates of the zone's calendar; hours are moments, because a date has some twice."""
    if grain is Grain.HOUR:
        return f"date_trunc('hour', {moment}, {zone})"
    if grain is Grain.DAY:
        return f"({moment} at time zone {zone})::date"
    return f"date_trunc('{grain.value}', {moment} at time zone {zone})::date"


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
