"""Orders in the field over HTTP: the areas' lists, the form, and what repair staff do."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field, StrictBool

from chassis.command_route import CommandRoute
from chassis.entity_tags import etag_of
from chassis.field_types import Code, Moment, Prose
from chassis.problems import Responses
from chassis.request_context import Context
from contracts.events import RejectionReason
from contracts.lifecycle import Status
from fieldwork.orders import use_cases, views
from fieldwork.orders.domain import staffing, suspension, work
from work_orders.counts import WorkOrderCounts
from work_orders.directory import WorkAreaWithStaff, find_work_areas_with_staff
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
    list_orders,
    read_order,
)
from work_orders.sealing import WorkOrderShown, to_shown

_COMPLETION_REFUSALS = (
    work.StaffRepeated,
    work.StaffOutsideWorkArea,
    work.StaffNotArrived,
    staffing.CompletionNotPermitted,
)
_SUSPENSION_REFUSALS = (
    suspension.SuspensionAlreadyOver,
    suspension.SuspensionReasonUnknown,
    suspension.SuspensionTooLong,
    suspension.SuspensionsSpent,
)
_REASSIGNMENT_REFUSALS = (
    staffing.NotLeadOfWorkArea,
    staffing.StaffNotInService,
    staffing.StaffUnchanged,
    work.StaffOutsideWorkArea,
    work.StaffRepeated,
)
TO_DO = (Status.DISPATCHED, Status.PROCESSING)

router = APIRouter(prefix="/v1", tags=["work orders"], route_class=CommandRoute)


class RejectBody(ActBody):
    reason: RejectionReason
    explanation: Prose = Field(description="The misdispatch explanation 误派说明.")


class CompleteBody(ActBody):
    staff_ids: Annotated[list[Code], Field(min_length=1, max_length=50, description="Who did it 维修人员.")]
    handling: Prose = Field(description="What was done 处理情况.")
    is_resolved: StrictBool = Field(description="是否完成")
    is_petitioned: StrictBool = Field(description="是否上访")
    is_called_back: StrictBool = Field(description="是否回访")


class SuspendBody(ActBody):
    reason: Prose
    until: Moment = Field(description="When work goes on; after this moment.")
    reason_code: Code | None = Field(
        None, description="A reason of the handling rules 挂起原因; `other` unless it is given."
    )


class ReassignBody(ActBody):
    staff_ids: Annotated[list[Code], Field(min_length=1, max_length=50, description="Who has it from then on.")]
    reason: Prose


@router.get("/work-orders", response_model=WorkOrderPage, responses=Responses.of(LIST_REFUSALS))
async def list_work_orders(context: Context, wanted: ListWanted) -> Response:
    """The to-do list 待处理 of the caller's work areas, or orders in other statuses; most urgent first."""
    return await list_orders(context, wanted, default=TO_DO)


@router.get("/work-orders/counts", responses=Responses.of(ANY))
async def count_work_orders(context: Context, wanted: WantedCounts) -> WorkOrderCounts:
    """How many orders of the list there are, by status and by each filter, in one answer."""
    return await count_orders(context, wanted, default=TO_DO)


@router.get("/work-orders/{order_id}", response_model=WorkOrderShown, responses=VERSION_READ)
async def get_work_order(order_id: OrderId, context: Context, at_least: AtLeast = None) -> Response:
    """One order; `at_least` waits for a version on its way."""
    answer = await read_order(context, order_id, at_least)
    return answer.response()


@router.get("/work-orders/{order_id}/form", responses=VERSION_READ)
async def get_work_order_form(
    order_id: OrderId, context: Context, response: Response, at_least: AtLeast = None
) -> views.FieldworkForm:
    """The order with its subscriber, its work area with staff, and what can be done. The `ETag` is for `If-Match`."""
    answer = await read_order(context, order_id, at_least)
    form = await views.form_of(to_shown(answer.body), context)
    response.headers["etag"] = etag_of(form.order.version)
    return form


