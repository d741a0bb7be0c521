"""Asking for an amendment over HTTP: the request, its answer, and the contact that intake keeps."""

from datetime import UTC, datetime
from typing import Any

import pytest
from services.intake.tests.service import DISPATCHER, Intake, make_order

from chassis.one_statement import execute_together
from contracts import events as e
from contracts.access import Role
from contracts.codec import new_message
from contracts.handling import SUBJECT, HandlingRulesDefined, UrgencySetters
from contracts.lifecycle import Service
from contracts.message import Message
from contracts.requests import WorkOrderAmendRequested, WorkOrderRequestRefused
from work_orders.handling_rules import HANDLING

DISPATCHED = e.WorkOrderDispatched(work_area_id="north", staff_ids=("staff-1",))
LATER = {"start": "2027-03-05T01:00:00Z", "end": "2027-03-05T03:00:00Z"}
CONTACT = {"name": "李小红", "phone": "138 1111 2222"}


async def made(intake: Intake) -> str:
    order_id: str = (await intake.order())["id"]
    await intake.deliver_own(order_id)
    return order_id


async def ask(intake: Intake, order_id: str, role: str = "agent", **changes: Any) -> Any:
    body = {"reason": "说错了", "seen_version": 1, **changes}
    return await intake.post(f"/work-orders/{order_id}/amend-requests", body, role)


async def request_now(intake: Intake, request_id: str) -> dict[str, Any]:
    return (await intake.get(f"/requests/{request_id}")).json()


async def test_an_agent_asks_the_custodian_with_everything_sealed_that_was_typed(intake: Intake) -> None:
    order_id = await made(intake)
    answer = await ask(intake, order_id, content="没有声音", appointment=LATER, demand_type="test")
    assert answer.status_code == 202
    request = answer.json()
    assert (request["kind"], request["state"], request["reason"]) == ("amend", "pending", "说错了")
    asked = (await intake.outbox())[-1]
    assert isinstance(asked.body, WorkOrderAmendRequested)
    assert (asked.body.request_id, asked.body.seen_version) == (request["id"], 1)
    assert (asked.body.content, asked.body.reason) == ("没有声音", "说错了")
    assert "没有声音" not in asked.data.decode()
    assert await request_now(intake, request["id"]) == request | {"sealed_text": None}


async def test_a_granted_amendment_is_in_the_order_and_its_history(intake: Intake) -> None:
    order_id = await made(intake)
    request = (await ask(intake, order_id, demand_type="test", device_type="digital", urgency="urgent")).json()
    before = e.OrderDetails(urgency=e.Urgency.NORMAL)
    granted = e.WorkOrderAmended(request_id=request["id"], reason="x", before=before, urgency=e.Urgency.URGENT)
    await intake.happens(order_id, Service.DISPATCH, granted)
    assert (await request_now(intake, request["id"]))["state"] == "granted"
    order = (await intake.get(f"/work-orders/{order_id}")).json()
    assert (order["urgency"], order["amendments"][0]["before"]["urgency"]) == ("urgent", "normal")
    amended = (await intake.get(f"/work-orders/{order_id}/history")).json()[-1]
    assert amended["type"] == "linework.work_order.amended.v1"
    assert (amended["data"]["before"]["urgency"], amended["data"]["urgency"]) == ("normal", "urgent")


async def test_a_refused_amendment_is_shown_with_what_the_order_has(intake: Intake) -> None:
    order_id = await made(intake)
    request = (await ask(intake, order_id, content="没有声音")).json()
    refused = WorkOrderRequestRefused(
        request_id=request["id"],
        code="amended_meanwhile",
        status="created",
        order_version=2,
        present=e.OrderDetails(content="no picture"),
    )
    await intake.happens(order_id, Service.DISPATCH, refused)
    shown = await request_now(intake, request["id"])
    assert (shown["state"], shown["refusal"]["code"]) == ("refused", "amended_meanwhile")
    assert (shown["refusal"]["order_version"], shown["refusal"]["present"]["content"]) == (2, "no picture")


async def test_a_request_that_another_service_asked_is_read_here_as_well_and_only_once(intake: Intake) -> None:
    order_id = await made(intake)
    now = intake.last[order_id].occurred_at
    body = WorkOrderAmendRequested(request_id="r-9", reason="改约", seen_version=1, urgency=e.Urgency.URGENT)
    asked = new_message(
        body, service=Service.DISPATCH, subject=order_id, actor=DISPATCHER, occurred_at=now, recorded_at=now
    )
    await intake.deliver(asked)
    shown = await request_now(intake, "r-9")
    assert (shown["kind"], shown["state"], shown["asked_by"]) == ("amend", "pending", "dispatcher-1")
    refused = WorkOrderRequestRefused(request_id="r-9", code="act_not_allowed", status="created")
    await intake.happens(order_id, Service.FIELDWORK, refused)
    await intake.deliver(asked)
    assert (await request_now(intake, "r-9"))["state"] == "refused"


