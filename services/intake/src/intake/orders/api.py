"""Orders over HTTP: create, look up, follow, ask the custodian."""

from collections.abc import Collection
from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from chassis.command_route import CommandRoute
from chassis.field_types import Body, Moment, Name, PastMoment, Prose
from chassis.problems import Responses
from chassis.request_context import Context
from chassis.wait_for_version import caught_up
from contracts.amendment import AppointmentInverted, DemandTypeUnknown, DeviceTypeUnknown
from contracts.events import SlaClock
from contracts.handling import UrgencyNotAllowed
from contracts.lifecycle import CUSTODIANS, Status
from intake.orders import use_cases, views
from intake.orders.domain.amendment import AskedAmendment, Contact
from intake.orders.domain.requests import Ask, ReplyByNotAhead, check_reply_by
from intake.orders.models import CreateWorkOrder
from intake.orders.views import HistoryEntry, RequestNotFound, RequestToCustodian
from intake.subscribers import domain as subscribers_domain
from intake.subscribers.domain import searched_by_phone
from intake.subscribers.models import NOT_SEARCHED, Phone
from intake.subscribers.phone_numbers import searched_number
from intake.subscribers.views import SubscriberOfOrder
from work_orders.amendment import AMEND_REFUSALS, Amended
from work_orders.clocks_shown import clocks_for
from work_orders.commit import ExternalReferenceTaken
from work_orders.counts import WorkOrderCounts
from work_orders.routes import (
    ACT_REFUSALS,
    ANY,
    LIST_REFUSALS,
    READ_REFUSALS,
    VERSION_READ,
    AtLeast,
    CommandContext,
    OrderContext,
    OrderId,
    SearchReference,
    Wanted,
    WantedCounts,
    WorkOrderPage,
    count_orders,
    read_order,
    search_of,
)
from work_orders.sealing import WorkOrderShown, opening_for

_ASK_REFUSALS = tuple(one for one in ACT_REFUSALS if one.code not in ("stale_version", "version_required"))
_NOT_CLOSED = tuple(status for status in Status if CUSTODIANS[status] is not None)

router = APIRouter(prefix="/v1", tags=["work orders"], route_class=CommandRoute)


class AskCustodian(Body):
    reason: Prose
    occurred_at: PastMoment | None = None


class AskForTime(AskCustodian):
    clock: Literal[SlaClock.ARRIVE, SlaClock.COMPLETE, SlaClock.REPLY]
    minutes: int = Field(ge=1, le=525_600, description="Of working time, where the limit is of working time.")


class AskForAnswer(AskCustodian):
    reply_by: Moment = Field(description="Until when the custodian answers.")


class LookUpWanted(Wanted):
    """What a look-up is asked for."""

    phone: SearchReference = None


class ContactOfAmendment(Body):
    """Whom to contact about the order, where that is not the subscriber."""

    name: Name
    phone: Phone


class AskForAmendment(AskCustodian, Amended):
    seen_version: int = Field(ge=1, le=1_000_000, description="The order's version that the caller has seen.")
    contact: ContactOfAmendment | None = None

    def asked(self) -> AskedAmendment:
        contact = Contact(self.contact.name, self.contact.phone) if self.contact else None
        return AskedAmendment(amendment=self.command(), contact=contact, seen_version=self.seen_version)


class FoundWorkOrders(WorkOrderPage):
    not_searched: list[str] = NOT_SEARCHED


@router.post(
    "/work-orders",
    status_code=201,
    response_model=WorkOrderShown,
    responses=Responses.of(
        (
            *_ASK_REFUSALS,
            subscribers_domain.SubscriberNotFound,
            DeviceTypeUnknown,
            DemandTypeUnknown,
            AppointmentInverted,
            ExternalReferenceTaken,
            UrgencyNotAllowed,
        )
    ),
)
async def create_work_order(body: CreateWorkOrder, context: CommandContext) -> Response:
    """Creates an order 生成表单. The `ETag` is its version; dispatch sees it within moments."""
    reply = await use_cases.create_work_order(body.command(), uow=context.uow.at(body.occurred_at))
    return reply.response()


