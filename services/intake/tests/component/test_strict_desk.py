"""What the desk does not let pass: types that nobody has, times and ties that cannot be, what somebody else changed."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from services.intake.tests.conftest import Intake

from chassis.testing import FixedClock
from contracts import partners as p
from contracts.links import WorkOrderLinked
from intake.partners import Partner, define_partner

from .switch import Switch

NOW = datetime.now(UTC)


async def logged(intake: Intake, **overrides: Any) -> Any:
    times = {"started_at": "2026-03-01T08:00:00Z", "ended_at": "2026-03-01T08:05:00Z"}
    return await intake.post("/calls", {**times, "subscriber_no": "111", **overrides})


async def a_call(intake: Intake) -> str:
    return (await logged(intake)).json()["id"]


def make_order(**overrides: Any) -> dict[str, Any]:
    return {"subscriber_no": "111", "device_type": "digital", "demand_type": "test", "content": "没有图像", **overrides}


def refused(answer: Any) -> tuple[int, str | None]:
    return answer.status_code, answer.json().get("code")


async def outage(intake: Intake, **overrides: Any) -> Any:
    body = {"territories": ["chengdong"], "cause": "变电站", "began_at": "2026-03-01T08:00:00Z", **overrides}
    return await intake.post("/outages", body, "supervisor")


async def test_a_demand_type_that_is_not_on_the_list_is_refused_wherever_one_is_said(intake: Intake) -> None:
    unknown = (422, "demand_type_unknown")
    call_id = await a_call(intake)
    assert refused(await logged(intake, demand_type="nosuch")) == unknown
    assert refused(await intake.post(f"/calls/{call_id}/classify", {"demand_type": "nosuch"})) == unknown
    article = {"title": "机顶盒", "body": "重启", "demand_type": "nosuch"}
    assert refused(await intake.post("/articles", article, "supervisor")) == unknown
    assert (await logged(intake, demand_type="test")).status_code == 201


async def test_a_demand_type_that_only_a_switch_knows_counts_and_is_marked(intake: Intake) -> None:
    await define_partner(Partner("pbx", "pbx", "pbx"), db=intake.db, clock=FixedClock())
    switch = Switch(intake.db)
    await switch.says(
        switch.event(p.PartnerCallOffered(demand_type="test"), call="c-1", event_id="known"),
        switch.event(p.PartnerCallOffered(demand_type="nosuch"), call="c-2", event_id="unknown"),
    )
    assert (await switch.facts("c-1"))["known"].faults == ()
    assert (await switch.facts("c-2"))["unknown"].faults == ("unknown_demand_type",)


async def test_an_order_of_a_call_is_of_the_time_at_which_it_was_asked_for(intake: Intake) -> None:
    how = {"outcome": "work_order", "order": make_order(occurred_at="2026-03-01T08:05:00Z")}
    settled = (await intake.post(f"/calls/{await a_call(intake)}/settlements", how)).json()
    order = (await intake.get(f"/work-orders/{settled['order_id']}")).json()
    assert (order["created"]["at"], order["order_no"][:8]) == ("2026-03-01T08:05:00Z", "20260301")


async def test_the_order_of_a_caller_inside_an_outage_links_to_it(intake: Intake) -> None:
    outage_id = (await outage(intake)).json()["id"]
    path = f"/calls/{await a_call(intake)}/settlements"
    how = {"outcome": "work_order", "order": make_order()}
    assert refused(await intake.post(path, how | {"outage_id": "nosuch"})) == (404, "outage_not_found")
    assert await intake.count("work_orders") == 0
    order_id = (await intake.post(path, how | {"outage_id": outage_id})).json()["order_id"]
    (link,) = (await intake.get(f"/work-orders/{order_id}/links")).json()["items"]
    assert (link["kind"], link["outage_id"], link["reason"]) == ("same_outage", outage_id, "变电站")
    own = [one.body for one in await intake.outbox() if one.subject == order_id]
    assert isinstance(own[-1], WorkOrderLinked)
    assert (await intake.post(f"/links/{link['id']}/undo", None)).status_code == 200


async def test_nobody_is_told_that_a_subscriber_who_does_not_exist_has_no_orders_yet(intake: Intake) -> None:
    asked = {"subscriber_no": "nosuch", "demand_type": "test"}
    assert refused(await intake.post("/duplicate-checks", asked)) == (404, "subscriber_not_found")


async def test_an_address_is_the_same_however_it_is_spaced(intake: Intake) -> None:
    await intake.subscriber("222", address="漕溪路 251 号")
    await intake.subscriber("333", address="漕溪路２５１号")
    order = await intake.order(subscriber_no="222")
    asked = {"subscriber_no": "333", "demand_type": "test"}
    (candidate,) = (await intake.post("/duplicate-checks", asked)).json()["items"]
    assert (candidate["order_id"], "same_address" in candidate["reasons"]) == (order["id"], True)


async def test_of_a_flood_of_orders_the_latest_are_candidates(intake: Intake) -> None:
    for _ in range(7):
        await asyncio.gather(*(intake.order() for _ in range(30)))
    last = await intake.order()
    asked = {"subscriber_no": "111", "demand_type": "test"}
    found = (await intake.post("/duplicate-checks", asked)).json()["items"]
    assert last["id"] in {one["order_id"] for one in found}
