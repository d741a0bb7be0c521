"""Calls are found by whoever had them and by every way in which a number is written, and nothing foreign finds them."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from services.intake.tests.service import Intake

from chassis.database import Database
from contracts import partners as p

from .switch import Switch, registered_switch


@pytest.fixture
async def switch(intake: Intake) -> Switch:
    """A registered partner on the database of a whole intake."""
    return await registered_switch(intake)


async def found(intake: Intake, **query: str) -> list[str]:
    """References of the calls that a search finds."""
    answer = await intake.get("/calls", params=query)
    assert answer.status_code == 200, answer.text
    return [one["reference"] for one in answer.json()["items"]]


CALLERS = ("+86 139-1111-2222", "0086 139 1111 2222", "013911112222", "(139) 1111.2222")


@pytest.mark.parametrize("registered", ["13911112222", "+8613911112222"])
async def test_a_number_is_the_same_however_the_switch_and_the_desk_write_it(
    intake: Intake, switch: Switch, registered: str
) -> None:
    await intake.subscriber("222", phones=[registered])
    for number, caller in enumerate(CALLERS):
        await switch.says(switch.event(p.PartnerCallOffered(caller=caller), number, call=f"c-{number}"))
    calls = (await intake.get("/calls")).json()["items"]
    assert [call["subscriber_no"] for call in calls] == ["222"] * len(CALLERS)
    latest_first = [f"c-{number}" for number in reversed(range(len(CALLERS)))]
    for written in ("13911112222", "+8613911112222", "139 1111 2222", "（86）139-1111-2222", "１３９１１１１２２２２"):
        assert await found(intake, phone=written) == latest_first
        popped = (await intake.get("/screen-pop", params={"phone": written})).json()
        assert [one["subscriber_no"] for one in popped["subscribers"]] == ["222"]
        assert [one["reference"] for one in popped["last_calls"]] == latest_first
        listed = (await intake.get("/subscribers", params={"phone": written})).json()["items"]
        assert [one["subscriber_no"] for one in listed] == ["222"]


async def test_another_country_and_another_number_are_not_the_same(intake: Intake, switch: Switch) -> None:
    await intake.subscriber("222", phones=["13911112222"])
    others = ["+113911112222", "1391111222", "913911112222", "sip:13911112222@pbx", "anonymous"]
    for number, caller in enumerate(others):
        await switch.says(switch.event(p.PartnerCallOffered(caller=caller), call=f"c-{number}"))
    assert await found(intake, subscriber_no="222") == []
    assert await found(intake, phone="sip:13911112222@pbx") == ["c-3"]


async def test_the_countrys_code_is_an_operators(intake: Intake, switch: Switch) -> None:
    rules = (await intake.get("/rules/desk", "operator")).json()
    changed = {name: value for name, value in rules.items() if name != "version"} | {"country_code": "49"}
    answer = await intake.client.put("/v1/rules/desk", json=changed, headers=intake.as_("operator"))
    assert (answer.status_code, answer.json()["country_code"]) == (200, "49")
    del changed["country_code"]
    kept = await intake.client.put("/v1/rules/desk", json=changed, headers=intake.as_("operator"))
    assert (kept.status_code, kept.json()["country_code"]) == (200, "49")
    await intake.subscriber("222", phones=["030 1234567"])
    await switch.says(switch.event(p.PartnerCallOffered(caller="+49301234567")))
    assert await found(intake, subscriber_no="222") == ["c-1"]


async def test_an_erasure_reaches_a_call_whose_number_is_written_otherwise(intake: Intake, switch: Switch) -> None:
    await switch.says(switch.event(p.PartnerCallOffered(caller="+86 139-1111-2222")))
    me = await intake.subscriber("222", phones=["13911112222"])
    erased = await intake.post(f"/subscribers/{me['id']}/erasure", {"ground": "subscriber_asked"}, "supervisor")
    assert erased.status_code == 200, erased.text
    async with intake.db.statements() as statements:
        rows = await statements.fetch("select caller, said::text from calls join call_facts on call_id = calls.id")
    assert [(row["caller"], "1111" in row["said"]) for row in rows] == [(None, False)]


def transferred(switch: Switch, then: Any) -> list[Any]:
    return [
        switch.event(p.PartnerCallOffered(caller="13900000000"), 0),
        switch.event(p.PartnerCallQueued(queue="support"), 1),
        switch.event(p.PartnerCallAnswered(agent="Agent/101"), 5),
        switch.event(p.PartnerCallTransferred(target="tech"), 60),
        switch.event(p.PartnerCallQueued(leg=2, queue="tech"), 61),
        *then,
    ]


@pytest.mark.parametrize(
    "then",
    [
        [(p.PartnerCallAbandoned(leg=2), 80)],
        [(p.PartnerCallAnswered(leg=2, agent="Agent/102"), 70), (p.PartnerCallEnded(leg=2), 90)],
    ],
    ids=["abandoned", "answered"],
)
async def test_a_transferred_call_is_found_by_everybody_who_had_it(
    intake: Intake, switch: Switch, then: list[tuple[Any, float]]
) -> None:
    agent = {"name": "陈静", "names": [{"partner_id": "pbx", "name": "Agent/101"}]}
    headers = intake.as_("operator")
    assert (await intake.client.put("/v1/agents/chen", json=agent, headers=headers)).status_code == 200
    await switch.says(*transferred(switch, [switch.event(body, at) for body, at in then]))
    last = ["Agent/102"] if len(then) > 1 else []
    for agent_id in ["chen", *last]:
        assert await found(intake, agent_id=agent_id) == ["c-1"]
    for queue in ("support", "tech"):
        assert await found(intake, queue=queue) == ["c-1"]
    assert (await found(intake, agent_id="Agent/101"), await found(intake, queue="other")) == ([], [])
    (call,) = (await intake.get("/calls")).json()["items"]
    assert (call["agent_id"], call["earlier_agent_ids"]) == (last[0] if last else None, ["chen"])
    assert (call["queue"], call["earlier_queues"]) == ("tech", ["support"])


def alembic(url: str, step: Any, target: str) -> None:
    with pytest.MonkeyPatch.context() as environment, ThreadPoolExecutor(1) as thread:
        environment.setitem(os.environ, "DATABASE_URL", url)
        thread.submit(step, Config(Path(__file__).parents[2] / "alembic.ini"), target).result()


@pytest.fixture
async def lone_switch(new_database: Callable[[str], str]) -> AsyncIterator[Switch]:
    """Without an intake that would have its tables taken from under it."""
    db = Database(new_database("intake"))
    yield Switch(db)
    await db.close()


async def test_calls_of_before_are_found_in_the_same_ways_after_the_migration(lone_switch: Switch) -> None:
    switch, url = lone_switch, lone_switch.db.url
    await switch.says(*transferred(switch, [switch.event(p.PartnerCallAbandoned(leg=2), 80)]))
    await switch.says(switch.event(p.PartnerCallOffered(caller="0086 139-1111-2222"), call="c-2"))

    async def kept() -> list[tuple[Any, ...]]:
        async with switch.db.statements() as statements:
            rows = await statements.fetch(
                "select reference, caller, earlier_agent_ids, earlier_queues from calls order by reference"
            )
        return [tuple(row) for row in rows]

    before = await kept()
    assert before == [
        ("c-1", "13900000000", ["Agent/101"], ["support"]),
        ("c-2", "+8613911112222", None, None),
    ]
    await asyncio.to_thread(alembic, url, command.downgrade, "intake_0005")
    async with switch.db.statements() as statements:
        await statements.execute("update calls set caller = '0086 139-1111-2222' where reference = 'c-2'")
    await asyncio.to_thread(alembic, url, command.upgrade, "heads")
    assert await kept() == before
