"""Creating a work order, and asking its custodian."""

from dataclasses import replace

import msgspec

from chassis.commands import Reply
from chassis.identity import new_id
from chassis.sealing import MasterKeys
from chassis.unit_of_work import Command
from contracts.amendment import check_amendment
from contracts.handling import check_urgency
from contracts.order import WorkOrder
from contracts.sealing import with_texts
from intake.orders import contacts_store, references, store
from intake.orders.domain.amendment import AskedAmendment, asked_for
from intake.orders.domain.creation import CreateWorkOrder, create
from intake.orders.domain.requests import PENDING, Ask, CustodianRequest
from intake.scope_store import Scope
from intake.subscribers.phone_numbers import in_one_spelling
from intake.subscribers.sealing_keys import ensure_key, sealer_in
from work_orders.commit import ExternalReferenceTaken, WorkOrderNotFound, lock_order, may_see
from work_orders.handling_rules import HANDLING
from work_orders.unit_of_work import OrderUnitOfWork


async def create_work_order(wanted: CreateWorkOrder, *, uow: OrderUnitOfWork) -> Reply:
    async with uow.db.statements() as statements:
        await uow.raise_if_replied(statements)
        now = uow.occurred_at or uow.clock.now()
        known = await store.circumstances(statements, wanted, uow.sealing_keys, now=now)
    event = create(wanted, known, role=uow.actor.role)
    await ensure_key(known.subscriber_id, uow=uow)
    try:
        async with uow.new_order(new_id()) as command:
            command.record(event, name="create")
    except ExternalReferenceTaken as taken:
        async with uow.db.statements() as statements:
            raise await references.as_seen(taken, statements, Scope.of(uow)) from taken
    return command.reply


async def ask_custodian(order_id: str, ask: Ask, *, uow: OrderUnitOfWork) -> Reply:
    """Puts the request behind everything this service has published of the order."""
    async with uow.command() as command:
        order = await _locked_order(command, order_id, uow)
        request = await ask_in(command, ask, order, uow.sealing_keys.masters)
        command.reply_with(request, status=202)
    return Reply(202, msgspec.json.encode(replace(request, reason=ask.reason)))


async def ask_for_amendment(order_id: str, asked: AskedAmendment, *, uow: OrderUnitOfWork) -> Reply:
    """The same for an amendment; a contact is kept here, and the request has its reference."""
    amendment, contact = asked.amendment, asked.contact
    async with uow.command() as command:
        order = await _locked_order(command, order_id, uow)
        await store.check_types(command.tx, amendment.details)
        check_urgency(amendment.details.urgency, uow.actor.role, (await HANDLING.newest(command.tx)).rules)
        if contact is not None:
            phones = await in_one_spelling(command.tx, [contact.phone])
            contact_id = new_id()
            await contacts_store.add_contact(command, contact_id, order, replace(contact, phone=phones[0]))
            amendment = replace(amendment, details=replace(amendment.details, contact_id=contact_id))
        check_amendment(amendment)
        ask = Ask("amend", amendment.reason, asked_for(amendment, asked.seen_version))
        request = await ask_in(command, ask, order, uow.sealing_keys.masters)
        command.reply_with(request, status=202)
    return Reply(202, msgspec.json.encode(replace(request, reason=amendment.reason)))


async def _locked_order(command: Command, order_id: str, uow: OrderUnitOfWork) -> WorkOrder:
    """The order; its row lock keeps what is published of it behind the creation in the outbox."""
    stored = await lock_order(command.tx, order_id)
    if stored is None or not may_see(stored.order, uow.areas):
        raise WorkOrderNotFound(order_id=order_id)
    return stored.order


async def ask_in(
    command: Command, ask: Ask, order: WorkOrder, masters: MasterKeys, *, request_id: str | None = None
) -> CustodianRequest:
    """A request within a command that does more and holds the order; the request as it is kept."""
    seal = await sealer_in(command, order.subscriber_id, masters)
    request_id = request_id or new_id()
    event = with_texts(ask.event(request_id), lambda text: seal(text, order.id))
    request = CustodianRequest(
        id=request_id,
        order_id=order.id,
        kind=ask.kind,
        reason=event.reason,
        state=PENDING,
        asked_by=command.actor.sub,
        asked_at=command.now,
    )
    await store.add_request(command.tx, request)
    command.publish(event, subject=order.id)
    return request
