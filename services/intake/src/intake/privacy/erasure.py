"""Erasing a subscriber: their row goes, their key is destroyed, and every text about them is unreadable everywhere.

One transaction: the destroyed key, what intake keeps in plain, the evidence and the message to all services. The
orders stay as they are, and so does the chain of their events, which covers what was sealed.
"""

from collections.abc import Sequence
from datetime import datetime

from chassis.database import Transaction
from chassis.unit_of_work import Command, UnitOfWork
from contracts.lifecycle import Service
from contracts.message import Actor, Message
from contracts.origin import Origin
from contracts.sealing import SealingKeyDestroyed
from intake.privacy import activity_store, store
from intake.privacy.domain import ErasureEvidence, Ground, SubscriberStillActive, may_erase
from intake.subscribers import key_store
from intake.subscribers import store as subscribers_store
from intake.subscribers.domain import SubscriberIdNotFound
from work_orders.sealing_keys import on_sealing_keys


async def erase_subscriber(
    subscriber_id: str, ground: Ground, *, uow: UnitOfWork, inactive_since: datetime | None = None
) -> ErasureEvidence:
    """The evidence of the erasure, also when it was done before; given `inactive_since`, only if nothing has happened
    with the subscriber since then.

    Raises `SubscriberOnLegalHold`, `SubscriberHasOpenOrders`, `SubscriberStillActive` or `SubscriberIdNotFound`.
    """
    async with uow.db.statements() as statements:
        callers = await subscribers_store.callers_of(statements, subscriber_id)
    for caller_id in callers:  # they are the same person, and what stands in the way of one does for both
        await erase_subscriber(caller_id, ground, uow=uow, inactive_since=inactive_since)
    async with uow.command() as command:
        subscriber_no = await store.lock_subscriber(command.tx, subscriber_id)
        if subscriber_no is not None:
            return await _erase(command, subscriber_id, subscriber_no, ground, inactive_since)
        evidence = await store.ERASURES.find(command.tx, subscriber_id)
        if evidence is None:
            raise SubscriberIdNotFound(subscriber_id=subscriber_id)
        return evidence


async def _erase(
    command: Command, subscriber_id: str, subscriber_no: str, ground: Ground, inactive_since: datetime | None
) -> ErasureEvidence:
    tx = command.tx
    # A command about a call holds the call and then waits for the key: in the same order here there is no deadlock.
    await store.lock_calls(tx, subscriber_id)
    # Then the key: no order can be created with it from here on, and those that were are seen below.
    version = await key_store.destroy_key(tx, subscriber_id)
    may_erase(await store.standing(tx, subscriber_id, subscriber_no))
    if inactive_since and await activity_store.is_active_since(tx, subscriber_id, inactive_since):
        raise SubscriberStillActive()
    message = destroyed(subscriber_id, ground.value, version, command.actor, now=command.now)
    command.messages.append(message)
    return await _forget(tx, subscriber_no, message)


async def _forget(tx: Transaction, subscriber_no: str, message: Message) -> ErasureEvidence:
    """Forgets the subscriber whose key was destroyed, and keeps the evidence."""
    await store.forget(tx, message.subject)
    evidence = ErasureEvidence(
        subscriber_id=message.subject,
        ground=message.body.ground,
        erased_by=message.actor.sub,
        role=message.actor.role,
        erased_at=message.occurred_at,
        order_count=0,
        key_version=message.entity_version or 0,
    )
    return await store.add_erasure(tx, evidence, subscriber_no)


async def on_sealing_keys_of_ours(messages: Sequence[Message], tx: Transaction) -> None:
    """What intake itself has published about keys: known already, unless its database was restored from an older
    backup. Then a subscriber who was erased since is erased again, with the evidence as it was.
    """
    await on_sealing_keys(messages, tx)
    for message in messages:
        if isinstance(message.body, SealingKeyDestroyed):
            subscriber_no = await store.lock_subscriber(tx, message.subject)
            if subscriber_no is not None:
                await _forget(tx, subscriber_no, message)


def destroyed(subscriber_id: str, ground: str, version: int, actor: Actor, *, now: datetime) -> Message:
    origin = Origin(service=Service.INTAKE.value, actor=actor, recorded_at=now)
    body = SealingKeyDestroyed(subscriber_id=subscriber_id, ground=ground)
    return origin.message(body, subject=subscriber_id, entity_version=version)
