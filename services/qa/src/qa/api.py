"""Quality over HTTP: completed orders, audits, the archive."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from chassis.acts import ActHeaders, etag_of
from chassis.auth import Principal, allow
from chassis.http import Db
from chassis.problems import Responses
from chassis.texts import Prose
from contracts.events import AuditVerdict
from contracts.order import WorkOrder
from custody.record import Act
from custody.routes import (
    ACT_REFUSALS,
    LIST_REFUSALS,
    READ_REFUSALS,
    ActBody,
    AtLeast,
    Headers,
    ListWanted,
    OrderId,
    OwnOrders,
    WorkOrderPage,
    act_on,
    read_order,
)
from custody.rows import to_order
from qa import use_cases, views
from qa.domain import quality

_ROLES = ("auditor", "supervisor")
Auditor = Annotated[Principal, Depends(allow(*_ROLES))]

router = APIRouter(prefix="/v1", tags=["work orders"])


class AuditBody(ActBody):
    verdict: AuditVerdict
    remark: Prose = Field(description="The audit remark 审核备注.")


class RedispatchBody(ActBody):
    reason: Prose


def _act(order_id: str, body: ActBody, caller: Principal, headers: ActHeaders) -> Act:
    return act_on(order_id, caller, headers, *_ROLES, occurred_at=body.occurred_at)


@router.get("/work-orders", response_model=WorkOrderPage, responses=Responses.of(LIST_REFUSALS))
async def list_work_orders(
    caller: Auditor,
    db: Db,
    wanted: ListWanted,
) -> Response:
    """Completed 完成 orders and those under audit 审核, most urgent first; `archived` 归档 latest first."""
    search = wanted.search(caller, default=views.TO_AUDIT)
    return Response(
        await views.orders_page(db, search, cursor=wanted.cursor, limit=wanted.limit), media_type="application/json"
    )


@router.get("/work-orders/{order_id}", response_model=WorkOrder, responses=Responses.of(READ_REFUSALS))
async def get_work_order(
    order_id: OrderId, caller: Auditor, db: Db, request: Request, at_least: AtLeast = None
) -> Response:
    """One order; `at_least` waits for a version on its way."""
    answer = await read_order(request, order_id, caller, at_least)
    return answer.response()


@router.get("/work-orders/{order_id}/form", responses=Responses.of(READ_REFUSALS))
async def get_form(
    order_id: OrderId, caller: Auditor, db: Db, request: Request, response: Response, at_least: AtLeast = None
) -> views.Form:
    """The order with its subscriber, areas and staff by name, and what can be done. The `ETag` is for `If-Match`."""
    answer = await read_order(request, order_id, caller, at_least)
    form = await views.form_of(to_order(answer.body), request.app, caller)
    response.headers["etag"] = etag_of(form.order.version)
    return form


@router.post("/work-orders/{order_id}/submit-for-audit", response_model=WorkOrder, responses=Responses.of(ACT_REFUSALS))
async def submit_for_audit(
    order_id: OrderId, body: ActBody, caller: Auditor, headers: Headers, orders: OwnOrders
) -> Response:
    """Submits a completed order for audit 审核."""
    act = _act(order_id, body, caller, headers)
    return (await use_cases.submit_for_audit(act, orders=orders)).response()


@router.post(
    "/work-orders/{order_id}/audit",
    response_model=WorkOrder,
    responses=Responses.of((*ACT_REFUSALS, quality.AuditorCompletedOrder)),
)
async def audit_work_order(
    order_id: OrderId, body: AuditBody, caller: Auditor, headers: Headers, orders: OwnOrders
) -> Response:
    """Passed, it is completed and audited; failed, it waits to be dispatched again. Never one's own work."""
    act = _act(order_id, body, caller, headers)
    command = quality.AuditWorkOrder(verdict=body.verdict, remark=body.remark, auditor=caller.sub)
    return (await use_cases.audit_work_order(command, act, orders=orders)).response()


@router.post("/work-orders/{order_id}/redispatch", response_model=WorkOrder, responses=Responses.of(ACT_REFUSALS))
async def redispatch_work_order(
    order_id: OrderId, body: RedispatchBody, caller: Auditor, headers: Headers, orders: OwnOrders
) -> Response:
    """Sends a completed order back to be dispatched again 重复派单; its completion stays in the order."""
    act = _act(order_id, body, caller, headers)
    return (await use_cases.redispatch_work_order(body.reason, act, orders=orders)).response()


@router.post("/work-orders/{order_id}/archive", response_model=WorkOrder, responses=Responses.of(ACT_REFUSALS))
async def archive_work_order(
    order_id: OrderId, body: ActBody, caller: Auditor, headers: Headers, orders: OwnOrders
) -> Response:
    """Closes a completed order for good 归档, audited or not."""
    act = _act(order_id, body, caller, headers)
    return (await use_cases.archive_work_order(act, orders=orders)).response()
