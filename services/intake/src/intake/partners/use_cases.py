"""Registering partners, and agents with the names that partners have for them."""

from chassis import outbox
from chassis.clock import Clock
from chassis.database import Database
from chassis.wakeup import PUBLISH, Wakeup
from contracts.codec import new_message
from contracts.directory import AgentDefined
from contracts.lifecycle import Service
from contracts.message import Actor
from intake.partners.domain import AgentNameTaken, DeskAgent, Partner
from intake.partners.store import PARTNER


async def define_partner(partner: Partner, *, db: Database, clock: Clock) -> Partner:
    """Registers a partner or changes it; its topics are made by the worker within moments."""
    async with db.statements() as statements:
        row = await statements.fetchrow(
            f"""insert into partners (id, version, name_en, name_zh, is_active, events_per_second, changed_at)
                values ($1, 1, $2, $3, $4, $5, $6)
                on conflict (id) do update set version = partners.version + 1, name_en = excluded.name_en,
                    name_zh = excluded.name_zh, is_active = excluded.is_active,
                    events_per_second = excluded.events_per_second, changed_at = excluded.changed_at
                returning {PARTNER}""",
            partner.id,
            partner.name_en,
            partner.name_zh,
            partner.is_active,
            partner.events_per_second,
            clock.now(),
        )
    assert row is not None
    return Partner(**dict(row))


async def define_agent(agent: DeskAgent, actor: Actor, *, db: Database, clock: Clock, wakeup: Wakeup) -> DeskAgent:
    """Registers an agent or changes them, with the names that partners have for them, and tells everybody."""
    async with db.begin() as tx:
        version = await tx.fetchval(
            """insert into agents (id, version, name, team, is_active) values ($1, 1, $2, $3, $4)
               on conflict (id) do update set version = agents.version + 1, name = excluded.name,
                   team = excluded.team, is_active = excluded.is_active returning version""",
            agent.id,
            agent.name,
            agent.team,
            agent.is_active,
        )
        await tx.execute("delete from agent_names where agent_id = $1", agent.id)
        for one in agent.names:
            done = await tx.execute(
                "insert into agent_names (partner_id, name, agent_id) values ($1, $2, $3) on conflict do nothing",
                one.partner_id,
                one.name,
                agent.id,
            )
            if done == "INSERT 0 0":
                raise AgentNameTaken(partner_id=one.partner_id, name=one.name)
        now = clock.now()
        message = new_message(
            AgentDefined(agent_id=agent.id, name=agent.name, team=agent.team, is_active=agent.is_active),
            service=Service.INTAKE,
            subject=f"agent:{agent.id}",
            actor=actor,
            occurred_at=now,
            recorded_at=now,
            entity_version=version,
        )
        await outbox.add(tx, [message])
    wakeup.send(PUBLISH)
    return DeskAgent(agent.id, agent.name, agent.team, agent.is_active, agent.names, version)
