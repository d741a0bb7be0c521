"""Agent states of a batch: each agent's states are one stream, in the order in which they became known."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from contracts.calls import AgentStateChanged
from contracts.conformance import CORRECTION_UNKNOWN
from contracts.message import Message
from intake.calls import store as calls_store
from intake.calls.domain.facts import Fault, is_ahead
from intake.calls.domain.legs import Agent
from intake.partners import agent_state_store as store
from intake.partners.agent_state_store import AgentStateRow
from intake.partners.batch import PartnerBatch


async def ingest(batch: PartnerBatch, messages: Sequence[Message]) -> None:
    if not messages:
        return
    names = {message.body.agent for message in messages}
    agents = {name: Agent(name) for name in names} | await calls_store.agents_of(batch.tx, batch.partner_id, names)
    known = await store.lock_streams(batch.tx, {agent.agent_id for agent in agents.values()})
    streams, unsaved = dict(known), []
    for message in messages:
        if message.body.corrects is not None:
            # It may correct a state of this batch.
            await store.save_states(batch.tx, unsaved)
            unsaved = []
        state = await _state(batch, message, agents[message.body.agent])
        if state is None:
            batch.refuse(message, CORRECTION_UNKNOWN)
            continue
        stream = streams[state.agent_id].followed_by(state, at=message.occurred_at)
        streams[state.agent_id] = stream
        unsaved.append(_row(batch, message, state))
        _publish(batch, message, state, stream.version)
        batch.accept(message, faults=state.faults)
    await store.save_states(batch.tx, unsaved)
    await store.save_streams(batch.tx, [stream for stream in streams.values() if stream != known[stream.agent_id]])


async def _state(batch: PartnerBatch, message: Message, agent: Agent) -> AgentStateChanged | None:
    """The state as it is to be published; None for the correction of a state that is not known."""
    reported = message.body
    state = AgentStateChanged(
        fact_id=batch.fact_id(message),
        agent_id=agent.agent_id,
        state=reported.state,
        team=agent.team,
        reason=reported.reason,
        queues=reported.queues,
        partner_id=batch.partner_id,
        faults=(Fault.CLOCK_AHEAD.value,) if is_ahead(message.occurred_at, batch.now) else (),
    )
    if reported.corrects is None:
        return state
    corrected = await store.find_state(batch.tx, batch.partner_id, agent.agent_id, reported.corrects)
    if corrected is None:
        return None
    return replace(state, fact_id=corrected.fact_id, revision=corrected.revision + 1)


def _row(batch: PartnerBatch, message: Message, state: AgentStateChanged) -> AgentStateRow:
    published = msgspec.json.encode(state).decode()
    return AgentStateRow(state.agent_id, state.fact_id, message.id, message.occurred_at, batch.now, published)


def _publish(batch: PartnerBatch, cause: Message, state: AgentStateChanged, version: int) -> None:
    origin = replace(batch.command.origin, causation_id=cause.id)
    subject = f"agent:{state.agent_id}"
    message = origin.message(state, subject=subject, entity_version=version, occurred_at=cause.occurred_at)
    batch.command.messages.append(message)
