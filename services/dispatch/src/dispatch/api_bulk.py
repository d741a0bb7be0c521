"""Dispatching many orders at once over HTTP."""

from fastapi import APIRouter

from chassis.command_route import CommandRoute
from chassis.field_types import Body
from chassis.problems import Responses
from dispatch import use_cases
from dispatch.api import DispatchWorkOrder
from work_orders.bulk import BULK_REFUSALS, BULK_ROWS, BulkAnswer, BulkRow, carry_out
from work_orders.routes import CommandContext

router = APIRouter(prefix="/v1/bulk", tags=["work orders"], route_class=CommandRoute)


class DispatchRow(BulkRow, DispatchWorkOrder):
    """One order, and to whom it is given."""


class BulkDispatch(Body):
    rows: list[DispatchRow] = BULK_ROWS


@router.post("/dispatch", responses=Responses.of(BULK_REFUSALS))
async def bulk_dispatch(body: BulkDispatch, context: CommandContext) -> BulkAnswer:
    """Gives each order to a work area and its staff 批量调度, answered row by row."""
    return await carry_out(
        context, body.rows, lambda row, uow: use_cases.dispatch_work_order(row.order_id, row.command(), uow=uow)
    )
