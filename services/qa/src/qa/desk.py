"""The desk of an act of quality: one transaction, with its answer and what it publishes.

    async with context.act() as act:  # the only commit on this path
        plan = await store.PLANS.lock(act.tx, plan_id)
        drawn, event = decide(plan, now=act.now)
        await store.PLANS.save(act.tx, drawn)
        act.publish(event, subject=plan.id)
        act.answer_with(drawn)
    return act.answer

A command that was carried out before raises `AlreadyReplied` with its first answer. At the end of the block the
messages are written to the outbox and the answer is remembered; then all of it is committed, or nothing.
"""

import contextlib
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Request

from chassis import outbox
from chassis.advisory_locks import AdvisoryLock
from chassis.commands import (
    COMMAND_PARAMETERS,
    AlreadyReplied,
    CommandHeaders,
    Reply,
    command_headers,
    etag_of,
    raise_if_replied,
    store_reply,
)
from chassis.database import Statements, Transaction
from chassis.problems import VersionRequired
from chassis.request_context import RequestContext
from chassis.unit_of_work import ThingChanged
from chassis.wakeup import PUBLISH
from contracts.codec import new_message
from contracts.lifecycle import Service
from contracts.message import Actor, Message
from work_orders.sealing import Sealer
from work_orders.sealing_keys import SealingKeys

_KEY_LOCK_COUNT = 512


FindSubscriber = Callable[[Statements], Awaitable[str | None]]
Sees = Callable[[Statements], Awaitable[Any]]


@dataclass(slots=True)
class ActAtDesk:
    tx: Transaction
    now: datetime
    actor: Actor
    headers: CommandHeaders
    messages: list[Message] = field(default_factory=list)
    given: Reply | None = None

    def publish(self, event: Any, *, subject: str) -> None:
        self.messages.append(
            new_message(
                event,
                service=Service.QA,
                subject=subject,
                actor=self.actor,
                occurred_at=self.now,
                recorded_at=self.now,
                correlation_id=self.headers.correlation_id,
                traceparent=self.headers.traceparent,
            )
        )

    def answer_with(self, thing: Any, *, status: int = 200) -> None:
        """The JSON of a thing; its version, if it has one, is the entity tag."""
        version = getattr(thing, "version", None)
        self.given = Reply(status, msgspec.json.encode(thing), etag_of(version) if version else None)

    def check_version(self, present: int) -> None:
        """Raises `VersionRequired` or `ThingChanged` unless the act was decided on this version."""
        if self.headers.expected_version != present:
            raise ThingChanged(present_version=present, expected_version=self.headers.expected_version)

    @property
    def answer(self) -> Reply:
        assert self.given is not None, "the act has no answer"
        return self.given


class QualityDesk(RequestContext):
    """The desk of an act: also what its headers say."""

    __slots__ = ("headers",)

    def __init__(self, request: Request, headers: CommandHeaders) -> None:
        super().__init__(request)
        self.headers = headers

    async def sealer(self, find: FindSubscriber, *texts: str | None, sees: Sees | None = None) -> Sealer:
        """Seals what is typed under the key of the subscriber whom `find` gives; plain where nobody is known.

        To be asked for before the act: nothing is locked while a key on its way is waited for. Raises
        `AlreadyReplied`, `SubscriberErased` or `SealingKeyNotArrived`.
        """
        if not any(texts):
            return Sealer()
        async with self.db.statements() as statements:
            await self.raise_if_replied(statements, sees)
            subscriber_id = await find(statements)
        return await self.sealer_of(subscriber_id)

    async def sealer_of(self, subscriber_id: str | None) -> Sealer:
        if subscriber_id is None:
            return Sealer()
        keys: SealingKeys = self.app.state.sealing_keys
        return Sealer(await keys.get_for_writing(subscriber_id), subscriber_id)

    async def raise_if_replied(self, statements: Statements, sees: Sees | None) -> None:
        """Raises `AlreadyReplied`, or what `sees` raises where the caller may not see the thing any more."""
        try:
            await raise_if_replied(statements, self.headers.idempotency)
        except AlreadyReplied:
            if sees is not None:
                await sees(statements)
            raise

    @contextlib.asynccontextmanager
    async def act(self, *, sees: Sees | None = None) -> AsyncIterator[ActAtDesk]:
        """Raises `AlreadyReplied` for a command that was carried out before.

        `sees` is asked before that answer is given again: it raises where the caller may not see the thing any more.
        """
        async with self.db.begin() as tx:
            await self.raise_if_replied(tx, sees)
            act = ActAtDesk(tx, self.clock.now(), self.caller.actor, self.headers)
            yield act
            await publish(tx, act.messages)
            await store_reply(tx, self.headers.idempotency, act.answer)
        if act.messages:
            self.wakeup.send(PUBLISH)


async def publish(tx: Transaction, messages: Sequence[Message]) -> None:
    """Writes messages of `quality` to the outbox, last thing in the transaction.

    Many rows can speak of one key, an evaluation and a draw of the same recording, so no row lock covers it. A key
    has one of a fixed number of locks, or a draw of thousands would need more than the server has. They are taken in
    the order of their numbers and nothing is locked after them, so nobody waits in a circle.
    """
    if messages:
        locks = sorted({zlib.crc32(message.subject.encode()) % _KEY_LOCK_COUNT for message in messages})
        await tx.execute(
            "select pg_advisory_xact_lock($1, lock) from unnest($2::int[]) as lock", AdvisoryLock.OUTBOX_KEY, locks
        )
        await outbox.add(tx, messages)


async def _quality_desk(request: Request) -> QualityDesk:
    return QualityDesk(request, await command_headers(request))


_quality_desk.openapi_parameters = COMMAND_PARAMETERS
CommandContext = Annotated[QualityDesk, Depends(_quality_desk)]

VERSION_REFUSALS = (ThingChanged, VersionRequired)
"""Of an act on something that has a version."""
