"""Rows of partners, of their agents, and of what was refused to them."""

from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from chassis.database import Statements, Transaction
from chassis.row_store import definition_of
from intake.partner_tables import PARTNERS
from intake.partners.domain import AgentName, AgentNameTaken, DeskAgent, Partner, PartnerNotFound
from intake.tables import AGENTS


async def note_unregistered(tx: Transaction, partner_id: str, names: Iterable[str], *, now: datetime) -> set[str]:
    """Adds the names that are not registered to the partner's list; returns those that were not on it before."""
    wanted = sorted(set(names))
    if not wanted:
        return set()
    # In the order of names: two batches that see the same new ones wait for each other and never in a circle.
    rows = await tx.fetch(
        """insert into unregistered_agents (partner_id, name, first_seen_at)
           select $1::text, name, $3::timestamptz from unnest($2::text[]) as name
           where not exists (select from agent_names where partner_id = $1 and agent_names.name = name.name)
             and not exists (select from unregistered_agents as known
                             where known.partner_id = $1 and known.name = name.name)
           order by name on conflict do nothing returning name""",
        partner_id,
        wanted,
        now,
    )
    return {row["name"] for row in rows}


_PARTNER = """id, name_en, name_zh, is_active, events_per_second, subscriber_fields, replay_days,
              replay_messages, replay_per_second, version,
              case when paced_until > now() then paced_until end as paced_until"""


async def partners(statements: Statements) -> list[Partner]:
    rows = await statements.fetch(f"select {_PARTNER} from partners order by id")
    return [_partner(row) for row in rows]


async def get_partner(statements: Statements, partner_id: str) -> Partner:
    row = await statements.fetchrow(f"select {_PARTNER} from partners where id = $1", partner_id)
    if row is None:
        raise PartnerNotFound(partner_id=partner_id)
    return _partner(row)


def _partner(row: Any) -> Partner:
    return Partner(**{**row, "subscriber_fields": tuple(row["subscriber_fields"])})


_DEFINE_PARTNER = definition_of(PARTNERS, "paced_until")
_DEFINE_AGENT = definition_of(AGENTS)


async def define_partner(statements: Statements, partner: Partner, *, now: datetime) -> Partner:
    """Registers or changes it; the version grows by one."""
    await statements.select(_DEFINE_PARTNER, {**asdict(partner), "changed_at": now})
    return await get_partner(statements, partner.id)


async def define_agent(tx: Transaction, agent: DeskAgent) -> DeskAgent:
    """Registers or changes an agent with their names; the version grows by one. Raises `AgentNameTaken`."""
    ((version,),) = await tx.select(_DEFINE_AGENT, asdict(agent))
    await tx.execute("delete from agent_names where agent_id = $1", agent.id)
    for name in agent.names:
        done = await tx.execute(
            "insert into agent_names (partner_id, name, agent_id) values ($1, $2, $3) on conflict do nothing",
            name.partner_id,
            name.name,
            agent.id,
        )
        if done == "INSERT 0 0":
            raise AgentNameTaken(partner_id=name.partner_id, name=name.name)
    return replace(agent, version=version)


async def unregistered_agents(
    statements: Statements, partner_id: str, *, after: str, limit: int
) -> list[dict[str, Any]]:
    """The names behind `after` that a partner has used and that are no agent's."""
    rows = await statements.fetch(
        """select name, first_seen_at from unregistered_agents as listed
           where partner_id = $1 and name > $2 and not exists (
               select from agent_names where partner_id = $1 and agent_names.name = listed.name)
           order by name limit $3""",
        partner_id,
        after,
        limit,
    )
    return [dict(row) for row in rows]


async def desk_agents(statements: Statements, *, after: str, limit: int) -> list[DeskAgent]:
    rows = await statements.fetch(
        """select id, name, team, is_active, version,
               coalesce((select array_agg(partner_id order by partner_id, agent_names.name) from agent_names
                         where agent_id = agents.id), '{}') as partner_ids,
               coalesce((select array_agg(agent_names.name order by partner_id, agent_names.name) from agent_names
                         where agent_id = agents.id), '{}') as partner_names
           from agents where id > $1 order by id limit $2""",
        after,
        limit,
    )
    return [
        DeskAgent(
            row["id"],
            row["name"],
            row["team"],
            row["is_active"],
            tuple(map(AgentName, row["partner_ids"], row["partner_names"])),
            row["version"],
        )
        for row in rows
    ]
