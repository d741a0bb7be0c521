"""Calls over HTTP: logged, searched, recorded, settled; promises and referrals that follow of them."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from chassis.any_route import ANY
from chassis.commands import IdempotencyKeyBroken, IdempotencyKeyReused
from chassis.field_types import Moment
from chassis.paging import CursorBroken
from chassis.problems import Responses
from chassis.request_context import Context
from contracts.amendment import AppointmentInverted, DemandTypeUnknown, DeviceTypeUnknown
from contracts.calls import Direction
from contracts.handling import UrgencyNotAllowed
from intake.calls import settlement, use_cases, views
from intake.calls.domain import call as calls
from intake.calls.domain import settlement as ways
from intake.calls.domain.legs import CallState
from intake.calls.domain.refusals import CallNotFound, CallRecordChanged, CallTimesInverted
from intake.calls.domain.settlement import (
    CaseChanged,
    CaseNotFound,
    CaseReplied,
    OrderIsClosed,
    PromiseOutOfReach,
    ReferralAnswered,
    ReferralNotFound,
)
from intake.calls.models import (
    AnsweredAtOnce,
    ByDepartment,
    ByNewOrder,
    ByOpenOrder,
    CallPage,
    Case,
    CasePage,
    Classification,
    LogCall,
    Promise,
    RecordOfCall,
    Referral,
    ReferralPage,
    ScreenPop,
    Settlement,
    Settling,
    ShownCall,
    Text,
    WholeCall,
    WrittenRecord,
)
from intake.calls.store import CallRecord
from intake.calls.views import CallSearch, CaseSearch, seen_case, seen_record
from intake.knowledge.store import ArticleNotFound
from intake.outages.domain import OutageNotFound
from intake.scope_store import scope_of
from intake.subscribers.domain import SubscriberNotFound, not_searchable
from intake.subscribers.models import Phone
from intake.subscribers.phone_numbers import searched_number
from work_orders.commit import ExternalReferenceTaken, WorkOrderNotFound
from work_orders.http import answered
from work_orders.routes import CommandContext, Cursor, Limit, OrderId, SearchReference, SearchText
from work_orders.sealing import opening_for, to_shown
from work_orders.sealing_keys import SealingKeyNotArrived, SubscriberErased

_ACT = (*ANY, IdempotencyKeyBroken, IdempotencyKeyReused)
_CREATION = (
    SubscriberNotFound,
    DeviceTypeUnknown,
    DemandTypeUnknown,
    AppointmentInverted,
    UrgencyNotAllowed,
    ExternalReferenceTaken,
)
_WRITING = (*_ACT, SealingKeyNotArrived, SubscriberErased)
_SETTLING = (
    *_WRITING,
    *_CREATION,
    ArticleNotFound,
    WorkOrderNotFound,
    CallNotFound,
    OrderIsClosed,
    OutageNotFound,
    PromiseOutOfReach,
)

router = APIRouter(prefix="/v1", tags=["calls"])


@router.post(
    "/calls",
    status_code=201,
    response_model=ShownCall,
    responses=Responses.of((*_ACT, SubscriberNotFound, DemandTypeUnknown, CallTimesInverted)),
)
async def log_call(body: LogCall, context: CommandContext) -> Response:
    """Logs a call that no switch tells of; a number or a subscriber number finds the subscriber."""
    return (await use_cases.log_call(calls.LogCall(**body.model_dump()), uow=context.uow)).response()


@router.get("/calls", responses=Responses.of((*ANY, CursorBroken)))
async def search_calls(
    context: Context,
    subscriber_no: SearchReference = None,
    phone: SearchReference = None,
    agent_id: SearchReference = None,
    queue: SearchText = None,
    direction: Direction | None = None,
    state: CallState | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> CallPage:
    """Calls by subscriber, number, agent, queue or time, the latest first; numbers are masked by role, and a caller
    who sees them masked finds nothing by them. Within work areas: the calls that led to their orders, and the
    caller's own."""
    if hidden := not_searchable({"phone": phone}, context.caller.roles):
        return CallPage(items=[], next_cursor=None, not_searched=hidden)
    number = await searched_number(context.db, phone)
    wanted = CallSearch(subscriber_no, number, agent_id, queue, direction, state, since, until)
    page = await views.calls(
        context.db, wanted, scope=scope_of(context), roles=context.caller.roles, cursor=cursor, limit=limit
    )
    return CallPage.model_validate(page)


@router.get("/calls/{call_id}", responses=Responses.of((*ANY, CallNotFound)))
async def get_call(call_id: OrderId, context: Context) -> WholeCall:
    """A call: its facts from the switch, its record and its settlement."""
    async with context.db.statements() as statements:
        found = await views.one_call(statements, call_id, scope=scope_of(context), roles=context.caller.roles)
    if found["record"] is not None:
        (opened,) = await opening_for(context.request).things([(call_id, asdict(found["record"]))])
        found["record"] = seen_record(opened, found["direction"], context.caller.roles)
    return WholeCall.model_validate(found, from_attributes=True)


@router.put(
    "/calls/{call_id}/record",
    response_model=WrittenRecord,
    responses=Responses.of((*_WRITING, CallNotFound, CallRecordChanged)),
)
async def write_call_record(call_id: OrderId, body: RecordOfCall, context: CommandContext) -> Response:
    """Writes the record of a call; `If-Match` names the version it was changed on, without one it is the first."""
    record = CallRecord(call_id=call_id, **body.model_dump())
    return await answered(await use_cases.write_record(record, uow=context.uow), context.request)


