"""How many orders there are and how many were created."""

from reporting.metrics.metric import EVERYBODY, Dimension, Metric, Source

WORK_ORDERS = Metric(
    id="work_orders",
    version=1,
    unit="orders",
    name_en="Work orders by present status",
    name_zh="当前各状态工单数",
    formula="count of orders; work_area_id is the area of the latest dispatch, none before the first",
    source=Source.ORDERS,
    dimensions=tuple(Dimension),
    sums={"count": "count(*)"},
    roles=EVERYBODY,
)

WORK_ORDERS_CREATED = Metric(
    id="work_orders_created",
    version=1,
    unit="orders",
    name_en="Work orders created",
    name_zh="生成工单数",
    formula="count of orders by occurred_at of their creation",
    source=Source.ORDERS,
    dimensions=(Dimension.DEMAND_TYPE, Dimension.DEVICE_TYPE, Dimension.CHANNEL, Dimension.ZONE),
    sums={"count": "count(*)"},
    moment="created_at",
    roles=EVERYBODY,
)

METRICS = (WORK_ORDERS, WORK_ORDERS_CREATED)
