"""A calendar is refused when it leaves nothing to count in, or contradicts itself."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from contracts.calendar import Hours, WorkingTime
from contracts.directory import CalendarDefined, Names
from contracts.limits import SHIPPED
from contracts.refusals import Refusal
from contracts.shipped_calendars import CHINA
from dispatch.domain.calendars import (
    CalendarTimeZoneUnknown,
    DaysUnclear,
    HoursOverlap,
    StatutoryDayIsWorked,
    TooLittleWorkingTime,
    YearAnnouncedAndProvisional,
    check_calendar,
    check_days,
    check_working_time,
)

MORNING, AFTERNOON = Hours(begin_minute=510, end_minute=720), Hours(begin_minute=810, end_minute=1080)


def make_working_time(**values: Any) -> WorkingTime:
    facts = {"time_zone": "Asia/Shanghai", "days_off": (5, 6), "hours": (MORNING, AFTERNOON)}
    return WorkingTime(**facts | values)


def make_calendar(working_time: WorkingTime | None = None, **values: Any) -> CalendarDefined:
    names = Names("Working days", "工作日")
    return CalendarDefined(calendar_id="cn", names=names, working_time=working_time or make_working_time(), **values)


@pytest.mark.parametrize(
    "calendar",
    [
        {},
        {"time_zone": "UTC"},
        {"days_off": ()},
        {"days_off": (0, 1, 2, 3, 4, 5), "hours": (Hours(begin_minute=0, end_minute=60),)},
        {"days_off": (5, 6), "hours": (Hours(begin_minute=0, end_minute=12),)},
    ],
)
def test_an_hour_a_week_is_enough_to_count_in(calendar: dict) -> None:
    check_working_time(SHIPPED.calendar)
    check_calendar(make_calendar(make_working_time(**calendar)))


@pytest.mark.parametrize(
    ("calendar", "refusal"),
    [
        ({"time_zone": "Asia/Peking"}, CalendarTimeZoneUnknown),
        ({"time_zone": "localtime"}, CalendarTimeZoneUnknown),
        ({"time_zone": ""}, CalendarTimeZoneUnknown),
        ({"hours": (AFTERNOON, MORNING)}, HoursOverlap),
        ({"hours": (Hours(begin_minute=60, end_minute=60),)}, HoursOverlap),
        ({"hours": (Hours(begin_minute=60, end_minute=30),)}, HoursOverlap),
        ({"hours": (Hours(begin_minute=0, end_minute=60), Hours(begin_minute=60, end_minute=90))}, HoursOverlap),
        ({"hours": (Hours(begin_minute=0, end_minute=60), Hours(begin_minute=59, end_minute=90))}, HoursOverlap),
        ({"days_off": (0, 1, 2, 3, 4, 5, 6)}, TooLittleWorkingTime),
        ({"hours": (Hours(begin_minute=0, end_minute=11),)}, TooLittleWorkingTime),
        ({"hours": ()}, TooLittleWorkingTime),
    ],
)
def test_a_calendar_that_nothing_can_be_counted_in_is_refused(calendar: dict, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        check_calendar(make_calendar(make_working_time(**calendar)))


NEW_YEAR = date(2026, 1, 1)


def test_a_statutory_day_is_a_holiday() -> None:
    check_calendar(make_calendar(make_working_time(holidays=(NEW_YEAR,)), statutory_days=(NEW_YEAR,)))
    with pytest.raises(StatutoryDayIsWorked):
        check_calendar(make_calendar(statutory_days=(NEW_YEAR,)))


def test_a_statutory_day_is_not_worked_in_place_of_another() -> None:
    worked = make_working_time(holidays=(NEW_YEAR,), make_up_days=(NEW_YEAR,))
    with pytest.raises(StatutoryDayIsWorked):
        check_calendar(make_calendar(worked, statutory_days=(NEW_YEAR,)))


def test_a_year_is_announced_or_provisional() -> None:
    check_calendar(make_calendar(announced_years=(2026,), provisional_years=(2027,)))
    with pytest.raises(YearAnnouncedAndProvisional):
        check_calendar(make_calendar(announced_years=(2026, 2027), provisional_years=(2027,)))


@pytest.mark.parametrize(
    ("announced_years", "day"),
    [((), None), ((2026,), date(2026, 12, 31)), ((2025, 2026), date(2026, 12, 31)), ((2024, 2026), date(2024, 12, 31))],
)
def test_a_calendar_is_covered_until_the_first_gap_in_its_announced_years(
    announced_years: tuple[int, ...], day: date | None
) -> None:
    assert make_calendar(announced_years=announced_years).covered_until == day


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 9, 30), "workday"),
        (date(2026, 10, 1), "statutory"),
        (date(2026, 10, 7), "rest"),
        (date(2026, 10, 4), "rest"),
        (date(2026, 10, 10), "make_up"),
        (date(2026, 10, 17), "rest"),
    ],
)
def test_a_day_is_of_one_kind(day: date, kind: str) -> None:
    assert CHINA.kind_of(day) == kind


def test_a_moment_is_covered_until_the_last_announced_day_has_ended() -> None:
    working_time = CHINA.covered_working_time
    midnight = datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert working_time.covers(midnight)
    assert not working_time.covers(midnight + timedelta(microseconds=1))
    assert not SHIPPED.calendar.covers(midnight)


@pytest.mark.parametrize(("first", "last"), [(date(2026, 1, 2), NEW_YEAR), (NEW_YEAR, date(2027, 2, 5))])
def test_days_are_asked_for_in_their_order_and_not_without_end(first: date, last: date) -> None:
    with pytest.raises(DaysUnclear):
        check_days(first, last)
    check_days(NEW_YEAR, date(2027, 2, 4))