@router.get("/work-orders", response_model=FoundWorkOrders, responses=Responses.of(LIST_REFUSALS))
async def look_up_work_orders(context: Context, wanted: Annotated[LookUpWanted, Query()]) -> Response:
    """Look-up 业务查询 by subscriber number, order number, phone, external reference or a filter; latest change first.

    A caller who sees masked phone numbers finds nothing by them (`not_searched` lists them); a technician finds by a
    phone the orders whose subscriber they see whole.
    """
    caller = context.caller
    statuses: Collection[Status] | None = wanted.status or ()
    if wanted.phone is not None:
        statuses = searched_by_phone(statuses, caller.roles, is_within_areas=caller.areas is not None)
    if statuses is None:
        hidden = FoundWorkOrders(items=[], next_cursor=None, not_searched=["phone"])
        return Response(hidden.model_dump_json(), media_type="application/json")
    search = replace(search_of(context, wanted, default=()), statuses=tuple(statuses))
    phone = await searched_number(context.db, wanted.phone)
    opening, clocks = opening_for(context.request), clocks_for(context.request)
    return Response(
        await views.look_up(context.db, search, phone, opening, clocks, cursor=wanted.cursor, limit=wanted.limit),
        media_type="application/json",
    )


@router.get("/work-orders/counts", responses=Responses.of(ANY))
async def count_work_orders(context: Context, wanted: WantedCounts) -> WorkOrderCounts:
    """How many orders there are, by status and by each filter, in one answer; those that are not closed, if no status
    is asked for."""
    return await count_orders(context, wanted, default=_NOT_CLOSED)


@router.get(
    "/work-orders/{order_id}",
    response_model=WorkOrderShown,
    responses=VERSION_READ,
)
async def get_work_order(order_id: OrderId, context: Context, at_least: AtLeast = None) -> Response:
    """One order with everything that was entered anywhere; `at_least` waits for a version on its way."""
    answer = await read_order(context, order_id, at_least)
    return answer.response()


@router.get("/work-orders/{order_id}/history", responses=Responses.of(READ_REFUSALS))
async def get_history(order_id: OrderId, context: Context, at_least: AtLeast = None) -> list[HistoryEntry]:
    """Who did what when, oldest first: every event, request and refusal of the order, and its links to orders that
    the caller may see."""
    return await views.history(context, order_id, at_least)


@router.get("/work-orders/{order_id}/subscriber", responses=Responses.of(READ_REFUSALS))
async def get_subscriber_of_order(order_id: OrderId, context: Context, at_least: AtLeast = None) -> SubscriberOfOrder:
    """The order's subscriber as the caller may see them: whole, masked, or with the address only.

    What a technician sees depends on where the order is; `at_least` waits for a version on its way.
    """
    await read_order(context, order_id, at_least)
    return await views.subscriber_of_order(context, order_id)


@router.post(
    "/work-orders/{order_id}/cancel-requests",
    status_code=202,
    response_model=RequestToCustodian,
    responses=Responses.of(_ASK_REFUSALS),
)
async def request_cancellation(order_id: OrderId, body: AskCustodian, context: CommandContext) -> Response:
    """Requests the cancellation 作废 from the order's custodian. The answer is at `/v1/requests/{id}`."""
    return await _ask("cancel", order_id, body, context)


@router.post(
    "/work-orders/{order_id}/urge-requests",
    status_code=202,
    response_model=RequestToCustodian,
    responses=Responses.of(_ASK_REFUSALS),
)
async def request_urge(order_id: OrderId, body: AskCustodian, context: CommandContext) -> Response:
    """Urges 催办 the order's custodian; a granted request puts the order first in their lists."""
    return await _ask("urge", order_id, body, context)