@router.post(
    "/calls/{call_id}/classify",
    response_model=ShownCall,
    responses=Responses.of((*_WRITING, SubscriberNotFound, DemandTypeUnknown, CallNotFound)),
)
async def classify_call(call_id: OrderId, body: Classification, context: CommandContext) -> Response:
    """Records the caller and the matter; omitted fields stay as they are."""
    reply = await use_cases.classify_call(call_id, **body.model_dump(), uow=context.uow)
    return reply.response()


@router.post(
    "/calls/{call_id}/settlements", status_code=201, response_model=Settlement, responses=Responses.of(_SETTLING)
)
async def settle_call(call_id: OrderId, body: Settling, context: CommandContext) -> Response:
    """Settles a call 办结: answered at once, by an order (a new one, or one that is open and is urged), by a
    department, or as a difficult case with a promised reply."""
    return (await settlement.settle_call(call_id, _way_of(body), uow=context.uow)).response()


def _way_of(body: Any) -> ways.Settling:
    match body:
        case AnsweredAtOnce():
            return ways.AnsweredAtOnce(body.article_id)
        case ByNewOrder():
            return ways.NewOrder(body.order.command(), body.order.occurred_at, body.outage_id)
        case ByOpenOrder():
            return ways.OpenOrder(body.order_id, body.reason)
        case ByDepartment():
            return ways.ToDepartment(body.department, body.question)
        case _:
            return ways.DifficultCase(body.content, body.contact, body.reply_by)


@router.get("/calls/{call_id}/screen-pop", responses=Responses.of((*ANY, CallNotFound)))
async def screen_pop_of_call(call_id: OrderId, context: Context) -> ScreenPop:
    """Screen pop 来电弹屏 of a call: the subscribers it may come from, their open orders, calls, cases and outages.

    Within work areas: the orders of these areas, and the calls and cases that the caller may see.
    """
    async with context.db.statements() as statements:
        subscriber_id, phone = await views.caller_of(statements, call_id, scope_of(context))
    return await _popped(context, subscriber_id, phone)


@router.get("/screen-pop", responses=Responses.of(ANY))
async def screen_pop_of_number(context: Context, phone: Annotated[Phone, Query(max_length=40)]) -> ScreenPop:
    """The same for a number."""
    return await _popped(context, None, await searched_number(context.db, phone))


async def _opened(context: Context, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Cases or referrals as they are read."""
    return await opening_for(context.request).things([(row["id"], row) for row in rows])


async def _popped(context: Context, subscriber_id: str | None, phone: str | None) -> ScreenPop:
    async with context.db.statements() as statements:
        found = await views.screen_pop(
            statements, subscriber_id=subscriber_id, phone=phone, roles=context.caller.roles, scope=scope_of(context)
        )
    # With the connection given back: the keys may have to be asked for.
    opened = await opening_for(context.request).objects(found["open_orders"])
    found["open_orders"] = [to_shown(text.encode()) for text in opened]
    found["open_cases"] = await _opened(context, found["open_cases"])
    return ScreenPop.model_validate(found, from_attributes=True)


@router.get("/cases", responses=Responses.of((*ANY, CursorBroken)))
async def list_cases(
    context: Context,
    is_open: bool = True,
    is_overdue: bool | None = None,
    due_before: Moment | None = None,
    promised_by: SearchReference = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> CasePage:
    """Difficult cases 疑难问题, the earliest promise first; of all agents, or of the one who gave the promise.

    Within work areas: those of calls that the caller may see.
    """
    wanted = CaseSearch(is_open, is_overdue, due_before, promised_by)
    page = await views.cases(context.db, wanted, scope=scope_of(context), cursor=cursor, limit=limit)
    cases = [seen_case(case, context.caller.roles) for case in await _opened(context, page["items"])]
    return CasePage.model_validate(page | {"items": cases})


_CASE = (*_WRITING, CaseNotFound, CaseReplied, CaseChanged, CallNotFound)


@router.post("/cases/{case_id}/reply", response_model=Case, responses=Responses.of(_CASE))
async def reply_to_case(case_id: OrderId, body: Text, context: CommandContext) -> Response:
    """The subscriber has the promised reply; `If-Match`, if it is sent, names the version of the case."""
    return await answered(await settlement.reply_to_case(case_id, body.text, uow=context.uow), context.request)


@router.post("/cases/{case_id}/promise", response_model=Case, responses=Responses.of((*_CASE, PromiseOutOfReach)))
async def promise_again(case_id: OrderId, body: Promise, context: CommandContext) -> Response:
    """Another time was agreed with the subscriber; `If-Match`, if it is sent, names the version of the case."""
    return await answered(await settlement.promise_again(case_id, body.reply_by, uow=context.uow), context.request)


@router.get("/referrals", responses=Responses.of((*ANY, CursorBroken)))
async def list_referrals(
    context: Context, is_open: bool = True, cursor: Cursor = None, limit: Limit = 50
) -> ReferralPage:
    """What departments were asked, the longest waiting first; within work areas, of calls that the caller may see."""
    page = await views.referrals(context.db, scope=scope_of(context), is_open=is_open, cursor=cursor, limit=limit)
    return ReferralPage.model_validate(page | {"items": await _opened(context, page["items"])})


@router.post(
    "/referrals/{referral_id}/answer",
    response_model=Referral,
    responses=Responses.of((*_WRITING, ReferralNotFound, ReferralAnswered, CallNotFound)),
)
async def answer_referral(referral_id: OrderId, body: Text, context: CommandContext) -> Response:
    """What the department answered."""
    return await answered(await settlement.answer_referral(referral_id, body.text, uow=context.uow), context.request)
