"""Periods in words, what they are compared with, and an axis that has every hour and day."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from reporting.metrics import Grain
from reporting.reports.domain import ReportOutsideTime, ReportPeriodInvalid, last_day_of
from reporting.reports.periods import (
    ReportKind,
    axis,
    grain_of,
    months_later,
    period_of,
    title_of,
    window_before,
    window_of,
    window_year_before,
)

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("kind", "begin", "end"),
    [
        (ReportKind.DAILY, "2026-11-22", "2026-11-23"),
        (ReportKind.WEEKLY, "2026-11-16", "2026-11-23"),
        (ReportKind.MONTHLY, "2026-11-01", "2026-12-01"),
        (ReportKind.CALL_ANALYSIS, "2026-11-01", "2026-12-01"),
        (ReportKind.QUARTERLY, "2026-10-01", "2027-01-01"),
        (ReportKind.YEARLY, "2026-01-01", "2027-01-01"),
    ],
)
def test_a_period_is_the_one_its_day_lies_in(kind, begin, end):
    found = period_of(kind, date(2026, 11, 22), SHANGHAI)
    assert [moment.isoformat() for moment in found] == [f"{begin}T00:00:00+08:00", f"{end}T00:00:00+08:00"]


@pytest.mark.parametrize(
    ("kind", "chinese", "english"),
    [
        (ReportKind.MONTHLY, "2026 年 6 月话务与工单月报", "Monthly report on calls and work orders, June 2026"),
        (ReportKind.CALL_ANALYSIS, "2026 年 6 月话务情况分析", "Monthly call analysis, June 2026"),
        (
            ReportKind.DAILY,
            "2026 年 6 月 3 日（周三）话务与工单日报",
            "Daily report on calls and work orders, Wed 3 June 2026",
        ),
        (
            ReportKind.WEEKLY,
            "2026 年 6 月 1 日 至 2026 年 6 月 7 日话务与工单周报",
            "Weekly report on calls and work orders, 1 June 2026 to 7 June 2026",
        ),
        (
            ReportKind.QUARTERLY,
            "2026 年第二季度话务与工单季报",
            "Quarterly report on calls and work orders, second quarter of 2026",
        ),
        (ReportKind.YEARLY, "2026 年话务与工单年报", "Yearly report on calls and work orders, 2026"),
    ],
)
def test_a_title_says_the_period_in_words(kind, chinese, english):
    window = period_of(kind, date(2026, 6, 3), SHANGHAI)
    assert title_of(kind, window, SHANGHAI, "zh") == chinese
    assert title_of(kind, window, SHANGHAI, "en") == english


@pytest.mark.parametrize(
    ("kind", "day", "before", "year_before"),
    [
        (ReportKind.DAILY, date(2028, 2, 29), ("2028-02-28", "2028-02-29"), ("2027-02-28", "2027-03-01")),
        (ReportKind.WEEKLY, date(2026, 1, 1), ("2025-12-22", "2025-12-29"), ("2024-12-30", "2025-01-06")),
        (ReportKind.MONTHLY, date(2026, 3, 31), ("2026-02-01", "2026-03-01"), ("2025-03-01", "2025-04-01")),
        (ReportKind.QUARTERLY, date(2026, 1, 5), ("2025-10-01", "2026-01-01"), ("2025-01-01", "2025-04-01")),
        (ReportKind.YEARLY, date(2026, 1, 5), ("2025-01-01", "2026-01-01"), ("2025-01-01", "2026-01-01")),
    ],
)
def test_a_period_is_compared_with_the_one_before_and_the_same_a_year_before(kind, day, before, year_before):
    window = period_of(kind, day, SHANGHAI)
    found = (window_before(kind, window, SHANGHAI), window_year_before(kind, window, SHANGHAI))
    assert [tuple(moment.date().isoformat() for moment in one) for one in found] == [before, year_before]


def test_free_days_are_compared_with_as_many_days_before():
    window = window_of(date(2026, 6, 5), date(2026, 6, 15), SHANGHAI)
    begin, end = window_before(ReportKind.PERIOD, window, SHANGHAI)
    assert (begin.date(), end.date()) == (date(2026, 5, 26), date(2026, 6, 5))
    begin, end = window_year_before(ReportKind.PERIOD, window, SHANGHAI)
    assert (begin.date(), end.date()) == (date(2025, 6, 5), date(2025, 6, 15))


def test_an_axis_has_every_day_of_a_month_and_quarter_and_every_month_of_a_year():
    for kind, count in ((ReportKind.MONTHLY, 30), (ReportKind.QUARTERLY, 91), (ReportKind.YEARLY, 12)):
        window = period_of(kind, date(2026, 6, 1), SHANGHAI)
        assert len(axis(grain_of(kind, window, SHANGHAI), window, SHANGHAI)) == count


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25), (date(2026, 6, 1), 24)])
def test_a_day_of_a_clock_change_has_the_hours_that_it_has(day, hours):
    keys = axis(Grain.HOUR, period_of(ReportKind.DAILY, day, NEW_YORK), NEW_YORK)
    assert len(keys) == len(set(keys)) == hours


@pytest.mark.parametrize(
    ("days", "grain"),
    [(1, Grain.HOUR), (93, Grain.DAY), (94, Grain.WEEK), (366, Grain.MONTH), (3653, Grain.YEAR)],
)
def test_free_days_are_told_as_finely_as_a_page_bears(days, grain):
    first = date(2016, 1, 1)
    window = window_of(first, first + timedelta(days=days), SHANGHAI)
    assert grain_of(ReportKind.PERIOD, window, SHANGHAI) is grain
    assert len(axis(grain, window, SHANGHAI)) <= 93


def test_a_month_later_keeps_to_the_month():
    assert months_later(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert months_later(date(2028, 2, 29), -12) == date(2027, 2, 28)
    assert months_later(date(2026, 12, 15), 1) == date(2027, 1, 15)


TODAY, SOME_DAY = date(2026, 3, 2), date(2026, 3, 2)


@pytest.mark.parametrize(
    ("day", "last_day", "is_free", "refusal"),
    [
        (date(1999, 12, 31), None, False, ReportOutsideTime),
        (date(2037, 1, 1), None, False, ReportOutsideTime),
        (SOME_DAY, date(9999, 12, 31), True, ReportOutsideTime),
        (SOME_DAY, None, True, ReportPeriodInvalid),
        (SOME_DAY, SOME_DAY - timedelta(days=1), True, ReportPeriodInvalid),
        (SOME_DAY, SOME_DAY, False, ReportPeriodInvalid),
        (date(2000, 1, 1), date(2000, 1, 1) + timedelta(days=3670), True, ReportPeriodInvalid),
    ],
)
def test_a_report_of_days_that_cannot_be_is_refused(day, last_day, is_free, refusal):
    with pytest.raises(refusal):
        last_day_of(day, last_day, is_free=is_free, today=TODAY)


@pytest.mark.parametrize(
    ("day", "last_day", "is_free"),
    [
        (date(2000, 1, 1), None, False),
        (date(2036, 12, 31), None, False),
        (SOME_DAY, SOME_DAY, True),
        (date(2000, 1, 1), date(2000, 1, 1) + timedelta(days=3669), True),
    ],
)
def test_a_report_ends_on_its_day_or_on_the_last_of_free_days(day, last_day, is_free):
    assert last_day_of(day, last_day, is_free=is_free, today=TODAY) == (last_day or day)
