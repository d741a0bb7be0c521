"""How much of the time between two moments counts, and when so much will have counted.

Everything is in whole microseconds, so that two who count the same intervals come to the same number. A calendar
of None is around the clock. `reached` is the earliest moment at which `elapsed_us` is what was asked for, so "in time"
is the same whether one compares what has elapsed with the limit or the moment with the deadline.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from contracts.calendar import WorkingTime

MICROSECOND = timedelta(microseconds=1)
_MINUTE, _ONE_DAY, _NO_TIME = timedelta(minutes=1), timedelta(days=1), timedelta()
_FAR_AHEAD = datetime(9999, 12, 30, tzinfo=UTC)
_LONG_AGO = datetime(2, 1, 1, tzinfo=UTC)
"""Closer to the ends of the calendar a moment has no local time in every zone."""
Stretch = tuple[datetime, datetime]


def elapsed_us(calendar: WorkingTime | None, begin: datetime, end: datetime) -> int:
    """Microseconds that count between two moments; none when the end is not after the beginning."""
    if calendar is None:
        return max((end - begin) // MICROSECOND, 0)
    return sum((min(until, end) - max(since, begin)) // MICROSECOND for since, until in _worked(calendar, begin, end))


def reached(calendar: WorkingTime | None, begin: datetime, needed_us: int) -> datetime:
    """The earliest moment, from the beginning on, until which so many microseconds count; in the year 9999 if never."""
    left = timedelta(microseconds=needed_us)
    if left <= timedelta():
        return begin
    if calendar is None:
        return begin + left if _FAR_AHEAD - begin > left else _FAR_AHEAD
    for since, until in _worked(calendar, begin, _FAR_AHEAD):
        since = max(since, begin)
        if until - since >= left:
            return since + left
        left -= until - since
    return _FAR_AHEAD


def _worked(calendar: WorkingTime, begin: datetime, end: datetime) -> Iterator[Stretch]:
    """The stretches of working time, in UTC, that share some time with those between two moments."""
    begin = max(begin, _LONG_AGO)
    if not calendar.hours or begin >= min(end, _FAR_AHEAD):
        return
    day = begin.astimezone(calendar.zone).date()
    last = min(end, _FAR_AHEAD).astimezone(calendar.zone).date()
    known = _known_days(calendar)
    while day <= last:
        stretches = known.get(day)
        if stretches is None:
            stretches = known[day] = tuple(_stretches(calendar, day))
        for since, until in stretches:
            if since < end and until > begin:
                yield since, until
        day += _ONE_DAY


def _stretches(calendar: WorkingTime, day: date) -> Iterator[Stretch]:
    if not calendar.is_working_day(day):
        return
    midnight = datetime.combine(day, time(), calendar.zone)
    for part in calendar.hours:
        since = _moment_of(midnight + _MINUTE * part.begin_minute)
        until = _moment_of(midnight + _MINUTE * part.end_minute)
        if since < until:
            yield since, until


# Local time is most of what counting costs, and a page of orders counts the same few days. By identity, because a
# calendar has hundreds of dates to hash; holding it keeps its identity from being used again.
_KNOWN: dict[int, tuple[WorkingTime, dict[date, tuple[Stretch, ...]]]] = {}
_MOST_CALENDARS, _MOST_DAYS = 32, 3000


def _known_days(calendar: WorkingTime) -> dict[date, tuple[Stretch, ...]]:
    if len(_KNOWN) > _MOST_CALENDARS:
        _KNOWN.clear()
    _, days = _KNOWN.setdefault(id(calendar), (calendar, {}))
    if len(days) > _MOST_DAYS:
        days.clear()
    return days


def _moment_of(wall: datetime) -> datetime:
    """When the clock on the wall shows it, the first time; where it is put forward over it, the moment of that."""
    shown = wall
    while (shown.utcoffset() or _NO_TIME) < (shown.replace(fold=1).utcoffset() or _NO_TIME):
        # No clock shows it. PEP 495 reads it by the offset of before, which is a moment after the change.
        shown -= _MINUTE
    return shown.astimezone(UTC) + (_MINUTE if shown != wall else _NO_TIME)
