"""Whose the time of orders was: the ledger of minutes by holder 责任方."""

from reporting.metrics.durations import PERCENTILES
from reporting.metrics.metric import Dimension, Metric, MetricKind, Source
from reporting.metrics.orders import ALL, AREA_NOTE, DOMAIN, LEFT

_COPIED = (
    "order_id",
    "since_version",
    "until_version",
    "until_known_at",
    "left_at",
    "is_until_late",
    "status",
    "work_area_id",
    "demand_type",
    "device_type",
    "channel",
    "zone",
    "urgency",
)
HELD = Source(
    name="parts of statuses left, by holder",
    table=LEFT.table,
    subject=LEFT.subject,
    moment=LEFT.moment,
    known=LEFT.known,
    known_at=LEFT.known_at,
    late=LEFT.late,
    versions=LEFT.versions,
    key=("order_id", "place"),
    inputs=(*LEFT.inputs, "linework.work_order.suspended.v1", "linework.work_order.resumed.v1"),
    # One number for the place of a part in the order: a stay has as many parts as it has suspensions, and one more.
    relation=f"""(
        select {", ".join(f"stay.{column}" for column in _COPIED)}, part.holder, part.reason, part.staff_id,
            part.microseconds, stay.since_version * 10000::bigint + part.number as place
        from {{table}} as stay cross join lateral rows from (
            jsonb_to_recordset(stay.held::jsonb) as (holder text, reason text, staff_id text, microseconds bigint)
        ) with ordinality as part (holder, reason, staff_id, microseconds, number)
        where stay.left_at is not null)""",
    is_of_parts=True,
)

METRICS = (
    Metric(
        id="held_time",
        kind=MetricKind.DISTRIBUTION,
        unit="seconds",
        name_en="Time by holder",
        name_zh="责任方用时",
        formula=(
            "for each stay of an order in a status, its parts by holder: dispatch until a work area has it, the work "
            "area until work starts (before the appointment begins: the subscriber), staff while they work, qa after "
            "completion; while suspended whose time it is by the reason of the suspension, or else the house; the "
            "parts of an order are as long as the order, counted in the period in which the status was left; "
            f"{AREA_NOTE}; {PERCENTILES}"
        ),
        formula_source=DOMAIN,
        source=HELD,
        numerator="microseconds",
        dimensions=(Dimension.HOLDER, Dimension.REASON, *ALL),
    ),
)
