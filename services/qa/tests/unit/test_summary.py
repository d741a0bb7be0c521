"""The summary of a follow-up project: which days it is of, and what its printed page says of them."""

from datetime import date
from typing import Any

import pytest
from services.qa.tests.unit.builders import NOW, make_project

from qa.follow_up.summary import Days, ProjectSummary, SummaryDaysUnclear, to_html
from qa.periods import PeriodLength

MONDAY = date(2026, 3, 2)
COUNTS = dict.fromkeys(
    (
        "planned_count",
        "ended_count",
        "completed_count",
        "completed_in_time_count",
        "refused_count",
        "unreachable_count",
        "withdrawn_count",
        "overdue_count",
        "order_count",
        "attempt_count",
        "satisfaction_count",
        "satisfaction_sum",
        "risk_count",
        "dissatisfaction_count",
        "open_finding_count",
    ),
    0,
)


def make_summary(**overrides: Any) -> ProjectSummary:
    values = {"project": make_project(), "from_on": MONDAY, "until_on": date(2026, 3, 9)}
    return ProjectSummary(**values | {"time_zone": "Asia/Shanghai", "made_at": NOW} | COUNTS | overrides)


@pytest.mark.parametrize(
    ("period", "bounds"),
    [
        (PeriodLength.DAY, (MONDAY, date(2026, 3, 3))),
        (PeriodLength.WEEK, (MONDAY, date(2026, 3, 9))),
        (PeriodLength.MONTH, (date(2026, 3, 1), date(2026, 4, 1))),
        (PeriodLength.QUARTER, (date(2026, 1, 1), date(2026, 4, 1))),
    ],
)
def test_a_summary_is_of_the_day_week_month_or_quarter_that_a_day_lies_in(period: PeriodLength, bounds: tuple) -> None:
    assert Days(period=period).bounds(MONDAY) == bounds
    assert Days(period=period, on=MONDAY).bounds(date(2027, 5, 5)) == bounds


@pytest.mark.parametrize(
    ("period", "on", "bounds"),
    [
        (PeriodLength.WEEK, date(2027, 1, 3), (date(2026, 12, 28), date(2027, 1, 4))),
        (PeriodLength.MONTH, date(2026, 12, 31), (date(2026, 12, 1), date(2027, 1, 1))),
        (PeriodLength.QUARTER, date(2026, 12, 31), (date(2026, 10, 1), date(2027, 1, 1))),
    ],
)
def test_a_period_may_end_in_another_year(period: PeriodLength, on: date, bounds: tuple) -> None:
    assert Days(period=period, on=on).bounds(MONDAY) == bounds


@pytest.mark.parametrize(
    "days",
    [
        Days(),
        Days(from_on=MONDAY),
        Days(until_on=MONDAY),
        Days(from_on=MONDAY, until_on=date(2026, 3, 3)),
    ],
)
def test_days_may_be_open_at_either_end(days: Days) -> None:
    assert days.bounds(MONDAY) == (days.from_on, days.until_on)


@pytest.mark.parametrize(
    "days",
    [
        Days(from_on=date(2026, 3, 9), until_on=MONDAY),
        Days(from_on=MONDAY, until_on=MONDAY),
        Days(from_on=MONDAY, period=PeriodLength.DAY),
        Days(until_on=MONDAY, period=PeriodLength.DAY),
        Days(on=MONDAY),
    ],
)
def test_days_that_are_none_or_two_things_at_once_are_refused(days: Days) -> None:
    with pytest.raises(SummaryDaysUnclear):
        days.bounds(MONDAY)


def test_a_printed_page_shows_the_last_day_and_the_time_of_its_calendar() -> None:
    page = to_html(make_summary(), "en")
    # The day after the last is not in it, so a person is shown the last.
    assert "2026-03-02 – 2026-03-08" in page
    assert "2026-03-09" not in page
    assert "Made at 2026-03-02 16:00 Asia/Shanghai" in page
    assert "… – …" in to_html(make_summary(from_on=None, until_on=None), "en")


@pytest.mark.parametrize(("language", "mean"), [("en", "Mean satisfaction"), ("zh", "平均满意度")])
def test_a_printed_page_is_in_one_language_and_gives_a_mean_with_its_sum_and_count(language: str, mean: str) -> None:
    page = to_html(make_summary(satisfaction_sum=7, satisfaction_count=2), language)
    assert f"<td>{mean}</td><td>3.50 (7 / 2)</td>" in page
    assert f"<td>{mean}</td><td>–</td>" in to_html(make_summary(), language)


def test_a_name_on_a_printed_page_is_text_and_no_markup() -> None:
    page = to_html(make_summary(project=make_project(name="<b>&")), "en")
    assert "&lt;b&gt;&amp;" in page
    assert "<b>" not in page
