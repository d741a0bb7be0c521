"""When a report is due: pure decisions on local times, weekdays and working days.

A schedule files the period that is over: daily yesterday, weekly the week before, monthly the month before on the
n-th working day of the next, and so on. Due moments follow from the rules alone, so that a worker that was down finds
what it owes.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from contracts.calendar import WorkingDays
from reporting.reports.periods import ReportKind, first_day

_DAY = timedelta(days=1)
MOST_OWED = 31
"""Of the periods that a schedule owes the latest are made; older ones can be asked for by hand."""
LATE_AFTER = timedelta(hours=1)
_LONGEST_LOOK_BACK = timedelta(days=800)
Scheduled = Literal["daily", "weekly", "monthly", "quarterly", "yearly", "call_analysis"]


class When(NamedTuple):
    """The part of a schedule that determines when it is due."""

    kind: str
    minute: int
    weekday: int
    working_day: int


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    kind: Scheduled
    minute: int = 480
    """Of the local day: 480 is 08:00."""
    weekday: int = 0
    """Of a weekly one: 0 is Monday."""
    working_day: int = 1
    """Of a monthly, quarterly or yearly one: the n-th working day of the month after the period."""
    languages: tuple[str, ...] = ("zh",)
    formats: tuple[str, ...] = ("pdf", "xlsx")
    readers: tuple[str, ...] = ("supervisor", "operator")
    """The roles that find it; it holds what each of them may see."""
    areas: tuple[str, ...] | None = None
    """The work areas that it is of; None for all."""

    @property
    def time(self) -> When:
        return When(self.kind, self.minute, self.weekday, self.working_day)


class Due(NamedTuple):
    moment: datetime
    """In UTC."""
    first: date
    """The first day of the period that is filed."""


def nth_working_day(month: date, count: int, calendar: WorkingDays) -> date:
    """The n-th working day of a month; its last day where the month has fewer."""
    day, left = month.replace(day=1), count
    while True:
        left -= calendar.is_working_day(day)
        following = day + _DAY
        if left == 0 or following.month != day.month:
            return day
        day = following


def _due_on(schedule: Schedule, day: date, calendar: WorkingDays) -> bool:
    kind = ReportKind(schedule.kind)
    if kind is ReportKind.DAILY:
        return True
    if kind is ReportKind.WEEKLY:
        return day.weekday() == schedule.weekday
    begins_period = first_day(kind, day) == day.replace(day=1)
    return begins_period and day == nth_working_day(day, schedule.working_day, calendar)


def _filed_on(schedule: Schedule, day: date) -> date:
    """The first day of the period before the one that a day lies in."""
    kind = ReportKind(schedule.kind)
    return first_day(kind, first_day(kind, day) - _DAY)


def _moment(schedule: Schedule, day: date, zone: ZoneInfo) -> datetime:
    # A time that a clock change skips is as long after midnight as it reads; one that comes twice is the first.
    hour, minute = divmod(schedule.minute, 60)
    return datetime.combine(day, time(hour, minute), zone).astimezone(UTC)


def due_latest_first(
    schedule: Schedule, *, since: datetime, now: datetime, zone: ZoneInfo, calendar: WorkingDays
) -> Iterator[Due]:
    """The due moments after `since` and not after `now`, the latest first."""
    day, earliest = now.astimezone(zone).date(), max(since, now - _LONGEST_LOOK_BACK)
    while day >= earliest.astimezone(zone).date():
        moment = _moment(schedule, day, zone)
        if earliest < moment <= now and _due_on(schedule, day, calendar):
            yield Due(moment, _filed_on(schedule, day))
        day -= _DAY


def next_due(schedule: Schedule, *, now: datetime, zone: ZoneInfo, calendar: WorkingDays) -> Due | None:
    """The first due moment after `now`, within the look-ahead of the longest schedule."""
    day = now.astimezone(zone).date()
    for _ in range(_LONGEST_LOOK_BACK.days):
        moment = _moment(schedule, day, zone)
        if moment > now and _due_on(schedule, day, calendar):
            return Due(moment, _filed_on(schedule, day))
        day += _DAY
    return None


def is_late(due: Due, now: datetime) -> bool:
    return now - due.moment > LATE_AFTER
