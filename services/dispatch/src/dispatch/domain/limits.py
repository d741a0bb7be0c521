"""Whether time limits 时限 can be counted in: hours that follow each other, and some working time to count."""

from contracts.calendar import WorkingTime
from contracts.limits import TimeLimitsDefined
from contracts.refusals import Invalid
from contracts.time_zones import time_zones

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


def check(rules: TimeLimitsDefined) -> None:
    calendar = rules.calendar
    if calendar.time_zone not in time_zones():
        raise CalendarTimeZoneUnknown(time_zone=calendar.time_zone)
    _check_hours(calendar)
    day = sum(part.end_minute - part.begin_minute for part in calendar.hours)
    minutes = day * (_DAYS_OF_A_WEEK - len(set(calendar.days_off)))
    if minutes < _FEWEST_MINUTES_A_WEEK:
        raise TooLittleWorkingTime(minutes=minutes, fewest=_FEWEST_MINUTES_A_WEEK)


def _check_hours(calendar: WorkingTime) -> None:
    previous = -1
    for part in calendar.hours:
        if not previous < part.begin_minute < part.end_minute:
            raise HoursOverlap()
        previous = part.end_minute
