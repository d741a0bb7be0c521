"""Agents of whom nothing is heard any more: they count nowhere, in figures and on the wallboard alike."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from services.reporting.tests.conftest import CallStream
from services.reporting.tests.world import NEW_YEAR, world

from contracts import calls as c
from linework.recount import Asked, Recount, differences
from reporting.metrics import METRICS, Grain
from work_orders.testing import BEGIN

HOUR = {"silent_after_seconds": 3600}
READY, PAUSED, OUT = c.AgentState.READY, c.AgentState.PAUSED, c.AgentState.SIGNED_OUT


def _states(agent_id: str, *changes: tuple[float, c.AgentState], begin: datetime = BEGIN) -> list:
    """Changes of state, each so many minutes after the beginning."""
    stream = CallStream(f"agent:{agent_id}")
    for place, (minutes, state) in enumerate(changes):
        fact = c.AgentStateChanged(fact_id=f"{agent_id}:{place}", agent_id=agent_id, state=state, team="day")
        stream.add(fact, begin + timedelta(minutes=minutes))
    return stream.messages


async def _row(reporting, metric, **asked):
    answer = await reporting.get(f"/figures/{metric}", "supervisor", **asked)
    assert answer.status_code == 200, answer.text
    (row,) = answer.json()["rows"]
    return row


def _sums(row) -> tuple:
    return row["numerator"] / 60, row["denominator"] / 60, row.get("marked", 0)


async def test_who_never_signs_out_counts_until_an_hour_after_the_last_sign(reporting, make_call):
    """Ready from 08:00; a call from 08:01 to 08:07. By the rule of an hour they are there until 09:07: 67 minutes
    paid, 6 of them handled and 61 available. Half a year later it is still that, and 09:00 is marked."""
    await reporting.receive(*_states("a-1", (0, READY)), *make_call("c-1", wait=60, talk=300, hold=60).messages)
    row = await _row(reporting, "occupancy", **HOUR)
    assert (_sums(row), row["value"]) == ((6, 67, 1), round(6 / 67, 6))
    assert _sums(await _row(reporting, "utilisation", **HOUR)) == (67, 67, 1)
    answer = await reporting.get("/figures/utilisation", "supervisor", grain="hour", time_zone="UTC", **HOUR)
    hours = {one["period"][11:16]: _sums(one) for one in answer.json()["rows"]}
    assert hours == {"08:00": (60, 60, 0), "09:00": (7, 7, 1)}
    assert (await _row(reporting, "occupancy", version=1))["value"] < 0.001


async def test_the_next_sign_brings_an_agent_back_but_not_the_time_between(reporting, make_call):
    """Ready from 08:00, a call from 12:00 to 12:01: 08:00 to 09:00 and 12:00 to 13:01 count, 121 minutes."""
    call = make_call("c-1", at=BEGIN + timedelta(hours=4), wait=0, talk=60)
    await reporting.receive(*_states("a-1", (0, READY)), *call.messages)
    assert _sums(await _row(reporting, "occupancy", **HOUR)) == (1, 121, 2)


async def test_a_call_that_was_told_whole_is_no_silence_however_long(reporting, make_call):
    """Ready from 08:00, on one call from 08:00 to 11:00 and away from 12:00 on: 240 minutes, 180 of them handled."""
    await reporting.receive(*_states("a-1", (0, READY)), *make_call("c-1", wait=0, talk=3 * 3600).messages)
    assert _sums(await _row(reporting, "occupancy", **HOUR)) == (180, 240, 1)


async def test_a_call_whose_end_nobody_knows_is_no_work_and_its_end_no_sign(reporting, make_call):
    """Answered at 08:30, closed by intake at 20:30: there from 08:00 to 09:30, and nothing of it handled."""
    stream = make_call("c-1", at=BEGIN + timedelta(minutes=30), wait=0, talk=60)
    stream.messages.pop()
    end = c.CallEnded(fact_id="end", agent_id="a-1", reason=c.EndReason.NO_END_REPORTED, hold_milliseconds=0)
    stream.add(end, BEGIN + timedelta(hours=12, minutes=30))
    await reporting.receive(*_states("a-1", (0, READY)), *stream.messages)
    assert _sums(await _row(reporting, "occupancy", **HOUR)) == (0, 90, 1)


async def test_a_phone_that_rings_unanswered_is_no_sign_of_its_agent(reporting):
    stream = CallStream("c-1")
    stream.add(c.CallQueued(fact_id="1"), BEGIN + timedelta(minutes=50))
    stream.add(c.CallRangUnanswered(fact_id="2", agent_id="a-1"), BEGIN + timedelta(minutes=55))
    await reporting.receive(*_states("a-1", (0, READY)), *stream.messages)
    assert _sums(await _row(reporting, "utilisation", **HOUR)) == (60, 60, 1)


@pytest.mark.parametrize(
    ("changes", "sums"),
    [
        # Signed in twice: one hour is one hour.
        ([(0, READY), (30, READY), (60, OUT)], (60, 60, 0)),
        # Exactly as long as the rule is not longer than it.
        ([(0, READY), (60, PAUSED), (120, OUT)], (60, 120, 0)),
        # A minute longer: that minute of the pause is nobody's.
        ([(0, READY), (60, PAUSED), (121, OUT)], (60, 120, 1)),
        # Signed out and silent: nothing is cut.
        ([(0, READY), (10, OUT), (600, READY), (610, OUT)], (20, 20, 0)),
        # Nor is the hour marked in which an hour without a sign is over, when they are signed out.
        ([(0, READY), (10, OUT), (75, READY), (80, OUT)], (15, 15, 0)),
    ],
)
async def test_paid_time_by_hand(reporting, changes, sums):
    await reporting.receive(*_states("a-1", *changes))
    assert _sums(await _row(reporting, "utilisation", **HOUR)) == sums


async def test_who_has_calls_and_no_states_is_paid_for_nothing_that_is_known(reporting, make_call):
    await reporting.receive(*make_call("c-1", wait=1, talk=600).messages)
    row = await _row(reporting, "occupancy")
    assert (row["numerator"], row["denominator"], row["value"]) == (0, 0, None)


async def test_silence_that_goes_on_never_changes_what_was_counted(reporting, make_stream):
    """By whichever later moment it is asked for, the time of the days that are over is the same."""
    streams = world(make_stream, random.Random(3), orders=0, calls=30)
    messages = [message for stream in streams for message in stream.messages]
    await reporting.receive(*messages)
    latest = max(message.recorded_at for message in messages)
    asked = {"to": NEW_YEAR + timedelta(days=30), "group_by": "agent_id", "silent_after_seconds": 1800}
    shown = []
    for later in (timedelta(hours=1), timedelta(days=9), timedelta(days=200)):
        as_of = (latest + later).isoformat()
        answer = await reporting.get("/figures/utilisation", "supervisor", **asked, as_of=as_of)
        shown.append(answer.json()["rows"])
    assert shown[0] == shown[1] == shown[2]
    assert any(row.get("marked") for row in shown[0])


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata", "Asia/Shanghai"])
async def test_hours_of_agents_add_up_to_days_and_months_also_over_a_clock_change(reporting, make_call, zone):
    """Silent over the night in which New York's clocks change, 8 March 2026; 7:00 to 11:00 UTC counts, and no more."""
    begin = datetime(2026, 3, 8, 4, 50, tzinfo=UTC)
    call = make_call("c-1", at=begin + timedelta(hours=5), wait=0, talk=60)
    await reporting.receive(*_states("a-1", (0, READY), begin=begin), *call.messages)
    asked = {"time_zone": zone, "silent_after_seconds": 7200}
    whole = _sums(await _row(reporting, "utilisation", **asked))
    assert whole == (241, 241, 2)
    for grain in Grain:
        answer = await reporting.get("/figures/utilisation", "supervisor", grain=grain.value, **asked)
        sums = [_sums(row) for row in answer.json()["rows"]]
        assert tuple(sum(part) for part in zip(*sums, strict=True)) == pytest.approx(whole)


