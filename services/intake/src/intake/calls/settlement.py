"""The four ways in which a call ends, and what follows of them: answers of departments, promised replies."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from chassis import outbox
from chassis.commands import AlreadyReplied, Reply, etag_of, raise_if_replied, store_reply
from chassis.database import Transaction
from chassis.identity import new_id
from chassis.wakeup import PUBLISH
from contracts import calls as c
from contracts.codec import new_message
from contracts.lifecycle import Act, ActNotAllowed, Service
from intake.calls import desk_store
from intake.calls.domain.refusals import (
    CaseChanged,
    CaseNotFound,
    CaseReplied,
    OrderIsClosed,
    ReferralAnswered,
    ReferralNotFound,
    check_promise,
)
from intake.calls.store import KnownCall, can_see_call, require_call
from intake.calls.use_cases import lock_call, say_who_and_what, sealer_of, tell
from intake.doing import Doing
from intake.knowledge import store as knowledge_store
from intake.links import use_cases as links_use_cases
from intake.orders import references
from intake.orders import store as orders_store
from intake.orders import use_cases as orders_use_cases
from intake.orders.domain.creation import CreateWorkOrder, create
from intake.outages.domain import check_version
from intake.scope_store import visible_orders
from intake.subscribers.sealing_keys import sealed_in
from work_orders.commit import ExternalReferenceTaken, WorkOrderNotFound, create_in, find_stored_order, may_see


@dataclass(frozen=True, slots=True)
class AnsweredAtOnce:
    """With an article, or from the agent's own knowledge."""

    article_id: str | None = None


@dataclass(frozen=True, slots=True)
class NewOrder:
    order: CreateWorkOrder
    occurred_at: datetime | None = None
    """When it was asked for, if not at this moment."""
    outage_id: str | None = None
    """The outage that the caller is inside: the order links to it."""


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """A repeat call: the order is there already and is urged."""

    order_id: str
    reason: str
    areas: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ToDepartment:
    department: str
    question: str


@dataclass(frozen=True, slots=True)
class DifficultCase:
    content: str
    contact: str
    reply_by: datetime


Settling = AnsweredAtOnce | NewOrder | OpenOrder | ToDepartment | DifficultCase


async def settle(call_id: str, how: Settling, doing: Doing) -> Reply:
    """Settles a call in one of its ways; it may be settled in more than one."""
    now = doing.clock.now()
    async with doing.db.begin() as tx:
        await require_call(tx, call_id, doing.scope)
        await _raise_if_settled(tx, doing)
        call = await lock_call(tx, call_id)
        about = await _settled(tx, call, how, doing)
        shown = await desk_store.add_settlement(tx, new_id(), call_id, by=doing.actor.sub, now=now, **about)
        told = about | ({"department": how.department} if isinstance(how, ToDepartment) else {})
        await tell(tx, call, doing, c.CallSettled, **(told | {"outcome": c.CallOutcome(told["outcome"])}))
        if isinstance(how, DifficultCase):
            await tell(tx, call, doing, c.ReplyPromised, case_id=about["case_id"], reply_by=how.reply_by)
        answer = Reply(201, msgspec.json.encode(shown))
        await store_reply(tx, doing.headers.idempotency, answer, about=call.subscriber_id)
    doing.wakeup.send(PUBLISH)
    return answer


async def _raise_if_settled(tx: Transaction, doing: Doing) -> None:
    """Raises `AlreadyReplied` with the first answer, without an order that the caller may not see any more."""
    try:
        await raise_if_replied(tx, doing.headers.idempotency)
    except AlreadyReplied as again:
        settlement = msgspec.json.decode(again.reply.body)
        if await visible_orders(tx, [settlement["order_id"]], doing.scope) or settlement["order_id"] is None:
            raise
        hidden = msgspec.json.encode(settlement | {"order_id": None})
        raise AlreadyReplied(replace(again.reply, body=hidden)) from again


