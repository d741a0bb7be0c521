"""Reads of sampling: what the evaluations of a sample say about all recordings of its frame."""

from dataclasses import dataclass, replace

from chassis.database import Database
from qa.sampling import store
from qa.sampling.domain.estimate import Estimate, Observed, estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """Averages over all recordings that had a chance, in points of 100, and the share of calls with a fatal fault."""

    plan_id: str
    agent_id: str | None
    frame_count: int
    uncovered_count: int
    """Recordings that had no chance: the estimates do not speak for them."""
    final_score: Estimate
    raw_score: Estimate
    fatal_share: Estimate


_SAMPLE = """
select f.stratum, f.numerator::float8 / f.denominator as probability, e.final_hundredths, e.raw_hundredths, e.is_fatal
from sampling_frame f left join reviews r on r.plan_id = f.plan_id and r.recording_id = f.recording_id
    left join evaluations e on e.id = r.standing_evaluation_id
where f.plan_id = $1 and f.is_drawn and ($2::text is null or f.facts->>'agent_id' = $2)
"""
_FRAME = """
select count(*) as count, count(*) filter (where numerator = 0) as uncovered
from sampling_frame where plan_id = $1 and ($2::text is null or facts->>'agent_id' = $2)
"""


async def estimates(db: Database, plan_id: str, *, agent_id: str | None) -> Estimates:
    """Raises `SamplingPlanNotFound`; of a plan that is not drawn yet everything is empty, and says so."""
    async with db.statements() as statements:
        plan = await store.PLANS.get(statements, plan_id)
        rows = await statements.fetch(_SAMPLE, plan_id, agent_id)
        frame = await statements.fetchrow(_FRAME, plan_id, agent_id)

    def of(value, highest: float) -> Estimate:
        found = estimate(
            (
                Observed(
                    stratum=row["stratum"],
                    probability=row["probability"],
                    value=None if row["final_hundredths"] is None else value(row),
                )
                for row in rows
            ),
            lowest=0.0,
            highest=highest,
        )
        return found if plan.drawn else replace(found, no_interval_because="not_drawn")

    return Estimates(
        plan_id=plan_id,
        agent_id=agent_id,
        frame_count=frame["count"] if frame else 0,
        uncovered_count=frame["uncovered"] if frame else 0,
        final_score=of(lambda row: row["final_hundredths"] / 100, 100.0),
        raw_score=of(lambda row: row["raw_hundredths"] / 100, 100.0),
        fatal_share=of(lambda row: float(row["is_fatal"]), 1.0),
    )
