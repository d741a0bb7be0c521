"""The period of a report: where it begins and ends, what it is compared with, how it is called, and its axis."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from reporting.figures.periods import period_label
from reporting.metrics import Grain
from reporting.reports.words import MONTHS, WEEKDAYS, Language

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_LONGEST_BY_DAY = 93
_LONGEST_BY_WEEK = 200
_LONGEST_BY_MONTH = 1100
LONGEST_BY_HOUR = 366
"""Days over which hours are counted one by one."""


class ReportKind(StrEnum):
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"
    CALL_ANALYSIS = "call_analysis"
    """每月话务情况分析: of a month, calls only."""
    PERIOD = "period"
    """Any days, from one to another."""


KIND_NAMES: Mapping[ReportKind, tuple[str, str]] = {
    ReportKind.DAILY: ("Daily report on calls and work orders", "话务与工单日报"),
    ReportKind.WEEKLY: ("Weekly report on calls and work orders", "话务与工单周报"),
    ReportKind.MONTHLY: ("Monthly report on calls and work orders", "话务与工单月报"),
    ReportKind.QUARTERLY: ("Quarterly report on calls and work orders", "话务与工单季报"),
    ReportKind.YEARLY: ("Yearly report on calls and work orders", "话务与工单年报"),
    ReportKind.CALL_ANALYSIS: ("Monthly call analysis", "话务情况分析"),
    ReportKind.PERIOD: ("Report on calls and work orders", "话务与工单报表"),
}
_GRAINS: Mapping[ReportKind, Grain] = {
    ReportKind.DAILY: Grain.HOUR,
    ReportKind.WEEKLY: Grain.DAY,
    ReportKind.MONTHLY: Grain.DAY,
    ReportKind.CALL_ANALYSIS: Grain.DAY,
    ReportKind.QUARTERLY: Grain.DAY,
    ReportKind.YEARLY: Grain.MONTH,
}
_MONTHS_LONG: Mapping[ReportKind, int] = {
    ReportKind.MONTHLY: 1,
    ReportKind.CALL_ANALYSIS: 1,
    ReportKind.QUARTERLY: 3,
    ReportKind.YEARLY: 12,
}
_QUARTERS = (("first", "一"), ("second", "二"), ("third", "三"), ("fourth", "四"))

ReportWindow = tuple[datetime, datetime]


def first_day(kind: ReportKind, day: date) -> date:
    """The first day of the period that a day lies in."""
    match kind:
        case ReportKind.WEEKLY:
            return day - timedelta(days=day.weekday())
        case ReportKind.MONTHLY | ReportKind.CALL_ANALYSIS:
            return day.replace(day=1)
        case ReportKind.QUARTERLY:
            return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
        case ReportKind.YEARLY:
            return date(day.year, 1, 1)
    return day


def months_later(day: date, months: int) -> date:
    """The same day of another month; the last one where that month is shorter."""
    month = day.year * 12 + day.month - 1 + months
    first = date(month // 12, month % 12 + 1, 1)
    last = (date((month + 1) // 12, (month + 1) % 12 + 1, 1) - _DAY).day
    return first.replace(day=min(day.day, last))


def day_after(kind: ReportKind, first: date) -> date:
    if kind in _MONTHS_LONG:
        return months_later(first, _MONTHS_LONG[kind])
    return first + timedelta(days=7 if kind is ReportKind.WEEKLY else 1)


def window_of(first: date, after: date, zone: ZoneInfo) -> ReportWindow:
    return datetime.combine(first, time(), zone), datetime.combine(after, time(), zone)


def period_of(kind: ReportKind, day: date, zone: ZoneInfo) -> ReportWindow:
    """The beginning and the end of the period that a day lies in, by the zone's midnights."""
    first = first_day(kind, day)
    return window_of(first, day_after(kind, first), zone)


def days_of(window: ReportWindow, zone: ZoneInfo) -> tuple[date, date]:
    """The first day of a window and the day after its last."""
    begin, end = window
    return begin.astimezone(zone).date(), end.astimezone(zone).date()


def window_before(kind: ReportKind, window: ReportWindow, zone: ZoneInfo) -> ReportWindow:
    """The period before 上期: as long as this one; of free days as many days."""
    first, after = days_of(window, zone)
    if kind in _MONTHS_LONG:
        return window_of(months_later(first, -_MONTHS_LONG[kind]), first, zone)
    return window_of(first - (after - first), first, zone)


def window_year_before(kind: ReportKind, window: ReportWindow, zone: ZoneInfo) -> ReportWindow:
    """The same period of the year before 去年同期; of a week the one with the same weekdays, 52 weeks earlier."""
    first, after = days_of(window, zone)
    if kind is ReportKind.WEEKLY:
        return window_of(first - 52 * timedelta(days=7), after - 52 * timedelta(days=7), zone)
    earlier = months_later(first, -12)
    if kind in _MONTHS_LONG:
        return window_of(earlier, months_later(earlier, _MONTHS_LONG[kind]), zone)
    return window_of(earlier, months_later(after - _DAY, -12) + _DAY, zone)


