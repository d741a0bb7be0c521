"""Sealing keys are issued here, when a subscriber is registered; any service may be the first to write about them."""

from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from chassis.sealing import DoesNotOpen, MasterKeys, SealingKey, Wrapped
from chassis.unit_of_work import Command
from contracts.lifecycle import Service
from contracts.message import Actor, Message
from contracts.origin import Origin
from contracts.sealing import SealedText, SealingKeyIssued, with_texts
from intake.subscribers import key_store
from work_orders.sealing import Sealer, seal
from work_orders.sealing_keys import SealingKeyNotArrived, SubscriberErased, key_place
from work_orders.unit_of_work import OrderUnitOfWork

T = TypeVar("T")


async def ensure_key(subscriber_id: str, *, uow: OrderUnitOfWork) -> None:
    """Commits a key for a subscriber who has none."""
    if (await uow.sealing_keys.find([subscriber_id]))[subscriber_id] is SealedText.NOT_HERE_YET:
        async with uow.command() as command:
            await key_in(command, subscriber_id, uow.sealing_keys.masters)


async def key_in(command: Command, subscriber_id: str, masters: MasterKeys) -> SealingKey:
    """The subscriber's key; a subscriber without a key gets one with this command, and cannot be erased before its end.

    Raises `SubscriberErased`, or `SealingKeyNotArrived` when the key does not open.
    """
    stored = await key_store.find_key(command.tx, subscriber_id)
    if stored is None:
        key, wrapped = masters.new_key(place=key_place(subscriber_id))
        if await _issue(command, subscriber_id, wrapped):
            return key
        # Another command was first, and is committed by now.
        stored = await key_store.find_key(command.tx, subscriber_id)
    if stored is None or stored.wrapped is None:
        raise SubscriberErased()
    try:
        return masters.unwrap(stored.wrapped, place=key_place(subscriber_id))
    except DoesNotOpen as error:
        raise SealingKeyNotArrived() from error


async def sealer_in(command: Command, subscriber_id: str | None, masters: MasterKeys) -> Sealer:
    """Seals texts under the subscriber's key, and leaves them plain without a subscriber; raises what `key_in` does."""
    if subscriber_id is None:
        return Sealer()
    return Sealer(await key_in(command, subscriber_id, masters), subscriber_id)


async def sealed_in(command: Command, body: T, masters: MasterKeys, *, subject: str, subscriber_id: str) -> T:
    """The event with its free texts sealed, in a command that does more; raises what `key_in` raises."""
    key = await key_in(command, subscriber_id, masters)
    return with_texts(body, lambda text: seal(text, key, subject=subject, subscriber_id=subscriber_id))


async def _issue(command: Command, subscriber_id: str, wrapped: Wrapped) -> bool:
    """Whether the key was issued; False when the subscriber has one, or had one."""
    is_added = await key_store.add_key(command.tx, subscriber_id, wrapped)
    if is_added:
        command.messages.append(issued(subscriber_id, wrapped, command.actor, version=1, now=command.now))
    return is_added


def issued(subscriber_id: str, wrapped: Wrapped, actor: Actor, *, version: int, now: datetime) -> Message:
    body = SealingKeyIssued(subscriber_id=subscriber_id, master_key_id=wrapped.master_key_id, wrapped=wrapped.text)
    origin = Origin(service=Service.INTAKE.value, actor=actor, recorded_at=now)
    return origin.message(body, subject=subscriber_id, entity_version=version)


async def issue_missing(command: Command, masters: MasterKeys) -> int:
    """Issues keys to some of the subscribers who have none from an older release; how many."""
    subscriber_ids = await key_store.subscribers_without_key(command.tx)
    for subscriber_id in subscriber_ids:
        _, wrapped = masters.new_key(place=key_place(subscriber_id))
        await _issue(command, subscriber_id, wrapped)
    return len(subscriber_ids)


async def wrap_anew(command: Command, masters: MasterKeys) -> int:
    """Wraps some of the keys that an older master key wraps with the current one; how many, 0 when all are."""
    outdated = await key_store.lock_outdated_keys(command.tx, masters)
    for key in outdated:
        assert key.wrapped is not None
        wrapped = masters.wrap_anew(key.wrapped, place=key_place(key.subscriber_id))
        await key_store.save_key(command.tx, replace(key, version=key.version + 1, wrapped=wrapped))
        command.messages.append(
            issued(key.subscriber_id, wrapped, command.actor, version=key.version + 1, now=command.now)
        )
    return len(outdated)
