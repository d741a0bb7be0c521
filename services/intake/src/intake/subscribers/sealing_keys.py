"""Sealing keys are issued here, when a subscriber is registered; any service may be the first to write about them."""

from datetime import datetime
from typing import Any, TypeVar

from chassis import outbox
from chassis.clock import Clock
from chassis.database import Database, Transaction
from chassis.sealing import DoesNotOpen, MasterKeys, SealingKey, Wrapped
from chassis.wakeup import PUBLISH, Wakeup
from contracts.codec import new_message
from contracts.lifecycle import Service
from contracts.message import Actor, Message
from contracts.sealing import SealedText, SealingKeyIssued, with_texts
from work_orders.sealing import Sealer, seal
from work_orders.sealing_keys import SealingKeyNotArrived, SealingKeys, SubscriberErased, key_place


async def sealer_in(
    tx: Transaction, subscriber_id: str | None, actor: Actor, *, masters: MasterKeys, now: datetime
) -> Sealer:
    """Raises `SubscriberErased`, or `SealingKeyNotArrived` when the key does not open."""
    key = await key_in(tx, subscriber_id, actor, masters=masters, now=now) if subscriber_id else None
    return Sealer(key, subscriber_id or "")


T = TypeVar("T")


async def ensure_key(
    subscriber_id: str, actor: Actor, *, keys: SealingKeys, db: Database, clock: Clock, wakeup: Wakeup
) -> None:
    """Commits a key for a subscriber who has none."""
    if (await keys.find([subscriber_id]))[subscriber_id] is not SealedText.NOT_HERE_YET:
        return
    async with db.begin() as tx:
        await key_in(tx, subscriber_id, actor, masters=keys.masters, now=clock.now())
    wakeup.send(PUBLISH)


async def key_in(
    tx: Transaction, subscriber_id: str, actor: Actor, *, masters: MasterKeys, now: datetime
) -> SealingKey:
    """The subscriber's key; one who has none gets one with this transaction, until whose end nobody can erase them.

    Raises `SubscriberErased`, or `SealingKeyNotArrived` when the key does not open.
    """
    row = await _find(tx, subscriber_id)
    if row is None:
        key, wrapped = masters.new_key(place=key_place(subscriber_id))
        if await _insert(tx, subscriber_id, wrapped, actor, now):
            return key
        row = await _find(tx, subscriber_id)  # somebody else was first, and is committed by now
    if row["wrapped"] is None:
        raise SubscriberErased()
    try:
        return masters.unwrap(Wrapped(row["master_key_id"], row["wrapped"]), place=key_place(subscriber_id))
    except DoesNotOpen as error:
        raise SealingKeyNotArrived() from error


async def _find(tx: Transaction, subscriber_id: str) -> Any:
    return await tx.fetchrow(
        "select master_key_id, wrapped from sealing_keys where subscriber_id = $1 for share", subscriber_id
    )


async def sealed_in(
    tx: Transaction, body: T, subject: str, subscriber_id: str, actor: Actor, *, masters: MasterKeys, now: datetime
) -> T:
    """The event with its free texts sealed, in a transaction that does more; raises what `key_in` raises."""
    key = await key_in(tx, subscriber_id, actor, masters=masters, now=now)
    return with_texts(body, lambda text: seal(text, key, subject=subject, subscriber_id=subscriber_id))


async def _insert(tx: Transaction, subscriber_id: str, wrapped: Wrapped, actor: Actor, now: datetime) -> bool:
    done = await tx.execute(
        """insert into sealing_keys (subscriber_id, entity_version, master_key_id, wrapped) values ($1, 1, $2, $3)
           on conflict (subscriber_id) do nothing""",
        subscriber_id,
        wrapped.master_key_id,
        wrapped.text,
    )
    if done != "INSERT 0 1":
        return False
    await outbox.add(tx, [issued(subscriber_id, wrapped, actor, version=1, now=now)])
    return True


def issued(subscriber_id: str, wrapped: Wrapped, actor: Actor, *, version: int, now: datetime) -> Message:
    return new_message(
        SealingKeyIssued(subscriber_id=subscriber_id, master_key_id=wrapped.master_key_id, wrapped=wrapped.text),
        service=Service.INTAKE,
        subject=subscriber_id,
        actor=actor,
        occurred_at=now,
        recorded_at=now,
        entity_version=version,
    )


_MOST_AT_ONCE = 500


async def issue_missing(tx: Transaction, masters: MasterKeys, actor: Actor, *, now: datetime) -> int:
    """Issues keys to some of the subscribers who were registered before everybody got one; how many."""
    rows = await tx.fetch(
        """select id from subscribers where not exists (select from sealing_keys where subscriber_id = id)
           order by id limit $1""",
        _MOST_AT_ONCE,
    )
    for (subscriber_id,) in rows:
        _, wrapped = masters.new_key(place=key_place(subscriber_id))
        await _insert(tx, subscriber_id, wrapped, actor, now)
    return len(rows)


async def wrap_anew(tx: Transaction, masters: MasterKeys, actor: Actor, *, now: datetime) -> int:
    """Wraps some of the keys that an older master key wraps with the current one; how many, 0 when all are."""
    rows = await tx.fetch(
        """select subscriber_id, entity_version, master_key_id, wrapped from sealing_keys
           where master_key_id <> $1 and master_key_id = any($2) order by subscriber_id limit $3
           for update skip locked""",
        masters.current,
        list(masters.ids),
        _MOST_AT_ONCE,
    )
    messages = []
    for subscriber_id, version, master_key_id, text in rows:
        wrapped = masters.wrap_anew(Wrapped(master_key_id, text), place=key_place(subscriber_id))
        await tx.execute(
            "update sealing_keys set entity_version = $2, master_key_id = $3, wrapped = $4 where subscriber_id = $1",
            subscriber_id,
            version + 1,
            wrapped.master_key_id,
            wrapped.text,
        )
        messages.append(issued(subscriber_id, wrapped, actor, version=version + 1, now=now))
    await outbox.add(tx, messages)
    return len(messages)
