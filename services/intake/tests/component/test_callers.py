"""Callers without a number: an order for a place or a thing, or an anonymous report, tied to a subscriber later."""

from typing import Any

import pytest
from services.intake.tests.service import Intake

PLACE = {"kind": "place", "address": "Chengdong Road 12, pole 7", "phones": ["138 1111 2222"], "name": "张先生"}


async def registered(intake: Intake, **changes: Any) -> dict[str, Any]:
    answer = await intake.post("/callers", PLACE | changes)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_an_order_for_a_place_is_like_any_other_order(intake: Intake) -> None:
    caller = await registered(intake)
    assert caller["subscriber_no"].startswith("P-")
    order = await intake.order(subscriber_no=caller["subscriber_no"])
    await intake.deliver_own(order["id"])
    shown = (await intake.get(f"/work-orders/{order['id']}/subscriber", "auditor")).json()
    assert (shown["name"], shown["address"], shown["kind"]) == ("张**", "Chengd****", "place")
    for named in ({"phone": "13811112222"}, {"subscriber_no": caller["subscriber_no"]}):
        found = (await intake.get("/work-orders", params=named)).json()["items"]
        assert [one["id"] for one in found] == [order["id"]]
    listed = (await intake.get("/subscribers", params={"kind": "place"})).json()["items"]
    assert [one["id"] for one in listed] == [caller["id"]]


async def test_an_anonymous_report_needs_nothing_of_who_reports(intake: Intake) -> None:
    answer = await intake.post("/callers", {"kind": "anonymous"})
    assert (answer.status_code, answer.json()["name"], answer.json()["phones"]) == (201, "", [])
    assert answer.json()["subscriber_no"].startswith("A-")
    assert (await intake.order(subscriber_no=answer.json()["subscriber_no"]))["status"] == "created"


async def test_orders_of_a_tied_caller_are_found_by_the_subscriber_as_well(intake: Intake) -> None:
    caller = await registered(intake)
    order = await intake.order(subscriber_no=caller["subscriber_no"])
    tied = await intake.post(f"/callers/{caller['id']}/tie", {"subscriber_no": "111"})
    assert tied.status_code == 200, tied.text
    assert (tied.json()["caller_no"], tied.json()["subscriber_no"]) == (caller["subscriber_no"], "111")
    found = (await intake.get("/work-orders", params={"subscriber_no": "111"})).json()["items"]
    assert [one["id"] for one in found] == [order["id"]]
    assert found[0]["subscriber_no"] == caller["subscriber_no"]


async def test_a_tied_caller_is_erased_with_the_subscriber(intake: Intake) -> None:
    caller = await registered(intake)
    tied = (await intake.post(f"/callers/{caller['id']}/tie", {"subscriber_no": "111"})).json()
    body = {"ground": "subscriber_asked"}
    erased = await intake.post(f"/subscribers/{tied['subscriber_id']}/erasure", body, "supervisor")
    assert erased.status_code == 200, erased.text
    for subscriber_id in (caller["id"], tied["subscriber_id"]):
        assert (await intake.get(f"/subscribers/{subscriber_id}")).status_code == 404
    assert await intake.count("tied_callers") == 0
    evidence = (await intake.get("/erasures", "supervisor")).json()["items"]
    assert {one["subscriber_id"] for one in evidence} == {caller["id"], tied["subscriber_id"]}


async def test_an_open_order_of_a_tied_caller_stands_in_the_way_of_an_erasure(intake: Intake) -> None:
    caller = await registered(intake)
    await intake.order(subscriber_no=caller["subscriber_no"])
    tied = (await intake.post(f"/callers/{caller['id']}/tie", {"subscriber_no": "111"})).json()
    body = {"ground": "subscriber_asked"}
    refused = await intake.post(f"/subscribers/{tied['subscriber_id']}/erasure", body, "supervisor")
    assert (refused.status_code, refused.json()["code"]) == (409, "subscriber_has_open_orders")
    assert (await intake.get(f"/subscribers/{tied['subscriber_id']}")).status_code == 200


REFUSED = [
    ("/callers", {"kind": "place"}, 422, "place_missing"),
    ("/callers", {"kind": "household", "address": "x"}, 422, "invalid_request"),
    ("/callers", {"kind": "place", "address": "x", "subscriber_no": "P-1"}, 422, "invalid_request"),
    ("/subscribers", {"subscriber_no": "9", "name": "x", "address": "x", "kind": "anonymous"}, 422, "kind_reserved"),
    ("/callers/{caller}/tie", {"subscriber_no": "999"}, 404, "subscriber_not_found"),
    ("/callers/{caller}/tie", {"subscriber_no": "{caller_no}"}, 404, "subscriber_not_found"),
    ("/callers/nobody/tie", {"subscriber_no": "111"}, 404, "subscriber_id_not_found"),
    ("/callers/{subscriber}/tie", {"subscriber_no": "111"}, 409, "not_a_caller"),
]


@pytest.mark.parametrize(("path", "body", "status", "code"), REFUSED)
async def test_what_cannot_be_is_refused(intake: Intake, path: str, body: Any, status: int, code: str) -> None:
    caller = await registered(intake)
    (subscriber,) = (await intake.get("/subscribers", params={"subscriber_no": "111"})).json()["items"]
    path = path.replace("{caller}", caller["id"]).replace("{subscriber}", subscriber["id"])
    named = {name: value.replace("{caller_no}", caller["subscriber_no"]) for name, value in body.items()}
    answer = await intake.post(path, named)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await intake.count("tied_callers") == 0


async def test_a_caller_keeps_their_kind_and_nobody_with_a_number_becomes_one(intake: Intake) -> None:
    caller = await registered(intake)
    (subscriber,) = (await intake.get("/subscribers", params={"subscriber_no": "111"})).json()["items"]
    for found, kind in ((caller, "household"), (caller, "anonymous"), (subscriber, "place")):
        headers = intake.as_("agent") | {"if-match": '"1"'}
        answer = await intake.client.patch(f"/v1/subscribers/{found['id']}", json={"kind": kind}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "kind_reserved")
