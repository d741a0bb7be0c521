"""Metrics of follow-ups: how many orders are followed up, in time, and how content subscribers say they are."""

from dataclasses import replace

from reporting.metrics.metric import Dimension, Metric, MetricKind, Source
from reporting.metrics.orders import AREA_NOTE, FOUND_OUT, NOT_BY_STATUS

DOMAIN = "the domain's section 9, orders: follow-up coverage and satisfaction"
_EVENTS = tuple(
    f"linework.quality.{name}.v1"
    for name in ("follow_up_planned", "follow_up_joined", "follow_up_ended", "satisfaction_given")
)
_OWN = "array[array[stream, follow_up_id]]"


def _follow_ups(step: str) -> Source:
    return Source(
        name=f"follow-ups {step}",
        table="follow_ups",
        subject="stream",
        moment=f"{step}_at",
        known=f"{step}_known_at <= {{upto}}",
        known_at=f"{step}_known_at",
        late=f"is_{step}_late",
        versions=(),
        key=("stream", "number"),
        inputs=_EVENTS,
        follow_ups=_OWN,
    )


PLANNED, ENDED = _follow_ups("planned"), _follow_ups("ended")
_COVERED = """from {followed_orders} as covered join {follow_ups} as follow_up using (stream, number)
    where covered.order_id = fact.order_id and covered.known_at <= {upto}"""
COMPLETED = replace(
    FOUND_OUT,
    name="orders completed, and their follow-ups",
    inputs=(*FOUND_OUT.inputs, *_EVENTS),
    follow_ups=f"(select array_agg(array[stream, follow_up_id]) {_COVERED})",
)

DIMENSIONS = (Dimension.WORK_AREA, Dimension.STAFF, Dimension.DEMAND_TYPE, Dimension.CHANNEL)
BY_CALLER = (*DIMENSIONS, Dimension.AGENT)
_NAMES = (
    "area, staff, demand type and channel are those of the follow-up's first order when it was planned; "
    "of a follow-up without an order they are not known"
)
_CALLER = f"{_NAMES}; agent_id is who called last"
_ASKED = "end_kind <> 'withdrawn'"


def _of_ended(metric_id: str, name_en: str, name_zh: str, formula: str, above: str, below: str = "1") -> Metric:
    return Metric(
        id=metric_id,
        kind=MetricKind.RATIO,
        unit="share",
        name_en=name_en,
        name_zh=name_zh,
        formula=f"{formula}, in the period in which they ended; {_CALLER}",
        formula_source=DOMAIN,
        source=ENDED,
        where=_ASKED,
        numerator=above,
        denominator=below,
        dimensions=BY_CALLER,
    )


_GIVEN = "(score is not null and scored_known_at <= {upto})"

METRICS = (
    Metric(
        id="follow_ups_planned",
        kind=MetricKind.COUNT,
        unit="follow-ups",
        name_en="Follow-ups planned",
        name_zh="计划回访数",
        formula=f"count of follow-ups by when they were planned, those withdrawn since left out; {_NAMES}",
        formula_source=DOMAIN,
        source=PLANNED,
        where="end_kind is distinct from 'withdrawn' or ended_known_at > {upto}",
        dimensions=DIMENSIONS,
    ),
    Metric(
        id="follow_up_coverage",
        kind=MetricKind.RATIO,
        unit="share",
        name_en="Follow-up coverage",
        name_zh="回访覆盖率",
        formula=(
            "orders that a follow-up covers in which the questionnaire was answered until now / orders completed, each "
            f"by its latest completion, in the period in which this lies; {AREA_NOTE}"
        ),
        formula_source=DOMAIN,
        source=COMPLETED,
        where=(
            "status = 'completed' and from_status = 'processing' and not exists (select from {table} as later"
            " where later.order_id = fact.order_id and later.status = 'completed' and later.from_status = 'processing'"
            " and later.since_version > fact.since_version and later.since_known_at <= {upto})"
        ),
        numerator=(
            f"(exists (select {_COVERED} and follow_up.end_kind = 'completed'"
            " and follow_up.ended_known_at <= {upto}))::int"
        ),
        denominator="1",
        dimensions=NOT_BY_STATUS,
    ),
    _of_ended(
        "follow_ups_answered",
        "Follow-ups answered",
        "回访成功率",
        "follow-ups in which the questionnaire was answered / follow-ups ended, the withdrawn left out",
        "(end_kind = 'completed')::int",
    ),
    _of_ended(
        "follow_ups_in_time",
        "Follow-ups answered in time",
        "按期回访率",
        "follow-ups in which the questionnaire was answered before they were due / follow-ups ended, the withdrawn "
        "left out",
        "(end_kind = 'completed' and not is_overdue)::int",
    ),
    _of_ended(
        "follow_up_satisfaction",
        "Satisfaction of follow-ups",
        "回访满意度",
        "sum of scores / sum of the highest scores possible, of follow-ups in which a score was given",
        f"case when {_GIVEN} then score else 0 end",
        f"case when {_GIVEN} then highest else 0 end",
    ),
    _of_ended(
        "follow_up_response_rate",
        "Response rate of follow-ups",
        "回访满意度参评率",
        "follow-ups in which a score was given / follow-ups ended, the withdrawn left out",
        f"{_GIVEN}::int",
    ),
)