async def _settled(tx: Transaction, call: KnownCall, how: Settling, doing: Doing) -> dict[str, Any]:
    match how:
        case AnsweredAtOnce():
            if how.article_id is not None:
                await knowledge_store.note_use(tx, how.article_id, now=doing.clock.now())
            return {"outcome": c.CallOutcome.ANSWERED.value, "article_id": how.article_id}
        case NewOrder():
            return {"outcome": c.CallOutcome.WORK_ORDER.value, "order_id": await _create(tx, call, how, doing)}
        case OpenOrder():
            await _urge(tx, call, how, doing)
            return {"outcome": c.CallOutcome.WORK_ORDER.value, "order_id": how.order_id, "order_was_open": True}
        case ToDepartment():
            return {"outcome": c.CallOutcome.DEPARTMENT.value, "referral_id": await _refer(tx, call, how, doing)}
        case DifficultCase():
            check_promise(how.reply_by, now=doing.clock.now())
            return {"outcome": c.CallOutcome.DIFFICULT_CASE.value, "case_id": await _open_case(tx, call, how, doing)}


async def _create(tx: Transaction, call: KnownCall, how: NewOrder, doing: Doing) -> str:
    command, now = how.order, doing.clock.now()
    at = how.occurred_at or now
    known = await orders_store.circumstances(tx, command, now=at)
    order_id = new_id()
    message = new_message(
        await sealed_in(
            tx,
            create(command, known),
            order_id,
            known.subscriber_id,
            doing.actor,
            masters=doing.masters,
            now=now,
        ),
        service=Service.INTAKE,
        subject=order_id,
        actor=doing.actor,
        occurred_at=at,
        recorded_at=now,
        order_version=1,
        correlation_id=call.id,
        traceparent=doing.headers.traceparent,
    )
    try:
        order = await create_in(tx, message)
    except ExternalReferenceTaken as taken:
        raise await references.as_seen(taken, tx, doing.scope) from taken
    if how.outage_id is not None:
        await links_use_cases.link_to_outage(tx, order.id, how.outage_id, doing)
    if call.subscriber_id is None or call.demand_type is None:
        subscriber_id = known.subscriber_id if call.subscriber_id is None else None
        demand_type = call.demand_type or command.demand_type
        await say_who_and_what(tx, call, doing, subscriber_id=subscriber_id, demand_type=demand_type)
    return order.id


async def _urge(tx: Transaction, call: KnownCall, how: OpenOrder, doing: Doing) -> None:
    """A repeat call on an open order is an urge, which its custodian sees."""
    stored = await find_stored_order(tx, how.order_id)
    if stored is None or not may_see(stored.order, how.areas):
        raise WorkOrderNotFound(order_id=how.order_id)
    try:
        stored.order.advance(Act.URGE)
    except ActNotAllowed as error:
        raise OrderIsClosed(order_no=stored.order.order_no, order_status=stored.order.status.value) from error
    if call.demand_type is None:
        # Who calls may be another than the subscriber of the order; what about is what the order is about.
        await say_who_and_what(tx, call, doing, subscriber_id=None, demand_type=stored.order.demand_type)
    ask = orders_use_cases.Ask("urge", how.reason)
    message, _ = await orders_use_cases.asked(
        tx, ask, stored.order, doing.actor, doing.headers, masters=doing.masters, now=doing.clock.now()
    )
    await outbox.add(tx, [message])


async def _refer(tx: Transaction, call: KnownCall, how: ToDepartment, doing: Doing) -> str:
    referral_id, seal = new_id(), await sealer_of(tx, call, doing)
    await tx.execute(
        "insert into referrals (id, call_id, department, question, asked_by, asked_at) values ($1, $2, $3, $4, $5, $6)",
        referral_id,
        call.id,
        how.department,
        seal(how.question, referral_id),
        doing.actor.sub,
        doing.clock.now(),
    )
    return referral_id


async def _open_case(tx: Transaction, call: KnownCall, how: DifficultCase, doing: Doing) -> str:
    case_id, seal = new_id(), await sealer_of(tx, call, doing)
    await tx.execute(
        """insert into cases (id, version, call_id, content, contact, reply_by, opened_by, promised_by, opened_at)
           values ($1, 1, $2, $3, $4, $5, $6, $6, $7)""",
        case_id,
        call.id,
        seal(how.content, case_id),
        seal(how.contact, case_id),
        how.reply_by,
        doing.actor.sub,
        doing.clock.now(),
    )
    return case_id


