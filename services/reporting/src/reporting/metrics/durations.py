"""How long orders are in a status, and what it ends in."""

from reporting.metrics.metric import Dimension, Metric, Quotient, Source

SECONDS = "extract(epoch from left_at - entered_at)"

TIME_IN_STATUS = Metric(
    id="time_in_status",
    version=1,
    unit="seconds",
    name_en="Time spent in a status",
    name_zh="各状态停留时长",
    formula=(
        "for each stay of an order in a status: occurred_at of the event that ended it minus occurred_at of the "
        "event that began it, never below 0; counted in the period in which it ended; mean = sum / count; "
        "p50 and p90 by linear interpolation; work_area_id is the area of the latest dispatch at that time"
    ),
    source=Source.INTERVALS,
    dimensions=tuple(Dimension),
    sums={"count": "count(*)", "sum": f"coalesce(sum({SECONDS}), 0)::float8"},
    moment="left_at",
    quotient=Quotient("mean", "sum", "count"),
    percentiles={"p50": 0.5, "p90": 0.9},
)

REJECTIONS_PER_DISPATCH = Metric(
    id="rejections_per_dispatch",
    version=1,
    unit="ratio",
    name_en="Rejections per dispatch",
    name_zh="派单反单率",
    formula="stays that ended in rejected / stays in dispatched that ended, both in the period in which they ended",
    source=Source.INTERVALS,
    dimensions=tuple(dimension for dimension in Dimension if dimension is not Dimension.STATUS),
    sums={
        "rejections": "count(*) filter (where next_status = 'rejected')",
        "dispatches": "count(*) filter (where status = 'dispatched')",
    },
    moment="left_at",
    quotient=Quotient("ratio", "rejections", "dispatches"),
)

METRICS = (TIME_IN_STATUS, REJECTIONS_PER_DISPATCH)
