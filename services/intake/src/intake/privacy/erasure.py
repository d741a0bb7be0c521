"""Erasing a subscriber: their row goes, their key is destroyed, and every text about them is unreadable everywhere.

One transaction: the destroyed key, what intake keeps in plain, the evidence and the message to all services. The
orders stay as they are, and so does the chain of their events, which covers what was sealed.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chassis import outbox
from chassis.clock import Clock
from chassis.database import Database, Transaction
from chassis.wakeup import PUBLISH, Wakeup
from contracts.codec import new_message
from contracts.lifecycle import Service
from contracts.message import Actor, Message
from contracts.sealing import SealingKeyDestroyed
from intake.privacy import activity_store, store
from intake.privacy.domain import Ground, SubscriberStillActive, may_erase
from intake.subscribers.domain import SubscriberIdNotFound
from work_orders.sealing_keys import on_sealing_keys


async def erase_subscriber(
    subscriber_id: str,
    ground: Ground,
    actor: Actor,
    *,
    db: Database,
    clock: Clock,
    wakeup: Wakeup,
    inactive_since: datetime | None = None,
) -> Any:
    """The evidence of the erasure, also when it was done before; given `inactive_since`, only if nothing has happened
    with the subscriber since then.

    Raises `SubscriberOnLegalHold`, `SubscriberHasOpenOrders`, `SubscriberStillActive` or `SubscriberIdNotFound`.
    """
    async with db.begin() as tx:
        evidence = await _erase(tx, subscriber_id, ground, actor, now=clock.now(), inactive_since=inactive_since)
    wakeup.send(PUBLISH)
    return evidence


async def _erase(
    tx: Transaction,
    subscriber_id: str,
    ground: Ground,
    actor: Actor,
    *,
    now: datetime,
    inactive_since: datetime | None = None,
) -> Any:
    subscriber_no = await store.lock_subscriber(tx, subscriber_id)
    if subscriber_no is None:
        evidence = await store.find_erasure(tx, subscriber_id)
        if evidence is None:
            raise SubscriberIdNotFound(subscriber_id=subscriber_id)
        return evidence
    # Who writes about a call holds it, and then waits for the key: in the same order here, nobody waits in a circle.
    await store.lock_calls(tx, subscriber_id)
    # Then the key: no order can be created with it from here on, and those that were are seen below.
    version = await store.destroy_key(tx, subscriber_id)
    may_erase(await store.standing(tx, subscriber_id, subscriber_no))
    if inactive_since and await activity_store.is_active_since(tx, subscriber_id, inactive_since):
        raise SubscriberStillActive()
    await store.forget(tx, subscriber_id)
    await outbox.add(tx, [destroyed(subscriber_id, ground.value, version, actor, now=now)])
    return await store.add_erasure(tx, subscriber_id, subscriber_no, ground.value, actor, at=now, version=version)


async def on_sealing_keys_of_ours(messages: Sequence[Message], tx: Transaction) -> None:
    """What intake itself has said about keys: nothing new, unless its database was restored from before it was said.

    Then a subscriber who was erased since is erased again, with the evidence as it was.
    """
    await on_sealing_keys(messages, tx)
    for message in messages:
        if not isinstance(message.body, SealingKeyDestroyed):
            continue
        subscriber_no = await store.lock_subscriber(tx, message.subject)
        if subscriber_no is not None:
            await store.forget(tx, message.subject)
            await store.add_erasure(
                tx,
                message.subject,
                subscriber_no,
                message.body.ground,
                message.actor,
                at=message.occurred_at,
                version=message.entity_version,
            )


def destroyed(subscriber_id: str, ground: str, version: int, actor: Actor, *, now: datetime) -> Message:
    return new_message(
        SealingKeyDestroyed(subscriber_id=subscriber_id, ground=ground),
        service=Service.INTAKE,
        subject=subscriber_id,
        actor=actor,
        occurred_at=now,
        recorded_at=now,
        entity_version=version,
    )
