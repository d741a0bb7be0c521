"""Calendars that every service has without a message, as version 0: the announced years of China.

What an operator defines under the same id takes their place with version 1. A later release may add a year here; time
limits that count in a calendar hold a copy of it, so no figure of the past changes. A test holds the days against the
libraries of public holidays.
"""

from collections.abc import Iterator, Mapping
from datetime import date

from contracts.calendar import WorkingTime
from contracts.directory import CalendarDefined, Names
from contracts.limits import SHIPPED

_STATUTORY = {
    2025: "01-01 01-28 01-29 01-30 01-31 04-04 05-01 05-02 05-31 10-01 10-02 10-03 10-06",
    2026: "01-01 02-16 02-17 02-18 02-19 04-05 05-01 05-02 06-19 09-25 10-01 10-02 10-03",
}
_REST = {
    2025: "02-03 02-04 05-05 06-02 10-07 10-08",
    2026: "01-02 02-20 02-23 04-06 05-04 05-05 10-05 10-06 10-07",
}
_MAKE_UP = {
    2025: "01-26 02-08 04-27 09-28 10-11",
    2026: "01-04 02-14 02-28 05-09 09-20 10-10",
}


def _days(by_year: Mapping[int, str]) -> Iterator[date]:
    for year, days in by_year.items():
        for day in days.split():
            yield date.fromisoformat(f"{year}-{day}")


CHINA = CalendarDefined(
    calendar_id="cn",
    names=Names(en="Working days in China", zh="中国工作日"),
    working_time=WorkingTime(
        time_zone=SHIPPED.calendar.time_zone,
        days_off=SHIPPED.calendar.days_off,
        hours=SHIPPED.calendar.hours,
        holidays=tuple(sorted([*_days(_STATUTORY), *_days(_REST)])),
        make_up_days=tuple(_days(_MAKE_UP)),
    ),
    statutory_days=tuple(_days(_STATUTORY)),
    announced_years=tuple(_STATUTORY),
)

SHIPPED_CALENDARS: Mapping[str, CalendarDefined] = {CHINA.calendar_id: CHINA}
