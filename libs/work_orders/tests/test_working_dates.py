"""Working time against dates that were counted by hand on the announced calendars of 2025 and 2026.

Hours are 08:30 to 12:00 and 13:30 to 18:00 in Shanghai, 480 minutes a day.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from contracts.calendar import Hours, WorkingTime
from work_orders.sla_clocks import MINUTE_US
from work_orders.working_time import elapsed_us, reached

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY_US = 480 * MINUTE_US


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


CHINA = WorkingTime(
    time_zone="Asia/Shanghai",
    days_off=(5, 6),
    hours=(Hours(begin_minute=510, end_minute=720), Hours(begin_minute=810, end_minute=1080)),
    holidays=(
        date(2025, 1, 1),
        *days(date(2025, 1, 28), date(2025, 2, 4)),
        *days(date(2025, 4, 4), date(2025, 4, 6)),
        *days(date(2025, 5, 1), date(2025, 5, 5)),
        *days(date(2025, 5, 31), date(2025, 6, 2)),
        *days(date(2025, 10, 1), date(2025, 10, 8)),
        *days(date(2026, 1, 1), date(2026, 1, 3)),
        *days(date(2026, 2, 15), date(2026, 2, 23)),
        *days(date(2026, 4, 4), date(2026, 4, 6)),
        *days(date(2026, 5, 1), date(2026, 5, 5)),
        *days(date(2026, 6, 19), date(2026, 6, 21)),
        *days(date(2026, 9, 25), date(2026, 9, 27)),
        *days(date(2026, 10, 1), date(2026, 10, 7)),
    ),
    make_up_days=(
        *(date(2025, 1, 26), date(2025, 2, 8), date(2025, 4, 27), date(2025, 9, 28), date(2025, 10, 11)),
        *(date(2026, 1, 4), date(2026, 2, 14), date(2026, 2, 28), date(2026, 5, 9), date(2026, 9, 20)),
        date(2026, 10, 10),
    ),
)

COUNTED = [
    ("2024-12-31 16:00", 1, "2025-01-02 16:00"),  # over New Year's Day
    ("2025-01-25 10:00", 4, "2025-02-06 18:00"),  # Sunday the 26th is worked, then the Spring Festival
    ("2025-09-26 14:00", 4, "2025-10-09 14:00"),  # Sunday the 28th is worked, then eight days off
    ("2025-12-31 09:00", 4, "2026-01-07 09:00"),  # over the year's end; Sunday 4 January is worked
    ("2025-12-31 12:30", 9, "2026-01-14 12:00"),  # from the lunch break on
    ("2026-01-01 10:00", 1, "2026-01-04 18:00"),
    ("2026-01-02 23:00", 4, "2026-01-07 18:00"),
    ("2026-01-03 08:00", 9, "2026-01-14 18:00"),
    ("2026-01-04 10:00", 1, "2026-01-05 10:00"),
    ("2026-01-09 17:00", 1, "2026-01-12 17:00"),
    ("2026-02-12 11:00", 4, "2026-02-25 11:00"),  # Saturday the 14th is worked, then nine days off
    ("2026-02-13 16:00", 1, "2026-02-14 16:00"),
    ("2026-02-14 09:30", 1, "2026-02-24 09:30"),
    ("2026-02-14 20:00", 4, "2026-02-27 18:00"),
    ("2026-02-16 12:00", 9, "2026-03-05 18:00"),  # Saturday the 28th is worked
    ("2026-02-27 14:00", 1, "2026-02-28 14:00"),
    ("2026-02-28 17:30", 4, "2026-03-05 17:30"),
    ("2026-03-06 17:00", 4, "2026-03-12 17:00"),
    ("2026-04-03 10:00", 1, "2026-04-07 10:00"),
    ("2026-04-04 10:00", 4, "2026-04-10 18:00"),
    ("2026-04-30 15:00", 4, "2026-05-09 15:00"),  # Saturday 9 May is worked
    ("2026-05-03 09:00", 4, "2026-05-09 18:00"),
    ("2026-05-08 13:30", 9, "2026-05-20 12:00"),
    ("2026-05-09 08:30", 1, "2026-05-09 18:00"),
    ("2026-06-18 17:59", 1, "2026-06-22 17:59"),
    ("2026-06-19 00:00", 4, "2026-06-25 18:00"),
    ("2026-09-18 09:00", 1, "2026-09-20 09:00"),  # a Sunday that is worked
    ("2026-09-19 12:00", 4, "2026-09-23 18:00"),
    ("2026-09-24 10:00", 4, "2026-10-08 10:00"),  # three days off, three worked, seven off
    ("2026-09-30 18:00", 1, "2026-10-08 18:00"),
    ("2026-10-09 11:00", 1, "2026-10-10 11:00"),
    ("2026-10-10 16:00", 4, "2026-10-15 16:00"),
]


@pytest.mark.parametrize(("begin", "working_days", "end"), COUNTED)
def test_working_days_end_where_a_person_counts_them(begin: str, working_days: int, end: str) -> None:
    since, over_at = (datetime.fromisoformat(one).replace(tzinfo=SHANGHAI) for one in (begin, end))
    assert reached(CHINA, since, working_days * DAY_US) == over_at
    assert elapsed_us(CHINA, since, over_at) == working_days * DAY_US