@router.get("/work-areas", tags=["work areas"], responses=Responses.of(ANY))
async def list_work_areas(context: Context) -> list[WorkAreaWithStaff]:
    """The work areas 工区 that the caller may see, each with its staff 维修人员."""
    async with context.db.statements() as statements:
        return await find_work_areas_with_staff(statements, context.caller.areas)


@router.post("/work-orders/{order_id}/start", response_model=WorkOrderShown, responses=Responses.of(ACT_REFUSALS))
async def start_work_order(order_id: OrderId, body: ActBody, context: CommandContext) -> Response:
    """Starts processing 处理."""
    return (await use_cases.start_work_order(order_id, uow=context.uow.at(body.occurred_at))).response()


@router.post(
    "/work-orders/{order_id}/reject",
    response_model=WorkOrderShown,
    responses=Responses.of((*ACT_REFUSALS, work.BindingAssignment)),
)
async def reject_work_order(order_id: OrderId, body: RejectBody, context: CommandContext) -> Response:
    """Sends it back 反单, saying why it was misdirected; refused when the assignment is binding."""
    command = work.RejectWorkOrder(reason=body.reason, explanation=body.explanation)
    return (await use_cases.reject_work_order(order_id, command, uow=context.uow.at(body.occurred_at))).response()


@router.post(
    "/work-orders/{order_id}/complete",
    response_model=WorkOrderShown,
    responses=Responses.of((*ACT_REFUSALS, *_COMPLETION_REFUSALS)),
)
async def complete_work_order(order_id: OrderId, body: CompleteBody, context: CommandContext) -> Response:
    """The work is finished 完成: who did it, what was done, and three answers."""
    command = work.CompleteWorkOrder(
        staff_ids=tuple(body.staff_ids),
        handling=body.handling,
        is_resolved=body.is_resolved,
        is_petitioned=body.is_petitioned,
        is_called_back=body.is_called_back,
    )
    return (await use_cases.complete_work_order(order_id, command, uow=context.uow.at(body.occurred_at))).response()


@router.post(
    "/work-orders/{order_id}/suspend",
    response_model=WorkOrderShown,
    responses=Responses.of((*ACT_REFUSALS, *_SUSPENSION_REFUSALS)),
)
async def suspend_work_order(order_id: OrderId, body: SuspendBody, context: CommandContext) -> Response:
    """Lets the work rest until a time 挂起, at which it goes on by itself; until then only notes, requests and
    reassignments are taken. The handling rules say for which reasons, how long and how often."""
    command = suspension.SuspendWorkOrder(reason=body.reason, until=body.until, reason_code=body.reason_code)
    return (await use_cases.suspend_work_order(order_id, command, uow=context.uow.at(body.occurred_at))).response()


@router.post("/work-orders/{order_id}/resume", response_model=WorkOrderShown, responses=Responses.of(ACT_REFUSALS))
async def resume_work_order(order_id: OrderId, body: ActBody, context: CommandContext) -> Response:
    """Work on it goes on."""
    return (await use_cases.resume_work_order(order_id, uow=context.uow.at(body.occurred_at))).response()


@router.post(
    "/work-orders/{order_id}/reassign",
    response_model=WorkOrderShown,
    responses=Responses.of((*ACT_REFUSALS, *_REASSIGNMENT_REFUSALS)),
)
async def reassign_work_order(order_id: OrderId, body: ReassignBody, context: CommandContext) -> Response:
    """Gives the order to other staff of the same work area 改派: by a lead of the area, a dispatcher or a supervisor.
    It is no rejection, and what was started goes on."""
    command = staffing.ReassignWorkOrder(staff_ids=tuple(body.staff_ids), reason=body.reason)
    return (await use_cases.reassign_work_order(order_id, command, uow=context.uow.at(body.occurred_at))).response()
