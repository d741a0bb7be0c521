"""Whether a calendar 工作日历 can be counted in, and until when its days off are known."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from contracts.calendar import WorkingTime
from contracts.directory import CalendarDefined
from contracts.limits import LimitCalendar, TimeLimitsDefined
from contracts.refusals import Invalid
from contracts.time_zones import time_zones

_MOST_DAYS = 400
_DAYS_OF_A_WEEK = 7
_FEWEST_MINUTES_A_WEEK = 60
"""With less, a limit of the longest allowed length would not end within a lifetime."""


class CalendarTimeZoneUnknown(Invalid):
    """There is no time zone {time_zone}; use a name such as Asia/Shanghai."""

    zh = "没有时区 {time_zone}；请使用如 Asia/Shanghai 的名称。"


class HoursOverlap(Invalid):
    """The parts of a working day must each end after they begin and must not overlap."""

    zh = "工作日的各时段必须先始后终，且依次不相重叠。"


class TooLittleWorkingTime(Invalid):
    """The calendar has {minutes} working minutes a week; at least {fewest} are required."""

    zh = "日历每周仅有 {minutes} 分钟工作时间，至少需要 {fewest} 分钟才能计时。"


class StatutoryDayIsWorked(Invalid):
    """Statutory day {day} must be one of the holidays and not a make-up day."""

    zh = "法定节假日 {day} 必须在节假日之列，且不能是调休上班日。"


class YearAnnouncedAndProvisional(Invalid):
    """Year {year} is both announced and provisional."""

    zh = "{year} 年不能既已公布又为暂定。"


class DaysUnclear(Invalid):
    """The last day must be {day} or later, and at most {longest_days} days can be asked for at once."""

    zh = "最后一天不得早于 {day}，且一次最多查询 {longest_days} 天。"


REFUSALS = (
    CalendarTimeZoneUnknown,
    HoursOverlap,
    TooLittleWorkingTime,
    StatutoryDayIsWorked,
    YearAnnouncedAndProvisional,
)


def check_calendar(calendar: CalendarDefined) -> None:
    """Raises one of `REFUSALS`."""
    check_working_time(calendar.working_time)
    off = set(calendar.working_time.holidays) - set(calendar.working_time.make_up_days)
    for day in calendar.statutory_days:
        if day not in off:
            raise StatutoryDayIsWorked(day=str(day))
    for year in sorted({*calendar.announced_years} & {*calendar.provisional_years}):
        raise YearAnnouncedAndProvisional(year=year)


def check_days(first: date, last: date) -> None:
    """Raises `DaysUnclear`."""
    if not 0 <= (last - first).days < _MOST_DAYS:
        raise DaysUnclear(day=str(first), longest_days=_MOST_DAYS)


def check_working_time(working_time: WorkingTime) -> None:
    """Raises `CalendarTimeZoneUnknown`, `HoursOverlap` or `TooLittleWorkingTime`."""
    if working_time.time_zone not in time_zones():
        raise CalendarTimeZoneUnknown(time_zone=working_time.time_zone)
    _check_hours(working_time)
    day = sum(part.end_minute - part.begin_minute for part in working_time.hours)
    minutes = day * (_DAYS_OF_A_WEEK - len(set(working_time.days_off)))
    if minutes < _FEWEST_MINUTES_A_WEEK:
        raise TooLittleWorkingTime(minutes=minutes, fewest=_FEWEST_MINUTES_A_WEEK)


def _check_hours(working_time: WorkingTime) -> None:
    previous = -1
    for part in working_time.hours:
        if not previous < part.begin_minute < part.end_minute:
            raise HoursOverlap()
        previous = part.end_minute


def calendars_named_by(rules: TimeLimitsDefined) -> set[str]:
    """The ids of the calendars that a set of limits is counted in."""
    return {one for one in (rules.calendar_id, *(limit.calendar_id for limit in rules.limits)) if one is not None}


def counted_in(rules: TimeLimitsDefined, calendars: Mapping[str, CalendarDefined]) -> TimeLimitsDefined:
    """The set with these calendars as they are now; those that it names and that are not given stay as they were."""
    given = {one: LimitCalendar(one, calendar.covered_working_time) for one, calendar in calendars.items()}
    named = {one.calendar_id: one for one in rules.calendars} | given
    own = given.get(rules.calendar_id or "")
    of_limits = sorted({limit.calendar_id for limit in rules.limits if limit.calendar_id is not None})
    return replace(
        rules,
        calendar=own.working_time if own else rules.calendar,
        calendars=tuple(named[one] for one in of_limits),
    )
