"""Sampling over HTTP: plans committed to, samples drawn, and what they say about the recordings they stand for."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from chassis.field_types import Body, Code, Line, Moment
from chassis.paging import CursorBroken
from chassis.problems import Responses
from chassis.request_context import Context
from qa.routes import (
    ACT_REFUSALS,
    ANY,
    CHANGE_REFUSALS,
    LIST_REFUSALS,
    Id,
    Wanted,
    json_of,
)
from qa.sampling import store, use_cases, views
from qa.sampling.domain import plan as planning
from qa.sampling.domain.plan import FrameRow, PlanContent, RiskWeight, SamplingPlan, Stratum, Where
from qa.sampling.store import SamplingPlanNotFound
from qa.sampling.use_cases import AgentTenure
from work_orders.routes import CommandContext, Cursor, Limit

router = APIRouter(prefix="/v1", tags=["sampling"])

Words = Annotated[list[Line], Field(max_length=500)]
Seconds = Annotated[int, Field(ge=0, le=86_400)]
Months = Annotated[int, Field(ge=0, le=1_200)]


class WhereBody(Body):
    """Which recordings are meant; what is left out does not narrow."""

    agents: Words = []
    queues: Words = []
    channels: Words = []
    demand_types: Words = []
    length_from_seconds: Seconds | None = None
    length_below_seconds: Seconds | None = None
    seniority_from_months: Months | None = None
    seniority_below_months: Months | None = None

    def where(self) -> Where:
        values = self.model_dump()
        return Where(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


class StratumBody(Body):
    stratum: Code
    quota_per_agent: int = Field(ge=0, le=10_000)
    where: WhereBody = WhereBody()


class RiskWeightBody(Body):
    factor: int = Field(ge=1, le=1_000, description="So many times as likely to be drawn; factors multiply.")
    where: WhereBody


class PlanBody(Body):
    name: Line
    period_start: Moment
    period_end: Moment = Field(description="The first moment that no longer belongs to the period.")
    strata: Annotated[list[StratumBody], Field(min_length=1, max_length=100)]
    mandatory: Annotated[list[WhereBody], Field(max_length=100)] = []
    risk_weights: Annotated[list[RiskWeightBody], Field(max_length=100)] = []
    double_blind_every: int = Field(0, ge=0, le=10_000)

    def content(self) -> PlanContent:
        return PlanContent(
            period_start=self.period_start,
            period_end=self.period_end,
            strata=tuple(
                Stratum(stratum=one.stratum, quota_per_agent=one.quota_per_agent, where=one.where.where())
                for one in self.strata
            ),
            mandatory=tuple(one.where() for one in self.mandatory),
            risk_weights=tuple(RiskWeight(factor=one.factor, where=one.where.where()) for one in self.risk_weights),
        )


class PlanPage(BaseModel):
    items: list[SamplingPlan]
    next_cursor: str | None


class FramePage(BaseModel):
    items: list[FrameRow]
    next_cursor: str | None


class AgentBody(Body):
    joined_on: date = Field(ge=date(1950, 1, 1), le=date(2100, 1, 1))


@router.post(
    "/sampling-plans",
    status_code=201,
    response_model=SamplingPlan,
    responses=Responses.of(
        (
            *ACT_REFUSALS,
            planning.PeriodInverted,
            planning.PeriodHasEnded,
            planning.StratumNamedTwice,
            planning.RangeInverted,
        )
    ),
)
async def commit_plan(body: PlanBody, context: CommandContext) -> Response:
    """Fixes a plan and a secret seed before its period ends; the hashes of both are published at once."""
    command = use_cases.CommitPlan(name=body.name, content=body.content(), double_blind_every=body.double_blind_every)
    return (await use_cases.commit_plan(command, uow=context.uow)).response()


@router.get("/sampling-plans", response_model=PlanPage, responses=Responses.of((*LIST_REFUSALS,)))
async def list_plans(context: Context, wanted: Wanted) -> Response:
    """Sampling plans, latest first."""
    return json_of(await store.PLANS.page(context.db, wanted.page()))


@router.get("/sampling-plans/{plan_id}", responses=Responses.of((*ANY, SamplingPlanNotFound)))
async def get_plan(plan_id: Id, context: Context) -> SamplingPlan:
    """A plan with the hashes it was committed with and, once drawn, its seed."""
    async with context.db.statements() as statements:
        return await store.PLANS.get(statements, plan_id)


@router.post(
    "/sampling-plans/{plan_id}/draw",
    response_model=SamplingPlan,
    responses=Responses.of(
        (
            *CHANGE_REFUSALS,
            SamplingPlanNotFound,
            planning.SampleAlreadyDrawn,
            planning.PeriodStillRuns,
        )
    ),
)
async def draw_sample(plan_id: Id, context: CommandContext) -> Response:
    """Draws the sample after the period, once, and publishes the seed. `linework redraw` draws it again."""
    return (await use_cases.draw_sample(plan_id, uow=context.uow)).response()


@router.get("/sampling-plans/{plan_id}/frame", responses=Responses.of((*ANY, CursorBroken, SamplingPlanNotFound)))
async def get_frame(
    plan_id: Id,
    context: Context,
    is_drawn: Annotated[bool | None, Query(description="The sample only, or the rest only.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> FramePage:
    """Every recording that the sample was drawn from, by id: its facts, its stratum, its chance, its luck."""
    async with context.db.statements() as statements:
        await store.PLANS.get(statements, plan_id)
    items, next_cursor = await store.frame_page(context.db, plan_id, is_drawn=is_drawn, cursor=cursor, limit=limit)
    return FramePage(items=items, next_cursor=next_cursor)


@router.get("/sampling-plans/{plan_id}/estimates", responses=Responses.of((*ANY, SamplingPlanNotFound)))
async def get_estimates(
    plan_id: Id,
    context: Context,
    agent_id: Annotated[str | None, Query(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")] = None,
) -> views.Estimates:
    """Weighted averages over the recordings that had a chance to be drawn, with their intervals; of one agent if one
    is named."""
    return await views.estimates(context.db, plan_id, agent_id=agent_id)


@router.put("/agents/{agent_id}", response_model=AgentTenure, responses=Responses.of((*ACT_REFUSALS,)))
async def define_agent(agent_id: Id, body: AgentBody, context: CommandContext) -> Response:
    """Since when an agent works here; plans can draw newcomers more often."""
    agent = AgentTenure(agent_id=agent_id, joined_on=body.joined_on)
    return (await use_cases.define_agent(agent, uow=context.uow)).response()
