"""The unit of work of a service with orders: commands on one order have the shape of every other command.

    async def start_work_order(order_id: str, *, uow: OrderUnitOfWork) -> Reply:
        async with uow.order(order_id) as command:
            command.record(work.start(command.order), name="start")
        return command.reply

On entry the order is read at the version that the command was decided on, or at a later one with no decision in
between. On exit the recorded event is committed by the one guarded statement of `work_orders.commit`: no transaction is
open while the command decides. A command that loses a race to another decision changes nothing and raises
`StaleVersion`; one that loses it to an arrival or an urging is written behind that.
"""

import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from chassis.commands import Reply
from chassis.database import Statements
from chassis.telemetry import METRICS
from chassis.unit_of_work import Replay, UnitOfWork
from chassis.wait_for_version import caught_up
from chassis.wakeup import PUBLISH
from contracts.chain import event_hash
from contracts.events import WorkOrderEvent
from contracts.message import Message
from contracts.order import WorkOrder, apply
from work_orders.commit import (
    BeforeTheLastAct,
    StaleVersion,
    WorkOrderNotFound,
    find_for_command,
    find_stored_order,
    may_see,
    stale_version,
    write_order,
)
from work_orders.device_acts import DeviceAct
from work_orders.order_table import StoredOrder
from work_orders.sealing import Opening, Sealer, sealed
from work_orders.sealing_keys import SealingKeys
from work_orders.time_limits import KnownRuleSets

FindSubscriber = Callable[[Statements], Awaitable[str | None]]
MaySee = Callable[[WorkOrder], bool]

log = logging.getLogger(__name__)


class _Recording:
    """A command on one order: it records one event, and has a reply once that is committed."""

    __slots__ = ("_reply", "event", "name", "order_id")

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        self.event: WorkOrderEvent | None = None
        self.name = ""
        self._reply: Reply | None = None

    def record(self, event: WorkOrderEvent, *, name: str) -> None:
        """Sets the event to be committed; `name` is the command's in metrics and logs."""
        self.event, self.name = event, name

    def settle(self, reply: Reply) -> None:
        self._reply = reply

    @property
    def reply(self) -> Reply:
        """The order as it then is; to be asked for after the block."""
        if self._reply is None:
            raise AssertionError("the command recorded no event")
        return self._reply


class OrderCreation(_Recording):
    """A command that creates an order."""


