"""The arithmetic of metrics, and what every declared metric must have."""

import statistics
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from reporting.figures import Question, check, finished, metric_of
from reporting.metrics import REGISTRY, Grain, Quotient
from reporting.metrics.metric import EVERYBODY
from reporting.recount import different, percentile, period_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")


def test_a_mean_and_a_ratio_keep_what_they_are_made_of():
    row = finished(REGISTRY["time_in_status"], {"count": 3, "sum": 100.0, "p50": None, "p90": 1.23456789})
    assert row == {"count": 3, "sum": 100.0, "mean": 33.333333, "p50": None, "p90": 1.234568}


def test_there_is_no_mean_of_nothing():
    assert Quotient("mean", "sum", "count").of({"sum": 0.0, "count": 0}) is None


@pytest.mark.parametrize("size", [1, 2, 3, 10, 11, 101])
def test_percentiles_are_interpolated_as_everybody_does(size):
    values = [number * number * 1_000_000 for number in range(size)]
    assert percentile(values, 0.5) == statistics.median(values) / 1_000_000
    if size > 1:
        assert percentile(values, 0.9) == pytest.approx(
            statistics.quantiles(values, n=10, method="inclusive")[8] / 1_000_000
        )
    assert percentile([], 0.5) is None


def test_periods_of_a_moment_in_shanghai():
    moment = datetime(2026, 8, 31, 16, 30, tzinfo=UTC)
    assert {grain: period_of(moment, grain, SHANGHAI) for grain in Grain} == {
        Grain.HOUR: "2026-09-01T00:00:00+08:00",
        Grain.DAY: "2026-09-01",
        Grain.WEEK: "2026-08-31",
        Grain.MONTH: "2026-09-01",
        Grain.QUARTER: "2026-07-01",
        Grain.YEAR: "2026-01-01",
    }


@pytest.mark.parametrize("zone", [SHANGHAI, NEW_YORK])
def test_longer_periods_are_made_of_whole_shorter_ones(zone):
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    moments = [begin + timedelta(minutes=30 * step) for step in range(48 * 366)]
    for short, long in pairwise([Grain.HOUR, Grain.DAY, Grain.MONTH, Grain.QUARTER, Grain.YEAR]):
        within: dict[str, set[str]] = {}
        for moment in moments:
            within.setdefault(period_of(moment, short, zone), set()).add(period_of(moment, long, zone))
        assert all(len(periods) == 1 for periods in within.values())


@pytest.mark.parametrize(("zone", "hours"), [(SHANGHAI, 24), (NEW_YORK, 25)])
def test_the_day_of_a_clock_change_has_its_hours(zone, hours):
    begin = datetime(2026, 11, 1, tzinfo=zone).astimezone(UTC)
    found = {
        period_of(begin + timedelta(minutes=15 * step), Grain.HOUR, zone)
        for step in range(4 * 26)
        if (begin + timedelta(minutes=15 * step)).astimezone(zone).date() == date(2026, 11, 1)
    }
    assert len(found) == hours


def test_rows_are_compared_by_their_groups_and_not_by_their_order():
    shown = [{"status": "created", "count": 1, "sum": 1.0}, {"status": "archived", "count": 2, "sum": 2.0}]
    assert different(shown, [*reversed(shown)], ["status"]) == []
    assert different(shown, [shown[0], {**shown[1], "sum": 2.000_001}], ["status"]) == []
    assert different(shown, [shown[0], {**shown[1], "sum": 2.1}], ["status"]) == [
        {"shown": shown[1], "recounted": {**shown[1], "sum": 2.1}}
    ]
    assert different(shown, shown[:1], ["status"]) == [{"shown": shown[1], "recounted": None}]


@pytest.mark.parametrize("metric", REGISTRY.values(), ids=list(REGISTRY))
def test_every_metric_says_what_it_is(metric):
    assert metric.version >= 1
    assert all((metric.unit, metric.name_en, metric.name_zh, metric.formula, metric.dimensions, metric.sums))
    assert metric.quotient is None or {metric.quotient.numerator, metric.quotient.denominator} <= set(metric.sums)
    assert set(metric.roles) <= set(EVERYBODY)
    assert metric_of(metric.id, roles=frozenset(metric.roles[:1])) is metric


def test_the_default_time_zone_is_known():
    check(Question(metric=REGISTRY["work_orders_created"], grain=Grain.DAY))
