"""A sampling plan: committed to before its period ends, drawn once afterwards, with what it leaves out."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from services.qa.tests.unit.builders import NOW

from contracts.refusals import Refusal
from qa.sampling.domain.plan import (
    FrameRow,
    PeriodHasEnded,
    PeriodInverted,
    PeriodStillRuns,
    PlanContent,
    RangeInverted,
    RecordingFacts,
    RiskWeight,
    SampleAlreadyDrawn,
    SamplingPlan,
    Stratum,
    StratumNamedTwice,
    Where,
    commit,
    double_blind_of,
    draw_sample,
    frame_digest_of,
)

SEED, HOUR = bytes(range(32)), timedelta(hours=1)
ALL = Stratum(stratum="all", quota_per_agent=2)
INVERTED = Where(length_from_seconds=9, length_below_seconds=9)


def make_content(*strata: Stratum, **overrides: Any) -> PlanContent:
    values = {"period_start": NOW - HOUR, "period_end": NOW + HOUR, "strata": strata or (ALL,)}
    return PlanContent(**values | overrides)


def make_plan(*strata: Stratum, blind: int = 0, now: datetime = NOW, **overrides: Any) -> SamplingPlan:
    content = make_content(*strata, **overrides)
    return commit("plan-1", "第十周", content, seed=SEED, double_blind_every=blind, by="supervisor-1", now=now)[0]


def make_frame(count: int = 8, *, agents: int = 4) -> list[RecordingFacts]:
    """Every thirteenth is a complaint; lengths are 20, 60, 120 and 400 seconds."""
    return [
        RecordingFacts(
            recording_id=f"rec-{number}",
            agent_id=f"agent-{number % agents}",
            demand_type="complaint" if number % 13 == 0 else "fault_repair",
            length_seconds=(20, 60, 120, 400)[number // agents % 4],
        )
        for number in range(count)
    ]


def drawn(*strata: Stratum, frame: Sequence[RecordingFacts], **overrides: Any) -> tuple[SamplingPlan, list[FrameRow]]:
    plan, rows, _ = draw_sample(make_plan(*strata, **overrides), frame, SEED, now=NOW + HOUR)
    return plan, rows


def test_a_plan_is_committed_to_with_the_digests_of_its_content_and_its_seed() -> None:
    content = make_content()
    plan, event = commit("p", "x", content, seed=SEED, double_blind_every=0, by="supervisor-1", now=NOW)
    assert (event.plan_digest, event.seed_digest) == (plan.plan_digest, plan.seed_digest)
    assert (event.period_start, event.period_end) == (content.period_start, content.period_end)
    assert SEED.hex() not in repr((plan, event))
    assert make_plan().plan_digest == plan.plan_digest != make_plan(replace(ALL, quota_per_agent=3)).plan_digest


@pytest.mark.parametrize(
    ("overrides", "refusal"),
    [
        ({"period_end": NOW - HOUR}, PeriodInverted),
        ({"period_end": NOW - 2 * HOUR}, PeriodInverted),
        ({"period_end": NOW}, PeriodHasEnded),
        ({"strata": (ALL, ALL)}, StratumNamedTwice),
        ({"strata": (replace(ALL, where=INVERTED),)}, RangeInverted),
        ({"mandatory": (INVERTED,)}, RangeInverted),
        ({"risk_weights": (RiskWeight(factor=2, where=INVERTED),)}, RangeInverted),
        ({"mandatory": (Where(seniority_from_months=6, seniority_below_months=5),)}, RangeInverted),
    ],
)
def test_a_plan_that_is_not_right_is_refused(overrides: dict[str, Any], refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        make_plan(**overrides)


def test_a_sample_is_drawn_after_the_period_and_once() -> None:
    plan, frame = make_plan(), make_frame()
    with pytest.raises(PeriodStillRuns):
        draw_sample(plan, frame, SEED, now=NOW + HOUR - timedelta(microseconds=1))
    done, rows, event = draw_sample(plan, frame, SEED, now=NOW + HOUR)
    assert done.drawn is not None
    assert (done.version, done.drawn.drawn_at, done.drawn.seed) == (2, NOW + HOUR, SEED.hex())
    assert (event.seed, event.sample_count, event.frame_count) == (SEED.hex(), sum(row.is_drawn for row in rows), 8)
    with pytest.raises(SampleAlreadyDrawn):
        draw_sample(done, frame, SEED, now=NOW + HOUR)


def test_a_plan_that_asks_for_more_than_there_is_takes_all_and_says_so() -> None:
    plan, rows = drawn(replace(ALL, quota_per_agent=500), frame=make_frame())
    assert all(row.is_drawn and row.numerator == row.denominator for row in rows)
    assert plan.drawn is not None
    assert plan.drawn.short_strata == tuple(f"all/agent-{number}" for number in range(4))


def test_what_a_plan_leaves_without_a_chance_or_without_a_recording_is_told() -> None:
    none_of_them = Stratum(stratum="fee", quota_per_agent=0, where=Where(demand_types=("complaint",)))
    nowhere = Stratum(stratum="nowhere", quota_per_agent=2, where=Where(queues=("nowhere",)))
    plan, _ = drawn(none_of_them, nowhere, replace(ALL, quota_per_agent=1), frame=make_frame())
    assert plan.drawn is not None
    # A quota of 0 gives no chance, as no stratum at all does: no estimate speaks for it.
    assert (plan.drawn.frame_count, plan.drawn.uncovered_count) == (8, 1)
    assert plan.drawn.short_strata == ("nowhere",)


def test_a_recording_that_fits_no_stratum_has_no_chance() -> None:
    plan, rows = drawn(replace(ALL, where=Where(length_from_seconds=30)), frame=make_frame())
    left = [row for row in rows if row.stratum is None]
    assert plan.drawn is not None
    assert len(left) == plan.drawn.uncovered_count == 4
    assert all(row.facts.length_seconds < 30 and not row.is_drawn for row in left)


def test_a_period_without_recordings_gives_an_empty_sample() -> None:
    plan, rows = drawn(frame=[])
    assert plan.drawn is not None
    assert (rows, plan.drawn.frame_count, plan.drawn.sample_count) == ([], 0, 0)


def test_what_is_mandatory_is_drawn_beside_the_quotas_and_what_is_risky_is_likelier() -> None:
    overrides: dict[str, Any] = {"mandatory": (Where(demand_types=("complaint",)),)}
    overrides["risk_weights"] = (RiskWeight(factor=5, where=Where(length_from_seconds=300)),)
    plan, rows = drawn(ALL, frame=make_frame(40), **overrides)
    assert plan.drawn is not None
    assert (plan.drawn.mandatory_count, plan.drawn.sample_count) == (4, 4 + 4 * 2)
    assert all(row.is_drawn for row in rows if row.is_mandatory)
    assert {row.size for row in rows if row.facts.length_seconds >= 300 and not row.is_mandatory} == {5}


@pytest.mark.parametrize(("every", "count"), [(0, 0), (1, 8), (3, 3)])
def test_the_seed_picks_which_recordings_two_auditors_evaluate(every: int, count: int) -> None:
    plan, rows = drawn(frame=make_frame(), blind=every)
    twice = double_blind_of(plan, rows, SEED)
    assert len(twice) == count
    assert twice <= {row.facts.recording_id for row in rows if row.is_drawn}
    assert double_blind_of(plan, rows[::-1], SEED) == twice


def test_a_change_of_any_fact_changes_the_digest_of_the_frame() -> None:
    frame = [RecordingFacts(recording_id=f"rec-{n}", agent_id="a", length_seconds=n) for n in range(3)]
    digest = frame_digest_of(frame)
    assert frame_digest_of(reversed(frame)) == digest
    assert frame_digest_of(frame[1:]) != digest
    assert frame_digest_of([*frame[:2], RecordingFacts(recording_id="rec-2", agent_id="a", length_seconds=3)]) != digest
