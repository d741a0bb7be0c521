"""Reads of sampling: what the evaluations of a sample say about the recordings that had a chance to be drawn."""

from dataclasses import dataclass, replace
from typing import Any

from chassis.database import Database
from qa.sampling import store
from qa.sampling.domain.estimate import (
    Estimate,
    NoInterval,
    Observed,
    estimate_final,
    estimate_mean,
    estimate_share,
)

_HIGHEST = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """Averages over the recordings that had a chance, in points of 100, and the share with a fatal fault."""

    plan_id: str
    agent_id: str | None
    frame_count: int
    """All recordings of the period."""
    covered_count: int
    """Those that had a chance to be drawn: the estimates are of them, and not of all recordings."""
    uncovered_count: int
    """Those that had no chance: the estimates do not speak for them."""
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
    """Raises `SamplingPlanNotFound`; of a plan that is not drawn yet all estimates are empty, with the reason."""
    async with db.statements() as statements:
        plan = await store.PLANS.get(statements, plan_id)
        rows = await statements.fetch(_SAMPLE, plan_id, agent_id)
        frame = await statements.fetchrow(_FRAME, plan_id, agent_id)

    sample = [_observed(row) for row in rows]
    counts = (frame["count"], frame["uncovered"]) if frame else (0, 0)

    def unless_undrawn(estimate: Estimate) -> Estimate:
        return estimate if plan.drawn else replace(estimate, no_interval_because=NoInterval.NOT_DRAWN)

    return Estimates(
        plan_id=plan_id,
        agent_id=agent_id,
        frame_count=counts[0],
        covered_count=counts[0] - counts[1],
        uncovered_count=counts[1],
        final_score=unless_undrawn(estimate_final([final for final, _, _ in sample], highest=_HIGHEST)),
        raw_score=unless_undrawn(estimate_mean([raw for _, raw, _ in sample], lowest=0.0, highest=_HIGHEST)),
        fatal_share=unless_undrawn(estimate_share([fatal for _, _, fatal in sample])),
    )


def _observed(row: Any) -> tuple[Observed, Observed, Observed]:
    """A drawn recording's final score, raw score and fatal fault; without values if it was not evaluated."""
    unit = Observed(stratum=row["stratum"], probability=row["probability"], value=None)
    if row["final_hundredths"] is None:
        return unit, unit, unit
    final = replace(unit, value=row["final_hundredths"] / 100, is_fatal=row["is_fatal"])
    return final, replace(unit, value=row["raw_hundredths"] / 100), replace(unit, value=float(row["is_fatal"]))
