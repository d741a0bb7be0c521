"""Revealing a subscriber whose data the caller sees masked, and holding it for the law: each leaves its record."""

from dataclasses import asdict, dataclass

import msgspec

from chassis.commands import Reply
from chassis.identity import new_id
from chassis.unit_of_work import Command
from intake.orders.contacts_store import KeptContact, contacts_of
from intake.privacy import store
from intake.privacy.domain import Hold, LegalHoldNotFound, Purpose, RevealRecord
from intake.subscribers import store as subscribers_store
from intake.subscribers.domain import SubscriberIdNotFound
from intake.subscribers.sealing_keys import sealer_in
from work_orders.commit import find_stored_order
from work_orders.sealing import Opening, Sealer
from work_orders.unit_of_work import OrderUnitOfWork


@dataclass(frozen=True, slots=True)
class Reveal:
    """Whose data, what for, and the order that it is about, if it is about one."""

    subscriber_id: str
    purpose: Purpose
    reason: str | None
    work_order_id: str | None = None


async def reveal_subscriber(wanted: Reveal, *, uow: OrderUnitOfWork) -> Reply:
    """The subscriber whole; the record of it is committed before. Raises `SubscriberIdNotFound`."""
    async with uow.command() as command:
        subscriber = await subscribers_store.find_subscriber(command.tx, wanted.subscriber_id)
        if subscriber is None:
            raise SubscriberIdNotFound(subscriber_id=wanted.subscriber_id)
        reveal_id, reason = new_id(), wanted.reason
        if reason:
            reason = (await _sealer(command, subscriber.id, uow))(reason, reveal_id)
        record = RevealRecord(
            id=reveal_id,
            subscriber_id=subscriber.id,
            work_order_id=wanted.work_order_id,
            purpose=wanted.purpose,
            reason=reason,
            revealed_by=command.actor.sub,
            revealed_by_name=command.actor.name,
            role=command.actor.role,
            revealed_at=command.now,
        )
        await store.REVEALS.save(command.tx, record)
        # Without an entity tag: a reveal is no version of the subscriber.
        contacts = await _contacts(command, wanted.work_order_id)
        shown = {**asdict(subscriber), "contacts": contacts}
        command.reply_as(Reply(200, msgspec.json.encode(shown)), about=subscriber.id)
    return command.reply


async def _contacts(command: Command, order_id: str | None) -> list[KeptContact]:
    """The contacts of the order that the reveal is about."""
    stored = await find_stored_order(command.tx, order_id) if order_id is not None else None
    return await contacts_of(command.tx, stored.order) if stored is not None else []


async def set_legal_hold(subscriber_id: str, reason: str, *, uow: OrderUnitOfWork) -> Reply:
    """From here on nothing of the subscriber is erased. Raises `SubscriberIdNotFound`."""
    async with uow.command() as command:
        if await store.lock_subscriber(command.tx, subscriber_id) is None:
            raise SubscriberIdNotFound(subscriber_id=subscriber_id)
        seal = await _sealer(command, subscriber_id, uow)
        hold_id = new_id()
        hold = Hold(hold_id, subscriber_id, seal(reason, hold_id), set_by=command.actor.sub, set_at=command.now)
        command.reply_with(await store.HOLDS.save(command.tx, hold), status=201)
    return await _opened(command.reply, hold_id, uow)


async def lift_legal_hold(hold_id: str, reason: str, *, uow: OrderUnitOfWork) -> Reply:
    """Raises `LegalHoldNotFound` or `LegalHoldLifted`."""
    async with uow.command() as command:
        hold = await store.HOLDS.lock(command.tx, hold_id)
        if hold is None:
            raise LegalHoldNotFound(hold_id=hold_id)
        hold.require_standing()
        seal = await _sealer(command, hold.subscriber_id, uow)
        lifted = hold.lifted(seal(reason, hold_id), by=command.actor.sub, at=command.now)
        command.reply_with(await store.HOLDS.save(command.tx, lifted))
    return await _opened(command.reply, hold_id, uow)


async def _sealer(command: Command, subscriber_id: str, uow: OrderUnitOfWork) -> Sealer:
    return await sealer_in(command, subscriber_id, uow.sealing_keys.masters)


async def _opened(reply: Reply, subject: str, uow: OrderUnitOfWork) -> Reply:
    """The reply with its texts opened; the stored one keeps them sealed."""
    opening = Opening(uow.sealing_keys, language=uow.headers.language)
    return Reply(reply.status, await opening.object(subject, reply.body))
