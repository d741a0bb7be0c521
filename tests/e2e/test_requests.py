"""Requests to an order's custodian: asked at intake, answered once by the custodian."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from tests.installation import Installation, Json, Refused

from chassis.testing import eventually


async def _ask(installation: Installation, order: Json, kind: str) -> Json:
    return await installation.answered(await installation.request(order, kind))


@pytest.mark.parametrize("reached", ["create", "dispatched", "processing", "rejected"])
async def test_a_cancel_request_is_granted_while_the_work_is_not_done(installation: Installation, reached: str) -> None:
    order = await getattr(installation, reached)()
    answered = await _ask(installation, order, "cancel")
    assert answered["state"] == "granted"
    looked_up = await installation.agent.get("intake", f"/work-orders/{order['id']}", at_least=order["version"] + 1)
    assert looked_up["status"] == "cancelled"
    assert looked_up["cancellation"]["request_id"] == answered["id"]


@pytest.mark.parametrize("acts", [(), ("archive",)])
async def test_a_cancel_request_for_work_that_is_done_is_refused_with_what_is_allowed(
    installation: Installation, acts: tuple[str, ...]
) -> None:
    order = await installation.act(await installation.completed(), *acts)
    answered = await _ask(installation, order, "cancel")
    assert answered["state"] == "refused"
    assert answered["refusal"]["code"] == "act_not_allowed"
    assert answered["refusal"]["status"] == order["status"]
    assert answered["refusal"]["allowed_acts"] == order["allowed_acts"]


async def test_a_second_cancel_request_is_refused_by_the_one_who_cancelled(installation: Installation) -> None:
    order = await installation.dispatched()
    assert (await _ask(installation, order, "cancel"))["state"] == "granted"
    assert (await _ask(installation, order, "cancel"))["state"] == "refused"


async def test_a_request_in_the_middle_of_hand_overs_gets_exactly_one_answer(installation: Installation) -> None:
    async def live_and_ask() -> tuple[Json, Json]:
        order = await installation.create()
        asking = asyncio.create_task(_ask(installation, order, "cancel"))
        try:
            order = await installation.completed(await installation.processing(await installation.dispatched(order)))
        except Refused as refused:
            # The cancellation was first; then no act after it may have got through.
            if refused.problem["code"] not in ("act_not_allowed", "stale_version"):
                raise
        return order, await asking

    for order, answered in await asyncio.gather(*(live_and_ask() for _ in range(12))):
        history = await installation.agent.get("intake", f"/work-orders/{order['id']}/history")
        answers = [
            entry
            for entry in history
            if entry["data"].get("request_id") == answered["id"] and "requested" not in entry["type"]
        ]
        assert len(answers) == 1
        assert answered["state"] in ("granted", "refused")
        versions = [entry["order_version"] for entry in history if entry["order_version"]]
        assert versions == list(range(1, len(versions) + 1))


async def test_an_urged_order_stands_first_in_its_list(installation: Installation) -> None:
    first, second = await installation.create(), await installation.create()
    assert (await _ask(installation, second, "urge"))["state"] == "granted"
    await installation.dispatcher.get("dispatch", f"/work-orders/{second['id']}", at_least=2)
    listed = await installation.dispatcher.list_of("dispatch", subscriber_no=installation.subscriber_no)
    assert [order["id"] for order in listed] == [second["id"], first["id"]]
    assert listed[0]["urges"][0]["reason"] == "用户来电要求"


async def test_a_suspended_order_rests_until_it_is_resumed(installation: Installation) -> None:
    order = await installation.north.act(
        "fieldwork",
        await installation.processing(),
        "suspend",
        reason="等待配件",
        until=(datetime.now(UTC) + timedelta(days=1)).isoformat(),
    )
    assert order["suspension"]["reason"] == "等待配件"
    with pytest.raises(Refused) as refused:
        await installation.north.act("fieldwork", order, "reject", reason="other", explanation="x")
    assert refused.value.status == 409
    assert "resume" in refused.value.problem["allowed_acts"]
    order = await installation.north.act("fieldwork", order, "resume")
    assert order["suspension"] is None
    assert (await installation.completed(order))["status"] == "completed"


async def test_repair_staff_get_more_time_arrive_and_are_in_time(installation: Installation) -> None:
    order = await installation.dispatched()
    await installation.north.see(
        "intake", order
    )  # which asks in their name only once it knows that the order is theirs
    path, reason = f"/work-orders/{order['id']}/extension-requests", {"reason": "堵车", "clock": "arrive"}
    asked = [await installation.north.post("intake", path, {**reason, "minutes": minutes}) for minutes in (60, 100_000)]
    granted, refused = [
        await installation.north.get("intake", f"/requests/{one['id']}", wait_seconds=10) for one in asked
    ]
    assert (granted["state"], refused["state"]) == ("granted", "refused")
    assert refused["refusal"]["code"] == "extension_too_long"
    order = await installation.north.see("fieldwork", order | {"version": order["version"] + 1})
    assert order["extensions"][0]["minutes"] == 60
    order = await installation.north.act("fieldwork", order, "arrive", place="东门")
    assert (order["status"], order["arrivals"][0]["place"]) == ("dispatched", "东门")
    here = {"only": f"work_area_id:{installation.area('north')}", "group_by": "clock"}

    async def rows(metric: str) -> list[Json]:
        return (await installation.supervisor.get("reporting", f"/figures/{metric}", **here))["rows"]

    (in_time,) = await eventually(lambda: rows("in_time"), until=bool)
    assert (in_time["clock"], in_time["value"]) == ("arrive", 1)
    (extended,) = await rows("extension_rate")
    assert extended["value"] == 1
