"""Figures of calls over HTTP: the users' worked examples, what is not known, late facts, and the events behind."""

from dataclasses import replace
from datetime import timedelta

from services.reporting.tests.conftest import CallStream

from contracts import calls as c
from contracts.lifecycle import Status
from work_orders.testing import BEGIN


async def _calls(reporting, make_call, **counts):
    """So many calls of each kind, from the hour of 08:00 UTC on, one every second."""
    kinds = {
        "in_time": {"wait": 20, "talk": 60},
        "late": {"wait": 20.001, "talk": 60},
        "short": {"wait": 5},
        "abandoned_in_time": {"wait": 20},
        "abandoned": {"wait": 45},
    }
    told = [kind for name, count in counts.items() for kind in [kinds[name]] * count]
    streams = [make_call(f"c-{place}", at=BEGIN + timedelta(seconds=place), **kind) for place, kind in enumerate(told)]
    messages = [message for stream in streams for message in stream.messages]
    for start in range(0, len(messages), 500):
        await reporting.receive(*messages[start : start + 500])


async def _value(reporting, metric, role="supervisor", **asked):
    answer = await reporting.get(f"/figures/{metric}", role, **asked)
    assert answer.status_code == 200, answer.text
    (row,) = answer.json()["rows"]
    return row["value"]


async def test_the_users_worked_example_to_the_digit(reporting, make_call):
    await _calls(reporting, make_call, in_time=410, late=50, short=10, abandoned=40)
    counts = {
        name: await _value(reporting, name)
        for name in ("calls_offered", "calls_answered", "calls_abandoned", "short_abandons")
    }
    assert list(counts.values()) == [510, 460, 50, 10]
    shares = [await _value(reporting, name) for name in ("connect_rate", "service_level_3", "abandonment_rate")]
    assert [f"{share:.1%}" for share in shares] == ["90.2%", "80.4%", "7.8%"]
    (row,) = (await reporting.get("/figures/abandonment_rate", "supervisor")).json()["rows"]
    assert (row["numerator"], row["denominator"]) == (40, 510)


async def test_the_five_service_levels_of_the_second_example(reporting, make_call):
    await _calls(reporting, make_call, in_time=780, late=120, short=30, abandoned_in_time=25, abandoned=45)
    shares = [await _value(reporting, f"service_level_{number}") for number in range(1, 6)]
    assert [f"{share:.1%}" for share in shares] == ["83.5%", "86.7%", "78.0%", "82.5%", "80.4%"]


async def test_a_threshold_can_be_asked_for_and_is_told(reporting, make_call):
    await _calls(reporting, make_call, in_time=3, late=1)
    answer = (await reporting.get("/figures/service_level_3", "supervisor", threshold_seconds=21)).json()
    assert (answer["parameters"], answer["rows"][0]["value"]) == ({"threshold_seconds": 21}, 1.0)
    refused = await reporting.get("/figures/service_level_3", "supervisor", short_seconds=5)
    assert (refused.status_code, refused.json()["code"]) == (422, "parameter_not_of_metric")


async def test_handle_time_is_talk_and_hold_and_after_call_work(reporting, make_call):
    await reporting.receive(
        *make_call("c-1", wait=4, talk=90, hold=10, work=20).messages,
        *make_call("c-2", wait=8, talk=60, queue="sales").messages,
    )
    assert await _value(reporting, "handle_time") == 90
    assert await _value(reporting, "speed_of_answer") == 6
    rows = (await reporting.get("/figures/handle_time", "supervisor", group_by="queue")).json()["rows"]
    assert [(row["queue"], row["numerator"], row["denominator"]) for row in rows] == [
        ("sales", 60.0, 1),
        ("service", 120.0, 1),
    ]


async def test_what_is_not_known_counts_nowhere_and_is_told(reporting, make_call):
    stream = make_call("c-1", wait=4, talk=90)
    silent = CallStream("c-2")
    silent.add(c.CallOffered(fact_id="1"), BEGIN)
    silent.add(c.CallAnswered(fact_id="2", agent_id="a-1"), BEGIN + timedelta(seconds=9))
    silent.add(c.CallEnded(fact_id="3", agent_id="a-1", reason=c.EndReason.SWITCH_STOPPED), BEGIN + timedelta(hours=1))
    await reporting.receive(*stream.messages, *silent.messages)
    for metric, value in (("speed_of_answer", 4), ("talk_time", 90), ("service_level_2", 1)):
        (row,) = (await reporting.get(f"/figures/{metric}", "supervisor")).json()["rows"]
        assert (row["value"], row["denominator"], row["unknown"]) == (value, 1, 1)
    assert await _value(reporting, "calls_answered") == 2


