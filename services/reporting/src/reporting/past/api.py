"""Orders and lists of orders as they stood at any past moment."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from chassis.paging import CursorBroken, from_cursor, to_cursor
from chassis.problems import Responses
from chassis.request_context import Context
from contracts.lifecycle import Status
from contracts.order import WorkOrder, apply
from reporting.figures.parameters import AsOf, AsOfInFuture
from reporting.figures.views import Arguments, FiguresNotBuilt, snapshot
from reporting.record import views
from work_orders.commit import WorkOrderNotFound
from work_orders.order_table import to_json
from work_orders.routes import ANY, READ_REFUSALS, Cursor, OrderId, SearchReference
from work_orders.sealing import WorkOrderShown, opening_for, to_shown

router = APIRouter(prefix="/v1/work-orders", tags=["the past"])
PageSize = Annotated[int, Query(ge=1, le=200, description="Orders a page.")]
_LIST = "past-work-orders"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LATEST = 2**57
_SHOWN = (
    "order_id, since_version, status, entered_at, created_at, work_area_id, staff_id, device_type, demand_type,"
    " channel, zone"
)


class OrderThen(BaseModel):
    order_id: str
    since_version: int
    """The version with which it entered the status."""
    status: Status
    entered_at: datetime
    created_at: datetime
    work_area_id: str | None
    staff_id: str | None
    """Who was named first in the latest dispatch."""
    device_type: str
    demand_type: str
    channel: str
    zone: str


class OrdersThen(BaseModel):
    as_of: datetime
    items: list[OrderThen]
    next_cursor: str | None


@router.get("/{order_id}", responses=Responses.of((*READ_REFUSALS, AsOfInFuture)))
async def get_order_then(order_id: OrderId, context: Context, as_of: AsOf = None) -> WorkOrderShown:
    """The whole order as it was known at a moment, folded from the events that were recorded by then.

    A caller who sees some work areas only sees it if it had been dispatched to one of them by then; once it was
    dispatched elsewhere, as it was before that.
    """
    moment = as_of or context.clock.now()
    order: WorkOrder | None = None
    for message in await views.recorded_until(context.db, order_id, moment, areas=context.caller.areas):
        order = apply(order, message)
    if order is None:
        raise WorkOrderNotFound(order_id=order_id)
    return to_shown(await opening_for(context.request).object(order_id, to_json(order)))


@router.get("", responses=Responses.of((*ANY, AsOfInFuture, CursorBroken, FiguresNotBuilt)))
async def get_orders_then(
    context: Context,
    as_of: AsOf = None,
    status: Annotated[list[Status] | None, Query(max_length=9)] = None,
    work_area_id: SearchReference = None,
    staff_id: SearchReference = None,
    demand_type: SearchReference = None,
    device_type: SearchReference = None,
    cursor: Cursor = None,
    limit: PageSize = 50,
) -> OrdersThen:
    """The list of orders as it stood at a moment: who had entered their status first stands first."""
    moment, arguments = as_of or context.clock.now(), Arguments()
    given = arguments.give(moment)
    conditions = [f"since_known_at <= {given} and (until_known_at is null or until_known_at > {given})"]
    asked = {"work_area_id": work_area_id, "staff_id": staff_id, "demand_type": demand_type, "device_type": device_type}
    conditions += [f"{name} = {arguments.give(value)}" for name, value in asked.items() if value]
    if status:
        conditions.append(f"status = any({arguments.give([one.value for one in status])}::text[])")
    if context.caller.areas is not None:
        conditions.append(f"work_area_id = any({arguments.give(list(context.caller.areas))}::text[])")
    if cursor:
        conditions.append(f"(entered_at, order_id) > ({', '.join(map(arguments.give, _place_of(cursor)))})")
    async with snapshot(context.db) as (statements, state):
        found = await statements.fetch(
            f"""select {_SHOWN} from stays_{state.live} where {" and ".join(conditions)}
                order by entered_at, order_id limit {limit + 1}""",
            *arguments.values,
        )
    return OrdersThen(
        as_of=moment,
        items=[OrderThen.model_validate(dict(row)) for row in found[:limit]],
        next_cursor=_cursor_of(found[limit - 1]) if len(found) > limit else None,
    )


def _cursor_of(row: Any) -> str:
    return to_cursor(_LIST, (row["entered_at"] - _EPOCH) // _MICROSECOND, row["order_id"])


def _place_of(cursor: str) -> tuple[datetime, str]:
    microseconds, order_id = from_cursor(_LIST, cursor, int, str)
    if not 0 <= microseconds < _LATEST:
        raise CursorBroken()
    return _EPOCH + timedelta(microseconds=microseconds), order_id
