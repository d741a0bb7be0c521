"""What was entered is corrected 变更, the appointment moved 改约, wherever the order is."""

import asyncio

import pytest
from tests.installation import Installation, Json, Refused

from chassis.testing import eventually

LATER = {"start": "2027-03-05T01:00:00Z", "end": "2027-03-05T03:00:00Z"}


async def _asked(installation: Installation, order: Json, **changes: object) -> Json:
    changes.setdefault("seen_version", order["version"])
    return await installation.answered(await installation.request(order, "amend", **changes))


async def test_a_dispatcher_moves_the_appointment_of_an_order_that_waits(installation: Installation) -> None:
    order = await installation.create()
    await installation.dispatcher.see("dispatch", order)
    moved = await installation.dispatcher.act("dispatch", order, "amend", appointment=LATER, reason="用户改约")
    assert moved["appointment"] == LATER
    for shown in (await installation.looked_up(moved), await installation.dispatcher.see("dispatch", moved)):
        (amendment,) = shown["amendments"]
        assert amendment["before"]["appointment"] == order["appointment"]
        assert (amendment["after"]["appointment"], amendment["reason"]) == (LATER, "用户改约")
        assert amendment["amended"]["by"]["role"] == "dispatcher"


@pytest.mark.parametrize("reached", ["create", "dispatched", "processing", "rejected", "completed", "audited"])
async def test_an_agent_has_an_order_amended_wherever_it_is(installation: Installation, reached: str) -> None:
    order = await getattr(installation, reached)()
    await installation.agent.see("intake", order)
    answered = await _asked(installation, order, content="只有卧室没有图像", urgency="urgent")
    assert answered["state"] == "granted", answered
    shown = await installation.agent.get("intake", f"/work-orders/{order['id']}", at_least=order["version"] + 1)
    assert (shown["status"], shown["content"], shown["urgency"]) == (order["status"], "只有卧室没有图像", "urgent")
    assert shown["amendments"][0]["before"]["content"] == order["content"]


async def test_the_work_area_sees_the_contact_that_was_given_later(installation: Installation) -> None:
    order = await installation.dispatched()
    await installation.agent.see("intake", order)
    assert (await _asked(installation, order, contact={"name": "李小红", "phone": "13911112222"}))["state"] == "granted"
    form = await installation.north.get("fieldwork", f"/work-orders/{order['id']}/form", at_least=order["version"] + 1)
    (contact,) = form["subscriber"]["contacts"]
    assert (contact["name"], contact["phone"]) == ("李小红", "+8613911112222")
    assert contact["id"] == form["order"]["contact_id"]


async def test_of_two_amendments_at_once_the_second_is_refused_with_what_is_there(installation: Installation) -> None:
    order = await installation.processing()
    await installation.agent.see("intake", order)
    contents = ("没有图像", "没有声音")
    answers = await asyncio.gather(*(_asked(installation, order, content=content) for content in contents))
    assert sorted(answer["state"] for answer in answers) == ["granted", "refused"]
    refused = next(answer for answer in answers if answer["state"] == "refused")
    granted = contents[[answer["state"] for answer in answers].index("granted")]
    assert refused["refusal"]["code"] == "amended_meanwhile"
    assert refused["refusal"]["present"]["content"] == granted
    version = refused["refusal"]["order_version"]
    assert (await _asked(installation, order, content="没有声音和图像", seen_version=version))["state"] == "granted"


async def test_an_amendment_in_the_middle_of_hand_overs_is_answered_once_and_lost_never(
    installation: Installation,
) -> None:
    async def live_and_ask() -> tuple[Json, Json]:
        order = await installation.create()
        asking = asyncio.create_task(_asked(installation, order, appointment=LATER, seen_version=1))
        for step in (installation.dispatched, installation.processing, installation.completed):
            order = await _in_spite_of_amendments(installation, step, order)
        return order, await asking

    for order, answered in await asyncio.gather(*(live_and_ask() for _ in range(8))):
        assert answered["state"] == "granted"
        shown = await eventually(
            lambda order=order: installation.agent.get("intake", f"/work-orders/{order['id']}"),
            until=lambda found: found["status"] == "completed" and found["amendments"],
            seconds=30,
        )
        assert (len(shown["amendments"]), shown["appointment"]) == (1, LATER)
        assert shown["version"] == 5


async def _in_spite_of_amendments(installation: Installation, step: object, order: Json) -> Json:
    """The step on the order, once more on the version that came between."""
    try:
        return await step(order)  # type: ignore[operator]
    except Refused as refused:
        if refused.problem["code"] != "stale_version":
            raise
        return await step({**order, "version": refused.problem["present_version"]})  # type: ignore[operator]


async def test_the_timeline_says_what_was_and_what_is(installation: Installation) -> None:
    order = await installation.create()
    await installation.dispatcher.see("dispatch", order)
    amended = await installation.dispatcher.act("dispatch", order, "amend", urgency="emergency", reason="漏电")
    timeline = await eventually(
        lambda: installation.supervisor.get("reporting", f"/work-orders/{order['id']}/timeline"),
        until=lambda found: len(found["items"]) == amended["version"],
        seconds=30,
    )
    data = timeline["items"][-1]["data"]
    assert (data["before"]["urgency"], data["urgency"], data["reason"]) == ("normal", "emergency", "漏电")
