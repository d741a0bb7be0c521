"""Two at once, in what has more than one row: nothing is given out twice, and nobody waits in a circle."""

import asyncio
from datetime import timedelta

from services.qa.tests.centre import GOOD, YES_NO_FORM, auditor, plan_body, recorded_call, supervisor
from services.qa.tests.component.test_follow_up import _active, _project, completed, same_outage

from chassis.parking import RawRecord
from chassis.subscribe import Consumer
from chassis.testing import FixedClock
from contracts.codec import encode
from contracts.quality import RecordingEvaluated
from contracts.topics import WORK_ORDERS
from work_orders.testing import BEGIN, ServiceUnderTest

ROUNDS = range(6)


async def _sample(qa: ServiceUnderTest, clock: FixedClock, calls: int, **overrides) -> str:
    for number in range(calls):
        await qa.receive(*recorded_call(number, at=BEGIN + timedelta(seconds=number)))
    strata = [{"stratum": "all", "quota_per_agent": 500}]
    plan = await supervisor(qa).post("/sampling-plans", plan_body(clock.now(), strata=strata, **overrides))
    clock.advance(hours=2)
    await supervisor(qa).post(f"/sampling-plans/{plan['id']}/draw", version=1)
    await supervisor(qa).post("/evaluation-forms/service/versions", YES_NO_FORM)
    return plan["id"]


async def test_those_who_give_out_at_once_pass_nobodys_capacity(qa: ServiceUnderTest, clock: FixedClock) -> None:
    plan_id = await _sample(qa, clock, 12)
    await supervisor(qa).put("/auditors/auditor-1", {"daily_capacity": 5})
    body = {"form_id": "service", "day_on": "2026-03-02"}
    given = await asyncio.gather(
        *(supervisor(qa).post(f"/sampling-plans/{plan_id}/assignments", body) for _ in range(4))
    )
    assert sorted(one["assigned_count"] for one in given) == [0, 0, 0, 5]
    (row,) = await qa.rows("select count(*) as count, count(distinct recording_id) as apart from evaluations")
    assert (row["count"], row["apart"]) == (5, 5)


async def test_two_blind_auditors_who_hand_in_at_once_settle_it_once(qa: ServiceUnderTest, clock: FixedClock) -> None:
    plan_id = await _sample(qa, clock, len(ROUNDS), double_blind_every=1)
    for sub in ("auditor-1", "auditor-2"):
        await supervisor(qa).put(f"/auditors/{sub}", {"daily_capacity": 50})
    await supervisor(qa).post(f"/sampling-plans/{plan_id}/assignments", {"form_id": "service", "day_on": "2026-03-02"})
    work = (await supervisor(qa).get("/evaluations", state="assigned"))["items"]
    answers = await asyncio.gather(
        *(
            auditor(qa, one["auditor_id"]).ask("POST", f"/evaluations/{one['id']}/submit", {"answers": GOOD}, version=1)
            for one in work
        )
    )
    assert {answer.status_code for answer in answers} == {200}
    reviews = (await supervisor(qa).get("/reviews"))["items"]
    assert {review["state"] for review in reviews} == {"settled"}
    told = [one.body for one in await qa.sent() if isinstance(one.body, RecordingEvaluated)]
    standing = [one.evaluation_id for one in told if one.is_settled]
    assert sorted(standing) == sorted(review["standing_evaluation_id"] for review in reviews)


async def test_two_workers_plan_one_call_for_one_outage(qa: ServiceUnderTest) -> None:
    await _project(qa)
    for number in range(8):
        await qa.receive(same_outage(f"o-{number}"))
    (subscription,) = [one for one in qa.subscriptions if one.topic is WORK_ORDERS]

    async def worker(partition: int) -> None:
        consumer = Consumer(subscription, service="qa", db=qa.db)
        for number in range(partition, 8, 2):
            messages = completed(f"o-{number}", subscriber_no=str(number)).messages
            records = [
                RawRecord(WORK_ORDERS.name, partition, 1_000 + place, *encode(one)[:2], tuple(encode(one)[2]))
                for place, one in enumerate(messages)
            ]
            await consumer.apply(records)

    await asyncio.gather(worker(0), worker(1))
    (one,) = await _active(qa)
    assert sorted(one["order_ids"]) == [f"o-{number}" for number in range(8)]