async def test_a_request_and_its_answer_in_one_batch_are_kept_as_answered(intake: Intake) -> None:
    order_id = await made(intake)
    now = intake.last[order_id].occurred_at
    said = {"subject": order_id, "actor": DISPATCHER, "occurred_at": now, "recorded_at": now}
    asked = WorkOrderAmendRequested(request_id="r-9", reason="改约", seen_version=1, urgency=e.Urgency.URGENT)
    refused = WorkOrderRequestRefused(request_id="r-9", code="act_not_allowed", status="created")
    await intake.deliver(
        new_message(asked, service=Service.DISPATCH, **said), new_message(refused, service=Service.FIELDWORK, **said)
    )
    assert (await request_now(intake, "r-9"))["state"] == "refused"


async def test_a_contact_stays_here_and_is_shown_to_each_role_as_the_subscriber_is(intake: Intake) -> None:
    order_id = await made(intake)
    request = (await ask(intake, order_id, contact=CONTACT)).json()
    asked = (await intake.outbox())[-1]
    assert asked.body.contact_id is not None
    assert "李小红" not in asked.data.decode()

    async def contacts(role: str, areas: list[str] | None = None) -> list[tuple[str, str]]:
        shown = (await intake.get(f"/work-orders/{order_id}/subscriber", role, areas)).json()
        return [(contact["name"], contact["phone"]) for contact in shown["contacts"]]

    assert await contacts("agent") == []
    granted = {"request_id": request["id"], "reason": "x", "before": e.OrderDetails()}
    await intake.happens(order_id, Service.DISPATCH, e.WorkOrderAmended(**granted, contact_id=asked.body.contact_id))
    await intake.happens(order_id, Service.DISPATCH, DISPATCHED)
    whole, masked = [("李小红", "+8613811112222")], [("李**", "************22")]
    assert await contacts("agent") == await contacts("technician", ["north"]) == whole
    assert await contacts("dispatcher") == await contacts("auditor") == masked
    body = {"purpose": "visit", "reason": "x"}
    revealed = (await intake.post(f"/work-orders/{order_id}/subscriber/reveals", body, "dispatcher")).json()
    assert [(one["name"], one["phone"]) for one in revealed["contacts"]] == whole


async def test_a_contact_is_erased_with_the_orders_subscriber(intake: Intake) -> None:
    order_id = await made(intake)
    await ask(intake, order_id, contact=CONTACT)
    await intake.happens(order_id, Service.DISPATCH, e.WorkOrderCancelled(request_id="r", reason="x"))
    subscriber_id = (await intake.get(f"/work-orders/{order_id}")).json()["subscriber_id"]
    erased = await intake.post(f"/subscribers/{subscriber_id}/erasure", {"ground": "subscriber_asked"}, "supervisor")
    assert erased.status_code == 200, erased.text
    assert await intake.count("order_contacts") == 0


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({}, 422, "nothing_amended"),
        ({"content": "x", "seen_version": None}, 422, "invalid_request"),
        ({"content": "x", "seen_version": 0}, 422, "invalid_request"),
        ({"device_type": "gas"}, 422, "device_type_unknown"),
        ({"demand_type": "gas"}, 422, "demand_type_unknown"),
        ({"appointment": {**LATER, "end": LATER["start"]}}, 422, "appointment_inverted"),
        ({"appointment": LATER, "is_appointment_withdrawn": True}, 422, "appointment_moved_and_withdrawn"),
        ({"contact": {"name": "王"}}, 422, "invalid_request"),
        ({"contact": {"name": "王", "phone": "none"}}, 422, "invalid_request"),
        ({"contact_id": "c-1"}, 422, "invalid_request"),
        ({"content": "x", "role": "technician"}, 403, "role_not_allowed"),
        ({"content": "x", "role": "auditor"}, 403, "role_not_allowed"),
    ],
)
async def test_what_cannot_be_asked_is_refused_and_leaves_everything_as_it_was(
    intake: Intake, changes: dict[str, Any], status: int, code: str
) -> None:
    order_id = await made(intake)
    sent = len(await intake.outbox())
    answer = await ask(intake, order_id, **changes)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert len(await intake.outbox()) == sent
    assert await intake.count("requests") == await intake.count("order_contacts") == 0


async def test_an_urgency_is_set_by_whom_the_rules_let(intake: Intake) -> None:
    order = await intake.order(urgency="emergency")
    assert order["urgency"] == "emergency"
    await intake.deliver_own(order["id"])
    rules = HandlingRulesDefined(urgency_setters=(UrgencySetters(urgency=e.Urgency.URGENT, roles=(Role.SUPERVISOR,)),))
    async with intake.db.begin() as tx:
        await execute_together(tx, HANDLING.added([defined_rules(rules)]))
    for answer in (
        await intake.post("/work-orders", make_order(urgency="urgent")),
        await ask(intake, order["id"], urgency="urgent"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "urgency_not_allowed")
    assert (await ask(intake, order["id"], "supervisor", urgency="urgent")).status_code == 202


def defined_rules(rules: HandlingRulesDefined) -> Message:
    now = datetime.now(UTC)
    said = {"actor": DISPATCHER, "occurred_at": now, "recorded_at": now}
    return new_message(rules, service=Service.DISPATCH, subject=SUBJECT, entity_version=1, **said)
