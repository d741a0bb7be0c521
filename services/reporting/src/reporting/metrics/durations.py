"""How long it takes: every time of an order's life, as a distribution whose hours add up to years."""

from dataclasses import replace
from functools import partial

from reporting.metrics.metric import Metric, MetricKind
from reporting.metrics.orders import ALL, AREA_NOTE, DOMAIN, ENTERED, LEFT, NOT_BY_STATUS

PERCENTILES = "p50 and p90 from a histogram with buckets of at most 1/64 of their value, by nearest rank"
_SINCE_CREATION = "greatest(extract(epoch from entered_at - created_at) * 1000000, 0)::bigint"

_TIME_IN_STATUS = (
    "for each stay of an order in a status: occurred_at of the event that ended it minus occurred_at of the event "
    f"that began it, never below 0; counted in the period in which it ended; {AREA_NOTE}; mean = sum / count; "
)

_duration = partial(Metric, kind=MetricKind.DISTRIBUTION, unit="seconds", formula_source=DOMAIN)

TIME_IN_STATUS = _duration(
    id="time_in_status",
    version=2,
    name_en="Time spent in a status",
    name_zh="各状态停留时长",
    formula=_TIME_IN_STATUS + PERCENTILES,
    source=LEFT,
    numerator="microseconds",
    dimensions=ALL,
)
TIME_IN_STATUS_V1 = replace(
    TIME_IN_STATUS,
    version=1,
    kind=MetricKind.INTERPOLATED,
    formula=_TIME_IN_STATUS + "p50 and p90 by linear interpolation",
)


def _from_creation(metric_id: str, name_en: str, name_zh: str, what: str, where: str) -> Metric:
    return _duration(
        id=metric_id,
        name_en=name_en,
        name_zh=name_zh,
        formula=f"occurred_at of {what} minus occurred_at of creation; {AREA_NOTE}; {PERCENTILES}",
        source=ENTERED,
        where=where,
        numerator=_SINCE_CREATION,
        dimensions=NOT_BY_STATUS,
    )


def _of_a_stay(metric_id: str, name_en: str, name_zh: str, what: str, where: str) -> Metric:
    return _duration(
        id=metric_id,
        name_en=name_en,
        name_zh=name_zh,
        formula=f"{what}, in the period in which it ended; {AREA_NOTE}; {PERCENTILES}",
        source=LEFT,
        where=where,
        numerator="microseconds",
        dimensions=NOT_BY_STATUS,
    )


METRICS = (
    TIME_IN_STATUS_V1,
    TIME_IN_STATUS,
    _from_creation(
        "dispatch_time",
        "Time to dispatch",
        "派单时长",
        "the first dispatch",
        "status = 'dispatched' and dispatch_count = 1",
    ),
    _of_a_stay(
        "start_time",
        "Time to start",
        "接单处理时长",
        "from dispatch until the work area starts",
        "status = 'dispatched' and next_status = 'processing'",
    ),
    _of_a_stay(
        "handling_time",
        "Handling time",
        "处理时长",
        "from start to completion, suspensions among it",
        "status = 'processing' and next_status = 'completed'",
    ),
    _from_creation(
        "completion_time",
        "Time to completion",
        "完成时长",
        "the first completion",
        "status = 'completed' and from_status = 'processing' and completion_count = 1",
    ),
    _from_creation("archive_time", "Time to archive", "归档时长", "archiving", "status = 'archived'"),
    _of_a_stay("audit_time", "Audit time", "审核时长", "from submission to the verdict", "status = 'auditing'"),
    _of_a_stay(
        "ruling_time",
        "Time to a ruling on a rejection",
        "误派裁定时长",
        "from rejection to the dispatcher's ruling",
        "status = 'rejected' and next_status = 'redispatching'",
    ),
)
