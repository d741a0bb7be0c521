"""Periods are found among their beginnings: each moment is in the one in which a clock of the zone says it is."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from reporting.figures.periods import first_day, period_sql
from reporting.metrics import Grain

_AROUND = timedelta(days=3)
# Midnight that is skipped (Cairo), a clock put back over midnight (St. John's), a day that never was (Apia).
_CHANGES = [
    ("Asia/Shanghai", datetime(2025, 12, 31, 16, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2026, 3, 31, 18, 15, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
    ("America/Havana", datetime(2025, 11, 2, 5, tzinfo=UTC)),
    ("Africa/Cairo", datetime(2026, 4, 23, 22, tzinfo=UTC)),
    ("America/St_Johns", datetime(2010, 11, 7, 2, 31, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),
]


@pytest.mark.parametrize(("zone", "change"), _CHANGES)
@pytest.mark.parametrize("grain", [grain for grain in Grain if grain is not Grain.HOUR])
async def test_every_moment_is_in_the_period_that_a_clock_of_the_zone_shows(reporting, zone, change, grain):
    begin, end = change - _AROUND, change + _AROUND
    edges = [change + timedelta(microseconds=step) for step in (-1, 0, 1)]
    moments = [*edges, *(begin + timedelta(minutes=7) * place for place in range(1234))]
    arguments = [moments]

    def give(value):
        arguments.append(value)
        return f"${len(arguments)}"

    sql = period_sql(grain, "moment", zone, (begin, end), give)
    rows = await reporting.rows(f"select {sql} from unnest($1::timestamptz[]) as moment", *arguments)
    shown = [first_day(moment.astimezone(ZoneInfo(zone)).date(), grain) for moment in moments]
    assert [row[0] for row in rows] == shown
