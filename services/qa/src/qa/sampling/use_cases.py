"""What is done with samples. One function a command, each on a unit of work."""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import date

from chassis.commands import Reply
from chassis.identity import new_id
from contracts.quality import RecordingSampled
from qa.evaluation.store import add_reviews
from qa.recordings.domain.recording import Recording
from qa.sampling import store
from qa.sampling.domain import plan as planning
from qa.sampling.domain.plan import FrameRow, PlanContent, SamplingPlan
from work_orders.unit_of_work import OrderUnitOfWork

_SEED_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitPlan:
    name: str
    content: PlanContent
    double_blind_every: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTenure:
    agent_id: str
    joined_on: date


async def commit_plan(proposal: CommitPlan, *, uow: OrderUnitOfWork) -> Reply:
    """Fixes a plan and a seed; the seed stays here until the draw, its hash is published."""
    seed = secrets.token_bytes(_SEED_BYTES)
    async with uow.command() as command:
        plan, event = planning.commit(
            new_id(),
            proposal.name,
            proposal.content,
            seed=seed,
            double_blind_every=proposal.double_blind_every,
            by=command.actor.sub,
            now=command.now,
        )
        await store.PLANS.add(command.tx, plan)
        await store.keep_seed(command.tx, plan.id, seed)
        command.publish(event, subject=plan.id)
        command.reply_with(plan, status=201)
    return command.reply


async def draw_sample(plan_id: str, *, uow: OrderUnitOfWork) -> Reply:
    """Draws the sample from the recordings as they are known at this moment, and publishes seed, frame and chances.

    The frame is kept: a recording that becomes known later had no part in the draw and changes nothing in it.
    """
    async with uow.command() as command:
        plan = await store.PLANS.lock(command.tx, plan_id)
        command.check_version(plan.version)
        found = await store.frame_of(command.tx, plan.content.period_start, plan.content.period_end)
        seed = await store.get_seed(command.tx, plan_id)
        seniority = await store.seniority_of_agents(command.tx, plan.content.period_end)
        # In a thread: a frame of 100,000 recordings takes seconds, in which others are to be answered.
        frame = [facts for facts, _ in found.values()]
        drawn, rows, event = await asyncio.to_thread(
            planning.draw_sample, plan, frame, seed, seniority=seniority, now=command.now
        )
        recordings = {recording_id: recording for recording_id, (_, recording) in found.items()}
        await store.PLANS.save(command.tx, drawn)
        await store.keep_frame(command.tx, plan_id, rows, {one.id: one.call_id for one in recordings.values()})
        twice = planning.double_blind_of(plan, rows, seed)
        sample = [row for row in rows if row.is_drawn]
        await add_reviews(command.tx, plan_id, [recordings[row.facts.recording_id] for row in sample], twice)
        command.publish(event, subject=plan.id)
        for row in sample:
            command.publish(_sampled(plan, row, recordings, twice), subject=row.facts.recording_id)
        command.reply_with(drawn)
    return command.reply


def _sampled(plan: SamplingPlan, row: FrameRow, recordings: dict[str, Recording], twice: set[str]) -> RecordingSampled:
    return RecordingSampled(
        plan_id=plan.id,
        recording_id=row.facts.recording_id,
        call_id=recordings[row.facts.recording_id].call_id,
        agent_id=row.facts.agent_id,
        stratum=row.stratum or "",
        numerator=row.numerator,
        denominator=row.denominator,
        is_mandatory=row.is_mandatory,
        is_double_blind=row.facts.recording_id in twice,
    )


async def define_agent(agent: AgentTenure, *, uow: OrderUnitOfWork) -> Reply:
    """Since when an agent works here: seniority is a fact that plans can look at."""
    async with uow.command() as command:
        await store.put_agent(command.tx, agent.agent_id, agent.joined_on)
        command.reply_with(agent)
    return command.reply
