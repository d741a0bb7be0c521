"""Telephony that lies: each lie is refused with what to do, or counted, marked and explained; nothing is lost."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from services.intake.tests.service import Intake

from chassis.testing import FixedClock
from contracts import calls as c
from contracts import partners as p
from intake.calls.reminders import look

from .switch import BEGIN, Switch, registered_switch, reminders_on

AGENT = "Agent/101"


@pytest.fixture
async def switch(intake: Intake) -> Switch:
    """A registered partner on the database of a whole intake."""
    return await registered_switch(intake)


def seconds_since_begin(moment: datetime) -> float:
    return (moment - BEGIN).total_seconds()


async def test_a_clock_that_is_ahead_is_marked_and_one_a_day_ahead_refused(switch: Switch) -> None:
    now = seconds_since_begin(datetime.now(UTC))
    await switch.says(
        switch.event(p.PartnerCallQueued(queue="q"), now + 600, event_id="soon"),
        switch.event(p.PartnerCallAnswered(agent=AGENT), now + 2 * 86_400, event_id="far"),
    )
    assert (await switch.facts())["soon"].faults == ("clock_ahead",)
    assert await switch.refusals() == [("far", "event_malformed")]
    state = p.PartnerAgentStateChanged(agent=AGENT, state=c.AgentState.READY)
    await switch.says(switch.event(state, now + 600, event_id="state"))
    assert [one.body.faults for one in await switch.published("calls")][-1] == ("clock_ahead",)


@pytest.mark.parametrize("wait", [-1, -4000])
async def test_a_measure_below_zero_is_refused_and_the_times_count(switch: Switch, wait: int) -> None:
    await switch.says(
        switch.event(p.PartnerCallQueued(queue="q"), 0),
        switch.event(p.PartnerCallAnswered(agent=AGENT, wait_milliseconds=wait), 4, event_id="wrong"),
        switch.event(p.PartnerCallAnswered(agent=AGENT), 4, event_id="right"),
    )
    assert await switch.refusals() == [("wrong", "event_malformed")]
    assert (await switch.facts())["right"].wait_milliseconds == 4000


def whole_call(switch: Switch, reference: str, start: float, prefix: str) -> list[Any]:
    said = [
        (p.PartnerCallOffered(caller="13900001111"), 0),
        (p.PartnerCallQueued(queue="q"), 1),
        (p.PartnerCallAnswered(agent=AGENT), 5),
        (p.PartnerCallEnded(), 20),
    ]
    return [
        switch.event(body, start + at, call=reference, event_id=f"{prefix}-{number}")
        for number, (body, at) in enumerate(said)
    ]


async def test_of_two_calls_with_one_id_the_first_stays_as_it_is_and_the_second_is_refused_whole(
    intake: Intake, switch: Switch
) -> None:
    await switch.says(*whole_call(switch, "same", 0, "first"))
    before = await switch.facts("same")
    await switch.says(*whole_call(switch, "same", 3600, "second"))
    assert await switch.facts("same") == before
    refused = [(f"second-{number}", "fact_already_known") for number in range(4)]
    assert await switch.refusals() == refused
    # Nothing is lost: an operator sees what was refused, and the partner sends it under another reference.
    listed = (await intake.get("/partners/pbx/refused-events", "operator")).json()["items"]
    assert {(one["event_id"], one["code"]) for one in listed} == set(refused)
    await switch.says(*whole_call(switch, "another", 3600, "again"))
    assert len(await switch.facts("another")) == 4


async def test_a_call_that_never_ends_is_closed_without_a_duration_and_its_own_end_is_a_revision(
    switch: Switch,
) -> None:
    await switch.says(*whole_call(switch, "endless", 0, "e")[:3])
    later = datetime.now(UTC) + timedelta(days=40)
    await look(reminders_on(switch.db, FixedClock(later)))
    facts = await switch.facts("endless")
    (assumed,) = [one for one in facts.values() if isinstance(one, c.CallEnded)]
    assert (assumed.reason, assumed.talk_milliseconds, assumed.revision) == (c.EndReason.NO_END_REPORTED, None, 1)
    assert await look(reminders_on(switch.db, FixedClock(later))) == 0
    await switch.says(switch.event(p.PartnerCallEnded(), 65, call="endless"))
    messages = [one.body for one in await switch.published("calls") if isinstance(one.body, c.CallEnded)]
    assert [(one.revision, one.talk_milliseconds) for one in messages] == [(1, None), (2, 60_000)]
    assert len({one.fact_id for one in messages}) == 1


async def test_a_waiting_caller_who_is_never_heard_of_again_is_lost_and_not_answered(switch: Switch) -> None:
    await switch.says(*whole_call(switch, "waiting", 0, "w")[:2])
    await look(reminders_on(switch.db, FixedClock(datetime.now(UTC) + timedelta(days=40))))
    (lost,) = [one for one in (await switch.facts("waiting")).values() if isinstance(one, c.CallLost)]
    assert (lost.reason, lost.wait_milliseconds) == (c.LossReason.NO_END_REPORTED, None)


async def test_a_flood_of_one_caller_is_counted_call_by_call_and_the_screen_stays_short(
    intake: Intake, switch: Switch
) -> None:
    for number in range(300):
        await switch.says(
            switch.event(p.PartnerCallOffered(caller="13900001111"), number, call=f"flood-{number}"),
            switch.event(p.PartnerCallQueued(queue="q"), number, call=f"flood-{number}"),
            switch.event(p.PartnerCallAbandoned(), number + 1, call=f"flood-{number}"),
        )
    assert await switch.refusals() == []
    assert len({one.subject for one in await switch.published("calls")}) == 300
    popped = (await intake.get("/screen-pop", params={"phone": "13900001111"})).json()
    assert len(popped["last_calls"]) == 10
    found, cursor = 0, None
    while True:
        query = {"phone": "13900001111", "limit": "100"} | ({"cursor": cursor} if cursor else {})
        page = (await intake.get("/calls", params=query)).json()
        found, cursor = found + len(page["items"]), page["next_cursor"]
        if cursor is None:
            break
    assert found == 300


async def test_an_agent_whom_nobody_knows_counts_under_their_own_name_and_is_said_once(
    intake: Intake, switch: Switch
) -> None:
    async def listed() -> list[str]:
        answer = await intake.get("/partners/pbx/unregistered-agents", "operator")
        return [one["name"] for one in answer.json()["items"]]

    await switch.says(*whole_call(switch, "c-1", 0, "e"))
    await switch.says(*whole_call(switch, "c-2", 100, "f"))
    facts = await switch.facts()
    assert (facts["e-2"].agent_id, facts["e-2"].faults) == ("Agent/101", ())
    answers = [event for answer in await switch.answers() for event in answer.events]
    assert [event.event_id for event in answers if "unknown_agent" in event.faults] == ["e-2"]
    assert await listed() == ["Agent/101"]
    async with switch.db.statements() as statements:
        await statements.execute("insert into agents values ('chen', 1, '陈静', 'night', true)")
        await statements.execute("insert into agent_names values ('pbx', 'Agent/101', 'chen')")
    assert await listed() == []
