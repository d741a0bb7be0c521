"""Registering a subscriber and changing one."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from chassis.commands import Reply
from chassis.unit_of_work import Command
from contracts.look_alikes import LookAlike, look_alikes
from intake.subscribers import store
from intake.subscribers.domain import (
    CALLER_KINDS,
    NotACaller,
    Subscriber,
    SubscriberChanged,
    SubscriberIdNotFound,
    SubscriberNoTaken,
    check_caller,
    check_kind,
)
from intake.subscribers.phone_numbers import in_one_spelling
from intake.subscribers.sealing_keys import key_in
from work_orders.unit_of_work import OrderUnitOfWork


@dataclass(frozen=True, slots=True)
class WrittenSubscriber(Subscriber):
    """A subscriber in the reply to a command, with what of it people may take for something else."""

    look_alikes: tuple[LookAlike, ...] = ()


@dataclass(frozen=True, slots=True)
class TiedCaller:
    """A caller without a number, and the subscriber that they turned out to be."""

    caller_id: str
    caller_no: str
    """Generated; it stays the number of their orders."""
    subscriber_id: str
    subscriber_no: str
    tied_by: str
    tied_at: datetime


async def create_subscriber(subscriber: Subscriber, *, uow: OrderUnitOfWork) -> Reply:
    """With a sealing key from the beginning: any service may be the first to write about them.

    Raises `SubscriberNoTaken` or `KindReserved`.
    """
    check_kind(subscriber.kind)
    return await _create(subscriber, uow=uow)


async def register_caller(caller: Subscriber, *, uow: OrderUnitOfWork) -> Reply:
    """A caller without a number: a subscriber like others, of a kind and with a generated number that say so.

    Raises `PlaceMissing`.
    """
    check_caller(caller.kind, caller.address)
    return await _create(caller, uow=uow)


async def tie_caller(caller_id: str, subscriber_no: str, *, uow: OrderUnitOfWork) -> Reply:
    """From here on the caller's orders are found by the subscriber's number, and they are erased together.

    Raises `SubscriberIdNotFound`, `NotACaller` or `SubscriberNotFound`.
    """
    async with uow.command() as command:
        caller = await store.find_subscriber(command.tx, caller_id, is_locked=True)
        if caller is None:
            raise SubscriberIdNotFound(subscriber_id=caller_id)
        if caller.kind not in CALLER_KINDS:
            raise NotACaller(subscriber_no=caller.subscriber_no)
        owner = await store.lock_numbered(command.tx, subscriber_no)
        await store.tie(command.tx, caller_id, owner.id, by=command.actor.sub, at=command.now)
        tied = TiedCaller(
            caller_id, caller.subscriber_no, owner.id, owner.subscriber_no, command.actor.sub, command.now
        )
        command.reply_with(tied, about=owner.id)
    return command.reply


async def _create(subscriber: Subscriber, *, uow: OrderUnitOfWork) -> Reply:
    async with uow.command() as command:
        subscriber = replace(subscriber, phones=await in_one_spelling(command.tx, subscriber.phones))
        if not await store.insert_subscriber(command.tx, subscriber, now=command.now):
            raise SubscriberNoTaken(subscriber_no=subscriber.subscriber_no)
        await key_in(command, subscriber.id, uow.sealing_keys.masters)
        similar = await store.similar_numbers(command.tx, subscriber.subscriber_no)
        _reply_with(command, subscriber, look_alikes("subscriber_no", subscriber.subscriber_no, similar), status=201)
    return command.reply


async def change_subscriber(subscriber_id: str, changes: dict[str, Any], *, uow: OrderUnitOfWork) -> Reply:
    """Raises `SubscriberIdNotFound`, `VersionRequired` or `SubscriberChanged`."""
    async with uow.command() as command:
        present = await store.find_subscriber(command.tx, subscriber_id, is_locked=True)
        if present is None:
            raise SubscriberIdNotFound(subscriber_id=subscriber_id)
        command.check_version(present.version, SubscriberChanged)
        _reply_with(command, await change_in(command, present, changes), (), status=200)
    return command.reply


async def change_in(command: Command, present: Subscriber, changes: Mapping[str, Any]) -> Subscriber:
    """The next version of a subscriber that the command has locked, in a command that may do more.

    Raises `KindReserved`.
    """
    check_kind(changes.get("kind", present.kind), present=present.kind)
    if "phones" in changes:
        changes = {**changes, "phones": await in_one_spelling(command.tx, changes["phones"])}
    changed = replace(present, version=present.version + 1, **changes)
    await store.update_subscriber(command.tx, changed, now=command.now)
    return changed


def _reply_with(command: Command, subscriber: Subscriber, similar: Iterable[LookAlike], *, status: int) -> None:
    mixed_scripts = look_alikes("name", subscriber.name, ())
    written = WrittenSubscriber(**asdict(subscriber), look_alikes=(*similar, *mixed_scripts))
    command.reply_with(written, status=status, about=subscriber.id)
