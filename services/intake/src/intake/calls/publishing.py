"""Saving calls that took facts: each row once, with what is published of it."""

from collections.abc import Sequence
from datetime import datetime

from chassis.database import Transaction
from contracts.lifecycle import Service
from contracts.message import Actor, Message
from contracts.origin import Origin
from intake.calls import store
from intake.calls.domain.call import Call
from intake.calls.domain.legs import Agent, KnownFact
from intake.reference.store import demand_types


async def publish(
    tx: Transaction, calls: Sequence[Call], *, now: datetime, actor: Actor | None = None
) -> list[Message]:
    """Saves those of the calls of one partner that changed, and returns the messages for `calls`, in order."""
    changed = [call for call in calls if call.changed]
    if not changed:
        return []
    agents = await _agents(tx, changed)
    types = await demand_types(tx, {call.offered.demand_type for call in changed if call.offered})
    published = [(call, call.publish(agents, types)) for call in changed]
    await store.save_calls(tx, [(call, publication.summary) for call, publication in published], now=now)
    return [
        _message(call, version, fact, now, actor)
        for call, publication in published
        for version, fact in publication.facts
    ]


async def _agents(tx: Transaction, calls: Sequence[Call]) -> dict[str, Agent]:
    names = {name for call in calls for fact in call.facts if (name := getattr(fact.said, "agent", None))}
    partner_id = calls[0].partner_id
    return await (store.agents_by_id(tx, names) if partner_id is None else store.agents_of(tx, partner_id, names))


def _message(call: Call, version: int, fact: KnownFact, now: datetime, actor: Actor | None) -> Message:
    origin = Origin(
        service=Service.INTAKE,
        actor=actor or Actor(call.partner_id or "intake", "partner" if call.partner_id else "service"),
        recorded_at=now,
        causation_id=fact.event_id if fact.event_id.isprintable() else None,
    )
    return origin.message(fact.published, subject=call.id, entity_version=version, occurred_at=fact.occurred_at)