async def test_whole_days_are_the_same_by_sums_and_by_rows_and_the_recount_agrees(reporting, make_stream):
    """A sign of the evening before reaches over midnight: the day's sum depends on the day before it."""
    streams = world(make_stream, random.Random(8), orders=0, calls=40)
    recount = Recount()
    recount.take(message for stream in streams for message in stream.messages)
    zone = ZoneInfo("Asia/Shanghai")
    begin = datetime(2025, 12, 30, tzinfo=zone)
    asked = [
        Asked(metric=metric.id, version=2, grain=grain, begin=begin, end=begin + timedelta(days=24), parameters=silent)
        for metric in METRICS
        if metric.source.name.startswith("agents' time") and metric.version == 2
        for grain in ("day", "month")
        for silent in ({"silent_after_seconds": 86_400}, HOUR)
    ]
    # The states come first and the calls, which are signs too, one after another: kept sums must not outlive that.
    streams.sort(key=lambda stream: not stream.messages[0].subject.startswith("agent:"))
    for stream in streams:
        await reporting.receive(*stream.messages)
        one = random.Random(stream.messages[0].subject).choice(asked)
        await reporting.get(f"/figures/{one.metric}", "supervisor", **one.query)
    for one in asked:
        shown = (await reporting.get(f"/figures/{one.metric}", "supervisor", **one.query)).json()
        assert differences(one, shown["rows"], recount.rows(one, shown)) == []


