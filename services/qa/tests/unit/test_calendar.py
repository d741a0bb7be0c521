"""Working days, counted."""

from datetime import UTC, date, datetime

import pytest

from qa.follow_up.domain.calendar import NoWorkingDays, WorkingCalendar


def make_calendar(**overrides) -> WorkingCalendar:
    values = {"id": "cn", "version": 1, "time_zone": "Asia/Shanghai", "days_off": (5, 6)}
    return WorkingCalendar(**(values | overrides))


# Spring Festival 2026 as it was worked: off from 15 to 23 February, worked on Saturday 14 and 28.
SPRING = make_calendar(
    holidays=tuple(date(2026, 2, day) for day in range(15, 24)),
    make_up_days=(date(2026, 2, 14), date(2026, 2, 28)),
)


@pytest.mark.parametrize(
    ("day", "count", "reached"),
    [
        (date(2026, 2, 13), 0, date(2026, 2, 13)),
        (date(2026, 2, 13), 1, date(2026, 2, 14)),
        (date(2026, 2, 13), 2, date(2026, 2, 24)),
        (date(2026, 2, 20), 1, date(2026, 2, 24)),
        (date(2026, 2, 27), 1, date(2026, 2, 28)),
        (date(2026, 2, 27), 2, date(2026, 3, 2)),
    ],
)
def test_holidays_do_not_count_and_make_up_days_do(day: date, count: int, reached: date) -> None:
    assert SPRING.after(day, count) == reached


@pytest.mark.parametrize(
    ("day", "number", "reached"),
    [
        (date(2026, 1, 31), 5, date(2026, 2, 6)),
        (date(2026, 1, 1), 10, date(2026, 2, 13)),
        (date(2026, 1, 15), 11, date(2026, 2, 14)),
        (date(2026, 12, 31), 1, date(2027, 1, 1)),
    ],
)
def test_the_nth_working_day_of_the_next_month(day: date, number: int, reached: date) -> None:
    assert SPRING.nth_of_next_month(day, number) == reached


def test_a_day_ends_in_its_own_time_zone() -> None:
    assert SPRING.day_of(datetime(2026, 3, 1, 16, 0, tzinfo=UTC)) == date(2026, 3, 2)
    assert SPRING.end_of(date(2026, 3, 2)) == datetime(2026, 3, 2, 16, 0, tzinfo=UTC)


def test_a_calendar_without_any_working_day_is_refused() -> None:
    with pytest.raises(NoWorkingDays):
        make_calendar(days_off=(0, 1, 2, 3, 4, 5, 6)).check()
    make_calendar(days_off=(0, 1, 2, 3, 4, 5)).check()
