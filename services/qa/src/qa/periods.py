"""The days, weeks, months and quarters that reports are of."""

from datetime import date, timedelta
from enum import StrEnum


class PeriodLength(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


def period_of(grain: PeriodLength, day: date) -> tuple[date, date]:
    """The day, the week from Monday, the month or the quarter that a day lies in: its first day, and the day after
    its last."""
    if grain is PeriodLength.DAY:
        return day, day + timedelta(days=1)
    if grain is PeriodLength.WEEK:
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=7)
    if grain is PeriodLength.MONTH:
        first = day.replace(day=1)
        return first, (first + timedelta(days=31)).replace(day=1)
    first = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    return first, (first + timedelta(days=100)).replace(day=1)
