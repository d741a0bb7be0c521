"""The ways in which a call is settled, and what follows of them: answers of departments, promised replies."""

from dataclasses import replace
from datetime import datetime

import msgspec

from chassis.commands import Reply
from chassis.database import Statements
from chassis.identity import new_id
from chassis.unit_of_work import Replay
from contracts import calls as c
from contracts.lifecycle import Act, ActNotAllowed
from intake.calls import store
from intake.calls.domain.settlement import (
    AnsweredAtOnce,
    Case,
    CaseNotFound,
    DifficultCase,
    NewOrder,
    OpenOrder,
    OrderIsClosed,
    Referral,
    ReferralNotFound,
    Settlement,
    Settling,
    ToDepartment,
    check_promise,
)
from intake.calls.use_cases import Changing, changing
from intake.knowledge.store import note_use
from intake.links.use_cases import link_to_outage
from intake.orders import references
from intake.orders.domain.creation import create
from intake.orders.domain.requests import Ask
from intake.orders.store import circumstances
from intake.orders.use_cases import ask_in
from intake.scope_store import Scope, visible_orders
from intake.subscribers.sealing_keys import sealed_in
from work_orders.commit import ExternalReferenceTaken, WorkOrderNotFound, create_in, find_stored_order, may_see
from work_orders.unit_of_work import OrderUnitOfWork


async def settle_call(call_id: str, how: Settling, *, uow: OrderUnitOfWork) -> Reply:
    """Settles a call in one of its ways; it may be settled in more than one."""
    async with uow.command(replay=_seen_settlement(call_id, uow)) as command:
        await store.require_call(command.tx, call_id, Scope.of(uow))
        async with changing(command, call_id, uow) as changed:
            settlement = await _settle(changed, how)
            await store.settlements.save(command.tx, settlement)
            department = how.department if isinstance(how, ToDepartment) else None
            changed.call.settle(changed.author, settlement, department=department)
            if isinstance(how, DifficultCase):
                changed.call.note(c.ReplyPromised, changed.author, case_id=settlement.case_id, reply_by=how.reply_by)
        command.reply_with(settlement, status=201, about=changed.call.subscriber_id)
    return command.reply


def _seen_settlement(call_id: str, uow: OrderUnitOfWork) -> Replay:
    """The first reply, without an order that the actor does not see any more."""

    async def replay(statements: Statements, first: Reply) -> Reply:
        scope = Scope.of(uow)
        await store.require_call(statements, call_id, scope)
        settlement = msgspec.json.decode(first.body)
        order_id = settlement["order_id"]
        if order_id is None or await visible_orders(statements, [order_id], scope):
            return first
        return replace(first, body=msgspec.json.encode(settlement | {"order_id": None}))

    return replay


async def _settle(changed: Changing, how: Settling) -> Settlement:
    actor, now = changed.uow.actor.sub, changed.command.now
    settlement = Settlement(
        id=new_id(), call_id=changed.call.id, outcome=c.CallOutcome.ANSWERED, settled_by=actor, settled_at=now
    )
    match how:
        case AnsweredAtOnce():
            if how.article_id is not None:
                await note_use(changed.command.tx, how.article_id, now=now)
            return replace(settlement, article_id=how.article_id)
        case NewOrder():
            order_id = await _create_order(changed, how)
            return replace(settlement, outcome=c.CallOutcome.WORK_ORDER, order_id=order_id)
        case OpenOrder():
            await _urge_order(changed, how)
            return replace(settlement, outcome=c.CallOutcome.WORK_ORDER, order_id=how.order_id, order_was_open=True)
        case ToDepartment():
            referral_id = await _refer(changed, how)
            return replace(settlement, outcome=c.CallOutcome.DEPARTMENT, referral_id=referral_id)
        case DifficultCase():
            check_promise(how.reply_by, now=now)
            return replace(settlement, outcome=c.CallOutcome.DIFFICULT_CASE, case_id=await _open_case(changed, how))


async def _create_order(changed: Changing, how: NewOrder) -> str:
    command, call, uow = changed.command, changed.call, changed.uow
    known = await circumstances(command.tx, how.order, now=how.occurred_at or command.now)
    order_id, event = new_id(), create(how.order, known, role=uow.actor.role)
    subscriber_id, masters = known.subscriber_id, uow.sealing_keys.masters
    event = await sealed_in(command, event, masters, subject=order_id, subscriber_id=subscriber_id)
    origin = replace(command.origin, correlation_id=call.id, occurred_at=how.occurred_at)
    try:
        order = await create_in(command.tx, origin.message(event, subject=order_id, order_version=1))
    except ExternalReferenceTaken as taken:
        raise await references.as_seen(taken, command.tx, Scope.of(uow)) from taken
    if how.outage_id is not None:
        await link_to_outage(command, order, how.outage_id, uow=uow)
    if call.subscriber_id is None or call.demand_type is None:
        caller_id = subscriber_id if call.subscriber_id is None else None
        await changed.classify(subscriber_id=caller_id, demand_type=call.demand_type or how.order.demand_type)
    return order.id