@router.post(
    "/work-orders/{order_id}/extension-requests",
    status_code=202,
    response_model=RequestToCustodian,
    responses=Responses.of(_ASK_REFUSALS),
)
async def request_extension(order_id: OrderId, body: AskForTime, context: CommandContext) -> Response:
    """Requests more time 延期 from the order's custodian, before the time limit is over.

    Granted as long as all extensions of the clock together stay within what operators allow; refused with
    `deadline_passed`, `extension_too_long` or `limit_not_running`.
    """
    return await _ask("extend", order_id, body, context, clock=body.clock, minutes=body.minutes)


@router.post(
    "/work-orders/{order_id}/recall-requests",
    status_code=202,
    response_model=RequestToCustodian,
    responses=Responses.of(_ASK_REFUSALS),
)
async def request_recall(order_id: OrderId, body: AskCustodian, context: CommandContext) -> Response:
    """Requests that the work area give the order back 撤回, before the work is done; it then waits to be dispatched
    again. That is no rejection: no budget is spent, and the area may have it again."""
    return await _ask("recall", order_id, body, context)


@router.post(
    "/work-orders/{order_id}/supervision-requests",
    status_code=202,
    response_model=RequestToCustodian,
    responses=Responses.of((*_ASK_REFUSALS, ReplyByNotAhead)),
)
async def request_supervision(order_id: OrderId, body: AskForAnswer, context: CommandContext) -> Response:
    """Supervises the order 督办: its custodian at that time answers until `reply_by`."""
    check_reply_by(body.reply_by, asked_at=body.occurred_at or context.clock.now())
    return await _ask("supervise", order_id, body, context, reply_by=body.reply_by)


@router.post(
    "/work-orders/{order_id}/reopen-requests",
    status_code=202,
    response_model=RequestToCustodian,
    responses=Responses.of(_ASK_REFUSALS),
)
async def request_reopening(order_id: OrderId, body: AskCustodian, context: CommandContext) -> Response:
    """Requests that a completed order which turned out not to be solved be dispatched again; it counts as reopened."""
    return await _ask("reopen", order_id, body, context)


@router.post(
    "/work-orders/{order_id}/amend-requests",
    status_code=202,
    response_model=RequestToCustodian,
    responses=Responses.of(
        (
            *_ASK_REFUSALS,
            *AMEND_REFUSALS,
            DeviceTypeUnknown,
            DemandTypeUnknown,
        )
    ),
)
async def request_amendment(order_id: OrderId, body: AskForAmendment, context: CommandContext) -> Response:
    """Requests that what was entered be corrected 变更, or the appointment moved 改约, from the order's custodian.

    Refused with `amended_meanwhile` when the order was amended after `seen_version`; the refusal's `present` is what
    the order then has. Name and phone of a contact are kept here, and shown with the order's subscriber.
    """
    return (await use_cases.ask_for_amendment(order_id, body.asked(), uow=context.uow.at(body.occurred_at))).response()


async def _ask(kind: str, order_id: str, body: AskCustodian, context: OrderContext, **more: object) -> Response:
    ask = Ask(kind, body.reason, more)
    return (await use_cases.ask_custodian(order_id, ask, uow=context.uow.at(body.occurred_at))).response()


@router.get("/requests/{request_id}", responses=Responses.of((*ANY, RequestNotFound)))
async def get_request(
    request_id: OrderId,
    context: Context,
    wait_seconds: Annotated[float, Query(ge=0, le=10, description="Wait so long for the answer.")] = 0,
) -> RequestToCustodian:
    """A request to a custodian and its answer: `pending`, `granted` or `refused` with the reason."""
    return await caught_up(
        lambda: views.request_to_custodian(context, request_id),
        lambda request: request.state != "pending",
        wakeup=context.wakeup,
        seconds=wait_seconds,
    )
