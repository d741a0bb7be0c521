"""A set of time limits is refused when its calendar leaves nothing to count in."""

from dataclasses import replace
from typing import Any

import pytest

from contracts.calendar import Hours
from contracts.limits import SHIPPED, TimeLimitsDefined
from contracts.refusals import Refusal
from dispatch.domain.limits import CalendarTimeZoneUnknown, HoursOverlap, TooLittleWorkingTime, check

MORNING, AFTERNOON = Hours(begin_minute=510, end_minute=720), Hours(begin_minute=810, end_minute=1080)


def make_rules(**calendar: Any) -> TimeLimitsDefined:
    values = {"time_zone": "Asia/Shanghai", "days_off": (5, 6), "hours": (MORNING, AFTERNOON)} | calendar
    return replace(SHIPPED, calendar=replace(SHIPPED.calendar, **values))


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
    check(SHIPPED)
    check(make_rules(**calendar))


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
        check(make_rules(**calendar))
