"""The unit of work: one command, one transaction, one commit.

    async def close_case(case_id: str, *, uow: UnitOfWork) -> Reply:
        async with uow.command() as command:
            case = await store.lock_case(command.tx, case_id)
            command.check_version(case.version)
            closed, event = cases.close(case, now=command.now)
            await store.save_case(command.tx, closed)
            command.publish(event, subject=case.id)
            command.reply_with(closed)
        return command.reply

On entry the command's Idempotency-Key is looked up: a command that was carried out already raises `AlreadyReplied`
with its first reply. On exit the messages go to the outbox and the reply is stored, then everything is committed
together, and the relay is woken once. An exception inside the block rolls everything back.

A unit of work knows nothing of HTTP: a route, a worker, a test and a command line build one each and run the same
use case.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

import msgspec

from chassis import outbox
from chassis.clock import Clock
from chassis.commands import (
    NO_HEADERS,
    AlreadyReplied,
    CommandHeaders,
    Reply,
    raise_if_replied,
    store_reply,
)
from chassis.database import Database, Statements, Transaction
from chassis.entity_tags import etag_of
from chassis.wakeup import PUBLISH, Wakeup
from contracts.message import Actor, Message
from contracts.origin import Origin
from contracts.refusals import Stale

Replay = Callable[[Statements, Reply], Awaitable[Reply]]
"""What the caller may see at present of the first reply to a repeated command; raises where that is nothing."""


class ThingChanged(Stale):
    """The current version is {present_version}; the request is based on version {expected_version}."""

    zh = "当前版本为 {present_version}，您所依据的版本为 {expected_version}。"


@dataclass(slots=True)
class Command:
    """A command inside its transaction: what it reads, what it publishes, what it replies."""

    tx: Transaction
    headers: CommandHeaders
    origin: Origin
    messages: list[Message] = field(default_factory=list)
    _reply: Reply | None = None
    _about: str | None = None

    @property
    def now(self) -> datetime:
        """The moment of the command: one for everything that it writes."""
        return self.origin.recorded_at

    @property
    def actor(self) -> Actor:
        return self.origin.actor

    def publish(self, body: Any, *, subject: str, entity_version: int | None = None) -> Message:
        """Publishes an event with the commit, after those before it. The caller holds the lock of its key."""
        message = self.origin.message(body, subject=subject, entity_version=entity_version)
        self.messages.append(message)
        return message

    def check_version(self, present: int, refusal: type[Stale] = ThingChanged) -> None:
        """Raises `VersionRequired`, or the refusal unless the command was decided on this version."""
        if not self.headers.versions.fits(present):
            raise refusal(present_version=present, expected_version=self.headers.versions.newest)

    def reply_with(self, content: Any, *, status: int = 200, about: str | None = None) -> None:
        """Sets the reply: `content` as JSON (bytes are JSON already), its `version` as the entity tag.

        `about` is the person whose data the reply shows, so that the stored reply is erased with them.
        """
        version = getattr(content, "version", None)
        body = content if isinstance(content, bytes) else msgspec.json.encode(content)
        self.reply_as(Reply(status, body, etag_of(version) if version else None), about=about)

    def reply_as(self, reply: Reply, *, about: str | None = None) -> None:
        """Sets a reply that was built elsewhere."""
        self._reply, self._about = reply, about

    @property
    def reply(self) -> Reply:
        """The reply; to be asked for after the block, when it is committed."""
        if self._reply is None:
            raise AssertionError("the command set no reply")
        return self._reply

    async def store_reply(self) -> None:
        if self._reply is not None:
            await store_reply(self.tx, self.headers.idempotency, self._reply, about=self._about)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitOfWork:
    """Who runs commands and on what: a caller, their headers, and the parts of the process."""

    service: str
    db: Database
    clock: Clock
    wakeup: Wakeup
    actor: Actor
    areas: tuple[str, ...] | None = None
    """The areas that the actor reaches; None for all."""
    headers: CommandHeaders = NO_HEADERS
    occurred_at: datetime | None = None
    """When it was done, if not at this moment."""
    locks_keys: bool = False
    """Whether messages of one key can come from commands that lock different rows; `outbox.add_with_key_locks`."""

    def at(self, occurred_at: datetime | None) -> Self:
        """The same for something that was done at another moment."""
        return self if occurred_at is None else replace(self, occurred_at=occurred_at)

    def origin(self) -> Origin:
        """The origin of messages from this moment on."""
        return Origin(
            service=self.service,
            actor=self.actor,
            recorded_at=self.clock.now(),
            occurred_at=self.occurred_at,
            correlation_id=self.headers.correlation_id,
            traceparent=self.headers.traceparent,
        )

    @contextlib.asynccontextmanager
    async def command(self, *, replay: Replay | None = None) -> AsyncIterator[Command]:
        """One command, committed at the end of the block.

        Raises `AlreadyReplied` for a command that was carried out before, with what `replay` makes of its first
        reply, and `IdempotencyKeyReused`.
        """
        async with self.db.begin() as tx:
            await self.raise_if_replied(tx, replay)
            command = Command(tx, self.headers, self.origin())
            yield command
            await self._publish(tx, command.messages)
            await command.store_reply()
        if command.messages:
            self.wakeup.send(PUBLISH)

    async def raise_if_replied(self, statements: Statements, replay: Replay | None = None) -> None:
        """Raises `AlreadyReplied` with the first reply as `replay` gives it, or what `replay` raises."""
        try:
            await raise_if_replied(statements, self.headers.idempotency)
        except AlreadyReplied as first:
            if replay is None:
                raise
            raise AlreadyReplied(await replay(statements, first.reply)) from first

    async def _publish(self, tx: Transaction, messages: Sequence[Message]) -> None:
        if self.locks_keys:
            await outbox.add_with_key_locks(tx, messages)
        else:
            await outbox.add(tx, messages)