async def _urge_order(changed: Changing, how: OpenOrder) -> None:
    """A repeat call on an open order is an urge, which its custodian sees."""
    command, call, uow = changed.command, changed.call, changed.uow
    stored = await find_stored_order(command.tx, how.order_id)
    if stored is None or not may_see(stored.order, uow.areas):
        raise WorkOrderNotFound(order_id=how.order_id)
    try:
        stored.order.advance(Act.URGE)
    except ActNotAllowed as error:
        raise OrderIsClosed(order_no=stored.order.order_no, order_status=stored.order.status.value) from error
    if call.demand_type is None:
        # Who calls may be another than the subscriber of the order; what about is what the order is about.
        await changed.classify(demand_type=stored.order.demand_type)
    await ask_in(command, Ask("urge", how.reason), stored.order, uow.sealing_keys.masters)


async def _refer(changed: Changing, how: ToDepartment) -> str:
    referral_id, seal = new_id(), await changed.sealer()
    referral = Referral(
        id=referral_id,
        call_id=changed.call.id,
        department=how.department,
        question=seal(how.question, referral_id),
        asked_by=changed.uow.actor.sub,
        asked_at=changed.command.now,
    )
    await store.referrals.save(changed.command.tx, referral)
    return referral_id


async def _open_case(changed: Changing, how: DifficultCase) -> str:
    case_id, seal, actor = new_id(), await changed.sealer(), changed.uow.actor.sub
    case = Case(
        id=case_id,
        call_id=changed.call.id,
        content=seal(how.content, case_id),
        contact=seal(how.contact, case_id),
        reply_by=how.reply_by,
        opened_by=actor,
        promised_by=actor,
        opened_at=changed.command.now,
    )
    await store.cases.save(changed.command.tx, case)
    return case_id


async def answer_referral(referral_id: str, text: str, *, uow: OrderUnitOfWork) -> Reply:
    """Writes down what the department answered."""
    async with uow.command(replay=_of_seen_call(ReferralNotFound(referral_id=referral_id), uow)) as command:
        referral = await store.lock_referral(command.tx, referral_id, Scope.of(uow))
        referral.check_open()
        async with changing(command, referral.call_id, uow) as changed:
            seal = await changed.sealer()
            answered = referral.answered(seal(text, referral_id), by=uow.actor.sub, now=command.now)
            await store.referrals.save(command.tx, answered)
            about = {"referral_id": referral_id, "department": referral.department}
            changed.call.note(c.DepartmentAnswered, changed.author, **about)
        command.reply_with(answered, about=changed.call.subscriber_id)
    return command.reply


async def reply_to_case(case_id: str, text: str, *, uow: OrderUnitOfWork) -> Reply:
    """Writes down the reply that was promised and given."""
    async with uow.command(replay=_of_seen_call(CaseNotFound(case_id=case_id), uow)) as command:
        case = await store.lock_case(command.tx, case_id, Scope.of(uow))
        case.check_open(uow.headers.decided_on(case.version))
        async with changing(command, case.call_id, uow) as changed:
            seal = await changed.sealer()
            replied = case.replied(seal(text, case_id), by=uow.actor.sub, now=command.now)
            await store.cases.save(command.tx, replied)
            changed.call.note(c.ReplyGiven, changed.author, case_id=case_id, reply_by=case.reply_by)
        command.reply_with(replied, about=changed.call.subscriber_id)
    return command.reply


async def promise_again(case_id: str, reply_by: datetime, *, uow: OrderUnitOfWork) -> Reply:
    """Another time was agreed with the subscriber; warnings begin again."""
    check_promise(reply_by, now=uow.clock.now())
    async with uow.command(replay=_of_seen_call(CaseNotFound(case_id=case_id), uow)) as command:
        case = await store.lock_case(command.tx, case_id, Scope.of(uow))
        case.check_open(uow.headers.decided_on(case.version))
        async with changing(command, case.call_id, uow) as changed:
            promised = case.promised(reply_by, by=uow.actor.sub)
            await store.cases.save(command.tx, promised)
            changed.call.note(c.ReplyPromised, changed.author, case_id=case_id, reply_by=reply_by)
        command.reply_with(promised, about=changed.call.subscriber_id)
    return command.reply


def _of_seen_call(refusal: CaseNotFound | ReferralNotFound, uow: OrderUnitOfWork) -> Replay:
    """The first reply shows a case or a referral: it is for an actor who sees its call at present."""

    async def replay(statements: Statements, first: Reply) -> Reply:
        if not await store.can_see_call(statements, msgspec.json.decode(first.body)["call_id"], Scope.of(uow)):
            raise refusal
        return first

    return replay
