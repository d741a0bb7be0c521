"""The facts about an order over HTTP, the same in every service that shows orders: remarks 备注, and the list."""

from fastapi import APIRouter, Response
from pydantic import Field

from chassis.any_route import ANY
from chassis.command_route import CommandRoute
from chassis.field_types import Body, PastMoment, Prose
from chassis.paging import CursorBroken
from chassis.problems import Responses
from chassis.request_context import Context
from contracts.facts import WorkOrderRemarked
from work_orders import facts, facts_views
from work_orders.commit import WorkOrderNotFound
from work_orders.facts_views import OrderFact, OrderFactPage
from work_orders.http import answered
from work_orders.routes import FACT_REFUSALS, CommandContext, Cursor, Limit, OrderId
from work_orders.sealing import opening_for

router = APIRouter(prefix="/v1", tags=["work orders"], route_class=CommandRoute)


class FactBody(Body):
    """What every fact takes besides its own fields."""

    occurred_at: PastMoment | None = Field(None, description="When it was so, if not at this moment.")


class RemarkBody(FactBody):
    remark: Prose = Field(description="What is to be added 备注.")


@router.post(
    "/work-orders/{order_id}/remarks",
    status_code=201,
    response_model=OrderFact,
    responses=Responses.of(FACT_REFUSALS),
)
async def add_remark(order_id: OrderId, body: RemarkBody, context: CommandContext) -> Response:
    """Adds a remark 备注 to an order in any status, whichever service holds it; needs no `If-Match`."""
    remarked = WorkOrderRemarked(remark=body.remark)
    reply = await facts.record_fact(order_id, remarked, uow=context.uow.at(body.occurred_at))
    return await answered(reply, context.request)


@router.get(
    "/work-orders/{order_id}/facts",
    response_model=OrderFactPage,
    responses=Responses.of((*ANY, CursorBroken, WorkOrderNotFound)),
)
async def list_facts(order_id: OrderId, context: Context, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """What was seen, measured, used or said about an order, in the order in which it was recorded."""
    page = await facts_views.facts_page(
        context.db,
        order_id,
        opening_for(context.request),
        areas=context.caller.areas,
        cursor=cursor,
        limit=limit,
    )
    return Response(page, media_type="application/json")
