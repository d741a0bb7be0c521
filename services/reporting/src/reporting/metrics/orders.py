"""Metrics of orders: how many, how often, how well. How long is in `durations`."""

from dataclasses import replace
from functools import partial

from reporting.metrics.metric import ALL_ROLES, Dimension, Metric, MetricKind, Source

_ORDER_EVENTS = tuple(
    f"linework.work_order.{name}.v1"
    for name in (
        "created",
        "dispatched",
        "started",
        "rejected",
        "redispatch_requested",
        "completed",
        "audit_requested",
        "audited",
        "archived",
        "cancelled",
        "recalled",
        "reassigned",
        "urged",
    )
)
_STAYS = {"table": "stays", "subject": "order_id", "key": ("order_id", "since_version"), "inputs": _ORDER_EVENTS}

ENTERED = Source(
    name="statuses entered",
    moment="entered_at",
    known="since_known_at <= {upto}",
    known_at="since_known_at",
    late="is_since_late",
    versions=("since_version",),
    **_STAYS,
)
LEFT = Source(
    name="statuses left",
    moment="left_at",
    known="until_known_at <= {upto}",
    known_at="until_known_at",
    late="is_until_late",
    versions=("since_version", "until_version"),
    **_STAYS,
)
FOUND_OUT = replace(ENTERED, name="statuses entered, with what was found out later", sees_later=True)
PRESENT = Source(
    name="orders as they stand",
    moment=None,
    known="since_known_at <= {upto} and (until_known_at is null or until_known_at > {upto})",
    known_at="since_known_at",
    late="is_since_late",
    versions=("since_version",),
    **_STAYS,
)

ALL = (
    Dimension.STATUS,
    Dimension.WORK_AREA,
    Dimension.STAFF,
    Dimension.DEMAND_TYPE,
    Dimension.DEVICE_TYPE,
    Dimension.CHANNEL,
    Dimension.ZONE,
    Dimension.URGENCY,
)
NOT_BY_STATUS = tuple(dimension for dimension in ALL if dimension is not Dimension.STATUS)
AT_CREATION = (
    Dimension.DEMAND_TYPE,
    Dimension.DEVICE_TYPE,
    Dimension.CHANNEL,
    Dimension.ZONE,
    Dimension.URGENCY,
)
RUNNING = "status in ('created', 'dispatched', 'processing', 'rejected', 'redispatching')"

AREA_NOTE = "work_area_id and staff_id are those of the latest dispatch, staff_id its first named"
DOMAIN = "the domain's section 9, orders"
HANDLING = "the domain's section 2: counted by themselves, and a rate for each"

_count = partial(Metric, kind=MetricKind.COUNT, formula_source=DOMAIN)
_ratio = partial(
    Metric,
    kind=MetricKind.RATIO,
    unit="share",
    formula_source=DOMAIN,
    source=ENTERED,
    denominator="1",
    dimensions=NOT_BY_STATUS,
)

