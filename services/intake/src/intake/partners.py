"""Partners, whom an operator registers, and agents, whom partners have names of their own for."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis import outbox
from chassis.clock import Clock
from chassis.database import Database, Statements
from chassis.dynamic_subscriptions import DynamicSubscription
from chassis.sealing import MasterKeys
from chassis.subscription import Subscription
from chassis.wakeup import PUBLISH, Wakeup
from contracts.codec import new_message
from contracts.directory import AgentDefined
from contracts.lifecycle import Service
from contracts.message import Actor
from contracts.refusals import Conflict, NotFound
from contracts.topics import PARTNER_ID, PARTNER_IN, PARTNER_OUT, topic_of_partner
from intake.partner_events import subscription_of


class PartnerNotFound(NotFound):
    """There is no partner {partner_id}."""

    zh = "没有合作方 {partner_id}。"


class AgentNameTaken(Conflict):
    """Partner {partner_id} already calls another agent {name}."""

    zh = "合作方 {partner_id} 的名称 {name} 已属于另一坐席。"


@dataclass(frozen=True, slots=True)
class Partner:
    id: str
    name_en: str
    name_zh: str
    is_active: bool = True
    events_per_second: int = 200
    """Beyond it the partner's events wait on its topic; none is dropped."""
    version: int = 0
    paced_until: datetime | None = None
    """In the future while the partner is over its quota."""


@dataclass(frozen=True, slots=True)
class AgentName:
    partner_id: str
    name: str


@dataclass(frozen=True, slots=True)
class DeskAgent:
    id: str
    name: str
    team: str | None = None
    is_active: bool = True
    names: tuple[AgentName, ...] = ()
    version: int = 0


_PARTNER = """id, name_en, name_zh, is_active, events_per_second, version,
              case when paced_until > now() then paced_until end as paced_until"""


async def define_partner(partner: Partner, *, db: Database, clock: Clock) -> Partner:
    """Registers a partner or changes it; its topics are made by the worker within moments."""
    async with db.statements() as statements:
        row = await statements.fetchrow(
            f"""insert into partners (id, version, name_en, name_zh, is_active, events_per_second, changed_at)
                values ($1, 1, $2, $3, $4, $5, $6)
                on conflict (id) do update set version = partners.version + 1, name_en = excluded.name_en,
                    name_zh = excluded.name_zh, is_active = excluded.is_active,
                    events_per_second = excluded.events_per_second, changed_at = excluded.changed_at
                returning {_PARTNER}""",
            partner.id,
            partner.name_en,
            partner.name_zh,
            partner.is_active,
            partner.events_per_second,
            clock.now(),
        )
    assert row is not None
    return Partner(**dict(row))


async def partners(statements: Statements) -> list[Partner]:
    rows = await statements.fetch(f"select {_PARTNER} from partners order by id")
    return [Partner(**dict(row)) for row in rows]


async def get_partner(statements: Statements, partner_id: str) -> Partner:
    row = await statements.fetchrow(f"select {_PARTNER} from partners where id = $1", partner_id)
    if row is None:
        raise PartnerNotFound(partner_id=partner_id)
    return Partner(**dict(row))


_LATEST_MICROSECONDS = 250_000_000_000_000_000


async def refused_events(
    statements: Statements, partner_id: str, *, after: tuple[int, str], limit: int
) -> list[dict[str, Any]]:
    """What was refused to a partner behind a place: microseconds since 1970, and an event id."""
    rows = await statements.fetch(
        """select event_id, subject, type, occurred_at, received_at, code,
                  (extract(epoch from received_at) * 1000000)::bigint as place
           from partner_events where partner_id = $1 and code is not null
             and (received_at, event_id) > (timestamptz 'epoch' + $2::bigint * interval '1 microsecond', $3)
           order by received_at, event_id limit $4""",
        partner_id,
        min(max(after[0], 0), _LATEST_MICROSECONDS),
        after[1],
        limit,
    )
    return [dict(row) for row in rows]


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


def active_partners(masters: MasterKeys) -> Callable[[Database], Coroutine[Any, Any, Sequence[DynamicSubscription]]]:
    """What the worker listens to: the `in` of every active partner; a suspended one's events wait on its topic."""

    async def arriving(db: Database) -> Sequence[DynamicSubscription]:
        async with db.statements() as statements:
            found = await partners(statements)
        return [
            DynamicSubscription(
                subscription_of(partner.id, masters, events_per_second=partner.events_per_second),
                [topic_of_partner(template, partner.id) for template in (PARTNER_IN, PARTNER_OUT)],
                stamp=str(partner.events_per_second),
            )
            for partner in found
            if partner.is_active
        ]

    return arriving


def subscription_finder(masters: MasterKeys) -> Callable[[str], Subscription | None]:
    """Finds the subscription of a partner's topic by the topic's name: for the release of what is parked."""

    def find_subscription(topic: str) -> Subscription | None:
        head, _, rest = topic.partition(".")
        partner_id = rest.removesuffix(".in")
        is_partners = head == "partner" and rest.endswith(".in") and PARTNER_ID.fullmatch(partner_id)
        return subscription_of(partner_id, masters) if is_partners else None

    return find_subscription


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
