"""What is published of calls: facts that are new or read differently."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from chassis.database import Transaction
from contracts import calls as c
from contracts.codec import new_message
from contracts.lifecycle import Service
from contracts.message import Actor, Message
from contracts.partners import PartnerCallOffered
from intake.calls import store
from intake.calls.domain.facts import fold, is_news, summarise
from intake.calls.domain.legs import About, Agent, KnownFact, lay_out
from intake.calls.store import KnownCall, revised
from intake.reference import store as reference_store


def offered_in(call: KnownCall) -> PartnerCallOffered | None:
    return next((fact.said for fact in call.facts if isinstance(fact.said, PartnerCallOffered)), None)


async def publish(
    tx: Transaction, calls: Sequence[KnownCall], *, now: datetime, actor: Actor | None = None
) -> list[Message]:
    """Works out what is known of the calls of one partner, writes their rows and returns what is news for `calls`."""
    changed = [call for call in calls if call.changed]
    if not changed:
        return []
    names = {name for call in changed for fact in call.facts if (name := getattr(fact.said, "agent", None))}
    agents = await _agents(tx, changed[0].partner_id, names)
    types = await reference_store.demand_types(
        tx, {offered.demand_type for call in changed if (offered := offered_in(call))}
    )
    published: list[Message] = []
    summaries = []
    for call in changed:
        about = About(
            partner_id=call.partner_id,
            reference=call.reference,
            subscriber_id=call.subscriber_id,
            demand_type=call.demand_type,
            agents=agents,
            demand_types=types,
        )
        laid_out = lay_out(call.facts)
        summaries.append((call, summarise(laid_out, about)))
        published += _news(call, fold(laid_out, about), now, actor)
    await store.save_calls(tx, summaries, now=now)
    return published


async def _agents(tx: Transaction, partner_id: str | None, names: set[str]) -> dict[str, Agent]:
    if partner_id is not None:
        return await store.agents_of(tx, partner_id, names)
    return {name: Agent(name) for name in names} | await store.agents_by_id(tx, names)


def _news(call: KnownCall, bodies: Mapping[str, c.CallFact], now: datetime, actor: Actor | None) -> list[Message]:
    found = []
    for fact in list(call.facts):
        body = bodies[fact.fact_id]
        if is_news(fact, body):
            told = revised(fact, body)
            call.version += 1
            call.put(told)
            found.append(_message(call, told, now, actor))
    return found


def _message(call: KnownCall, fact: KnownFact, now: datetime, actor: Actor | None) -> Message:
    assert isinstance(fact.published, c.Fact)
    return new_message(
        fact.published,
        service=Service.INTAKE,
        subject=call.id,
        actor=actor or Actor(call.partner_id or "intake", "partner" if call.partner_id else "service"),
        occurred_at=fact.occurred_at,
        recorded_at=now,
        entity_version=call.version,
        causation_id=fact.event_id if fact.event_id.isprintable() else None,
    )
