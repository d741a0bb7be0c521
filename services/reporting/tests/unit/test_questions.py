"""Which figures can be asked for, by whom and how."""

from datetime import timedelta
from typing import Any

import pytest

from contracts.refusals import Refusal
from reporting.figures.periods import TimeZoneUnknown, check_time_zone
from reporting.figures.question import (
    DimensionNotOfMetric,
    MetricNotForRole,
    MetricNotFound,
    MetricVersionNotFound,
    MetricWithoutAreas,
    MetricWithoutTime,
    ParameterNotOfMetric,
    Question,
    WindowInverted,
    check,
    metric_of,
)
from reporting.figures.rules import FigureRules
from reporting.metrics import METRICS, REGISTRY, Dimension, Grain
from work_orders.testing_streams import BEGIN

RULES = FigureRules(
    threshold_seconds=15, short_seconds=4, near_seconds=60, late_after_seconds=0, time_zone="Asia/Kolkata"
)
HOUR = timedelta(hours=1)


def make_question(metric_id: str, **overrides: Any) -> Question:
    values = {"metric": REGISTRY[metric_id][-1], "at": BEGIN, "rules": RULES, "time_zone": RULES.time_zone}
    return Question(**values | overrides)


@pytest.mark.parametrize(
    ("metric", "asked", "refusal", "context"),
    [
        ("work_orders", {"grain": Grain.DAY}, MetricWithoutTime, {"metric": "work_orders"}),
        ("work_orders", {"begin": BEGIN}, MetricWithoutTime, {"metric": "work_orders"}),
        ("work_orders", {"end": BEGIN}, MetricWithoutTime, {"metric": "work_orders"}),
        ("work_orders_created", {"group_by": (Dimension.STATUS,)}, DimensionNotOfMetric, {"dimension": "status"}),
        ("work_orders_created", {"only": ((Dimension.STATUS, "x"),)}, DimensionNotOfMetric, {"dimension": "status"}),
        ("work_orders_created", {"time_zone": "Asia/Atlantis"}, TimeZoneUnknown, {"time_zone": "Asia/Atlantis"}),
        ("work_orders_created", {"begin": BEGIN, "end": BEGIN - HOUR}, WindowInverted, {}),
        ("work_orders_created", {"areas": ("N",)}, MetricWithoutAreas, {"areas": ["N"]}),
        ("service_level_3", {"areas": ("N",)}, MetricWithoutAreas, {"areas": ["N"]}),
        ("service_level_3", {"areas": ()}, MetricWithoutAreas, {"areas": []}),
        ("service_level_3", {"parameters": {"short_seconds": 5}}, ParameterNotOfMetric, {"parameter": "short_seconds"}),
    ],
)
def test_a_question_that_a_metric_cannot_answer_is_refused(
    metric: str, asked: dict, refusal: type[Refusal], context: dict
) -> None:
    with pytest.raises(refusal) as refused:
        check(make_question(metric, **asked))
    assert context.items() <= refused.value.context.items()


@pytest.mark.parametrize(
    ("metric", "asked"),
    [
        ("work_orders_created", {"begin": BEGIN, "end": BEGIN}),
        ("work_orders_created", {"begin": BEGIN, "grain": Grain.HOUR}),
        ("time_in_status", {"areas": ("N",), "group_by": (Dimension.STATUS,), "only": ((Dimension.STATUS, None),)}),
        ("service_level_3", {"parameters": {"threshold_seconds": 21}}),
    ],
)
def test_a_question_that_a_metric_can_answer_is_not(metric: str, asked: dict) -> None:
    check(make_question(metric, **asked))


@pytest.mark.parametrize(
    ("metric", "version", "role", "refusal"),
    [
        ("no_such", None, "supervisor", MetricNotFound),
        ("time_in_status", 3, "supervisor", MetricVersionNotFound),
        ("time_in_status", None, "agent", MetricNotForRole),
        ("service_level_3", None, "agent", MetricNotForRole),
        ("service_level_3", None, "technician", MetricNotForRole),
    ],
)
def test_a_metric_that_is_not_there_or_not_theirs_is_refused(
    metric: str, version: int | None, role: str, refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        metric_of(metric, version, roles=frozenset([role]))


@pytest.mark.parametrize("metric", METRICS, ids=lambda one: f"{one.id}-{one.version}")
def test_every_metric_is_for_its_own_roles_and_no_other(metric) -> None:
    for role in metric.roles:
        assert metric_of(metric.id, metric.version, roles=frozenset([role, "x"])) is metric
    others = {role for one in METRICS for role in one.roles} - set(metric.roles)
    with pytest.raises(MetricNotForRole) as refused:
        metric_of(metric.id, metric.version, roles=frozenset(others))
    assert refused.value.context["needed"] == list(metric.roles)


def test_figures_of_calls_are_for_those_who_run_the_centre() -> None:
    assert metric_of("service_level_3", None, roles=frozenset(["operator"])).id == "service_level_3"
    assert metric_of("work_orders", None, roles=frozenset(["agent"])).id == "work_orders"


def test_without_a_version_the_newest_is_meant() -> None:
    assert metric_of("time_in_status", None, roles=frozenset(["supervisor"])) is REGISTRY["time_in_status"][-1]
    assert metric_of("time_in_status", 1, roles=frozenset(["supervisor"])).version == 1


@pytest.mark.parametrize(
    "name",
    [
        "Mars/Olympus",
        # PostgreSQL knows it, by any case; a name is written in one way.
        "asia/shanghai",
        # Python's list of zones has it on some machines, PostgreSQL's has not.
        "localtime",
        "",
        "Asia/Shanghai; drop",
    ],
)
def test_a_time_zone_is_one_that_every_machine_knows_by_this_name(name: str) -> None:
    check_time_zone("Asia/Shanghai")
    with pytest.raises(TimeZoneUnknown):
        check_time_zone(name)
