"""Revealing a subscriber whose data the caller sees masked, and holding it for the law: each leaves its record."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from chassis.clock import Clock
from chassis.commands import CommandHeaders, Reply, raise_if_replied, store_reply
from chassis.database import Database, Transaction
from chassis.identity import new_id
from chassis.wakeup import PUBLISH, Wakeup
from contracts.message import Actor
from contracts.refusals import NotFound
from intake.privacy import store
from intake.privacy.domain import LegalHoldLifted, Purpose
from intake.subscribers import store as subscribers_store
from intake.subscribers.domain import SubscriberIdNotFound
from intake.subscribers.sealing_keys import key_in
from work_orders.sealing import Opening, seal
from work_orders.sealing_keys import SealingKeys


class LegalHoldNotFound(NotFound):
    """There is no legal hold {hold_id}."""

    zh = "没有编号为 {hold_id} 的法律保全。"


@dataclass(frozen=True, slots=True)
class Parts:
    """What these use cases work with."""

    db: Database
    keys: SealingKeys
    clock: Clock
    wakeup: Wakeup


@dataclass(frozen=True, slots=True)
class Reveal:
    """Whose data, what for, and the order that it is about, if it is about one."""

    subscriber_id: str
    purpose: Purpose
    reason: str | None
    work_order_id: str | None = None


async def reveal(wanted: Reveal, actor: Actor, headers: CommandHeaders, parts: Parts) -> Reply:
    """The subscriber whole; the record of it is committed before. Raises `SubscriberIdNotFound`."""
    now, reveal_id = parts.clock.now(), new_id()
    async with parts.db.begin() as tx:
        await raise_if_replied(tx, headers.idempotency)
        subscriber = await subscribers_store.find_subscriber(tx, wanted.subscriber_id)
        if subscriber is None:
            raise SubscriberIdNotFound(subscriber_id=wanted.subscriber_id)
        reason = wanted.reason and await _sealed(
            tx, wanted.reason, subject=reveal_id, subscriber_id=subscriber.id, actor=actor, now=now, parts=parts
        )
        await store.add_reveal(
            tx, reveal_id, subscriber.id, wanted.work_order_id, wanted.purpose, reason, actor, at=now
        )
        answer = Reply(200, msgspec.json.encode(subscriber))
        await store_reply(tx, headers.idempotency, answer, about=subscriber.id)
    parts.wakeup.send(PUBLISH)
    return answer


async def set_legal_hold(subscriber_id: str, reason: str, actor: Actor, headers: CommandHeaders, parts: Parts) -> Reply:
    """From here on nothing of the subscriber is erased. Raises `SubscriberIdNotFound`."""
    now, hold_id = parts.clock.now(), new_id()
    async with parts.db.begin() as tx:
        await raise_if_replied(tx, headers.idempotency)
        if await store.lock_subscriber(tx, subscriber_id) is None:
            raise SubscriberIdNotFound(subscriber_id=subscriber_id)
        sealed = await _sealed(
            tx, reason, subject=hold_id, subscriber_id=subscriber_id, actor=actor, now=now, parts=parts
        )
        row = await store.add_hold(tx, hold_id, subscriber_id, sealed, by=actor.sub, at=now)
        answer = _answer(201, row)
        await store_reply(tx, headers.idempotency, answer)
    parts.wakeup.send(PUBLISH)
    return await _shown(answer, hold_id, headers, parts)


async def lift_legal_hold(hold_id: str, reason: str, actor: Actor, headers: CommandHeaders, parts: Parts) -> Reply:
    """Raises `LegalHoldNotFound` or `LegalHoldLifted`."""
    now = parts.clock.now()
    async with parts.db.begin() as tx:
        await raise_if_replied(tx, headers.idempotency)
        hold = await store.lock_hold(tx, hold_id)
        if hold is None:
            raise LegalHoldNotFound(hold_id=hold_id)
        if hold["lifted_at"] is not None:
            raise LegalHoldLifted()
        sealed = await _sealed(
            tx, reason, subject=hold_id, subscriber_id=hold["subscriber_id"], actor=actor, now=now, parts=parts
        )
        row = await store.lift_hold(tx, hold_id, sealed, by=actor.sub, at=now)
        answer = _answer(200, row)
        await store_reply(tx, headers.idempotency, answer)
    return await _shown(answer, hold_id, headers, parts)


async def _shown(answer: Reply, subject: str, headers: CommandHeaders, parts: Parts) -> Reply:
    opening = Opening(parts.keys, language=headers.language)
    return Reply(answer.status, await opening.object(subject, answer.body))


def _answer(status: int, row: Any) -> Reply:
    return Reply(status, msgspec.json.encode(dict(row)))


async def _sealed(
    tx: Transaction, text: str, *, subject: str, subscriber_id: str, actor: Actor, now: datetime, parts: Parts
) -> str:
    key = await key_in(tx, subscriber_id, actor, masters=parts.keys.masters, now=now)
    return seal(text, key, subject=subject, subscriber_id=subscriber_id)
