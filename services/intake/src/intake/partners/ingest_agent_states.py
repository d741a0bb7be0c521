"""Agent states of a batch: each agent's states are one stream, in the order in which they became known."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from chassis.database import Transaction
from contracts.calls import AgentStateChanged
from contracts.codec import new_message
from contracts.conformance import CORRECTION_UNKNOWN
from contracts.lifecycle import Service
from contracts.message import Actor, Message
from intake.calls import store as calls_store
from intake.calls.domain.facts import Fault, is_ahead
from intake.calls.domain.legs import Agent
from intake.partners.batch import Taking

_STATE = msgspec.json.Decoder(AgentStateChanged)


@dataclass(slots=True)
class _Stream:
    """An agent's stream: how long it is, and the state that is the latest by its time."""

    version: int = 0
    since: datetime | None = None
    present: AgentStateChanged | None = None


async def take(taking: Taking, messages: Sequence[Message]) -> None:
    if not messages:
        return
    agents = await calls_store.agents_of(taking.tx, taking.partner_id, {message.body.agent for message in messages})
    streams = await _lock(taking.tx, {_agent(message, agents).agent_id for message in messages})
    kept: list[tuple[Any, ...]] = []
    for message in messages:
        agent = _agent(message, agents)
        stream = streams[agent.agent_id]
        if message.body.corrects is not None:
            await _keep(taking.tx, kept)  # it may correct one of this batch
        state = await _state(taking, message, agent)
        if state is None:
            taking.refuse(message, CORRECTION_UNKNOWN)
            continue
        stream.version += 1
        if stream.since is None or message.occurred_at >= stream.since:
            stream.since, stream.present = message.occurred_at, state
        kept.append(_row(taking, message, state))
        taking.published.append(_message(taking, message, state, stream.version))
        taking.accept(message, faults=state.faults)
    await _keep(taking.tx, kept)
    await _save(taking.tx, streams)


def _agent(message: Message, agents: dict[str, Agent]) -> Agent:
    return agents.get(message.body.agent, Agent(message.body.agent))


async def _state(taking: Taking, message: Message, agent: Agent) -> AgentStateChanged | None:
    said = message.body
    state = AgentStateChanged(
        fact_id=f"{taking.partner_id}:{message.id}",
        agent_id=agent.agent_id,
        state=said.state,
        team=agent.team,
        reason=said.reason,
        queues=said.queues,
        partner_id=taking.partner_id,
        faults=(Fault.CLOCK_AHEAD.value,) if is_ahead(message.occurred_at, taking.now) else (),
    )
    if said.corrects is None:
        return state
    before = await taking.tx.fetchval(
        "select published from agent_states where agent_id = $1 and event_id = $2 and fact_id like $3 || ':%'",
        agent.agent_id,
        said.corrects,
        taking.partner_id,
    )
    if before is None:
        return None
    corrected = _STATE.decode(before)
    return replace(state, fact_id=corrected.fact_id, revision=corrected.revision + 1)


def _row(taking: Taking, message: Message, state: AgentStateChanged) -> tuple[Any, ...]:
    said = msgspec.json.encode(state).decode()
    return (state.agent_id, state.fact_id, message.id, message.occurred_at, taking.now, said)


async def _keep(tx: Transaction, rows: list[tuple[Any, ...]]) -> None:
    """Writes states, each of another fact: only a correction is of the same, and before it this is called."""
    if not rows:
        return
    await tx.execute(
        """insert into agent_states (agent_id, fact_id, event_id, occurred_at, received_at, published)
           select * from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::json[])
           on conflict (agent_id, fact_id) do update set event_id = excluded.event_id,
               occurred_at = excluded.occurred_at, received_at = excluded.received_at,
               published = excluded.published""",
        *(list(column) for column in zip(*rows, strict=True)),
    )
    rows.clear()


async def _lock(tx: Transaction, agent_ids: set[str]) -> dict[str, _Stream]:
    rows = await tx.fetch(
        "select agent_id, version, since from agent_streams where agent_id = any($1) order by agent_id for update",
        sorted(agent_ids),
    )
    known = {row["agent_id"]: _Stream(row["version"], row["since"]) for row in rows}
    return {agent_id: known.get(agent_id, _Stream()) for agent_id in sorted(agent_ids)}


async def _save(tx: Transaction, streams: dict[str, _Stream]) -> None:
    told = {agent_id: stream for agent_id, stream in streams.items() if stream.present is not None}
    unchanged = [agent_id for agent_id in streams if agent_id not in told]
    if unchanged:
        await tx.execute(
            """update agent_streams set version = told.version from unnest($1::text[], $2::int[]) as told (id, version)
               where agent_id = told.id""",
            unchanged,
            [streams[agent_id].version for agent_id in unchanged],
        )
    rows = [_stream_row(agent_id, stream, stream.present) for agent_id, stream in told.items() if stream.present]
    if rows:
        # An array of arrays must be rectangular: each agent's queues travel as JSON.
        await tx.execute(
            """insert into agent_streams (agent_id, version, state, since, reason, queues, team, partner_id)
               select agent_id, version, state, since, reason, array(select json_array_elements_text(queues)), team,
                   partner_id
               from unnest($1::text[], $2::int[], $3::text[], $4::timestamptz[], $5::text[], $6::json[], $7::text[],
                   $8::text[]) as told (agent_id, version, state, since, reason, queues, team, partner_id)
               on conflict (agent_id) do update set version = excluded.version, state = excluded.state,
                   since = excluded.since, reason = excluded.reason, queues = excluded.queues, team = excluded.team,
                   partner_id = excluded.partner_id""",
            *(list(column) for column in zip(*rows, strict=True)),
        )


def _stream_row(agent_id: str, stream: _Stream, state: AgentStateChanged) -> tuple[Any, ...]:
    queues = msgspec.json.encode(state.queues).decode()
    return (
        *(agent_id, stream.version, state.state.value, stream.since),
        *(state.reason, queues, state.team, state.partner_id),
    )


def _message(taking: Taking, cause: Message, state: AgentStateChanged, version: int) -> Message:
    return new_message(
        state,
        service=Service.INTAKE,
        subject=f"agent:{state.agent_id}",
        actor=Actor(taking.partner_id, "partner"),
        occurred_at=cause.occurred_at,
        recorded_at=taking.now,
        entity_version=version,
        causation_id=cause.id,
    )
