"""Telephony events of a batch, as calls: facts are added, and what they change is published."""

import uuid
from collections.abc import Sequence

from contracts.conformance import CALL_TOO_LONG, Course
from contracts.message import Message
from contracts.partners import PartnerCallEvent
from intake.calls import store as calls_store
from intake.calls.domain.call import Call
from intake.calls.domain.legs import KnownFact
from intake.calls.publishing import publish
from intake.partners.batch import PartnerBatch

_CALLS = uuid.UUID("5f1c1c5e-3a55-5c6e-9a07-6d1f5b8f2c11")
_MOST_FACTS = 1000


def call_id_of(partner_id: str, reference: str) -> str:
    """The id of a partner's call, computed from the event alone."""
    return str(uuid.uuid5(_CALLS, f"{partner_id}\n{reference}"))


async def ingest(batch: PartnerBatch, messages: Sequence[Message]) -> None:
    if not messages:
        return
    by_call: dict[str, list[Message]] = {}
    for message in messages:
        by_call.setdefault(call_id_of(batch.partner_id, message.subject), []).append(message)
    calls = await calls_store.lock_calls(batch.tx, by_call)
    for call_id, events in by_call.items():
        reference = events[0].subject
        call = calls.setdefault(call_id, Call(id=call_id, partner_id=batch.partner_id, reference=reference))
        _add(batch, call, events)
    await _find_subscribers(batch, [calls[call_id] for call_id in by_call])
    batch.command.messages += await publish(batch.tx, [calls[call_id] for call_id in by_call], now=batch.now)
    for call_id, events in by_call.items():
        faults = {fact.event_id: fact.published.faults for fact in calls[call_id].facts if fact.published}
        for message in events:
            if message.id in faults:
                batch.accept(message, faults=faults[message.id], call_id=call_id)


def _add(batch: PartnerBatch, call: Call, messages: Sequence[Message]) -> None:
    course = Course()
    for fact in call.facts:
        if isinstance(fact.said, PartnerCallEvent) and fact.fact_id != fact.event_id:
            course.know(fact.event_id, fact.said)
    for message in messages:
        code = course.take(message.id, message.body) if len(call.facts) < _MOST_FACTS else CALL_TOO_LONG
        if code is not None:
            batch.refuse(message, code)
            continue
        call.report(_fact(batch, message))


def _fact(batch: PartnerBatch, message: Message) -> KnownFact:
    return KnownFact(
        fact_id=batch.fact_id(message),
        event_id=message.id,
        occurred_at=message.occurred_at,
        received_at=batch.now,
        said=message.body,
    )


async def _find_subscribers(batch: PartnerBatch, calls: Sequence[Call]) -> None:
    """Whose number called, where only one subscriber has it."""
    callers = {call.id: number for call in calls if call.subscriber_id is None and (number := call.caller)}
    subscribers = await calls_store.subscribers_by_phone(batch.tx, callers.values())
    for call in calls:
        call.identify(subscribers.get(callers.get(call.id, "")))
