"""Orders in the field over HTTP: the areas' lists, the form, and what repair staff do."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field, StrictBool

from chassis.acts import ActHeaders, etag_of
from chassis.auth import Principal, allow
from chassis.http import Db, Time
from chassis.problems import Responses
from chassis.texts import Code, Moment, Prose
from contracts.events import RejectionReason
from contracts.lifecycle import Status
from contracts.order import WorkOrder
from custody.directory import WorkAreaWithStaff, find_work_areas_with_staff
from custody.record import Act
from custody.routes import (
    ACT_REFUSALS,
    ANY,
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
    scope_of,
)
from custody.rows import to_order
from custody.views import most_urgent
from fieldwork import use_cases, views
from fieldwork.domain import work

_ACTORS = ("technician", "supervisor")
Worker = Annotated[Principal, Depends(allow(*_ACTORS))]
Reader = Annotated[Principal, Depends(allow(*_ACTORS, "dispatcher"))]
TO_DO = (Status.DISPATCHED, Status.PROCESSING)

router = APIRouter(prefix="/v1", tags=["work orders"])


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


class NoteBody(ActBody):
    note: Prose


def _act(order_id: str, body: ActBody, caller: Principal, headers: ActHeaders) -> Act:
    return act_on(order_id, caller, headers, *_ACTORS, occurred_at=body.occurred_at)


@router.get("/work-orders", response_model=WorkOrderPage, responses=Responses.of(LIST_REFUSALS))
async def list_work_orders(
    caller: Reader,
    db: Db,
    wanted: ListWanted,
) -> Response:
    """The to-do list 待处理 of the caller's work areas, or orders in other statuses; most urgent first."""
    search = wanted.search(caller, default=TO_DO)
    return Response(
        await most_urgent(db, search, cursor=wanted.cursor, limit=wanted.limit), media_type="application/json"
    )


@router.get("/work-orders/{order_id}", response_model=WorkOrder, responses=Responses.of(READ_REFUSALS))
async def get_work_order(
    order_id: OrderId, caller: Reader, db: Db, request: Request, at_least: AtLeast = None
) -> Response:
    """One order; `at_least` waits for a version on its way."""
    answer = await read_order(request, order_id, caller, at_least)
    return answer.response()


@router.get("/work-orders/{order_id}/form", responses=Responses.of(READ_REFUSALS))
async def get_form(
    order_id: OrderId, caller: Reader, db: Db, request: Request, response: Response, at_least: AtLeast = None
) -> views.Form:
    """The order with its subscriber, its work area with staff, and what can be done. The `ETag` is for `If-Match`."""
    answer = await read_order(request, order_id, caller, at_least)
    form = await views.form_of(to_order(answer.body), request.app, caller, may_act=caller.has(*_ACTORS))
    response.headers["etag"] = etag_of(form.order.version)
    return form


@router.get("/work-areas", tags=["work areas"], responses=Responses.of(ANY))
async def list_work_areas(caller: Reader, db: Db) -> list[WorkAreaWithStaff]:
    """The work areas 工区 that the caller may see, each with its staff 维修人员."""
    async with db.statements() as statements:
        return await find_work_areas_with_staff(statements, scope_of(caller))


@router.post("/work-orders/{order_id}/start", response_model=WorkOrder, responses=Responses.of(ACT_REFUSALS))
async def start_work_order(
    order_id: OrderId, body: ActBody, caller: Worker, headers: Headers, orders: OwnOrders
) -> Response:
    """Starts processing 处理."""
    act = _act(order_id, body, caller, headers)
    return (await use_cases.start_work_order(act, orders=orders)).response()


@router.post(
    "/work-orders/{order_id}/reject",
    response_model=WorkOrder,
    responses=Responses.of((*ACT_REFUSALS, work.BindingAssignment)),
)
async def reject_work_order(
    order_id: OrderId, body: RejectBody, caller: Worker, headers: Headers, orders: OwnOrders
) -> Response:
    """Sends it back 反单, saying why it was misdirected; refused when the assignment is binding."""
    act = _act(order_id, body, caller, headers)
    command = work.RejectWorkOrder(reason=body.reason, explanation=body.explanation)
    return (await use_cases.reject_work_order(command, act, orders=orders)).response()


@router.post(
    "/work-orders/{order_id}/complete",
    response_model=WorkOrder,
    responses=Responses.of((*ACT_REFUSALS, work.StaffRepeated, work.StaffOutsideWorkArea, work.StaffNotArrived)),
)
async def complete_work_order(
    order_id: OrderId, body: CompleteBody, caller: Worker, headers: Headers, orders: OwnOrders, request: Request
) -> Response:
    """The work is finished 完成: who did it, what was done, and three answers."""
    act = _act(order_id, body, caller, headers)
    state = request.app.state
    command = work.CompleteWorkOrder(
        staff_ids=tuple(body.staff_ids),
        handling=body.handling,
        is_resolved=body.is_resolved,
        is_petitioned=body.is_petitioned,
        is_called_back=body.is_called_back,
    )
    answer = await use_cases.complete_work_order(
        command,
        act,
        orders=orders,
        db=state.db,
        wakeup=state.wakeup,
        catch_up_seconds=state.settings.catch_up_seconds,
    )
    return answer.response()


@router.post(
    "/work-orders/{order_id}/suspend",
    response_model=WorkOrder,
    responses=Responses.of((*ACT_REFUSALS, work.SuspensionAlreadyOver)),
)
async def suspend_work_order(
    order_id: OrderId, body: SuspendBody, caller: Worker, headers: Headers, orders: OwnOrders, clock: Time
) -> Response:
    """Lets the work rest until a time 挂起; until it is resumed, only notes and requests are taken."""
    act = _act(order_id, body, caller, headers)
    command = work.SuspendWorkOrder(reason=body.reason, until=body.until)
    return (await use_cases.suspend_work_order(command, act, orders=orders, clock=clock)).response()


@router.post("/work-orders/{order_id}/resume", response_model=WorkOrder, responses=Responses.of(ACT_REFUSALS))
async def resume_work_order(
    order_id: OrderId, body: ActBody, caller: Worker, headers: Headers, orders: OwnOrders
) -> Response:
    """Work on it goes on."""
    act = _act(order_id, body, caller, headers)
    return (await use_cases.resume_work_order(act, orders=orders)).response()


@router.post("/work-orders/{order_id}/notes", response_model=WorkOrder, responses=Responses.of(ACT_REFUSALS))
async def add_note(order_id: OrderId, body: NoteBody, caller: Worker, headers: Headers, orders: OwnOrders) -> Response:
    """Notes something for whoever reads the order later."""
    act = _act(order_id, body, caller, headers)
    return (await use_cases.add_note(body.note, act, orders=orders)).response()
