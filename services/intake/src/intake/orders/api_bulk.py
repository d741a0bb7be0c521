"""Urging many orders at once over HTTP."""

from fastapi import APIRouter

from chassis.command_route import CommandRoute
from chassis.field_types import Body, Prose
from chassis.problems import Responses
from intake.orders import use_cases
from intake.orders.domain.requests import Ask
from work_orders.bulk import BULK_REFUSALS, BULK_ROWS, BulkAnswer, BulkOrder, carry_out
from work_orders.routes import CommandContext

router = APIRouter(prefix="/v1/bulk", tags=["work orders"], route_class=CommandRoute)


class UrgeRow(BulkOrder):
    """One order, and why it is urged."""

    reason: Prose


class BulkUrge(Body):
    rows: list[UrgeRow] = BULK_ROWS


@router.post("/urge-requests", responses=Responses.of(BULK_REFUSALS))
async def bulk_urge(body: BulkUrge, context: CommandContext) -> BulkAnswer:
    """Urges the custodian of each order 批量催办. Each row has its request; its answer is at `/v1/requests/{id}`."""
    return await carry_out(
        context, body.rows, lambda row, uow: use_cases.ask_custodian(row.order_id, Ask("urge", row.reason, {}), uow=uow)
    )
