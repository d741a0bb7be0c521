"""Sampling: committed to before the period ends, drawn once, the same for everybody who draws it again."""

import hashlib
from datetime import datetime, timedelta
from fractions import Fraction

import pytest
from services.qa.tests.centre import YES_NO_FORM, Person, plan_body, recorded_call, supervisor

from chassis.testing import FixedClock
from contracts.quality import RecordingSampled, SampleDrawn, SamplingPlanCommitted
from work_orders.testing import BEGIN, ServiceUnderTest

WEIGHTED = {
    "strata": [
        {"stratum": "newcomers", "quota_per_agent": 3, "where": {"seniority_below_months": 6}},
        {"stratum": "rest", "quota_per_agent": 2, "where": {"length_from_seconds": 30}},
    ],
    "mandatory": [{"demand_types": ["complaint"]}],
    "risk_weights": [{"factor": 5, "where": {"length_from_seconds": 300}}],
}


async def _calls(qa: ServiceUnderTest, count: int = 40) -> None:
    for number in range(count):
        await qa.receive(
            *recorded_call(
                number,
                agent_id=f"agent-{number % 4}",
                demand_type="complaint" if number % 13 == 0 else "fault_repair",
                seconds=(20, 60, 120, 400)[number // 4 % 4],
                at=BEGIN + timedelta(seconds=number),
            )
        )


async def _drawn(qa: ServiceUnderTest, clock: FixedClock, **overrides) -> tuple[dict, list[dict]]:
    plan = await supervisor(qa).post("/sampling-plans", plan_body(clock.now(), **overrides))
    clock.advance(hours=2)
    plan = await supervisor(qa).post(f"/sampling-plans/{plan['id']}/draw", version=1)
    return plan, (await supervisor(qa).get(f"/sampling-plans/{plan['id']}/frame", limit=200))["items"]


async def test_a_plan_is_published_with_the_hash_of_its_seed_and_not_with_the_seed(
    qa: ServiceUnderTest, clock: FixedClock
) -> None:
    plan = await supervisor(qa).post("/sampling-plans", plan_body(clock.now()))
    (committed,) = await qa.sent()
    assert isinstance(committed.body, SamplingPlanCommitted)
    assert (committed.body.seed_digest, committed.body.plan_digest) == (plan["seed_digest"], plan["plan_digest"])
    (row,) = await qa.rows("select seed from sampling_seeds")
    assert hashlib.sha256(row["seed"]).hexdigest() == plan["seed_digest"]
    shown = (await supervisor(qa).ask("GET", f"/sampling-plans/{plan['id']}")).text
    assert row["seed"].hex() not in shown + committed.data.decode()
    assert plan["drawn"] is None


async def test_the_draw_tells_the_seed_and_every_chance(qa: ServiceUnderTest, clock: FixedClock) -> None:
    await qa.rows("insert into agents values ('agent-0', '2026-02-01'), ('agent-1', '2020-01-01')")
    await _calls(qa)
    plan, frame = await _drawn(qa, clock, **WEIGHTED)
    drawn = plan["drawn"]
    assert hashlib.sha256(bytes.fromhex(drawn["seed"])).hexdigest() == plan["seed_digest"]
    assert (drawn["frame_count"], drawn["mandatory_count"]) == (40, 4)
    assert drawn["sample_count"] == sum(row["is_drawn"] for row in frame)
    strata = {row["stratum"] for row in frame if row["stratum"]}
    assert strata == {"mandatory", "newcomers/agent-0", "rest/agent-1", "rest/agent-2", "rest/agent-3"}
    for stratum in strata:
        members = [row for row in frame if row["stratum"] == stratum]
        chances = sum(Fraction(row["numerator"], row["denominator"]) for row in members)
        assert chances == sum(row["is_drawn"] for row in members)
    uncovered = [row for row in frame if row["stratum"] is None]
    assert len(uncovered) == drawn["uncovered_count"] > 0
    assert all(row["facts"]["length_seconds"] < 30 for row in uncovered)
    found = await supervisor(qa).get(f"/sampling-plans/{plan['id']}/estimates")
    assert (found["frame_count"], found["uncovered_count"]) == (40, len(uncovered))
    assert found["final_score"]["no_interval_because"] == "too_few_evaluated"


async def test_the_draw_publishes_the_sample_with_the_chance_of_each_recording(
    qa: ServiceUnderTest, clock: FixedClock
) -> None:
    await _calls(qa, 12)
    plan, frame = await _drawn(qa, clock)
    messages = await qa.sent()
    (summary,) = [one.body for one in messages if isinstance(one.body, SampleDrawn)]
    assert (summary.sample_count, summary.seed) == (8, plan["drawn"]["seed"])
    sampled = {one.subject: one.body for one in messages if isinstance(one.body, RecordingSampled)}
    rows = {row["facts"]["recording_id"]: row for row in frame if row["is_drawn"]}
    assert {name: (one.numerator, one.denominator) for name, one in sampled.items()} == {
        name: (row["numerator"], row["denominator"]) for name, row in rows.items()
    }


async def test_a_recording_that_becomes_known_after_the_draw_changes_nothing(
    qa: ServiceUnderTest, clock: FixedClock
) -> None:
    await _calls(qa, 12)
    plan, frame = await _drawn(qa, clock)
    await qa.receive(*recorded_call(99))
    again = (await supervisor(qa).get(f"/sampling-plans/{plan['id']}/frame", limit=200))["items"]
    assert again == frame
    assert await supervisor(qa).refused("POST", f"/sampling-plans/{plan['id']}/draw", version=2) == (
        409,
        "sample_already_drawn",
    )


async def test_a_seed_fixed_after_the_period_and_a_draw_within_it_are_refused(
    qa: ServiceUnderTest, clock: FixedClock
) -> None:
    body = plan_body(clock.now())
    plan = await supervisor(qa).post("/sampling-plans", body)
    draw = f"/sampling-plans/{plan['id']}/draw"
    assert await supervisor(qa).refused("POST", draw, version=1) == (409, "period_still_runs")
    clock.advance(hours=1)
    assert await supervisor(qa).refused("POST", "/sampling-plans", body) == (409, "period_has_ended")
    assert await supervisor(qa).refused("POST", draw) == (428, "version_required")
    assert await supervisor(qa).refused("POST", draw, version=7) == (412, "thing_changed")
    assert len(await qa.sent()) == 1


async def test_nothing_is_given_out_of_a_sample_that_is_not_drawn(qa: ServiceUnderTest, clock: FixedClock) -> None:
    plan = await supervisor(qa).post("/sampling-plans", plan_body(clock.now()))
    await supervisor(qa).post("/evaluation-forms/service/versions", YES_NO_FORM)
    body = {"form_id": "service", "day_on": "2026-03-02"}
    assignments = f"/sampling-plans/{plan['id']}/assignments"
    assert await supervisor(qa).refused("POST", assignments, body) == (409, "sample_not_drawn")
    found = await supervisor(qa).get(f"/sampling-plans/{plan['id']}/estimates")
    assert (found["final_score"]["mean"], found["final_score"]["no_interval_because"]) == (None, "not_drawn")


@pytest.mark.parametrize(
    ("overrides", "code"),
    [
        ({"period_end": BEGIN.isoformat()}, "period_inverted"),
        ({"strata": []}, "invalid_request"),
        ({"strata": [{"stratum": "a/b", "quota_per_agent": 1}]}, "invalid_request"),
        ({"strata": [{"stratum": "a", "quota_per_agent": -1}]}, "invalid_request"),
        ({"risk_weights": [{"factor": 0, "where": {}}]}, "invalid_request"),
    ],
)
async def test_a_plan_that_is_not_right_is_refused(
    qa: ServiceUnderTest, clock: FixedClock, overrides: dict, code: str
) -> None:
    refused = await supervisor(qa).refused("POST", "/sampling-plans", plan_body(clock.now(), **overrides))
    assert refused == (422, code)


async def test_only_a_supervisor_of_the_whole_centre_plans_and_draws(qa: ServiceUnderTest, clock: FixedClock) -> None:
    body = plan_body(clock.now())
    for somebody in (Person(qa, "auditor"), Person(qa, "agent"), Person(qa, "operator")):
        assert await somebody.refused("POST", "/sampling-plans", body) == (403, "role_not_allowed")
    narrow = Person(qa, "supervisor", areas=["north"])
    assert await narrow.refused("POST", "/sampling-plans", body) == (403, "areas_not_enough")
    assert await narrow.refused("GET", "/sampling-plans") == (403, "areas_not_enough")


async def test_two_who_draw_at_once_draw_one_sample(qa: ServiceUnderTest, clock: FixedClock) -> None:
    import asyncio

    await _calls(qa, 8)
    plan = await supervisor(qa).post("/sampling-plans", plan_body(clock.now()))
    clock.advance(hours=2)
    path = f"/sampling-plans/{plan['id']}/draw"
    answers = await asyncio.gather(*(supervisor(qa).ask("POST", path, {}, version=1) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409] or sorted(
        answer.status_code for answer in answers
    ) == [200, 412, 412, 412]
    assert len([one for one in await qa.sent() if isinstance(one.body, SampleDrawn)]) == 1
    assert datetime.fromisoformat(plan["committed_at"]) < clock.now()
