"""What other records tell of an order of another area: links, histories, references, candidates. Nothing."""

from typing import Any

import pytest
from services.intake.tests.component.switch import Switch
from services.intake.tests.component.test_areas import dispatched, moved, without
from services.intake.tests.component.test_desk import logged
from services.intake.tests.service import Intake, make_order

from contracts import partners as p


async def linked(intake: Intake, one: str, other: str) -> str:
    body = {"kind": "duplicate", "other_order_id": other, "reason": "同一故障"}
    answer = await intake.post(f"/work-orders/{one}/links", body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def told_of_links(intake: Intake, order_id: str, role: str, areas: list[str] | None) -> tuple[list[str], str]:
    """The links of an order, and everything else that is told of them."""
    links = (await intake.get(f"/work-orders/{order_id}/links", role, areas)).json()["items"]
    history = (await intake.get(f"/work-orders/{order_id}/history", role, areas)).json()
    ties = [one["data"] for one in history if one["type"].endswith((".linked.v1", ".unlinked.v1"))]
    return [one["id"] for one in links], str((links, ties))


@pytest.mark.parametrize("role", ["dispatcher", "auditor", "technician"])
async def test_a_link_to_an_order_of_another_area_is_told_from_neither_side(intake: Intake, role: str) -> None:
    north, beside, south = [await dispatched(intake, area) for area in ("north", "north", "south")]
    foreign, own = await linked(intake, north, south), await linked(intake, north, beside)
    assert (await intake.post(f"/links/{foreign}/undo", {})).is_success
    await intake.deliver_own(north)
    ids, text = await told_of_links(intake, north, role, ["north", "south"])
    assert (ids, text.count(foreign), text.count(south)) == ([foreign, own], 3, 2)
    ids, text = await told_of_links(intake, north, role, ["north"])
    assert ids == [own]
    assert foreign not in text
    assert south not in text
    assert (await told_of_links(intake, south, role, ["south"]))[0] == []


async def test_a_link_is_undone_by_who_sees_both_orders(intake: Intake) -> None:
    north, south = await dispatched(intake, "north"), await dispatched(intake, "south")
    link_id = await linked(intake, north, south)

    async def undone(link: str, areas: list[str] | None, **headers: str) -> Any:
        sent = intake.as_("dispatcher", areas, **headers)
        return await intake.client.post(f"/v1/links/{link}/undo", headers=sent)

    for area in ("north", "south", "east"):
        foreign, missing = await undone(link_id, [area]), await undone("none", [area])
        assert (foreign.status_code, foreign.json()["code"]) == (404, "link_not_found")
        assert without(foreign.json(), link_id) == without(missing.json(), "none")
    key = {"idempotency-key": "k"}
    first = await undone(link_id, ["north", "south"], **key)
    assert (await undone(link_id, ["south", "north"], **key)).content == first.content
    assert (await undone(link_id, ["south"], **key)).json()["code"] == "link_not_found"


@pytest.mark.parametrize("way", ["create", "settle"])
async def test_a_reference_that_is_taken_tells_only_of_an_order_that_the_caller_may_see(
    intake: Intake, way: str
) -> None:
    north = await dispatched(intake, "north", external_reference="R-1")
    order_no = (await intake.get(f"/work-orders/{north}")).json()["order_no"]
    call_id, body = (await logged(intake))["id"], make_order(external_reference="R-1")

    async def refused(areas: list[str] | None) -> dict[str, Any]:
        path = "/v1/work-orders" if way == "create" else f"/v1/calls/{call_id}/settlements"
        sent = body if way == "create" else {"outcome": "work_order", "order": body}
        answer = await intake.client.post(path, json=sent, headers=intake.as_("agent", areas))
        assert (answer.status_code, answer.json()["code"]) == (409, "external_reference_taken")
        return answer.json()

    for areas in (None, ["north"]):
        problem = await refused(areas)
        assert (problem["order_id"], problem["order_no"]) == (north, order_no)
        assert order_no in problem["detail"]
    problem = await refused(["south"])
    assert (problem["order_id"], problem["order_no"]) == (None, None)
    assert order_no not in str(problem)
    assert north not in str(problem)


async def test_who_created_an_order_is_told_of_it_until_another_area_has_it(intake: Intake) -> None:
    headers, body = intake.as_("agent", ["south"]), make_order(external_reference="R-1")
    order_id = (await intake.client.post("/v1/work-orders", json=body, headers=headers)).json()["id"]

    async def told(sub: str | None) -> str | None:
        sent = intake.issuer.headers("agent", ["south"], sub=sub)
        return (await intake.client.post("/v1/work-orders", json=body, headers=sent)).json()["order_id"]

    assert [await told(sub) for sub in (None, "agent-2")] == [order_id, None]
    await intake.deliver_own(order_id)
    await moved(intake, order_id, "north")
    assert [await told(sub) for sub in (None, "agent-2")] == [None, None]


async def test_a_partner_is_told_of_its_own_order_alone(intake: Intake) -> None:
    switch = Switch(intake.db)
    asked = p.PartnerOrderRequested(subscriber_no="111", device_type="digital", demand_type="test", content="x")
    typed = await intake.order(external_reference="pbx/PO-1")
    await switch.says(switch.event(asked, call="PO-1"))
    await switch.says(switch.event(asked, call="PO-2"))
    await switch.says(switch.event(asked, call="PO-2"))
    foreign, created, own = await switch.answers()
    assert (foreign.code, own.code) == ("external_reference_taken", "external_reference_taken")
    assert typed["order_no"] not in foreign.detail.en + foreign.detail.zh
    assert created.order_no in own.detail.en


async def test_a_dispatcher_gets_no_candidates_by_a_number_that_they_do_not_see(intake: Intake) -> None:
    await intake.subscriber("222", phones=["13800000043"], address="Other street")
    await intake.subscriber("333", phones=["138 0000 0043"], address="Elsewhere")
    await intake.subscriber("444", phones=["13800000043"], address="other  STREET")
    orders = {number: (await intake.order(subscriber_no=number))["id"] for number in ("333", "444")}
    asked = {"subscriber_no": "222", "demand_type": "test"}

    async def candidates(role: str) -> dict[str, list[str]]:
        found = (await intake.post("/duplicate-checks", asked, role)).json()["items"]
        return {one["order_id"]: one["reasons"] for one in found}

    by_agent, by_dispatcher = await candidates("agent"), await candidates("dispatcher")
    assert {number for number, order_id in orders.items() if "same_phone" in by_agent[order_id]} == {"333", "444"}
    assert list(by_dispatcher) == [orders["444"]]
    assert "same_address" in by_dispatcher[orders["444"]]
    assert "same_phone" not in str(by_dispatcher)
