"""Registering a subscriber and changing one."""

from dataclasses import replace

import msgspec

from chassis.clock import Clock
from chassis.commands import CommandHeaders, Reply, etag_of, raise_if_replied, store_reply
from chassis.database import Database
from chassis.sealing import MasterKeys
from chassis.wakeup import PUBLISH, Wakeup
from contracts.look_alikes import LookAlike, look_alikes
from contracts.message import Actor
from intake.subscribers import store
from intake.subscribers.domain import Subscriber, SubscriberChanged, SubscriberIdNotFound, SubscriberNoTaken
from intake.subscribers.sealing_keys import key_in


async def create_subscriber(
    subscriber: Subscriber,
    actor: Actor,
    headers: CommandHeaders,
    *,
    db: Database,
    masters: MasterKeys,
    clock: Clock,
    wakeup: Wakeup,
) -> Reply:
    """With a sealing key from the beginning: any service may be the first to write about them."""
    now = clock.now()
    async with db.begin() as tx:
        await raise_if_replied(tx, headers.idempotency)
        if not await store.insert_subscriber(tx, subscriber, now=now):
            raise SubscriberNoTaken(subscriber_no=subscriber.subscriber_no)
        await key_in(tx, subscriber.id, actor, masters=masters, now=now)
        similar = await store.similar_numbers(tx, subscriber.subscriber_no)
        warnings = look_alikes("subscriber_no", subscriber.subscriber_no, similar)
        answer = _subscriber_answer(201, subscriber, warnings)
        await store_reply(tx, headers.idempotency, answer, about=subscriber.id)
    wakeup.send(PUBLISH)
    return answer


def _subscriber_answer(status: int, subscriber: Subscriber, warnings: list[LookAlike]) -> Reply:
    """With what people may take for something else: the number, and scripts mixed in the name."""
    warnings = [*warnings, *look_alikes("name", subscriber.name, ())]
    body = {**msgspec.to_builtins(subscriber), "look_alikes": msgspec.to_builtins(warnings)}
    return Reply(status, msgspec.json.encode(body), etag_of(subscriber.version))


async def change_subscriber(
    subscriber_id: str, changes: dict[str, object], headers: CommandHeaders, *, db: Database, clock: Clock
) -> Reply:
    async with db.begin() as tx:
        await raise_if_replied(tx, headers.idempotency)
        present = await store.find_subscriber(tx, subscriber_id)
        if present is None:
            raise SubscriberIdNotFound(subscriber_id=subscriber_id)
        changed = replace(present, version=headers.expected_version + 1, **changes)
        if not await store.update_subscriber(tx, changed, now=clock.now()):
            raise SubscriberChanged(present_version=present.version, expected_version=headers.expected_version)
        answer = _subscriber_answer(200, changed, [])
        await store_reply(tx, headers.idempotency, answer, about=subscriber_id)
    return answer
