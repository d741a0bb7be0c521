"""What is done with samples. One function a command."""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import date

from chassis.commands import Reply
from chassis.identity import new_id
from contracts.quality import RecordingSampled
from qa.desk import QualityDesk
from qa.evaluation.store import add_reviews
from qa.recordings.domain.recording import Recording
from qa.sampling import store
from qa.sampling.domain import plan as planning
from qa.sampling.domain.plan import FrameRow, PlanContent, SamplingPlan

_SEED_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitPlan:
    name: str
    content: PlanContent
    double_blind_every: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    agent_id: str
    joined_on: date


async def commit_plan(command: CommitPlan, *, context: QualityDesk) -> Reply:
    """Fixes a plan and a seed; the seed stays here until the draw, its hash is published."""
    seed = secrets.token_bytes(_SEED_BYTES)
    async with context.act() as act:  # the only commit on this path
        plan, event = planning.commit(
            new_id(),
            command.name,
            command.content,
            seed=seed,
            double_blind_every=command.double_blind_every,
            by=act.actor.sub,
            now=act.now,
        )
        await store.PLANS.add(act.tx, plan)
        await store.keep_seed(act.tx, plan.id, seed)
        act.publish(event, subject=plan.id)
        act.answer_with(plan, status=201)
    return act.answer


async def draw_sample(plan_id: str, *, context: QualityDesk) -> Reply:
    """Draws the sample from the recordings as they are known at this moment, and tells seed, frame and chances.

    The frame is kept: a recording that becomes known later had no part in the draw and changes nothing in it.
    """
    async with context.act() as act:  # the only commit on this path
        plan = await store.PLANS.lock(act.tx, plan_id)
        act.check_version(plan.version)
        found = await store.frame_of(act.tx, plan.content.period_start, plan.content.period_end)
        seed = await store.get_seed(act.tx, plan_id)
        seniority = await store.seniority_of_agents(act.tx, plan.content.period_end)
        # In a thread: a frame of 100,000 recordings takes seconds, in which others are to be answered.
        frame = [facts for facts, _ in found.values()]
        drawn, rows, event = await asyncio.to_thread(
            planning.draw_sample, plan, frame, seed, seniority=seniority, now=act.now
        )
        recordings = {recording_id: recording for recording_id, (_, recording) in found.items()}
        await store.PLANS.save(act.tx, drawn)
        await store.keep_frame(act.tx, plan_id, rows, {one.id: one.call_id for one in recordings.values()})
        twice = planning.double_blind_of(plan, rows, seed)
        sample = [row for row in rows if row.is_drawn]
        await add_reviews(act.tx, plan_id, [recordings[row.facts.recording_id] for row in sample], twice)
        act.publish(event, subject=plan.id)
        for row in sample:
            act.publish(_sampled(plan, row, recordings, twice), subject=row.facts.recording_id)
        act.answer_with(drawn)
    return act.answer


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


async def define_agent(agent: Agent, *, context: QualityDesk) -> Reply:
    """Since when an agent works here: seniority is a fact that plans can look at."""
    async with context.act() as act:  # the only commit on this path
        await store.put_agent(act.tx, agent.agent_id, agent.joined_on)
        act.answer_with(agent)
    return act.answer