def grain_of(kind: ReportKind, window: ReportWindow, zone: ZoneInfo) -> Grain:
    """The grain of a period; of free days by how many there are."""
    if kind in _GRAINS:
        return _GRAINS[kind]
    first, after = days_of(window, zone)
    count = (after - first).days
    if count == 1:
        return Grain.HOUR
    if count <= _LONGEST_BY_DAY:
        return Grain.DAY
    if count <= _LONGEST_BY_WEEK:
        return Grain.WEEK
    return Grain.MONTH if count <= _LONGEST_BY_MONTH else Grain.YEAR


def axis(grain: Grain, window: ReportWindow, zone: ZoneInfo) -> list[str]:
    """The keys of every period in the window, as figures label them, also those in which nothing happened."""
    if grain is Grain.HOUR:
        return [period_label(moment, zone) for moment in _hours(window)]
    first, after = days_of(window, zone)
    day, keys = _beginning(grain, first), []
    while day < after:
        keys.append(day.isoformat())
        day = _following(grain, day)
    return keys


def _hours(window: ReportWindow) -> Iterator[datetime]:
    # In UTC, in which an hour that a clock change repeats is two and one that it skips is none.
    moment, end = (one.astimezone(UTC) for one in window)
    while moment < end:
        yield moment
        moment += _HOUR


def _beginning(grain: Grain, day: date) -> date:
    match grain:
        case Grain.WEEK:
            return first_day(ReportKind.WEEKLY, day)
        case Grain.MONTH:
            return first_day(ReportKind.MONTHLY, day)
        case Grain.YEAR:
            return first_day(ReportKind.YEARLY, day)
    return day


def _following(grain: Grain, day: date) -> date:
    match grain:
        case Grain.WEEK:
            return day + timedelta(days=7)
        case Grain.MONTH:
            return months_later(day, 1)
        case Grain.YEAR:
            return months_later(day, 12)
    return day + _DAY


def period_name(kind: ReportKind, window: ReportWindow, zone: ZoneInfo, language: str) -> str:
    """The period in words: `2026 年 6 月`, `June 2026`."""
    first, after = days_of(window, zone)
    last = after - _DAY
    is_chinese = language == Language.ZH
    match kind:
        case ReportKind.DAILY:
            return day_name(first, language, with_weekday=True)
        case ReportKind.MONTHLY | ReportKind.CALL_ANALYSIS:
            return f"{first.year} 年 {first.month} 月" if is_chinese else f"{MONTHS[first.month - 1]} {first.year}"
        case ReportKind.QUARTERLY:
            english, chinese = _QUARTERS[(first.month - 1) // 3]
            return f"{first.year} 年第{chinese}季度" if is_chinese else f"{english} quarter of {first.year}"
        case ReportKind.YEARLY:
            return f"{first.year} 年" if is_chinese else str(first.year)
    if first == last:
        return day_name(first, language, with_weekday=True)
    between = " 至 " if is_chinese else " to "
    return f"{day_name(first, language)}{between}{day_name(last, language)}"


def title_of(kind: ReportKind, window: ReportWindow, zone: ZoneInfo, language: str) -> str:
    english, chinese = KIND_NAMES[kind]
    name = period_name(kind, window, zone, language)
    return f"{name}{chinese}" if language == Language.ZH else f"{english}, {name}"


def day_name(day: date, language: str, *, with_weekday: bool = False) -> str:
    weekday = WEEKDAYS[day.weekday()][language == Language.ZH]
    if language == Language.ZH:
        text = f"{day.year} 年 {day.month} 月 {day.day} 日"
        return f"{text}（{weekday}）" if with_weekday else text
    text = f"{day.day} {MONTHS[day.month - 1]} {day.year}"
    return f"{weekday} {text}" if with_weekday else text


def key_name(grain: Grain, key: str, language: str) -> str:
    """How a period of the axis is called in a table: short, and by the wall clock."""
    is_chinese = language == Language.ZH
    if grain is Grain.HOUR:
        return datetime.fromisoformat(key).strftime("%H:%M")
    day = date.fromisoformat(key)
    month = MONTHS[day.month - 1][:3]
    match grain:
        case Grain.DAY:
            weekday = WEEKDAYS[day.weekday()][is_chinese]
            return f"{day.month}月{day.day}日 {weekday}" if is_chinese else f"{day.day} {month} {weekday}"
        case Grain.WEEK:
            return f"{day.month}月{day.day}日起一周" if is_chinese else f"week of {day.day} {month} {day.year}"
        case Grain.MONTH:
            return f"{day.year}年{day.month}月" if is_chinese else f"{month} {day.year}"
        case Grain.QUARTER:
            quarter = (day.month - 1) // 3 + 1
            return f"{day.year}年第{quarter}季度" if is_chinese else f"quarter {quarter} of {day.year}"
    return f"{day.year}年" if is_chinese else str(day.year)


def moment_name(moment: datetime, zone: ZoneInfo, language: str) -> str:
    """A local time in words, to the minute."""
    local = moment.astimezone(zone)
    return f"{day_name(local.date(), language)} {local:%H:%M}"
