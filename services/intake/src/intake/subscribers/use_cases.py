"""Registering a subscriber and changing one."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from chassis.commands import Reply
from chassis.unit_of_work import Command
from contracts.look_alikes import LookAlike, look_alikes
from intake.subscribers import store
from intake.subscribers.domain import Subscriber, SubscriberChanged, SubscriberIdNotFound, SubscriberNoTaken
from intake.subscribers.phone_numbers import in_one_spelling
from intake.subscribers.sealing_keys import key_in
from work_orders.unit_of_work import OrderUnitOfWork


@dataclass(frozen=True, slots=True)
class WrittenSubscriber(Subscriber):
    """A subscriber in the reply to a command, with what of it people may take for something else."""

    look_alikes: tuple[LookAlike, ...] = ()


async def create_subscriber(subscriber: Subscriber, *, uow: OrderUnitOfWork) -> Reply:
    """With a sealing key from the beginning: any service may be the first to write about them.

    Raises `SubscriberNoTaken`.
    """
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
    """The next version of a subscriber that the command has locked, in a command that may do more."""
    if "phones" in changes:
        changes = {**changes, "phones": await in_one_spelling(command.tx, changes["phones"])}
    changed = replace(present, version=present.version + 1, **changes)
    await store.update_subscriber(command.tx, changed, now=command.now)
    return changed


def _reply_with(command: Command, subscriber: Subscriber, similar: Iterable[LookAlike], *, status: int) -> None:
    mixed_scripts = look_alikes("name", subscriber.name, ())
    written = WrittenSubscriber(**asdict(subscriber), look_alikes=(*similar, *mixed_scripts))
    command.reply_with(written, status=status, about=subscriber.id)
