"""Creation, look-up and requests over HTTP, on a real database."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from services.intake.tests.service import Intake, make_order

from contracts import events as e
from contracts.lifecycle import Service
from contracts.requests import WorkOrderCancelRequested, WorkOrderRequestRefused

DISPATCHED = e.WorkOrderDispatched(work_area_id="north", staff_ids=("staff-1",))


async def test_an_order_is_created_with_everything_that_was_entered(intake: Intake) -> None:
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    window = {"start": start.isoformat(), "end": (start + timedelta(hours=2)).isoformat()}
    answer = await intake.post("/work-orders", make_order(appointment=window, external_reference="E-1", channel="web"))
    order = answer.json()
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    assert (order["status"], order["custodian"], order["version"]) == ("created", "dispatch", 1)
    assert (order["subscriber_no"], order["content"]) == ("111", "no picture 没有图像")
    assert (order["channel"], order["external_reference"]) == ("web", "E-1")
    assert datetime.fromisoformat(order["appointment"]["start"]) == start
    assert order["created"]["by"]["role"] == "agent"
    (message,) = await intake.outbox()
    assert (message.subject, message.order_version, message.type) == (order["id"], 1, "linework.work_order.created.v1")
    assert "王小明" not in message.data.decode()
    shown = (await intake.get(f"/work-orders/{order['id']}")).json()
    assert [clock["clock"] for clock in shown.pop("clocks")] == ["arrive"]
    assert shown == order


async def test_order_numbers_are_all_different_however_many_create_at_once(intake: Intake) -> None:
    orders = await asyncio.gather(*(intake.order() for _ in range(20)))
    assert len({order["order_no"] for order in orders}) == len({order["id"] for order in orders}) == 20


async def test_the_same_creation_twice_at_once_makes_one_order(intake: Intake) -> None:
    key = {"idempotency-key": "once"}
    answers = await asyncio.gather(*(intake.post("/work-orders", make_order(), **key) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert await intake.count("work_orders") == len(await intake.outbox()) == 1
    other = await intake.post("/work-orders", make_order(content="another"), **key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_an_external_reference_is_taken_by_the_first_order_that_has_it(intake: Intake) -> None:
    first = await intake.order(external_reference="E-1")
    answer = await intake.post("/work-orders", make_order(external_reference="E-1"))
    assert (answer.status_code, answer.json()["code"]) == (409, "external_reference_taken")
    assert answer.json()["order_id"] == first["id"]
    assert await intake.count("work_orders") == 1


@pytest.mark.parametrize(
    ("overrides", "status", "code"),
    [
        ({"subscriber_no": "999"}, 404, "subscriber_not_found"),
        ({"device_type": "gas"}, 422, "device_type_unknown"),
        ({"device_type": "valve"}, 422, "device_type_unknown"),
        ({"demand_type": "gas"}, 422, "demand_type_unknown"),
        (
            {"appointment": {"start": "2026-03-03T09:00:00Z", "end": "2026-03-03T09:00:00Z"}},
            422,
            "appointment_inverted",
        ),
    ],
)
async def test_a_creation_that_cannot_be_is_refused(
    intake: Intake, overrides: dict[str, Any], status: int, code: str
) -> None:
    answer = await intake.post("/work-orders", make_order(**overrides))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await intake.count("work_orders") == len(await intake.outbox()) == 0


async def test_an_order_is_found_by_each_of_its_four_keys(intake: Intake) -> None:
    await intake.subscriber("222", phones=["0555 1234567"])
    order = await intake.order(external_reference="E-1")
    await intake.order(subscriber_no="222", external_reference="E-2")
    for name, value in (
        ("subscriber_no", "111"),
        ("order_no", order["order_no"]),
        ("phone", "+86 138 0000 0042"),
        ("external_reference", "E-1"),
    ):
        answer = await intake.get("/work-orders", params={name: value})
        assert [item["id"] for item in answer.json()["items"]] == [order["id"]], name
    for params in ({"phone": "0", "subscriber_no": "111"}, {"subscriber_no": "222", "phone": "+8613800000042"}):
        assert (await intake.get("/work-orders", params=params)).json()["items"] == []


async def test_a_look_up_is_narrowed_and_counted_by_filters(intake: Intake) -> None:
    web = await intake.order(channel="web", external_reference="E-1")
    await intake.order()
    for search in ({"channel": "web"}, {"text": "e-"}, {"text": web["order_no"][3:], "channel": "web"}):
        found = (await intake.get("/work-orders", params=search)).json()["items"]
        assert [order["id"] for order in found] == [web["id"]]
    assert (await intake.get("/work-orders", params={"text": "picture"})).json()["items"] == []
    counts = (await intake.get("/work-orders/counts")).json()
    assert (counts["channel"], counts["status"]) == ({"phone": 1, "web": 1}, {"created": 2})


async def test_orders_are_urged_together(intake: Intake) -> None:
    first, second = await intake.order(), await intake.order()
    rows = [{"order_id": one, "reason": "三次来电"} for one in (first["id"], "nobody", second["id"])]
    answer = (await intake.post("/bulk/urge-requests", {"rows": rows}, **{"idempotency-key": "k-1"})).json()
    assert (answer["done"], answer["refused"]) == (2, 1)
    assert answer["rows"][1]["problem"]["code"] == "work_order_not_found"
    request = (await intake.get(f"/requests/{answer['rows'][2]['request_id']}")).json()
    assert (request["order_id"], request["kind"], request["reason"]) == (second["id"], "urge", "三次来电")
    again = (await intake.post("/bulk/urge-requests", {"rows": rows}, **{"idempotency-key": "k-1"})).json()
    assert [row["request_id"] for row in again["rows"]] == [row["request_id"] for row in answer["rows"]]
    assert await intake.count("requests") == 2


async def test_a_look_up_is_paged_latest_change_first(intake: Intake) -> None:
    created = [(await intake.order())["id"] for _ in range(5)]
    seen, cursor = [], None
    while True:
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await intake.get("/work-orders", params=params)).json()
        seen += [item["id"] for item in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == created[::-1]


async def test_a_technician_sees_the_orders_of_their_area_only(intake: Intake) -> None:
    order_id = (await intake.order())["id"]
    await intake.deliver_own(order_id)
    assert (await intake.get(f"/work-orders/{order_id}", "technician", ["north"])).status_code == 404
    await intake.happens(order_id, Service.DISPATCH, DISPATCHED)
    assert (await intake.get(f"/work-orders/{order_id}", "technician", ["north"])).json()["status"] == "dispatched"
    for areas in (["south"], [], None):
        for path in ("", "/history", "/subscriber"):
            answer = await intake.get(f"/work-orders/{order_id}{path}", "technician", areas)
            assert (answer.status_code, answer.json()["code"]) == (404, "work_order_not_found")
        assert (await intake.get("/work-orders", "technician", areas)).json()["items"] == []


async def test_each_role_sees_of_an_orders_subscriber_what_it_needs(intake: Intake) -> None:
    order_id = (await intake.order())["id"]
    await intake.deliver_own(order_id)
    await intake.happens(order_id, Service.DISPATCH, DISPATCHED)

    async def seen_by(role: str, areas: list[str] | None = None) -> tuple[str, list[str], str]:
        row = (await intake.get(f"/work-orders/{order_id}/subscriber", role, areas)).json()
        return row["name"], row["phones"], row["address"]

    whole = ("王小明", ["+8613800000042"], "Chengdong Road 12, flat 3")
    masked = ("王**", ["************42"])
    assert await seen_by("agent") == await seen_by("technician", ["north"]) == whole
    assert await seen_by("dispatcher") == (*masked, whole[2])
    assert await seen_by("auditor") == (*masked, "Chengd****")
    await intake.happens(
        order_id, Service.FIELDWORK, e.WorkOrderRejected(reason=e.RejectionReason.OTHER, explanation="x")
    )
    assert await seen_by("technician", ["north"]) == (*masked, "Chengd****")


async def test_the_history_says_who_did_what_when_and_a_repeat_adds_nothing(intake: Intake) -> None:
    order_id = (await intake.order())["id"]
    await intake.deliver_own(order_id)
    dispatched = await intake.happens(order_id, Service.DISPATCH, DISPATCHED)
    await intake.deliver(dispatched)
    rows = (await intake.get(f"/work-orders/{order_id}/history")).json()
    assert [(row["order_version"], row["service"], row["actor_role"]) for row in rows] == [
        (1, "intake", "agent"),
        (2, "dispatch", "dispatcher"),
    ]
    assert rows[1]["data"]["work_area_id"] == "north"
    late = await intake.get(f"/work-orders/{order_id}/history", params={"at_least": 3})
    assert (late.status_code, late.json()["code"]) == (503, "not_caught_up")


async def test_a_technician_asks_for_more_time_on_an_order_of_their_area(intake: Intake) -> None:
    order_id = (await intake.order())["id"]
    await intake.deliver_own(order_id)
    await intake.happens(order_id, Service.DISPATCH, DISPATCHED)
    path, body = f"/work-orders/{order_id}/extension-requests", {"clock": "arrive", "minutes": 30, "reason": "堵车"}

    async def ask_for(areas: list[str], **more: Any) -> Any:
        headers = intake.as_("technician", areas)
        return await intake.client.post(f"/v1{path}", json={**body, **more}, headers=headers)

    answers = [await ask_for(areas) for areas in (["north"], ["south"])]
    assert [answer.status_code for answer in answers] == [202, 404]
    asked = answers[0].json()
    assert (asked["kind"], asked["state"], asked["reason"]) == ("extend", "pending", "堵车")
    refused = await ask_for(["north"], clock="accept")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    granted = e.WorkOrderExtended(request_id=asked["id"], clock=e.SlaClock.ARRIVE, minutes=30, reason="x")
    await intake.happens(order_id, Service.FIELDWORK, granted)
    shown = (await intake.get(f"/requests/{asked['id']}", "technician", ["north"])).json()
    assert shown["state"] == "granted"


async def ask(intake: Intake, kind: str, **headers: str) -> tuple[str, dict[str, Any]]:
    order_id = (await intake.order())["id"]
    answer = await intake.post(f"/work-orders/{order_id}/{kind}-requests", {"reason": "not needed"}, **headers)
    assert answer.status_code == 202, answer.text
    await intake.deliver_own(order_id)
    return order_id, answer.json()


async def request_now(intake: Intake, request_id: str) -> dict[str, Any]:
    return (await intake.get(f"/requests/{request_id}")).json()


async def test_a_request_stands_behind_the_creation_in_the_stream(intake: Intake) -> None:
    order_id, request = await ask(intake, "cancel")
    assert request["state"] == "pending"
    created, asked = await intake.outbox()
    assert created.subject == asked.subject == order_id
    assert asked.body == WorkOrderCancelRequested(request_id=request["id"], reason="not needed")


async def test_a_granted_request_is_answered_and_the_order_cancelled(intake: Intake) -> None:
    order_id, request = await ask(intake, "cancel")
    granted = e.WorkOrderCancelled(request_id=request["id"], reason="not needed")
    await intake.happens(order_id, Service.DISPATCH, granted)
    assert (await request_now(intake, request["id"]))["state"] == "granted"
    assert (await intake.get(f"/work-orders/{order_id}")).json()["status"] == "cancelled"


async def test_a_refused_request_says_why_and_its_answer_never_changes(intake: Intake) -> None:
    order_id, request = await ask(intake, "urge")
    refused = WorkOrderRequestRefused(request_id=request["id"], code="act_not_allowed", status="archived")
    await intake.happens(order_id, Service.QA, refused)
    answered = await request_now(intake, request["id"])
    assert (answered["state"], answered["refusal"]["code"]) == ("refused", "act_not_allowed")
    await intake.happens(order_id, Service.QA, refused)
    assert await request_now(intake, request["id"]) == answered


async def test_the_same_request_again_is_the_same_request(intake: Intake) -> None:
    order_id = (await intake.order())["id"]
    path, key = f"/work-orders/{order_id}/urge-requests", {"idempotency-key": "u-1"}
    answers = [await intake.post(path, {"reason": "third call"}, **key) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert await intake.count("requests") == 1


async def test_the_same_request_twice_at_once_is_one_request(intake: Intake) -> None:
    order_id = (await intake.order())["id"]
    path, key = f"/work-orders/{order_id}/urge-requests", {"idempotency-key": "u-1"}
    answers = await asyncio.gather(*(intake.post(path, {"reason": "third call"}, **key) for _ in range(6)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(202, answers[0].content)}
    assert await intake.count("requests") == 1


@pytest.mark.parametrize("role", ["technician", "auditor", "operator", "partner"])
async def test_only_who_may_ask_the_custodian_does(intake: Intake, role: str) -> None:
    order_id = (await intake.order())["id"]
    answer = await intake.post(f"/work-orders/{order_id}/cancel-requests", {"reason": "x"}, role)
    assert (answer.status_code, answer.json()["code"]) == (403, "role_not_allowed")
    assert await intake.count("requests") == 0
