"""Commands of agents on a call: log it, write its record, identify the caller.

An agent's command becomes a fact of the call beside those of the switch. Texts stay in intake's tables; `calls` has
only the act, the agent and the order, article, referral or case.
"""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from chassis.commands import Reply
from chassis.database import Statements, Transaction
from chassis.identity import new_id
from chassis.unit_of_work import Command, Replay
from intake.calls import store, text_store, views
from intake.calls.domain import call as calls
from intake.calls.domain.call import Author, Call, LogCall
from intake.calls.domain.legs import Agent
from intake.calls.domain.refusals import CallRecordChanged
from intake.calls.publishing import publish
from intake.calls.store import CallRecord
from intake.reference.store import require_demand_type
from intake.scope_store import Scope
from intake.subscribers.phone_numbers import in_one_spelling
from intake.subscribers.sealing_keys import sealer_in
from intake.subscribers.store import get_subscriber_id
from work_orders.sealing import Sealer
from work_orders.unit_of_work import OrderUnitOfWork


@dataclass(frozen=True, slots=True)
class Changing:
    """A locked call that a command changes, and by whom."""

    command: Command
    call: Call
    author: Author
    uow: OrderUnitOfWork

    async def sealer(self) -> Sealer:
        return await sealer_of(self.command, self.call, self.uow)

    async def classify(self, *, subscriber_id: str | None = None, demand_type: str | None = None) -> None:
        """Records the caller and the matter. Texts typed before the subscriber was known are sealed."""
        self.call.classify(self.author, subscriber_id=subscriber_id, demand_type=demand_type)
        if subscriber_id is not None:
            await text_store.seal_texts(self.command.tx, self.call.id, await self.sealer())


@contextlib.asynccontextmanager
async def changing(command: Command, call_id: str, uow: OrderUnitOfWork) -> AsyncIterator[Changing]:
    """A call, locked and read once; at the end of the block it is saved once and published.

    Whether the actor may see it is asked before. Raises `CallNotFound`.
    """
    call = await store.lock_call(command.tx, call_id)
    agent = (await store.agents_by_id(command.tx, [uow.actor.sub]))[uow.actor.sub]
    yield Changing(command, call, Author(agent, command.now, new_id), uow)
    command.messages += await publish(command.tx, [call], now=command.now, actor=uow.actor)


async def sealer_of(command: Command, call: Call, uow: OrderUnitOfWork) -> Sealer:
    """Seals what is typed about the call; raises `SubscriberErased` or `SealingKeyNotArrived`."""
    return await sealer_in(command, call.subscriber_id, uow.sealing_keys.masters)


def seen_call(call_id: str, uow: OrderUnitOfWork) -> Replay:
    """A first reply is for an actor who sees the call at present."""

    async def replay(statements: Statements, first: Reply) -> Reply:
        await store.require_call(statements, call_id, Scope.of(uow))
        return first

    return replay


async def log_call(logged: LogCall, *, uow: OrderUnitOfWork) -> Reply:
    """A call as an agent had it; a number or a subscriber number finds the subscriber."""
    logged.check_times()
    async with uow.command() as command:
        tx = command.tx
        await require_demand_type(tx, logged.demand_type)
        if logged.phone is not None:
            (phone,) = await in_one_spelling(tx, [logged.phone])
            logged = replace(logged, phone=phone)
        author = Author(Agent(uow.actor.sub), command.now, new_id)
        call = calls.log_call(new_id(), logged, author, subscriber_id=await _subscriber(tx, logged))
        command.messages += await publish(tx, [call], now=command.now)
        command.reply_with(await views.call_json(tx, call.id), status=201, about=call.subscriber_id)
    return command.reply


async def _subscriber(tx: Transaction, logged: LogCall) -> str | None:
    if logged.subscriber_no is not None:
        return await get_subscriber_id(tx, logged.subscriber_no)
    if logged.phone is None:
        return None
    return (await store.subscribers_by_phone(tx, [logged.phone])).get(logged.phone)


async def classify_call(
    call_id: str, *, subscriber_no: str | None, demand_type: str | None, uow: OrderUnitOfWork
) -> Reply:
    """Records the caller and the matter; omitted fields stay as they are."""
    async with uow.command(replay=seen_call(call_id, uow)) as command:
        await store.require_call(command.tx, call_id, Scope.of(uow))
        async with changing(command, call_id, uow) as changed:
            await require_demand_type(command.tx, demand_type)
            subscriber_id = await get_subscriber_id(command.tx, subscriber_no) if subscriber_no is not None else None
            await changed.classify(subscriber_id=subscriber_id, demand_type=demand_type)
        command.reply_with(await views.call_json(command.tx, call_id), about=changed.call.subscriber_id)
    return command.reply


async def write_record(record: CallRecord, *, uow: OrderUnitOfWork) -> Reply:
    """Writes the record of a call; `If-Match` names the version decided on; without it, it is the first."""
    call_id = record.call_id
    async with uow.command(replay=seen_call(call_id, uow)) as command:
        await store.require_call(command.tx, call_id, Scope.of(uow))
        call = await store.lock_call(command.tx, call_id)
        present = await store.records.find(command.tx, call_id)
        present_version = present.version if present else 0
        expected = uow.headers.decided_on(present_version) or 0
        if expected != present_version:
            raise CallRecordChanged(present_version=present_version, expected_version=expected)
        seal = await sealer_of(command, call, uow)
        sealed = {name: seal(getattr(record, name), call_id) for name in text_store.RECORD_TEXTS}
        written = replace(record, version=present_version + 1, **sealed)
        await store.records.save(command.tx, written, changed_by=uow.actor.sub, changed_at=command.now)
        command.reply_with(written, about=call.subscriber_id)
    return command.reply