async def test_an_empty_hour_has_no_service_level_instead_of_a_nought(reporting):
    assert await _value(reporting, "service_level_3") is None
    assert await _value(reporting, "calls_offered") == 0


async def test_a_late_fact_corrects_the_hour_it_belongs_to_and_the_correction_is_seen(reporting, make_call):
    stream = make_call("c-1", at=BEGIN + timedelta(minutes=10), wait=30)
    answered = stream.messages.pop()
    await reporting.receive(*make_call("c-0", wait=4, talk=90).messages, *stream.messages)
    asked = {"from": BEGIN.isoformat(), "to": (BEGIN + timedelta(hours=1)).isoformat()}
    assert await _value(reporting, "connect_rate", **asked) == 0.5
    said = {"fact_id": "late", "queue": "service", "agent_id": "a-2", "wait_milliseconds": 30_000}
    stream.add(c.CallAnswered(**said), answered.occurred_at, recorded_at=BEGIN + timedelta(hours=5))
    await reporting.receive(*stream.messages)
    assert await _value(reporting, "connect_rate", **asked) == 1.0
    answer = (await reporting.get("/figures/connect_rate/corrections", "supervisor", **asked)).json()
    (correction,) = answer["items"]
    assert correction["subject"] == "c-1"
    assert (correction["hour"], correction["corrected_at"]) == ("2026-03-02T08:00:00Z", "2026-03-02T13:00:00Z")
    assert (correction["before"]["value"], correction["after"]["value"]) == (0.5, 1.0)
    assert await _value(reporting, "connect_rate", **asked, as_of=(BEGIN + timedelta(hours=4)).isoformat()) == 0.5


async def test_a_later_revision_replaces_a_fact_whatever_comes_twice(reporting, make_call):
    stream = make_call("c-1", wait=30)
    wrong = stream.messages[-1]
    mended = stream.add(replace(wrong.body, revision=2, wait_milliseconds=3000), wrong.occurred_at)
    await reporting.receive(*stream.messages, *stream.messages)
    assert await _value(reporting, "short_abandons") == 1
    assert await _value(reporting, "calls_abandoned") == 1
    await reporting.receive(mended)
    assert await _value(reporting, "short_abandons") == 1


async def test_a_gap_in_a_calls_stream_parks_it(reporting, make_call):
    stream = make_call("c-1", wait=30)
    await reporting.receive(stream.messages[0], stream.messages[2])
    (row,) = await reporting.rows("select reason from parked")
    assert row["reason"] == "a gap: version 3 came after version 1"


async def test_a_call_that_is_transferred_is_received_once_and_offered_twice(reporting):
    stream = CallStream("c-1")
    told = [
        c.CallOffered(fact_id="0"),
        c.CallQueued(fact_id="1", queue="service"),
        c.CallAnswered(fact_id="2", queue="service", agent_id="a-1", wait_milliseconds=1000),
        c.CallTransferred(fact_id="3", queue="service", agent_id="a-1", talk_milliseconds=5000),
        c.CallQueued(fact_id="4", leg=2, queue="billing"),
        c.CallAbandoned(fact_id="5", leg=2, queue="billing", wait_milliseconds=9000),
    ]
    for place, fact in enumerate(told):
        stream.add(fact, BEGIN + timedelta(seconds=place))
    await reporting.receive(*stream.messages)
    assert await _value(reporting, "calls_received") == 1
    assert await _value(reporting, "calls_offered") == 2
    rows = (await reporting.get("/figures/connect_rate", "supervisor", group_by="queue")).json()["rows"]
    assert [(row["queue"], row["value"]) for row in rows] == [("billing", 0.0), ("service", 1.0)]


