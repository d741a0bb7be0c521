"""Metrics of SLA clocks: whether orders were in time, and how long until arrival and reply."""

from functools import partial

from reporting.metrics.durations import PERCENTILES
from reporting.metrics.metric import Dimension, Metric, MetricKind, Source
from reporting.metrics.orders import AREA_NOTE, DOMAIN, NOT_BY_STATUS

_INPUTS = tuple(
    f"linework.{name}.v1"
    for name in (
        "work_order.created",
        "work_order.dispatched",
        "work_order.started",
        "work_order.arrived",
        "work_order.rejected",
        "work_order.suspended",
        "work_order.resumed",
        "work_order.extended",
        "work_order.completed",
        "work_order.archived",
        "work_order.cancelled",
        "deadlines.time_limits",
    )
)
_CLOCKS = {
    "table": "clocks",
    "subject": "order_id",
    "known": "since_known_at <= {upto} and (until_known_at is null or until_known_at > {upto})",
    "known_at": "since_known_at",
    "late": "is_late",
    "versions": ("since_version",),
    "key": ("order_id", "number"),
    "inputs": _INPUTS,
}
STOPPED = Source(name="clocks that have stopped", moment="stopped_at", **_CLOCKS)
PRESENT = Source(name="clocks as they stand", moment=None, **_CLOCKS)

DIMENSIONS = (Dimension.CLOCK, *NOT_BY_STATUS)
_LIMITED = "state = 'stopped' and limit_us is not null"
_JUDGED = (
    "by the set of time limits that applies to the order's creation, its extensions added, suspensions left out, "
    "in the calendar of the limit"
)
_WHEN = f"by the moment at which they stopped; cancelled orders count in neither; {AREA_NOTE}"


_stopped = partial(Metric, formula_source=DOMAIN, source=STOPPED)
_share = partial(_stopped, kind=MetricKind.RATIO, unit="share", where=_LIMITED, denominator="1", dimensions=DIMENSIONS)
_time = partial(
    _stopped, kind=MetricKind.DISTRIBUTION, unit="seconds", numerator="microseconds", dimensions=NOT_BY_STATUS
)


def _standing(metric_id: str, name_en: str, name_zh: str, formula: str, where: str, **more: object) -> Metric:
    return Metric(
        id=metric_id,
        kind=MetricKind.COUNT,
        unit="clocks",
        name_en=name_en,
        name_zh=name_zh,
        formula=f"count of clocks {formula}; an order counts once for each of its clocks; {AREA_NOTE}",
        formula_source=DOMAIN,
        source=PRESENT,
        where=where,
        dimensions=DIMENSIONS,
        **more,
    )


METRICS = (
    _share(
        id="in_time",
        name_en="In time",
        name_zh="按时率",
        formula=f"clocks that stopped within their limit / clocks with a limit that stopped, {_JUDGED}; {_WHEN}",
        numerator="is_in_time::int",
    ),
    _share(
        id="extension_rate",
        name_en="Extension rate",
        name_zh="延期率",
        formula=f"clocks that were extended / clocks with a limit that stopped, {_WHEN}",
        numerator="(extension_count > 0)::int",
    ),
    _time(
        id="arrival_time",
        name_en="Time to arrival",
        name_zh="到达时长",
        formula=(
            "occurred_at of the first arrival minus occurred_at of creation, of orders with an arrival recorded "
            "before their first completion, with or without a limit, suspensions among it; "
            f"{AREA_NOTE}; {PERCENTILES}"
        ),
        where="state = 'stopped' and clock = 'arrive' and stopped_by = 'arrived'",
    ),
    _time(
        id="reply_time",
        name_en="Time to reply",
        name_zh="答复时长",
        formula=(
            "occurred_at of the first completion with the subscriber called back, or else of archiving, "
            "minus occurred_at of creation, of orders that have a limit for the reply (complaints and reports, as "
            f"shipped), suspensions among it; {AREA_NOTE}; {PERCENTILES}"
        ),
        where="state = 'stopped' and clock = 'reply'",
    ),
    _time(
        id="first_contact_time",
        name_en="Time to first contact",
        name_zh="首次联系时长",
        formula=(
            "occurred_at of the first contact, or else of the first start of work, minus occurred_at of creation, of "
            "orders that have a limit for the first contact (complaints, as shipped), suspensions among it; "
            f"{AREA_NOTE}; {PERCENTILES}"
        ),
        where="state = 'stopped' and clock = 'contact'",
    ),
    _stopped(
        id="clock_time",
        kind=MetricKind.DISTRIBUTION,
        unit="seconds",
        name_en="Time by clock",
        name_zh="各时限用时",
        formula=(
            "for each clock with a limit that stopped: how long it ran, around the clock, suspensions left out; "
            f"{_WHEN}; {PERCENTILES}"
        ),
        where=_LIMITED,
        numerator=(
            "(select sum(extract(epoch from ran.ended - ran.began) * 1000000)"
            " from unnest(began_at, ended_at) as ran (began, ended))::bigint"
        ),
        dimensions=DIMENSIONS,
    ),
    _standing(
        "near_limit",
        "Near their limit",
        "临近时限",
        f"that run and whose limit is over within near_seconds, {_JUDGED}",
        "state = 'running' and due_at >= {at} and due_at <= {at} + {near_seconds} * interval '1 second'",
        parameters=("near_seconds",),
    ),
    _standing(
        "over_limit",
        "Over their limit",
        "已超时限",
        f"that have not stopped and whose limit is over, {_JUDGED}",
        "state in ('running', 'paused') and due_at < {at}",
    ),
)