class OrderCommand(_Recording):
    """A command on an order that is there."""

    __slots__ = ("stored",)

    def __init__(self, stored: StoredOrder) -> None:
        super().__init__(stored.order.id)
        self.stored = stored

    @property
    def order(self) -> WorkOrder:
        """The order at the version that the command was decided on."""
        return self.stored.order


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderUnitOfWork(UnitOfWork):
    """A unit of work that also runs commands on orders."""

    sealing_keys: SealingKeys
    time_limits: KnownRuleSets
    catch_up_seconds: float
    """How long a version or a directory entry that is on its way is waited for."""
    device: DeviceAct | None = None
    """What a phone says of an act that it sends later."""

    @contextlib.asynccontextmanager
    async def order(self, order_id: str) -> AsyncIterator[OrderCommand]:
        """A command on an order; its event is committed at the end of the block.

        Raises `AlreadyReplied`, `WorkOrderNotFound` (also for an order of another area), `VersionRequired`,
        `StaleVersion`, `BeforeTheLastAct`, and of an event with free text what `sealed` raises.
        """
        command = OrderCommand(await self._get_order(order_id))
        yield command
        if command.event is not None:
            await self._commit(command, command.stored)

    @contextlib.asynccontextmanager
    async def new_order(self, order_id: str) -> AsyncIterator[OrderCreation]:
        """A command that creates an order; its first event is committed at the end of the block."""
        command = OrderCreation(order_id)
        yield command
        if command.event is not None:
            await self._commit(command, None)

    async def get_visible(self, order_id: str, may_see: MaySee | None = None) -> StoredOrder:
        """An order that the caller may see, at whatever version; it is waited for if it has not arrived here yet, and
        so is a version that the caller names.

        Raises `AlreadyReplied`, `IdempotencyKeyReused` or `WorkOrderNotFound`.
        """
        seen = self.headers.if_match
        newest = max(seen.named, default=0) if seen is not None else 0
        return await self._read_visible(order_id, lambda order: order.version >= newest, may_see or self._may_see)

    def _may_see(self, order: WorkOrder) -> bool:
        return may_see(order, self.areas)

    async def _get_order(self, order_id: str) -> StoredOrder:
        """The order at a version that the command fits; a version that has not arrived here yet is waited for."""
        versions = self.headers.versions
        newest = versions.newest  # or a refusal at once: what names no version cannot arrive
        stored = await self._read_visible(
            order_id, lambda order: order.version >= newest or self._fits(order), self._may_see
        )
        if not self._fits(stored.order):
            raise stale_version(stored.order, newest)
        return stored

    def _fits(self, order: WorkOrder) -> bool:
        """Whether nothing was decided since the version that the command is based on, but by the same phone itself."""
        last, since = order.last_decision, order.decision_version
        if self.device is not None and (last.by, last.device_id) == (self.actor.sub, self.device.device_id):
            # It decided so without a network and saw no answer; what came before it, that decision was measured by.
            since = 1
        return self.headers.versions.fits_since(since, order.version)

    async def _read_visible(
        self, order_id: str, is_new_enough: Callable[[WorkOrder], bool], may_see: MaySee
    ) -> StoredOrder:
        async def read() -> StoredOrder | None:
            async with self.db.statements() as statements:
                return await find_for_command(statements, order_id, self, self.sealing_keys)

        def is_there(stored: StoredOrder | None) -> bool:
            # A foreign order is waited for like one that is not there: how long it takes tells nothing.
            return stored is not None and may_see(stored.order) and is_new_enough(stored.order)

        stored = await caught_up(read, is_there, wakeup=self.wakeup, seconds=self.catch_up_seconds, key=order_id)
        if stored is None or not may_see(stored.order):
            raise WorkOrderNotFound(order_id=order_id)
        return stored

    async def _commit(self, command: _Recording, stored: StoredOrder | None) -> None:
        decided_on = stored.order.version if stored else 0
        sets = await self.time_limits.present(self.db)
        while True:
            message = await self._message(command, stored)
            order = apply(stored.order if stored else None, message)
            changed = StoredOrder(order, stored.stream_version if stored else 0, event_hash(message))
            try:
                reply = await write_order(self.db, changed, message, self.headers, sets)
                break
            except StaleVersion:
                stored = await self._with_nothing_decided_since(decided_on, command.order_id)
        self.wakeup.send(PUBLISH)
        METRICS.commands.labels(command.name).inc()
        _log_command(command.name, order, message)
        opening = Opening(self.sealing_keys, language=self.headers.language)
        command.settle(Reply(reply.status, await opening.object(command.order_id, reply.body), reply.etag))

    async def _with_nothing_decided_since(self, version: int, order_id: str) -> StoredOrder:
        """The order as it is after a lost race, where what was faster decided nothing; else raises `StaleVersion`."""
        async with self.db.statements() as statements:
            present = await find_stored_order(statements, order_id)
        if present is None:
            raise WorkOrderNotFound(order_id=order_id)
        if present.order.decision_version > version:
            raise stale_version(present.order, version)
        return present

    async def _message(self, command: _Recording, stored: StoredOrder | None) -> Message:
        event: Any = command.event
        subscriber_id = stored.order.subscriber_id if stored else event.subscriber_id
        body = await sealed(event, self.sealing_keys, subject=command.order_id, subscriber_id=subscriber_id)
        if stored is None:
            return self.origin().message(body, subject=command.order_id, order_version=1)
        last, occurred_at = stored.order.last_decision.at, self.occurred_at
        if self.device is not None:
            occurred_at, device = self.device.judged(not_before=last)
            body = replace(body, device=device)
        elif occurred_at is not None and occurred_at < last:
            raise BeforeTheLastAct(occurred_at=occurred_at, last_act_at=last)
        return self.origin().message(
            body,
            subject=command.order_id,
            order_version=stored.order.version + 1,
            prev_hash=stored.last_hash,
            occurred_at=occurred_at,
        )

    async def sealer(self, find: FindSubscriber, *texts: str | None, replay: Replay | None = None) -> Sealer:
        """Seals texts under the key of the subscriber that `find` returns; leaves them plain when it returns None.

        To be called before the command's transaction: nothing is locked while a key on its way is waited for. Raises
        `AlreadyReplied`, `SubscriberErased` or `SealingKeyNotArrived`.
        """
        if not any(texts):
            return Sealer()
        async with self.db.statements() as statements:
            await self.raise_if_replied(statements, replay)
            subscriber_id = await find(statements)
        return await self.sealer_of(subscriber_id)

    async def sealer_of(self, subscriber_id: str | None) -> Sealer:
        """The same for a subscriber who is known already, or None."""
        if subscriber_id is None:
            return Sealer()
        return Sealer(await self.sealing_keys.get_for_writing(subscriber_id), subscriber_id)


def _log_command(name: str, order: WorkOrder, message: Message) -> None:
    if log.isEnabledFor(logging.INFO):
        order_and_event = {"order_id": order.id, "order_no": order.order_no, "event_id": message.id}
        log.info("carried out", extra={"act": name, "order_version": order.version, **order_and_event})
