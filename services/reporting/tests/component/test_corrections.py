"""What late facts have changed: once each, in the hour of the zone that is asked for, of agents' time too."""

from datetime import timedelta

import pytest
from services.reporting.tests.conftest import CallStream

from contracts import calls as c
from work_orders.testing import BEGIN

LATE = BEGIN + timedelta(hours=5)


async def _corrections(reporting, metric, **asked):
    answer = await reporting.get(f"/figures/{metric}/corrections", "supervisor", **asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _recorded_late(call):
    """The call with all its facts told at one late moment."""
    late = CallStream(call.subject)
    for message in call.messages:
        late.add(message.body, message.occurred_at, recorded_at=LATE)
    return late


@pytest.fixture
async def two_late(reporting, make_call):
    """A usual call, and two of the next hours that were told five hours later, each all at once."""
    await reporting.receive(*make_call("c-0", wait=4, talk=60).messages)
    for number in (1, 2):
        call = make_call(f"c-{number}", at=BEGIN + timedelta(hours=number, minutes=5), wait=4, talk=60)
        await reporting.receive(*_recorded_late(call).messages)
    return reporting


async def test_facts_that_were_told_together_are_one_correction(two_late):
    found = await _corrections(two_late, "calls_offered")
    assert [one["subject"] for one in found["items"]] == ["c-2", "c-1"]
    assert [(one["before"]["value"], one["after"]["value"]) for one in found["items"]] == [(0, 1), (0, 1)]
    seen, cursor = [], None
    while True:
        page = await _corrections(two_late, "calls_offered", limit=1, **({"cursor": cursor} if cursor else {}))
        seen += [one["subject"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ["c-2", "c-1"]


async def test_the_hour_of_a_correction_is_one_of_the_zone_that_is_asked_for(two_late):
    zone = {"time_zone": "Asia/Kathmandu"}
    found = await _corrections(two_late, "calls_offered", **zone)
    # Five past nine and five past ten, where hours begin a quarter past those of UTC.
    hours = [one["hour"] for one in found["items"]]
    assert hours == ["2026-03-02T09:15:00Z", "2026-03-02T08:15:00Z"]
    figure = (await two_late.get("/figures/calls_offered", "supervisor", grain="hour", **zone)).json()
    assert {row["period"] for row in figure["rows"]} >= {"2026-03-02T15:00:00+05:45", "2026-03-02T14:00:00+05:45"}


async def test_what_was_told_late_says_so_among_what_a_figure_counts(two_late):
    behind = (await two_late.get("/figures/calls_offered/events", "supervisor")).json()["items"]
    assert [(one["subject"], one["is_late"]) for one in behind] == [("c-0", False), ("c-1", True), ("c-2", True)]
    before = {"as_of": (LATE - timedelta(seconds=1)).isoformat()}
    behind = (await two_late.get("/figures/calls_offered/events", "supervisor", **before)).json()["items"]
    assert [(one["subject"], one["is_late"]) for one in behind] == [("c-0", False)]


async def test_a_state_of_an_agent_that_was_told_late_corrects_their_time(reporting):
    stream = CallStream("agent:a-1")

    def says(state, minutes, **recorded):
        fact = c.AgentStateChanged(fact_id=f"s-{minutes}", agent_id="a-1", state=state, team="day")
        return stream.add(fact, BEGIN + timedelta(minutes=minutes), **recorded)

    says(c.AgentState.READY, 0)
    says(c.AgentState.SIGNED_OUT, 60)
    says(c.AgentState.BUSY, 30, recorded_at=LATE)
    await reporting.receive(*stream.messages)
    (correction,) = (await _corrections(reporting, "occupancy", only="team:day"))["items"]
    assert (correction["subject"], correction["hour"]) == ("a-1", "2026-03-02T08:00:00Z")
    assert correction["corrected_at"] == "2026-03-02T13:00:00Z"
    assert (correction["before"]["value"], correction["after"]["value"]) == (0.0, 0.5)
    for elsewhere in ({"only": "team:night"}, {"from": (BEGIN + timedelta(hours=1)).isoformat()}):
        assert (await _corrections(reporting, "occupancy", **elsewhere))["items"] == []