async def test_occupancy_and_utilisation_of_an_hour_with_a_pause(reporting, make_call):
    """08:00 to 09:00: 30 minutes ready of which 6 on calls, 20 paused, 10 in after-call work; then signed out."""
    agent = CallStream("agent:a-1")
    changes = [(0, c.AgentState.READY), (30, c.AgentState.PAUSED), (50, c.AgentState.AFTER_CALL_WORK)]
    for minutes, state in [*changes, (60, c.AgentState.SIGNED_OUT)]:
        fact = c.AgentStateChanged(fact_id=f"s-{minutes}", agent_id="a-1", state=state, team="day")
        agent.add(fact, BEGIN + timedelta(minutes=minutes))
    await reporting.receive(*agent.messages, *make_call("c-1", wait=60, talk=300, hold=60).messages)
    row = (await reporting.get("/figures/occupancy", "supervisor", group_by="agent_id")).json()["rows"][0]
    assert (row["numerator"], row["denominator"], row["value"]) == (16 * 60.0, 40 * 60.0, 0.4)
    row = (await reporting.get("/figures/utilisation", "supervisor", grain="hour")).json()["rows"][0]
    assert (row["period"], row["value"]) == ("2026-03-02T16:00:00+08:00", round(40 / 60, 6))
    behind = (await reporting.get("/figures/occupancy/events", "supervisor")).json()["items"]
    assert [(item["subject"], item["numerator"], len(item["events"])) for item in behind] == [("a-1", 960.0, 4)]


async def test_from_a_figure_down_to_its_events_page_by_page(reporting, make_call):
    streams = [make_call(f"c-{number}", at=BEGIN + timedelta(minutes=number), wait=30) for number in range(5)]
    await reporting.receive(*(message for stream in streams for message in stream.messages))
    seen, cursor = [], None
    while True:
        asked = {"limit": 2, "only": "queue:service"} | ({"cursor": cursor} if cursor else {})
        page = (await reporting.get("/figures/calls_abandoned/events", "supervisor", **asked)).json()
        seen += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [item["subject"] for item in seen] == [f"c-{number}" for number in range(5)]
    types = [event["type"] for event in seen[0]["events"]]
    assert types == [f"linework.call.{name}.v1" for name in ("offered", "queued", "abandoned")]
    assert seen[0]["events"][0]["id"] == streams[0].messages[0].id
    broken = await reporting.get("/figures/calls_abandoned/events", "supervisor", cursor="bm8")
    assert (broken.status_code, broken.json()["code"]) == (422, "cursor_broken")


async def test_the_events_behind_a_time_of_orders_began_and_ended_it(reporting, make_stream):
    await reporting.receive(*make_stream("o-2", Status.COMPLETED, step=600).messages)
    page = (await reporting.get("/figures/handling_time/events", "supervisor")).json()
    (item,) = page["items"]
    assert [event["version"] for event in item["events"]] == [3, 4]
    assert (item["subject"], item["numerator"], item["dimensions"]["work_area_id"]) == ("o-2", 600.0, "north")


async def test_figures_of_calls_are_for_those_who_run_the_centre(reporting):
    assert (await reporting.get("/figures/service_level_3", "agent")).status_code == 403
    scoped = await reporting.get("/figures/service_level_3", "supervisor", ["N"])
    assert (scoped.status_code, scoped.json()["code"]) == (403, "metric_without_areas")


async def test_a_time_that_cannot_be_is_counted_as_zero_but_never_silently(reporting, make_call):
    lied = make_call("c-1", wait=0)
    lied.messages.pop()
    answered = c.CallAnswered(
        fact_id="c-1:lie", queue="service", agent_id="a-1", wait_milliseconds=0, faults=("negative_time",)
    )
    lied.add(answered, BEGIN)
    await reporting.receive(*lied.messages, *make_call("c-2", wait=8, talk=60).messages)
    (row,) = (await reporting.get("/figures/speed_of_answer", "supervisor")).json()["rows"]
    assert (row["value"], row["denominator"], row["marked"]) == (4.0, 2, 1)
    items = (await reporting.get("/figures/speed_of_answer/events", "supervisor")).json()["items"]
    told = {item["subject"]: [one["faults"] for one in item["events"] if "faults" in one] for item in items}
    assert told == {"c-1": [["negative_time"]], "c-2": []}
    days = {"from": "2026-02-20T00:00:00+08:00", "to": "2026-03-20T00:00:00+08:00", "grain": "month"}
    (march,) = (await reporting.get("/figures/calls_offered", "supervisor", **days)).json()["rows"]
    assert march["marked"] == 1
