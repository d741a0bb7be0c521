"""Rows of agents' states, and of the stream that each agent's states are."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any

import msgspec

from chassis.database import Statements, Transaction, columns_of, unnest_of
from contracts.calls import AgentStateChanged
from intake.partners.domain import AgentStream
from intake.tables import AGENT_STATES

_STATE = msgspec.json.Decoder(AgentStateChanged)
_STATES = [column for column in AGENT_STATES.c if column.identity is None]


@dataclass(frozen=True, slots=True)
class AgentStateRow:
    agent_id: str
    fact_id: str
    event_id: str
    occurred_at: datetime
    received_at: datetime
    published: str
    """The state as JSON."""


async def lock_streams(tx: Transaction, agent_ids: Collection[str]) -> dict[str, AgentStream]:
    """The agents' streams, in the order of their ids; an agent without states has an empty one."""
    wanted = sorted(agent_ids)
    rows = await tx.fetch(
        """select agent_id, version, state, since, reason, queues, team, partner_id from agent_streams
           where agent_id = any($1) order by agent_id for update""",
        wanted,
    )
    known = {row["agent_id"]: AgentStream(**row) for row in rows}
    return {agent_id: known.get(agent_id, AgentStream(agent_id)) for agent_id in wanted}


async def save_streams(tx: Transaction, streams: Iterable[AgentStream]) -> None:
    rows = [_stream_row(stream) for stream in streams]
    if rows:
        await tx.execute(
            """insert into agent_streams (agent_id, version, state, since, reason, queues, team, partner_id)
               select agent_id, version, state, since, reason, array(select json_array_elements_text(queues)), team,
                   partner_id
               from unnest($1::text[], $2::int[], $3::text[], $4::timestamptz[], $5::text[], $6::json[], $7::text[],
                   $8::text[]) as saved (agent_id, version, state, since, reason, queues, team, partner_id)
               on conflict (agent_id) do update set version = excluded.version, state = excluded.state,
                   since = excluded.since, reason = excluded.reason, queues = excluded.queues, team = excluded.team,
                   partner_id = excluded.partner_id""",
            *(list(column) for column in zip(*rows, strict=True)),
        )


def _stream_row(stream: AgentStream) -> tuple[Any, ...]:
    # An array of arrays must be rectangular: each agent's queues travel as JSON.
    queues = msgspec.json.encode(stream.queues).decode()
    head = (stream.agent_id, stream.version, stream.state, stream.since, stream.reason)
    return (*head, queues, stream.team, stream.partner_id)


async def save_states(tx: Transaction, rows: Sequence[AgentStateRow]) -> None:
    """Writes states, each of another fact: a correction, which is of the same, has a call of its own."""
    if rows:
        await tx.execute(
            f"""insert into agent_states ({columns_of(_STATES)}) select * from {unnest_of(_STATES)}
                on conflict (agent_id, fact_id) do update set event_id = excluded.event_id,
                    occurred_at = excluded.occurred_at, received_at = excluded.received_at,
                    published = excluded.published""",
            *(list(column) for column in zip(*map(astuple, rows), strict=True)),
        )


async def find_state(statements: Statements, partner_id: str, agent_id: str, event_id: str) -> AgentStateChanged | None:
    """The agent's state that an event of the partner reported, as it was published."""
    published = await statements.fetchval(
        "select published from agent_states where agent_id = $1 and event_id = $2 and fact_id like $3 || ':%'",
        agent_id,
        event_id,
        partner_id,
    )
    return None if published is None else _STATE.decode(published)
