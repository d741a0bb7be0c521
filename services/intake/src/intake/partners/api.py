"""Partners and agents over HTTP: who may send events, how many, and what was refused to them."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from chassis.any_route import ANY
from chassis.field_types import Body, Code, Line, Name
from chassis.paging import CursorBroken, from_cursor, page_of
from chassis.problems import Responses
from chassis.request_context import Context
from contracts.partners import SubscriberField
from contracts.topics import PARTNER_ID
from intake.partners import event_store, store, use_cases
from intake.partners.domain import AgentName, AgentNameTaken, DeskAgent, Partner, PartnerNotFound
from work_orders.routes import Cursor, Limit

PartnerId = Annotated[str, Path(pattern=f"^{PARTNER_ID.pattern}$", description="The partner's id, as in its topics.")]

router = APIRouter(prefix="/v1", tags=["partners"])


class PartnerDefinition(Body):
    name_en: Line
    name_zh: Line
    is_active: bool = Field(True, description="false: what the partner sends waits on its topic.")
    events_per_second: int = Field(200, ge=1, le=100_000, description="Beyond it events wait; none is dropped.")
    subscriber_fields: Annotated[list[SubscriberField], Field(max_length=len(SubscriberField))] = []
    replay_days: int = Field(30, ge=1, le=365)
    replay_messages: int = Field(10_000, ge=1000, le=1_000_000)
    replay_per_second: int = Field(100, ge=1, le=500)


class DefinedPartner(BaseModel):
    id: str
    name_en: str
    name_zh: str
    is_active: bool
    events_per_second: int
    subscriber_fields: list[SubscriberField]
    replay_days: int
    replay_messages: int
    replay_per_second: int
    version: int
    paced_until: datetime | None


class Partners(BaseModel):
    items: list[DefinedPartner]


class RefusedEvent(BaseModel):
    event_id: str
    subject: str
    type: str
    occurred_at: datetime | None
    received_at: datetime
    code: str


class RefusedEvents(BaseModel):
    items: list[RefusedEvent]
    next_cursor: str | None


class UnregisteredAgent(BaseModel):
    name: str
    first_seen_at: datetime


class UnregisteredAgents(BaseModel):
    items: list[UnregisteredAgent]
    next_cursor: str | None


class NameForAgent(Body):
    partner_id: Annotated[str, Field(pattern=f"^{PARTNER_ID.pattern}$")]
    name: Name


class AgentDefinition(Body):
    name: Name
    team: Line | None = None
    is_active: bool = True
    names: Annotated[list[NameForAgent], Field(max_length=50)] = []


class DefinedAgent(BaseModel):
    id: str
    name: str
    team: str | None
    is_active: bool
    names: list[NameForAgent]
    version: int


class DefinedAgents(BaseModel):
    items: list[DefinedAgent]
    next_cursor: str | None


@router.put("/partners/{partner_id}", responses=Responses.of(ANY))
async def define_partner(partner_id: PartnerId, body: PartnerDefinition, context: Context) -> DefinedPartner:
    """Registers a partner, or changes it; it may then write to `partner.<id>.in`."""
    permitted = tuple(dict.fromkeys(field.value for field in body.subscriber_fields))
    partner = Partner(partner_id, **(body.model_dump() | {"subscriber_fields": permitted}))
    defined = await use_cases.define_partner(partner, uow=context.uow)
    return DefinedPartner.model_validate(defined, from_attributes=True)


@router.get("/partners", responses=Responses.of(ANY))
async def list_partners(context: Context) -> Partners:
    """Every partner, by id."""
    async with context.db.statements() as statements:
        return Partners.model_validate({"items": await store.partners(statements)}, from_attributes=True)


@router.get("/partners/{partner_id}", responses=Responses.of((*ANY, PartnerNotFound)))
async def get_partner(partner_id: PartnerId, context: Context) -> DefinedPartner:
    """One partner; `paced_until` is in the future while it sends more than its quota."""
    async with context.db.statements() as statements:
        found = await store.get_partner(statements, partner_id)
    return DefinedPartner.model_validate(found, from_attributes=True)


@router.get("/partners/{partner_id}/refused-events", responses=Responses.of((*ANY, PartnerNotFound, CursorBroken)))
async def list_refused_events(
    partner_id: PartnerId, context: Context, cursor: Cursor = None, limit: Limit = 50
) -> RefusedEvents:
    """What was refused to a partner, in the order in which it came."""
    after = from_cursor("refused-events", cursor, int, str) if cursor else (0, "")
    async with context.db.statements() as statements:
        await store.get_partner(statements, partner_id)
        rows = await event_store.refused_events(statements, partner_id, after=after, limit=limit + 1)
    items, next_cursor = page_of("refused-events", rows, limit, lambda row: (row["place"], row["event_id"]))
    return RefusedEvents.model_validate({"items": items, "next_cursor": next_cursor})


@router.get("/partners/{partner_id}/unregistered-agents", responses=Responses.of((*ANY, PartnerNotFound, CursorBroken)))
async def list_unregistered_agents(
    partner_id: PartnerId, context: Context, cursor: Cursor = None, limit: Limit = 50
) -> UnregisteredAgents:
    """A partner's names for agents 坐席 who are not registered, in alphabetical order; each is listed once.

    Their calls count under these names. `PUT /v1/agents/{agent_id}` with a name takes it off the list.
    """
    (after,) = from_cursor("unregistered-agents", cursor, str) if cursor else ("",)
    async with context.db.statements() as statements:
        await store.get_partner(statements, partner_id)
        rows = await store.unregistered_agents(statements, partner_id, after=after, limit=limit + 1)
    items, next_cursor = page_of("unregistered-agents", rows, limit, lambda row: (row["name"],))
    return UnregisteredAgents.model_validate({"items": items, "next_cursor": next_cursor})


@router.put("/agents/{agent_id}", responses=Responses.of((*ANY, AgentNameTaken)))
async def define_agent(agent_id: Code, body: AgentDefinition, context: Context) -> DefinedAgent:
    """Registers an agent 坐席 or changes them: the team, and the names that partners' switches have for them."""
    names = tuple(dict.fromkeys(AgentName(name.partner_id, name.name) for name in body.names))
    agent = DeskAgent(agent_id, body.name, body.team, body.is_active, names)
    defined = await use_cases.define_agent(agent, uow=context.uow)
    return DefinedAgent.model_validate(defined, from_attributes=True)


@router.get("/agents", responses=Responses.of((*ANY, CursorBroken)))
async def list_agents(
    context: Context, cursor: Cursor = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> DefinedAgents:
    """The agents, by id."""
    (after,) = from_cursor("agents", cursor, str) if cursor else ("",)
    async with context.db.statements() as statements:
        agents = await store.desk_agents(statements, after=after, limit=limit + 1)
    items, next_cursor = page_of("agents", agents, limit, lambda agent: (agent.id,))
    return DefinedAgents.model_validate({"items": items, "next_cursor": next_cursor}, from_attributes=True)
