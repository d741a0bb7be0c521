"""Orders and lists of orders as they stood at any past moment."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from chassis.paging import CursorBroken
from chassis.problems import Responses
from chassis.request_context import Context
from contracts.lifecycle import Status
from reporting.figures.parameters import AsOf, AsOfInFuture
from reporting.figures.views import FiguresNotBuilt
from reporting.past import views
from work_orders.order_table import to_json
from work_orders.routes import ANY, READ_REFUSALS, Cursor, OrderId, SearchReference
from work_orders.sealing import WorkOrderShown, opening_for, to_shown

router = APIRouter(prefix="/v1/work-orders", tags=["the past"])
OrdersPerPage = Annotated[int, Query(ge=1, le=200, description="Orders a page.")]


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
    order = await views.order_then(context.db, order_id, moment, areas=context.caller.areas)
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
    limit: OrdersPerPage = 50,
) -> OrdersThen:
    """The list of orders as it stood at a moment: who had entered their status first stands first."""
    moment = as_of or context.clock.now()
    filters = {
        "status": [one.value for one in status or ()],
        "work_area_id": work_area_id,
        "staff_id": staff_id,
        "demand_type": demand_type,
        "device_type": device_type,
    }
    areas = context.caller.areas
    rows, next_cursor = await views.orders_then(context.db, moment, filters, areas=areas, cursor=cursor, limit=limit)
    items = [OrderThen.model_validate(dict(row)) for row in rows]
    return OrdersThen(as_of=moment, items=items, next_cursor=next_cursor)