async def _board(reporting) -> tuple[dict, int]:
    calls = (await reporting.get("/wallboard", "supervisor")).json()["calls"]
    return calls["agents"], calls["silent_agents"]


async def test_the_wallboard_counts_nobody_who_is_silent_by_the_same_rule(reporting, make_call):
    now = datetime.now(UTC)
    await reporting.receive(
        *_states("a-1", (-300, READY), begin=now),
        *_states("a-2", (-10, PAUSED), begin=now),
        # Signed in three days ago and never out, and their latest call ended a few minutes ago.
        *_states("a-3", (-3 * 1440, READY), begin=now),
        *make_call("c-1", at=now - timedelta(minutes=9), wait=1, talk=60, agent_id="a-3").messages,
        # Gone five hours ago: a silence of theirs is none.
        *_states("a-4", (-400, READY), (-300, OUT), begin=now),
    )
    assert await _board(reporting) == ({"ready": 1, "paused": 1}, 1)
    await reporting.rows("update figure_rules set silent_after_seconds = 21600")
    assert await _board(reporting) == ({"ready": 2, "paused": 1}, 0)
    await reporting.rows("update figure_rules set silent_after_seconds = 300")
    assert await _board(reporting) == ({}, 3)


async def test_a_state_ahead_of_the_clock_is_not_yet_one(reporting):
    now = datetime.now(UTC)
    await reporting.receive(*_states("a-1", (-10, READY), (30, PAUSED), begin=now))
    assert await _board(reporting) == ({"ready": 1}, 0)
    row = await _row(reporting, "utilisation")
    assert 600 <= row["denominator"] < 660
    assert row["numerator"] == row["denominator"]


async def test_who_talks_and_was_never_signed_in_is_on_a_call_until_the_rule_is_over(reporting, make_call):
    now = datetime.now(UTC)
    for call_id, minutes in (("c-1", 10), ("c-2", 300)):
        talking = make_call(call_id, at=now - timedelta(minutes=minutes), wait=1, talk=1, agent_id=f"of-{call_id}")
        await reporting.receive(*talking.messages[:-1])
    assert await _board(reporting) == ({"on_call": 1}, 0)
