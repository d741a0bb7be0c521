"""When a report is due: local times over clock changes and year ends, working days, and what a pause leaves owing."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from contracts.calendar import WorkingDays
from reporting.reports.schedule import (
    Schedule,
    due_latest_first,
    is_late,
    next_due,
    nth_working_day,
)

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
WEEK = WorkingDays(time_zone="Asia/Shanghai", days_off=(5, 6))
OCTOBER = WorkingDays(
    time_zone="Asia/Shanghai",
    days_off=(5, 6),
    holidays=tuple(date(2026, 10, day) for day in range(1, 8)),
    make_up_days=(date(2026, 10, 10),),
)


def due_between(schedule, since, now, zone=SHANGHAI, calendar=WEEK):
    """The local moments and first days that are due, the oldest first."""
    found = due_latest_first(schedule, since=since, now=now, zone=zone, calendar=calendar)
    return [(due.moment.astimezone(zone).isoformat(), due.first.isoformat()) for due in found][::-1]


def local(*parts, zone=SHANGHAI):
    return datetime(*parts, tzinfo=zone)


def test_a_daily_report_is_of_yesterday_at_eight_also_over_a_year_end():
    found = due_between(Schedule(id="d", kind="daily"), local(2026, 12, 31, 7), local(2027, 1, 1, 8))
    assert found == [("2026-12-31T08:00:00+08:00", "2026-12-30"), ("2027-01-01T08:00:00+08:00", "2026-12-31")]


def test_what_is_due_at_this_very_moment_is_due_and_what_was_due_when_the_schedule_began_is_not():
    at_eight = local(2026, 6, 3, 8)
    assert due_between(Schedule(id="d", kind="daily"), at_eight - timedelta(hours=1), at_eight)
    assert not due_between(Schedule(id="d", kind="daily"), at_eight, at_eight + timedelta(hours=1))
    assert not due_between(
        Schedule(id="d", kind="daily"), at_eight - timedelta(days=1), at_eight - timedelta(microseconds=1)
    )


def test_a_weekly_report_is_of_the_week_before_on_its_weekday():
    schedule = Schedule(id="w", kind="weekly", weekday=2)
    found = due_between(schedule, local(2026, 12, 28), local(2027, 1, 13, 9))
    assert [first for _, first in found] == ["2026-12-21", "2026-12-28", "2027-01-04"]


@pytest.mark.parametrize(
    ("month", "count", "calendar", "day"),
    [
        (date(2026, 6, 1), 1, WEEK, date(2026, 6, 1)),
        (date(2026, 8, 1), 1, WEEK, date(2026, 8, 3)),  # the first is a Saturday
        (date(2026, 10, 1), 1, OCTOBER, date(2026, 10, 8)),  # after the holidays
        (date(2026, 10, 1), 3, OCTOBER, date(2026, 10, 10)),  # a Saturday that is worked
        (date(2027, 1, 1), 5, WEEK, date(2027, 1, 7)),
        (date(2026, 2, 1), 31, WEEK, date(2026, 2, 28)),  # no month has so many: its last day
    ],
)
def test_the_nth_working_day_knows_holidays_and_days_worked_in_their_place(month, count, calendar, day):
    assert nth_working_day(month, count, calendar) == day


def test_a_monthly_report_is_of_the_month_before_on_the_nth_working_day():
    schedule = Schedule(id="m", kind="monthly", working_day=3)
    found = due_between(schedule, local(2026, 9, 30), local(2027, 1, 31), calendar=OCTOBER)
    assert found == [
        ("2026-10-10T08:00:00+08:00", "2026-09-01"),
        ("2026-11-04T08:00:00+08:00", "2026-10-01"),
        ("2026-12-03T08:00:00+08:00", "2026-11-01"),
        ("2027-01-05T08:00:00+08:00", "2026-12-01"),
    ]


def test_quarterly_and_yearly_reports_are_due_in_the_first_month_after_their_period():
    since, now = local(2026, 3, 31), local(2027, 4, 30)
    quarters = due_between(Schedule(id="q", kind="quarterly", working_day=5), since, now)
    assert [first for _, first in quarters] == ["2026-01-01", "2026-04-01", "2026-07-01", "2026-10-01", "2027-01-01"]
    years = due_between(Schedule(id="y", kind="yearly", working_day=1), since, now)
    assert years == [("2027-01-01T08:00:00+08:00", "2026-01-01")]


def test_a_time_that_a_clock_change_skips_comes_once_and_one_that_comes_twice_too():
    skipped = Schedule(id="d", kind="daily", minute=150)  # 02:30, which 8 March 2026 has not
    found = due_between(skipped, local(2026, 3, 7, 12, zone=NEW_YORK), local(2026, 3, 9, 12, zone=NEW_YORK), NEW_YORK)
    assert found == [("2026-03-08T03:30:00-04:00", "2026-03-07"), ("2026-03-09T02:30:00-04:00", "2026-03-08")]
    twice = Schedule(id="d", kind="daily", minute=90)  # 01:30, which 1 November 2026 has twice
    since, now = local(2026, 10, 31, 12, zone=NEW_YORK), local(2026, 11, 1, 12, zone=NEW_YORK)
    assert due_between(twice, since, now, NEW_YORK) == [("2026-11-01T01:30:00-04:00", "2026-10-31")]


def test_a_worker_that_was_down_for_years_finds_the_latest_it_owes_and_reads_no_more_of_the_calendar():
    schedule = Schedule(id="d", kind="daily")
    now = local(2026, 6, 3, 9)
    found = due_latest_first(schedule, since=local(1990, 1, 1), now=now, zone=SHANGHAI, calendar=WEEK)
    assert [due.first.isoformat() for due in islice(found, 2)] == ["2026-06-02", "2026-06-01"]
    assert len(list(found)) < 900


def test_what_is_made_more_than_an_hour_after_it_was_due_is_late():
    schedule = Schedule(id="d", kind="daily")
    (due,) = due_latest_first(
        schedule, since=local(2026, 6, 3), now=local(2026, 6, 3, 12), zone=SHANGHAI, calendar=WEEK
    )
    assert not is_late(due, due.moment + timedelta(minutes=59))
    assert is_late(due, due.moment + timedelta(minutes=61))


def test_the_next_run_is_the_first_after_now():
    due = next_due(
        Schedule(id="m", kind="monthly", working_day=1),
        now=datetime(2026, 6, 3, tzinfo=UTC),
        zone=SHANGHAI,
        calendar=WEEK,
    )
    assert due is not None
    assert (due.moment.isoformat(), due.first.isoformat()) == ("2026-07-01T00:00:00+00:00", "2026-06-01")
