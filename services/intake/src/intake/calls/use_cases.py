"""What agents do with a call: log it, write its record, say who called, settle it. Each commits once.

What an agent does becomes a fact of the call beside its switch's own; words stay in intake's tables, and `calls` says
only that it was done, by whom and to which order, article, referral or case.
"""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from chassis import outbox
from chassis.commands import Reply, etag_of, raise_if_replied, store_reply
from chassis.database import Transaction
from chassis.identity import new_id
from chassis.wakeup import PUBLISH
from contracts import calls as c
from contracts import partners as p
from contracts.events import Channel
from intake.calls import desk_store, publishing, store, texts
from intake.calls.desk_store import CallRecord
from intake.calls.domain.facts import summarise
from intake.calls.domain.legs import About, KnownFact, lay_out
from intake.calls.domain.refusals import CallNotFound, CallRecordChanged, CallTimesInverted
from intake.calls.store import KnownCall, require_call
from intake.doing import Doing
from intake.reference import store as reference_store
from intake.subscribers import sealing_keys
from intake.subscribers.store import get_subscriber_id
from work_orders.sealing import Sealer


@dataclass(frozen=True, slots=True)
class LogCall:
    """A call that no switch tells of: at the counter, by e-mail, on a line without one."""

    direction: c.Direction
    channel: Channel
    started_at: datetime
    ended_at: datetime
    phone: str | None = None
    subscriber_no: str | None = None
    demand_type: str | None = None


async def log_call(command: LogCall, doing: Doing) -> Reply:
    """A call as an agent had it; it is answered from its beginning."""
    if command.ended_at < command.started_at:
        raise CallTimesInverted(started_at=command.started_at.isoformat(), ended_at=command.ended_at.isoformat())
    async with doing.db.begin() as tx:
        await raise_if_replied(tx, doing.headers.idempotency)
        await reference_store.require_demand_type(tx, command.demand_type)
        call = KnownCall(id=new_id(), demand_type=command.demand_type)
        call.subscriber_id = await _subscriber(tx, command.subscriber_no, command.phone)
        for fact in _logged(command, doing):
            call.put(fact)
        await outbox.add(tx, await publishing.publish(tx, [call], now=doing.clock.now()))
        answer = Reply(201, await desk_store.call_json(tx, call.id))
        await store_reply(tx, doing.headers.idempotency, answer, about=call.subscriber_id)
    doing.wakeup.send(PUBLISH)
    return answer


async def _subscriber(tx: Transaction, subscriber_no: str | None, phone: str | None) -> str | None:
    if subscriber_no is not None:
        return await get_subscriber_id(tx, subscriber_no)
    return (await store.subscribers_by_phone(tx, [phone])).get(phone) if phone else None


def _logged(command: LogCall, doing: Doing) -> list[KnownFact]:
    agent = doing.actor.sub
    said: list[tuple[p.PartnerCallEvent, datetime]] = [
        (
            p.PartnerCallOffered(direction=command.direction, channel=command.channel, caller=command.phone),
            command.started_at,
        ),
        (p.PartnerCallAnswered(agent=agent, wait_milliseconds=0), command.started_at),
        (p.PartnerCallEnded(agent=agent), command.ended_at),
    ]
    return [_fact(body, at, doing.clock.now()) for body, at in said]


def _fact(said: Any, at: datetime, now: datetime, fact_id: str = "") -> KnownFact:
    name = fact_id or f"intake:{new_id()}"
    return KnownFact(fact_id=name, event_id=f"{name}-said", occurred_at=at, received_at=now, said=said)


async def lock_call(tx: Transaction, call_id: str) -> KnownCall:
    """Raises `CallNotFound`."""
    found = await store.lock_calls(tx, [call_id])
    if call_id not in found:
        raise CallNotFound(call_id=call_id)
    return found[call_id]


async def tell(
    tx: Transaction, call: KnownCall, doing: Doing, kind: type[c.Fact], *, agent_id: str | None = None, **fields: Any
) -> None:
    """Adds a fact of the desk to a locked call and publishes it; of who does it, unless it concerns another agent."""
    now, whose = doing.clock.now(), agent_id or doing.actor.sub
    agent = (await store.agents_by_id(tx, [whose])).get(whose)
    summary = summarise(lay_out(call.facts), About())
    name = f"intake:{new_id()}"
    body = kind(
        fact_id=name,
        queue=summary.queue,
        agent_id=whose,
        team=agent.team if agent else None,
        channel=summary.channel,
        direction=summary.direction,
        demand_type=call.demand_type,
        subscriber_id=call.subscriber_id,
        **fields,
    )
    call.put(_fact(body, now, now, name))
    await outbox.add(tx, await publishing.publish(tx, [call], now=now, actor=doing.actor))


async def sealer_of(tx: Transaction, call: KnownCall, doing: Doing) -> Sealer:
    """Seals what is typed about a call; raises `SubscriberErased` or `SealingKeyNotArrived`."""
    assert doing.masters is not None
    return await sealing_keys.sealer_in(
        tx, call.subscriber_id, doing.actor, masters=doing.masters, now=doing.clock.now()
    )


_WORDS = texts.TEXTS["call_records"][1]


async def classify(call_id: str, doing: Doing, *, subscriber_no: str | None, demand_type: str | None) -> Reply:
    """Says who called and what about; what is left out stays."""
    async with doing.db.begin() as tx:
        await require_call(tx, call_id, doing.scope)
        await raise_if_replied(tx, doing.headers.idempotency)
        call = await lock_call(tx, call_id)
        await reference_store.require_demand_type(tx, demand_type)
        subscriber_id = await get_subscriber_id(tx, subscriber_no) if subscriber_no is not None else None
        await say_who_and_what(tx, call, doing, subscriber_id=subscriber_id, demand_type=demand_type)
        answer = Reply(200, await desk_store.call_json(tx, call_id))
        await store_reply(tx, doing.headers.idempotency, answer, about=call.subscriber_id)
    doing.wakeup.send(PUBLISH)
    return answer


async def say_who_and_what(
    tx: Transaction, call: KnownCall, doing: Doing, *, subscriber_id: str | None, demand_type: str | None
) -> None:
    """Tells who called and what about, for the whole call: readers do not look for it in what else is told."""
    if subscriber_id is not None:
        call.subscriber_id = subscriber_id
        await texts.seal_texts(tx, call.id, await sealer_of(tx, call, doing))
    call.demand_type = demand_type or call.demand_type
    await tell(tx, call, doing, c.CallClassified)


async def write_record(call_id: str, record: CallRecord, doing: Doing) -> Reply:
    """Writes the record of a call; the version decided on is 0 for one that is not written yet."""
    async with doing.db.begin() as tx:
        await require_call(tx, call_id, doing.scope)
        await raise_if_replied(tx, doing.headers.idempotency)
        call = await lock_call(tx, call_id)
        present = await desk_store.record_version(tx, call_id)
        if record.version != present:
            raise CallRecordChanged(present_version=present, expected_version=record.version)
        seal = await sealer_of(tx, call, doing)
        sealed = replace(record, **{name: seal(getattr(record, name), call_id) for name in _WORDS})
        written = await desk_store.put_record(tx, call_id, sealed, by=doing.actor.sub, now=doing.clock.now())
        shown = {"call_id": call_id, **asdict(written)}
        answer = Reply(200, msgspec.json.encode(shown), etag_of(written.version))
        await store_reply(tx, doing.headers.idempotency, answer, about=call.subscriber_id)
    doing.wakeup.send(PUBLISH)
    return answer
