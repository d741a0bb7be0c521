"""Whose a call is, how long it was handled, and what rang and was not answered: the second versions, by hand."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from services.reporting.tests import rebuild_steps
from services.reporting.tests.conftest import CallStream
from services.reporting.tests.world import NEW_YEAR, world

from contracts import calls as c
from reporting.metrics import METRICS, REGISTRY, Dimension, Grain, MetricKind
from work_orders.testing import BEGIN

TIMES = ("talk_time", "hold_time", "after_call_work", "handle_time")


def _call(call_id: str, *told: tuple[float, c.Fact]) -> list:
    """Facts, each so many seconds after the beginning."""
    stream = CallStream(call_id)
    for seconds, fact in told:
        stream.add(fact, BEGIN + timedelta(seconds=seconds))
    return stream.messages


def _rang(call_id: str, *rings: tuple[str, int | None], answered: tuple[str, int | None] | None = None) -> list:
    """A queued call that rang at agents for so many milliseconds, and was then answered, or given up."""
    told: list = [(0, c.CallQueued(fact_id="q", queue="service"))]
    for place, (agent_id, length) in enumerate(rings):
        told.append((20, c.CallRangUnanswered(fact_id=f"r{place}", agent_id=agent_id, ring_milliseconds=length)))
    if answered:
        told.append((60, c.CallAnswered(fact_id="a", agent_id=answered[0], ring_milliseconds=answered[1])))
    else:
        told.append((60, c.CallAbandoned(fact_id="a", wait_milliseconds=60_000)))
    return _call(call_id, *told)


async def _rows(reporting, metric, **asked) -> list:
    answer = await reporting.get(f"/figures/{metric}", "supervisor", **asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"]


async def _by_agent(reporting, metric, **asked) -> dict:
    rows = await _rows(reporting, metric, group_by="agent_id", **asked)
    return {row["agent_id"]: (row["numerator"], row["denominator"], row.get("unknown", 0)) for row in rows}


async def test_a_call_that_nobody_answered_belongs_to_no_agent(reporting, make_call):
    """It rang at a-1, who did not answer, and the caller gave up; a-2 answered another. Before, a-1 had lost a call."""
    await reporting.receive(*_rang("c-1", ("a-1", 20_000)), *make_call("c-2", wait=9, talk=60, agent_id="a-2").messages)
    assert await _by_agent(reporting, "calls_offered") == {"a-2": (1, None, 0), None: (1, None, 0)}
    assert await _by_agent(reporting, "abandonment_rate") == {"a-2": (0, 1, 0), None: (1, 1, 0)}
    assert await _by_agent(reporting, "calls_offered", version=1) == {"a-1": (1, None, 0), "a-2": (1, None, 0)}
    (only,) = await _rows(reporting, "connect_rate", only="agent_id:a-2")
    assert (only["numerator"], only["denominator"]) == (1, 1)
    items = (await reporting.get("/figures/calls_abandoned/events", "supervisor")).json()["items"]
    assert [(one["subject"], one["dimensions"]["agent_id"]) for one in items] == [("c-1", None)]


async def test_what_rang_for_three_rings_and_was_not_answered_is_a_figure_of_its_agent(reporting):
    """15 seconds are three rings. a-1 let two calls ring so long or longer and answered one in 15 s, one in 15.001 s:
    1 of 4 answered within three rings. a-2 was called for 14.999 s, which says nothing, and once nobody told."""
    await reporting.receive(
        *_rang("c-1", ("a-1", 15_000), ("a-2", 14_999)),
        *_rang("c-2", ("a-1", 40_000), ("a-2", None), answered=("a-1", 15_000)),
        *_rang("c-3", answered=("a-1", 15_001)),
        *_rang("c-4", answered=("a-3", None)),
    )
    assert await _by_agent(reporting, "rang_not_answered") == {"a-1": (2, None, 0), "a-2": (0, None, 1)}
    within = {"a-1": (1, 4, 0), "a-2": (0, 0, 1), "a-3": (0, 0, 1)}
    assert await _by_agent(reporting, "answered_in_three_rings") == within
    longer = {"three_rings_seconds": 16}
    assert await _by_agent(reporting, "rang_not_answered", **longer) == {"a-1": (1, None, 0), "a-2": (0, None, 1)}
    assert (await _by_agent(reporting, "answered_in_three_rings", **longer))["a-1"] == (2, 3, 0)
    (row,) = await _rows(reporting, "rang_not_answered")
    assert (row["value"], row["unknown"]) == (2, 1)
    items = (await reporting.get("/figures/rang_not_answered/events", "supervisor", limit=1)).json()
    rest = await reporting.get("/figures/rang_not_answered/events", "supervisor", cursor=items["next_cursor"])
    assert [one["subject"] for one in (*items["items"], *rest.json()["items"])] == ["c-1", "c-2", "c-2"]


async def test_a_ring_that_is_corrected_is_counted_once(reporting):
    messages = _rang("c-1", ("a-1", 20_000))
    mended = CallStream("c-1", list(messages))
    said = c.CallRangUnanswered(fact_id="r0", revision=2, agent_id="a-2", ring_milliseconds=20_000)
    mended.add(said, BEGIN + timedelta(seconds=20), recorded_at=BEGIN + timedelta(hours=5))
    await reporting.receive(*messages)
    await reporting.receive(*mended.messages)
    assert await _by_agent(reporting, "rang_not_answered") == {"a-2": (1, None, 0)}
    as_of = (BEGIN + timedelta(hours=1)).isoformat()
    assert await _by_agent(reporting, "rang_not_answered", as_of=as_of) == {"a-1": (1, None, 0)}
    (late,) = (await reporting.get("/figures/rang_not_answered/corrections", "supervisor")).json()["items"]
    assert (late["subject"], late["before"]["value"], late["after"]["value"]) == ("c-1", 1, 1)


def _talked(call_id: str, seconds: float, end: c.Fact, **said) -> list:
    """Answered at once, and over after so many seconds."""
    answered = c.CallAnswered(fact_id="a", agent_id="a-1", wait_milliseconds=0, **said)
    return _call(call_id, (0, c.CallOffered(fact_id="o", **said)), (0, answered), (seconds, end))


async def test_a_hold_that_no_switch_told_is_unknown_and_the_handle_time_is_not(reporting):
    """c-1: 80 s of talk and 20 s of hold. c-2: its switch tells 90 s and no hold, over 120 s after the answer. The one
    hold that is known is 20 s. Handled: 80 + 20 = 100 s, and from the answer to the end 120 s; mean 110 s."""
    told = {"talk_milliseconds": 80_000, "hold_milliseconds": 20_000}
    await reporting.receive(
        *_talked("c-1", 100, c.CallEnded(fact_id="e", agent_id="a-1", **told)),
        *_talked("c-2", 120, c.CallEnded(fact_id="e", agent_id="a-1", talk_milliseconds=90_000)),
    )
    found = {name: (await _rows(reporting, name))[0] for name in ("hold_time", "talk_time", "handle_time")}
    assert {name: (row["value"], row["denominator"], row.get("unknown", 0)) for name, row in found.items()} == {
        "hold_time": (20.0, 1, 1),
        "talk_time": (85.0, 2, 0),
        "handle_time": (110.0, 2, 0),
    }
    (before,) = await _rows(reporting, "handle_time", version=1)
    assert before["value"] == 95.0


@pytest.mark.parametrize("reason", [c.EndReason.SWITCH_STOPPED, c.EndReason.NO_END_REPORTED])
async def test_a_leg_whose_end_nobody_knows_is_in_no_denominator(reporting, reason):
    """One call of 60 s, and one whose switch died: intake closed it a day later, with a hold of nought and 86,400 s
    of after-call work that nobody did."""
    cut_off = c.CallEnded(fact_id="e", agent_id="a-1", reason=reason, hold_milliseconds=0)
    lost = CallStream("c-2", _talked("c-2", 86_400, cut_off))
    work = c.AfterCallWorkEnded(fact_id="w", agent_id="a-1", work_milliseconds=86_400_000)
    lost.add(work, BEGIN + timedelta(seconds=86_400))
    told = {"talk_milliseconds": 60_000, "hold_milliseconds": 0}
    await reporting.receive(*_talked("c-1", 60, c.CallEnded(fact_id="e", agent_id="a-1", **told)), *lost.messages)
    for name, expected in (("talk_time", 60.0), ("hold_time", 0.0), ("handle_time", 60.0), ("after_call_work", None)):
        (row,) = await _rows(reporting, name)
        assert (row["value"], row["denominator"], row["unknown"]) == (expected, int(expected is not None), 1)


async def test_outbound_calls_are_in_no_figure_of_inbound_ones(reporting, make_call):
    """An answered inbound call of 60 s with 10 s of hold and 20 s of work; an outbound one of 600, 100 and 200."""
    out = {"direction": c.Direction.OUTBOUND, "agent_id": "a-2"}
    await reporting.receive(
        *make_call("c-1", wait=1, talk=60, hold=10, work=20).messages,
        *make_call("c-2", wait=1, talk=600, hold=100, work=200, **out).messages,
        *make_call("c-3", wait=30, **out).messages,
    )
    inbound = [(await _rows(reporting, name))[0]["value"] for name in TIMES]
    outbound = [(await _rows(reporting, f"outbound_{name}"))[0]["value"] for name in TIMES]
    assert (inbound, outbound) == ([60.0, 10.0, 20.0, 90.0], [600.0, 100.0, 200.0, 900.0])
    assert (await _rows(reporting, "handle_time", version=1))[0]["value"] == 495.0
    # Who dialled in vain has dialled all the same.
    assert await _by_agent(reporting, "calls_made") == {"a-2": (2, None, 0)}


async def test_a_centre_that_only_dials_has_nothing_in_any_inbound_figure(reporting, make_stream):
    chance = random.Random(2)
    for stream in world(make_stream, chance, orders=0, calls=30):
        outbound = CallStream(getattr(stream, "subject", ""))
        for one in stream.messages:
            if isinstance(one.body, c.Fact):
                dialled = replace(one.body, direction=c.Direction.OUTBOUND)
                outbound.add(dialled, one.occurred_at, recorded_at=one.recorded_at)
        await reporting.receive(*outbound.messages)
    for name in (*TIMES, "rang_not_answered", "answered_in_three_rings", "connect_rate", "service_level_3"):
        (row,) = await _rows(reporting, name)
        assert (row["numerator"], row["denominator"] or 0, row.get("unknown", 0)) == (0, 0, 0)
    assert (await _rows(reporting, "outbound_handle_time"))[0]["denominator"] > 0


async def test_hours_add_up_to_days_months_and_years_of_every_newest_metric_of_calls(reporting, make_stream):
    streams = world(make_stream, random.Random(6), orders=0, calls=60)
    await reporting.receive(*(message for stream in streams for message in stream.messages))
    of_calls = [versions[-1] for versions in REGISTRY.values() if Dimension.DIRECTION in versions[-1].dimensions]
    assert len(of_calls) > 25
    window = {"from": (NEW_YEAR - timedelta(days=3)).isoformat(), "to": (NEW_YEAR + timedelta(days=40)).isoformat()}
    for metric in of_calls:
        (whole,) = await _rows(reporting, metric.id, **window)
        for grain in (Grain.HOUR, Grain.DAY, Grain.MONTH):
            rows = await _rows(reporting, metric.id, grain=grain.value, **window)
            for name in ("numerator", "denominator", "unknown", "marked"):
                added = sum(row.get(name) or 0 for row in rows)
                assert added == pytest.approx(whole.get(name) or 0, abs=1e-5), (metric.id, grain, name)


async def test_a_rebuild_gives_the_same_legs_and_rings_as_they_came_in(reporting, make_stream):
    chance = random.Random(4)
    messages = [one for stream in world(make_stream, chance, orders=3, calls=60) for one in stream.messages]
    while messages:
        size = chance.randint(1, 40)
        await reporting.receive(*messages[:size])
        messages = messages[size:]
    asked = await rebuild_steps.request(reporting)
    await rebuild_steps.finish(reporting)
    row = await rebuild_steps.get(reporting, asked["id"])
    assert (row["state"], row["difference_count"]) == ("ready", 0)
    assert await reporting.rows("select count(*) as n from rings_a where ring_us > 0") != [(0,)]


def test_no_published_version_was_changed_and_every_metric_of_calls_has_a_newer_one():
    assert {metric.kind for metric in METRICS if metric.id == "rang_not_answered"} == {MetricKind.COUNT}
    for metric in METRICS:
        if Dimension.DIRECTION in metric.dimensions and metric.version == 1 and len(REGISTRY[metric.id]) > 1:
            newer = REGISTRY[metric.id][-1]
            assert newer.source.column(Dimension.AGENT) == "handler_id"
            assert metric.source.column(Dimension.AGENT) == "agent_id"
