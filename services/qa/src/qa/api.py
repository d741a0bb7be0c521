"""Quality over HTTP: completed orders, audits, the archive."""

from fastapi import APIRouter, Response
from pydantic import Field

from chassis.command_route import CommandRoute
from chassis.entity_tags import etag_of
from chassis.field_types import Prose
from chassis.problems import Responses
from chassis.request_context import Context
from contracts.events import AuditVerdict
from qa import use_cases, views
from qa.domain import quality
from work_orders.clocks_shown import clocks_for
from work_orders.counts import WorkOrderCounts
from work_orders.routes import (
    ACT_REFUSALS,
    ANY,
    LIST_REFUSALS,
    VERSION_READ,
    ActBody,
    AtLeast,
    CommandContext,
    ListWanted,
    OrderId,
    WantedCounts,
    WorkOrderPage,
    count_orders,
    read_order,
    search_of,
)
from work_orders.sealing import WorkOrderShown, opening_for, to_shown

router = APIRouter(prefix="/v1", tags=["work orders"], route_class=CommandRoute)


class AuditBody(ActBody):
    verdict: AuditVerdict
    remark: Prose = Field(description="The audit remark 审核备注.")


class RedispatchBody(ActBody):
    reason: Prose


@router.get("/work-orders", response_model=WorkOrderPage, responses=Responses.of(LIST_REFUSALS))
async def list_work_orders(context: Context, wanted: ListWanted) -> Response:
    """Completed 完成 orders and those under audit 审核, most urgent first; `archived` 归档 latest first."""
    search = search_of(context, wanted, default=views.TO_AUDIT)
    opening, clocks = opening_for(context.request), clocks_for(context.request)
    return Response(
        await views.orders_page(context.db, search, opening, clocks, cursor=wanted.cursor, limit=wanted.limit),
        media_type="application/json",
    )


@router.get("/work-orders/counts", responses=Responses.of(ANY))
async def count_work_orders(context: Context, wanted: WantedCounts) -> WorkOrderCounts:
    """How many orders of the list there are, by status and by each filter, in one answer."""
    return await count_orders(context, wanted, default=views.TO_AUDIT)


@router.get("/work-orders/{order_id}", response_model=WorkOrderShown, responses=VERSION_READ)
async def get_work_order(order_id: OrderId, context: Context, at_least: AtLeast = None) -> Response:
    """One order; `at_least` waits for a version on its way."""
    answer = await read_order(context, order_id, at_least)
    return answer.response()


@router.get("/work-orders/{order_id}/form", responses=VERSION_READ)
async def get_work_order_form(
    order_id: OrderId, context: Context, response: Response, at_least: AtLeast = None
) -> views.AuditForm:
    """The order with its subscriber, areas and staff by name, and what can be done. The `ETag` is for `If-Match`."""
    answer = await read_order(context, order_id, at_least)
    form = await views.form_of(to_shown(answer.body), context)
    response.headers["etag"] = etag_of(form.order.version)
    return form


@router.post(
    "/work-orders/{order_id}/submit-for-audit", response_model=WorkOrderShown, responses=Responses.of(ACT_REFUSALS)
)
async def submit_for_audit(order_id: OrderId, body: ActBody, context: CommandContext) -> Response:
    """Submits a completed order for audit 审核."""
    return (await use_cases.submit_for_audit(order_id, uow=context.uow.at(body.occurred_at))).response()


@router.post(
    "/work-orders/{order_id}/audit",
    response_model=WorkOrderShown,
    responses=Responses.of((*ACT_REFUSALS, quality.AuditorCompletedOrder)),
)
async def audit_work_order(order_id: OrderId, body: AuditBody, context: CommandContext) -> Response:
    """Passed, it is completed and audited; failed, it waits to be dispatched again. Never one's own work."""
    command = quality.AuditWorkOrder(verdict=body.verdict, remark=body.remark, auditor=context.caller.sub)
    return (await use_cases.audit_work_order(order_id, command, uow=context.uow.at(body.occurred_at))).response()


@router.post("/work-orders/{order_id}/redispatch", response_model=WorkOrderShown, responses=Responses.of(ACT_REFUSALS))
async def redispatch_work_order(order_id: OrderId, body: RedispatchBody, context: CommandContext) -> Response:
    """Sends a completed order back to be dispatched again 重复派单; its completion stays in the order."""
    return (
        await use_cases.redispatch_work_order(order_id, body.reason, uow=context.uow.at(body.occurred_at))
    ).response()


@router.post(
    "/work-orders/{order_id}/archive",
    response_model=WorkOrderShown,
    responses=Responses.of((*ACT_REFUSALS, quality.AuditNeeded)),
)
async def archive_work_order(order_id: OrderId, body: ActBody, context: CommandContext) -> Response:
    """Closes a completed order for good 归档; the handling rules say whether one that was not resolved, or that a
    petition was lodged for, needs an audit first."""
    return (await use_cases.archive_work_order(order_id, uow=context.uow.at(body.occurred_at))).response()