async def answer_referral(referral_id: str, text: str, doing: Doing) -> Reply:
    """Writes down what the department answered."""
    now = doing.clock.now()
    async with doing.db.begin() as tx:
        referral = await desk_store.lock_referral(tx, referral_id)
        if not await can_see_call(tx, referral["call_id"], doing.scope):
            raise ReferralNotFound(referral_id=referral_id)
        await raise_if_replied(tx, doing.headers.idempotency)
        if referral["answered_at"] is not None:
            raise ReferralAnswered(referral_id=referral_id, answered_at=referral["answered_at"].isoformat())
        call = await lock_call(tx, referral["call_id"])
        sealed = (await sealer_of(tx, call, doing))(text, referral_id)
        await tx.execute(
            "update referrals set answer = $2, answered_by = $3, answered_at = $4 where id = $1",
            referral_id,
            sealed,
            doing.actor.sub,
            now,
        )
        department = referral["department"]
        await tell(tx, call, doing, c.DepartmentAnswered, referral_id=referral_id, department=department)
        shown = referral | {"answer": sealed, "answered_by": doing.actor.sub, "answered_at": now}
        answer = Reply(200, msgspec.json.encode(shown))
        await store_reply(tx, doing.headers.idempotency, answer, about=call.subscriber_id)
    doing.wakeup.send(PUBLISH)
    return answer


async def reply_to_case(case_id: str, text: str, doing: Doing) -> Reply:
    """Writes down the reply that was promised and given."""
    now = doing.clock.now()
    async with doing.db.begin() as tx:
        case = await _lock_open_case(tx, case_id, doing)
        call = await lock_call(tx, case["call_id"])
        sealed = (await sealer_of(tx, call, doing))(text, case_id)
        await tx.execute(
            "update cases set reply = $2, replied_by = $3, replied_at = $4, version = version + 1 where id = $1",
            case_id,
            sealed,
            doing.actor.sub,
            now,
        )
        await tell(tx, call, doing, c.ReplyGiven, case_id=case_id, reply_by=case["reply_by"])
        answer = _changed_case(case, reply=sealed, replied_by=doing.actor.sub, replied_at=now)
        await store_reply(tx, doing.headers.idempotency, answer, about=call.subscriber_id)
    doing.wakeup.send(PUBLISH)
    return answer


async def promise_again(case_id: str, reply_by: datetime, doing: Doing) -> Reply:
    """Another time was agreed with the subscriber; warnings begin anew."""
    check_promise(reply_by, now=doing.clock.now())
    async with doing.db.begin() as tx:
        case = await _lock_open_case(tx, case_id, doing)
        await tx.execute(
            """update cases set reply_by = $2, promised_by = $3, warned_at = null, overdue_at = null,
                   version = version + 1 where id = $1""",
            case_id,
            reply_by,
            doing.actor.sub,
        )
        call = await lock_call(tx, case["call_id"])
        await tell(tx, call, doing, c.ReplyPromised, case_id=case_id, reply_by=reply_by)
        changed = {"reply_by": reply_by, "promised_by": doing.actor.sub, "warned_at": None, "overdue_at": None}
        answer = _changed_case(case, **changed)
        await store_reply(tx, doing.headers.idempotency, answer, about=call.subscriber_id)
    doing.wakeup.send(PUBLISH)
    return answer


def _changed_case(case: dict[str, Any], **changes: Any) -> Reply:
    changed = case | changes | {"version": case["version"] + 1}
    return Reply(200, msgspec.json.encode(changed), etag_of(changed["version"]))


async def _lock_open_case(tx: Transaction, case_id: str, doing: Doing) -> dict[str, Any]:
    """Raises `AlreadyReplied`, `CaseNotFound` (also for a call that the actor may not see) or what it refuses."""
    case = await desk_store.lock_case(tx, case_id)
    if not await can_see_call(tx, case["call_id"], doing.scope):
        raise CaseNotFound(case_id=case_id)
    await raise_if_replied(tx, doing.headers.idempotency)
    if case["replied_at"] is not None:
        raise CaseReplied(case_id=case_id, replied_at=case["replied_at"].isoformat())
    check_version(CaseChanged, case["version"], doing.headers.if_match)
    return case
