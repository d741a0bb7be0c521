"""Sums of days that are made before anybody asks: figures rest on them, and only what has changed is summed again."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from services.reporting.tests.conftest import CallStream
from services.reporting.tests.world import QualityStream

from contracts import calls as c
from contracts import quality as q
from contracts.chain import event_hash
from contracts.events import RejectionReason, WorkOrderRedispatchRequested, WorkOrderRejected
from contracts.lifecycle import Status
from reporting.figures.day_sums_store import forget_older
from reporting.figures.summing import KINDS, sum_some
from reporting.metrics import METRICS
from work_orders.testing import BEGIN

_DAYS = 20


@pytest.fixture
async def centre(reporting, make_call):
    """A call to each of two queues every day for twenty days; reporting has read on beyond them."""
    streams = {
        (day, queue): make_call(f"c-{day}-{queue}", at=BEGIN + timedelta(days=day), wait=10 + day, talk=60, queue=queue)
        for day in range(_DAYS)
        for queue in ("service", "sales")
    }
    later = make_call("later", at=BEGIN + timedelta(days=_DAYS + 10), wait=1)
    await reporting.receive(*(message for one in (*streams.values(), later) for message in one.messages))
    await _sum_all(reporting)
    return streams


async def _sum_all(reporting) -> None:
    for alike in KINDS:
        while await sum_some(reporting.db, alike, now=datetime.now(UTC)):
            pass


async def _rows(reporting, metric, **asked):
    first = BEGIN.date().isoformat()
    last = (BEGIN + timedelta(days=_DAYS)).date().isoformat()
    window = {"from": f"{first}T00:00:00+08:00", "to": f"{last}T00:00:00+08:00", "grain": "day"}
    answer = await reporting.get(f"/figures/{metric}", "supervisor", **{**window, **asked})
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"]


_USUAL = [
    (metric, asked)
    for metric in ("service_level_3", "talk_time", "calls_offered", "speed_of_answer")
    for asked in ({}, {"group_by": "queue"}, {"only": "queue:sales"}, {"grain": "month"}, {"with_buckets": True})
]


async def test_a_usual_figure_is_told_without_a_look_at_the_rows(reporting, centre):
    counted = [(metric, asked, await _rows(reporting, metric, **asked)) for metric, asked in _USUAL]
    assert [(metric, asked) for metric, asked, rows in counted if not rows] == []
    await reporting.rows("truncate legs_a")
    summed = [(metric, asked, await _rows(reporting, metric, **asked)) for metric, asked in _USUAL]
    assert summed == counted


async def test_a_record_of_decades_ago_does_not_have_every_day_since_then_summed(reporting, centre, make_call):
    await reporting.receive(*make_call("old", at=datetime(1971, 1, 1, 12, tzinfo=UTC), wait=7, talk=60).messages)
    await _sum_all(reporting)
    (row,) = await reporting.rows("select count(distinct day) as days, min(day) as first from day_sums")
    assert row["first"] < date(1971, 1, 2)
    assert row["days"] < 3 * _DAYS


async def test_after_a_change_of_the_rules_the_job_sums_by_them_and_sums_of_before_stay_right(reporting, centre):
    asked = {"threshold_seconds": 15}
    by_15, by_20 = await _rows(reporting, "service_level_3", **asked), await _rows(reporting, "service_level_3")
    assert by_15 != by_20
    await reporting.rows("delete from day_sums where shape like '%\"threshold_seconds\":15%'")
    await reporting.rows("update figure_rules set threshold_seconds = 15")
    await _sum_all(reporting)
    await reporting.rows("truncate legs_a")
    assert await _rows(reporting, "service_level_3") == by_15
    assert await _rows(reporting, "service_level_3", threshold_seconds=20) == by_20


async def test_after_a_change_of_the_zone_the_job_sums_the_days_of_the_new_one(reporting, centre):
    window = {
        "from": (BEGIN + timedelta(days=2)).date().isoformat() + "T00:00:00+05:30",
        "to": (BEGIN + timedelta(days=12)).date().isoformat() + "T00:00:00+05:30",
    }
    await reporting.rows("update figure_rules set time_zone = 'Asia/Kolkata'")
    counted = await _rows(reporting, "calls_offered", **window)
    assert sum(row["numerator"] for row in counted) == 20
    await reporting.rows("delete from day_sums where shape like '%Asia/Kolkata%'")
    await _sum_all(reporting)
    await reporting.rows("truncate legs_a")
    assert await _rows(reporting, "calls_offered", **window) == counted


async def test_a_late_fact_has_its_own_days_summed_again_and_no_others(reporting, centre):
    before = await _summed_at(reporting)
    stream = centre[3, "service"]
    answered = next(message for message in stream.messages if isinstance(message.body, c.CallAnswered))
    mended = replace(answered.body, revision=2, wait_milliseconds=99_000)
    stream.add(mended, answered.occurred_at, recorded_at=BEGIN + timedelta(days=_DAYS + 11))
    await reporting.receive(stream.messages[-1])
    await _sum_all(reporting)
    after = await _summed_at(reporting)
    again = {day for day, place in before.items() if after[day] > place}
    day = (BEGIN + timedelta(days=3)).date()
    # In Shanghai a day of UTC lies in that day and the next.
    assert again == {day, day + timedelta(days=1)}
    shown = await _rows(reporting, "speed_of_answer", group_by="queue")
    assert {row["numerator"] for row in shown if row["period"] == day.isoformat()} == {99.0, 13.0}


async def _summed_at(reporting):
    rows = await reporting.rows(
        "select day, max(message_count) as place from day_sums where shape like $1 group by day", '%"speed_of_answer"%'
    )
    return {row["day"]: row["place"] for row in rows}


async def test_what_was_summed_is_not_summed_again_until_something_has_come(reporting, centre):
    assert [await sum_some(reporting.db, alike, now=datetime.now(UTC)) for alike in KINDS] == [False] * len(KINDS)


async def test_a_call_within_seven_days_takes_back_what_was_resolved_at_first_contact(reporting, centre, make_call):
    await reporting.receive(*_settled(make_call, "first", day=3).messages, *_settled(make_call, "other", 4).messages)
    await _sum_all(reporting)
    assert [row["numerator"] for row in await _rows(reporting, "first_contact_resolution")] == [1, 1]
    again = make_call("again", at=BEGIN + timedelta(days=9), wait=1, subscriber_id="first")
    for message in again.messages:
        await reporting.receive(replace(message, recorded_at=BEGIN + timedelta(days=_DAYS + 11)))
    assert [row["numerator"] for row in await _rows(reporting, "first_contact_resolution")] == [0, 1]


def _settled(make_call, subscriber_id, day):
    at = BEGIN + timedelta(days=day)
    stream = make_call(f"of-{subscriber_id}", at=at, wait=1, talk=60, subscriber_id=subscriber_id)
    said = {"fact_id": f"settled-{subscriber_id}", "subscriber_id": subscriber_id}
    stream.add(c.CallSettled(outcome=c.CallOutcome.ANSWERED, **said), at + timedelta(minutes=2))
    return stream


async def test_a_call_without_an_end_fills_days_until_its_end_is_told(reporting, make_call):
    agent, call = CallStream("agent:a-1"), make_call("c-1", at=BEGIN + timedelta(days=1), wait=1, talk=60)
    agent.add(c.AgentStateChanged(fact_id="s-1", agent_id="a-1", state=c.AgentState.READY), BEGIN)
    later = make_call("later", at=BEGIN + timedelta(days=_DAYS + 3), wait=1)
    await reporting.receive(*agent.messages, *call.messages[:-1], *later.messages)
    await _sum_all(reporting)
    first = {"version": 1}
    assert [row["value"] for row in await _rows(reporting, "occupancy", **first)][4:10] == [1.0] * 6
    await reporting.receive(replace(call.messages[-1], recorded_at=BEGIN + timedelta(days=_DAYS + 3)))
    assert [row["value"] for row in await _rows(reporting, "occupancy", **first)][4:10] == [0.0] * 6
    await _sum_all(reporting)
    assert [row["value"] for row in await _rows(reporting, "occupancy", **first)][4:10] == [0.0] * 6


async def test_a_sign_that_is_told_late_changes_the_sums_of_the_day_after_it(reporting, make_call):
    """By a rule of a day: ready from 16:00 (08:00 UTC) on 2 March, so there for 480 minutes of it and 960 of the 3rd.
    Who answers a call of 04:00 on the 6th (20:00 UTC on the 5th) is there until 04:01 on the 7th: for 1,200 minutes of
    the 6th and 241 of the 7th, of which no part lies in the day of UTC on which anything was told."""
    await reporting.rows("update figure_rules set silent_after_seconds = 86400")
    agent, call = CallStream("agent:a-1"), make_call("c-1", at=BEGIN + timedelta(days=3, hours=12), wait=0, talk=60)
    agent.add(c.AgentStateChanged(fact_id="s-1", agent_id="a-1", state=c.AgentState.READY), BEGIN)
    later = make_call("later", at=BEGIN + timedelta(days=_DAYS + 3), wait=1)
    await reporting.receive(*agent.messages, *later.messages)
    await _sum_all(reporting)
    paid = {"2026-03-02": 480, "2026-03-03": 960}
    assert {row["period"]: row["denominator"] / 60 for row in await _rows(reporting, "utilisation")} == paid
    late = {"recorded_at": BEGIN + timedelta(days=_DAYS + 3)}
    # In one batch: a call that goes on changes all days until it is over.
    await reporting.receive(*(replace(message, **late) for message in call.messages))
    paid |= {"2026-03-06": 1200, "2026-03-07": 241}
    for _ in range(2):
        assert {row["period"]: row["denominator"] / 60 for row in await _rows(reporting, "utilisation")} == paid
        await _sum_all(reporting)
    await reporting.rows("truncate legs_a, agent_states_a")
    assert {row["period"]: row["denominator"] / 60 for row in await _rows(reporting, "utilisation")} == paid


async def test_what_is_found_out_days_later_changes_its_own_figures_on_the_day_they_are_of(
    reporting, centre, make_stream
):
    second = make_stream("o-2", Status.DISPATCHED, step=600)
    rejected = _at(second.add(WorkOrderRejected(reason=RejectionReason.OTHER, explanation="?")), day=3)
    await reporting.receive(*make_stream("o-1", Status.COMPLETED, step=600).messages, *second.messages[:-1], rejected)
    await _sum_all(reporting)
    assert [row["numerator"] for row in await _rows(reporting, "follow_up_coverage")] == [0]
    assert [row["numerator"] for row in await _rows(reporting, "first_dispatch_accuracy")] == [2]
    before = await _summed_for(reporting)

    ruled = replace(
        _at(second.add(WorkOrderRedispatchRequested(is_misdispatch_valid=True)), day=_DAYS + 11),
        prev_hash=event_hash(rejected),
    )
    await reporting.receive(ruled, *_answered_questionnaire("o-1", ruled.occurred_at))
    await _sum_all(reporting)
    after = await _summed_for(reporting)
    first = BEGIN.date()
    again = {metric for (metric, day), place in after.items() if day == first and place > before[metric, day]}
    assert again == {"follow_up_coverage", "first_dispatch_accuracy"}
    await reporting.rows("truncate stays_a")
    assert [row["numerator"] for row in await _rows(reporting, "follow_up_coverage")] == [1]
    assert [row["numerator"] for row in await _rows(reporting, "first_dispatch_accuracy")] == [1]


def _at(message, *, day):
    moment = BEGIN + timedelta(days=day)
    return replace(message, occurred_at=moment, recorded_at=moment)


def _answered_questionnaire(order_id, at):
    stream = QualityStream(order_id)
    own = {"follow_up_id": "f-1", "project_id": "p"}
    cause = q.FollowUpCause.COMPLETION
    stream.add(q.FollowUpPlanned(**own, cause=cause, subscriber_no="1", due_by=at, order_ids=(order_id,)), at)
    filled = {"questionnaire_id": "visit", "questionnaire_version": 1, "attempt_count": 1}
    stream.add(q.FollowUpEnded(**own, end=q.FollowUpEnd.COMPLETED, caller_id="a-1", **filled), at)
    return stream.messages


async def _summed_for(reporting):
    """By metric of orders and day, how much had been read when it was summed."""
    rows = await reporting.rows(
        """select shape::json->>1 as metric, day, max(message_count) as place from day_sums
           where shape like '[%' group by 1, 2"""
    )
    of_orders = {metric.id for metric in METRICS if metric.source.table == "stays"}
    return {(row["metric"], row["day"]): row["place"] for row in rows if row["metric"] in of_orders}


async def test_sums_of_a_set_that_is_no_longer_shown_are_deleted_and_those_of_the_present_one_stay(reporting, centre):
    counted = await _rows(reporting, "talk_time")
    await reporting.rows("update stream_state set generation = generation + 1")
    await _sum_all(reporting)
    (sums,) = await reporting.rows("select count(*) as of_both from day_sums")
    while await forget_older(reporting.db):
        pass
    (left,) = await reporting.rows("select count(*) as of_the_present from day_sums")
    assert left["of_the_present"] * 2 == sums["of_both"]
    await reporting.rows("truncate legs_a")
    assert await _rows(reporting, "talk_time") == counted
