"""The arithmetic of metrics, and what every declared metric must have."""

import pytest

from contracts.catalogue import BY_TYPE
from linework.recount.counting import nearest_rank
from linework.recount.recount import KINDS
from reporting.figures import Question, check, metric_of
from reporting.figures.buckets import bucket_of, middle_of, percentile
from reporting.figures.question import MetricVersionNotFound, ParameterNotOfMetric
from reporting.figures.rules import FigureRules
from reporting.metrics import METRICS, REGISTRY, Grain, MetricKind
from reporting.metrics.metric import ALL_ROLES
from work_orders.testing_streams import BEGIN

RULES = FigureRules(
    threshold_seconds=15, short_seconds=4, near_seconds=60, late_after_seconds=0, time_zone="Asia/Kolkata"
)
NAMES = [f"{metric.id}-{metric.version}" for metric in METRICS]


def test_a_mean_and_a_ratio_keep_what_they_are_made_of_and_there_is_none_of_nothing():
    ratio = REGISTRY["rejections_per_dispatch"][0]
    assert ratio.value(1, 3) == 0.333333
    assert ratio.value(0, 0) is None
    assert REGISTRY["work_orders"][0].value(0, None) == 0


@pytest.mark.parametrize("milliseconds", [0, 1, 127, 128, 129, 255, 256, 257, 1000, 86_400_000, 10**12])
def test_the_middle_of_a_bucket_is_within_a_128th_of_what_is_in_it(milliseconds):
    seconds = milliseconds / 1000
    assert abs(middle_of(bucket_of(milliseconds * 1000)) - seconds) <= seconds / 128
    assert bucket_of(milliseconds * 1000 + 999) == bucket_of(milliseconds * 1000)


def test_longer_durations_are_in_higher_buckets_and_none_is_left_out():
    buckets = [bucket_of(milliseconds * 1000) for milliseconds in range(70_000)]
    assert buckets == sorted(buckets)
    assert set(buckets) == set(range(buckets[-1] + 1))
    assert bucket_of(-5) == 0


@pytest.mark.parametrize("size", [1, 2, 3, 10, 11, 101])
def test_percentiles_are_by_nearest_rank_and_add_up(size):
    values = [number * number * 1_000_000 for number in range(size)]
    counts: dict[int, int] = {}
    for value in values:
        counts[bucket_of(value)] = counts.get(bucket_of(value), 0) + 1
    for share in (500, 900):
        assert percentile(counts, share / 1000) == nearest_rank(values, share)
    assert percentile({}, 0.5) is None


@pytest.mark.parametrize("metric", METRICS, ids=NAMES)
def test_every_metric_says_what_it_is(metric):
    assert metric.version >= 1
    assert all((metric.unit, metric.name_en, metric.name_zh, metric.formula, metric.formula_source))
    assert metric.dimensions
    assert set(metric.source.inputs) <= set(BY_TYPE)
    assert set(metric.parameters) <= set(RULES.thresholds)
    assert (metric.kind is MetricKind.COUNT) == (metric.denominator is None and not metric.is_timed)
    assert set(metric.roles) <= set(ALL_ROLES)
    assert metric_of(metric.id, metric.version, roles=frozenset(metric.roles[:1])) is metric


def test_the_recount_knows_every_metric_in_every_version_and_no_other():
    assert {key: metric.kind for key, metric in (((one.id, one.version), one) for one in METRICS)} == KINDS


def test_versions_count_from_one_without_gaps():
    for versions in REGISTRY.values():
        assert [metric.version for metric in versions] == list(range(1, len(versions) + 1))
    with pytest.raises(MetricVersionNotFound):
        metric_of("time_in_status", 9, roles=frozenset(["operator"]))


def _question(metric_id, **more):
    return Question(metric=REGISTRY[metric_id][-1], at=BEGIN, rules=RULES, time_zone=RULES.time_zone, **more)


def test_a_foreign_threshold_is_refused():
    check(_question("work_orders_created", grain=Grain.DAY))
    with pytest.raises(ParameterNotOfMetric):
        check(_question("work_orders_created", parameters={"threshold_seconds": 20}))


def test_a_threshold_that_is_not_given_is_that_of_the_rules():
    assert _question("service_level_5").thresholds == {"threshold_seconds": 15, "short_seconds": 4}
    given = _question("service_level_5", parameters={"threshold_seconds": 20})
    assert given.thresholds == {"threshold_seconds": 20, "short_seconds": 4}
    assert _question("work_orders_created").thresholds == {}
