"""Orders over HTTP: the lists of dispatch, the form, and the acts."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Response
from pydantic import Field

from chassis.command_route import CommandRoute
from chassis.commands import Reply
from chassis.field_types import Code, Prose
from chassis.problems import Responses
from chassis.request_context import Context
from contracts.amendment import DemandTypeUnknown, DeviceTypeUnknown
from contracts.lifecycle import Status
from dispatch import use_cases, views
from dispatch.domain import assignment
from dispatch.views import DispatchForm
from work_orders.amendment import AMEND_REFUSALS, Amended
from work_orders.asking import RequestSent
from work_orders.counts import WorkOrderCounts
from work_orders.facts_views import latest_facts
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
from work_orders.sealing import WorkOrderShown, opening_for, to_shown
from work_orders.subscribers import subscriber_fields

_WAITING = (Status.CREATED, Status.REJECTED, Status.REDISPATCHING)

router = APIRouter(prefix="/v1", tags=["work orders"], route_class=CommandRoute)


class DispatchWorkOrder(ActBody):
    work_area_id: Code
    staff_ids: Annotated[list[Code], Field(min_length=1, max_length=50)]
    remark: Prose | None = None
    is_binding: bool = Field(False, description="The work area cannot reject it again; supervisors only.")

    def command(self) -> assignment.DispatchWorkOrder:
        return assignment.DispatchWorkOrder(
            work_area_id=self.work_area_id,
            staff_ids=tuple(self.staff_ids),
            remark=self.remark,
            is_binding=self.is_binding,
        )


class AmendBody(ActBody, Amended):
    """A contact is amended at intake, which keeps people's data."""


class SendToRedispatch(ActBody):
    is_misdispatch_valid: bool = Field(description="The ruling: the work area was right to send it back.")
    remark: Prose

    def command(self) -> assignment.SendToRedispatch:
        return assignment.SendToRedispatch(is_misdispatch_valid=self.is_misdispatch_valid, remark=self.remark)


@router.get("/work-orders", response_model=WorkOrderPage, responses=Responses.of(LIST_REFUSALS))
async def list_work_orders(context: Context, wanted: ListWanted) -> Response:
    """The lists 调度, 反单 and 重复派单, or of any status; most urgent first."""
    return await list_orders(context, wanted, default=_WAITING)


@router.get("/work-orders/counts", responses=Responses.of(ANY))
async def count_work_orders(context: Context, wanted: WantedCounts) -> WorkOrderCounts:
    """How many orders of the list there are, by status and by each filter, in one answer."""
    return await count_orders(context, wanted, default=_WAITING)


@router.get("/work-orders/{order_id}", response_model=WorkOrderShown, responses=VERSION_READ)
async def get_work_order(order_id: OrderId, context: Context, at_least: AtLeast = None) -> Response:
    """One order as dispatch has it; `at_least` waits for a version on its way."""
    return (await read_order(context, order_id, at_least)).response()


@router.get(
    "/work-orders/{order_id}/form",
    response_model=DispatchForm,
    responses=VERSION_READ,
)
async def get_work_order_form(order_id: OrderId, context: Context, at_least: AtLeast = None) -> Response:
    """Everything that a dispatcher decides on: the order, its subscriber, and the open work areas that can
    take it with their active staff. The `ETag` is the version for `If-Match`."""
    found = await read_order(context, order_id, at_least)
    order = to_shown(found.body)
    # Asked before the database is: no connection waits for intake.
    subscriber = await subscriber_fields(order, context.app, token=context.caller.token)
    facts = await latest_facts(context.db, order.id, opening_for(context.request))
    form = await views.dispatch_form(context.db, order, subscriber, facts)
    return Reply(200, msgspec.json.encode(form), found.etag).response()


@router.post(
    "/work-orders/{order_id}/dispatch",
    response_model=WorkOrderShown,
    responses=Responses.of(
        (
            *ACT_REFUSALS,
            assignment.WorkAreaUnknown,
            assignment.WorkAreaClosed,
            assignment.WorkAreaRejectedBefore,
            assignment.StaffMissing,
            assignment.StaffRepeated,
            assignment.StaffUnknown,
            assignment.StaffInactive,
            assignment.StaffOutsideWorkArea,
            assignment.RejectionBudgetSpent,
            assignment.BindingNeedsSupervisor,
        )
    ),
)
async def dispatch_work_order(order_id: OrderId, body: DispatchWorkOrder, context: CommandContext) -> Response:
    """Gives the order to a work area and its staff 调度. A supervisor may also send it back to an area that
    rejected it, dispatch it once it was rejected too often, and make the dispatch binding."""
    return (
        await use_cases.dispatch_work_order(order_id, body.command(), uow=context.uow.at(body.occurred_at))
    ).response()


@router.post(
    "/work-orders/{order_id}/send-to-redispatch", response_model=WorkOrderShown, responses=Responses.of(ACT_REFUSALS)
)
async def send_to_redispatch(order_id: OrderId, body: SendToRedispatch, context: CommandContext) -> Response:
    """Rules on the rejection 误派说明; the order then waits to be dispatched again 重复派单."""
    return (
        await use_cases.send_to_redispatch(order_id, body.command(), uow=context.uow.at(body.occurred_at))
    ).response()


@router.post(
    "/work-orders/{order_id}/amend",
    response_model=WorkOrderShown | RequestSent,
    responses={
        **Responses.of((*ACT_REFUSALS, *AMEND_REFUSALS, DeviceTypeUnknown, DemandTypeUnknown)),
        202: {"model": RequestSent, "description": "Another service holds the order; its answer is at intake."},
    },
)
async def amend_work_order(order_id: OrderId, body: AmendBody, context: CommandContext) -> Response:
    """Corrects what was entered 变更, or moves the appointment 改约. At once where dispatch holds the order, answered
    with the order; otherwise with 202 and the request to its custodian, which intake answers at `/v1/requests/{id}`."""
    return (await use_cases.amend_work_order(order_id, body.command(), uow=context.uow.at(body.occurred_at))).response()