METRICS = (
    _count(
        id="work_orders",
        unit="orders",
        name_en="Work orders by present status",
        name_zh="当前各状态工单数",
        formula=f"count of orders; {AREA_NOTE}, none before the first",
        source=PRESENT,
        dimensions=ALL,
        roles=ALL_ROLES,
    ),
    _count(
        id="work_orders_created",
        unit="orders",
        name_en="Work orders created",
        name_zh="生成工单数",
        formula="count of orders by occurred_at of their creation",
        source=ENTERED,
        where="since_version = 1",
        dimensions=AT_CREATION,
        roles=ALL_ROLES,
    ),
    _count(
        id="work_orders_completed",
        unit="completions",
        name_en="Completions",
        name_zh="完成次数",
        formula=f"count of completions; an order that is completed again counts again; {AREA_NOTE}",
        source=ENTERED,
        where="status = 'completed' and from_status = 'processing'",
        dimensions=NOT_BY_STATUS,
    ),
    _count(
        id="statuses_entered",
        unit="steps",
        name_en="Orders that entered a status",
        name_zh="进入各状态的工单次数",
        formula=f"count of times that an order entered a status; {AREA_NOTE}",
        source=ENTERED,
        dimensions=ALL,
    ),
    _count(
        id="backlog",
        unit="orders",
        name_en="Backlog",
        name_zh="未完成工单数",
        formula=f"count of orders that are neither completed, under audit, archived nor cancelled; {AREA_NOTE}",
        source=PRESENT,
        where=RUNNING,
        dimensions=ALL,
    ),
    Metric(
        id="backlog_age",
        kind=MetricKind.DISTRIBUTION,
        unit="seconds",
        name_en="Age of the backlog",
        name_zh="未完成工单已历时间",
        formula="for each order of the backlog: the moment of the figure minus occurred_at of its creation",
        formula_source=DOMAIN,
        source=PRESENT,
        where=RUNNING,
        numerator="greatest(extract(epoch from {at} - created_at) * 1000000, 0)::bigint",
        dimensions=ALL,
    ),
    _ratio(
        id="rejections_per_dispatch",
        unit="ratio",
        name_en="Rejections per dispatch",
        name_zh="派单反单率",
        formula="stays that ended in rejected / stays in dispatched that ended, both in the period in which they ended",
        formula_source="number of rejections by number of dispatches that came to a decision",
        source=LEFT,
        numerator="(next_status = 'rejected')::int",
        denominator="(status = 'dispatched')::int",
    ),
    _ratio(
        id="rejections_per_order",
        unit="rejections per order",
        name_en="Rejections per order",
        name_zh="单均反单次数",
        formula=(
            f"rejections / orders dispatched for the first time, both in the period in which it happened; {AREA_NOTE}"
        ),
        numerator="(status = 'rejected')::int",
        denominator="(status = 'dispatched' and dispatch_count = 1)::int",
    ),
    _ratio(
        id="first_dispatch_accuracy",
        name_en="First-dispatch accuracy",
        name_zh="首次派单准确率",
        formula=(
            "1 - orders with a misdispatch ruled valid / orders dispatched, of the orders whose first dispatch lies in "
            "the period, with every ruling until now; work_area_id and staff_id are those of the first dispatch"
        ),
        source=FOUND_OUT,
        where="status = 'dispatched' and dispatch_count = 1",
        numerator=(
            "(not exists (select from {table} as ruled where ruled.order_id = fact.order_id"
            " and ruled.is_misdispatch_valid and ruled.until_known_at <= {upto}))::int"
        ),
    ),
    _ratio(
        id="reopen_rate",
        name_en="Reopen rate",
        name_zh="重开率",
        formula=(
            f"redispatches after completion, failed audits among them / completions, both in the period; {AREA_NOTE}"
        ),
        numerator="(status = 'redispatching' and from_status in ('completed', 'auditing'))::int",
        denominator="(status = 'completed' and from_status = 'processing')::int",
    ),
    _ratio(
        id="recall_rate",
        name_en="Recall rate",
        name_zh="撤回率",
        formula=f"orders recalled before the work was done / dispatches, both in the period; {AREA_NOTE}",
        formula_source=HANDLING,
        numerator="(status = 'redispatching' and from_status in ('dispatched', 'processing'))::int",
        denominator="(status = 'dispatched')::int",
    ),
    _ratio(
        id="reassign_rate",
        unit="reassignments per dispatch",
        name_en="Reassignments per dispatch",
        name_zh="单次派单改派数",
        formula=(
            "reassignments within the area during stays in dispatched and processing / stays in dispatched, of the "
            f"stays that ended in the period; {AREA_NOTE}"
        ),
        formula_source=HANDLING,
        source=LEFT,
        numerator="reassign_count",
        denominator="(status = 'dispatched')::int",
    ),
    _ratio(
        id="urge_rate",
        unit="urges per order",
        name_en="Urges per order",
        name_zh="单均催办次数",
        formula=(
            "urges during stays that ended in the period / orders that left their first status in the period; "
            f"{AREA_NOTE}"
        ),
        formula_source=HANDLING,
        source=LEFT,
        numerator="urge_count",
        denominator="(since_version = 1)::int",
    ),
    _ratio(
        id="unresolved_rate",
        name_en="Unresolved rate",
        name_zh="未完成率",
        formula=f"completions that did not resolve the order / completions, both in the period; {AREA_NOTE}",
        formula_source=HANDLING,
        where="status = 'completed' and from_status = 'processing'",
        numerator="(is_resolved is false)::int",
    ),
    _ratio(
        id="petition_rate",
        name_en="Petition rate",
        name_zh="上访率",
        formula=f"completions with a petition / completions, both in the period; {AREA_NOTE}",
        formula_source=HANDLING,
        where="status = 'completed' and from_status = 'processing'",
        numerator="(is_petitioned is true)::int",
    ),
    _ratio(
        id="repeat_rate",
        name_en="Repeat rate",
        name_zh="重复报修率",
        formula=(
            "orders created within 7 days after another of the same subscriber and demand type / orders created; "
            "of two at the same moment the one with the higher id is the repeat"
        ),
        where="since_version = 1",
        numerator=(
            "exists (select from {table} as earlier where earlier.since_version = 1"
            " and earlier.subscriber_id = fact.subscriber_id and earlier.demand_type = fact.demand_type"
            " and earlier.created_at >= fact.created_at - interval '168 hours'"
            " and (earlier.created_at, earlier.order_id) < (fact.created_at, fact.order_id)"
            " and earlier.since_known_at <= {upto})::int"
        ),
        reach=(7, 0),
        dimensions=AT_CREATION,
    ),
    _ratio(
        id="audit_pass_rate",
        name_en="Audit pass rate",
        name_zh="审核合格率",
        formula=f"audits passed / audits finished, by occurred_at of the audit; {AREA_NOTE}",
        source=LEFT,
        where="status = 'auditing'",
        numerator="(next_status = 'completed')::int",
    ),
)
