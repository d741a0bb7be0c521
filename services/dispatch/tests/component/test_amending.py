"""Amending over HTTP: at once where dispatch holds the order, a request everywhere else."""

from typing import Any

import pytest
from services.dispatch.tests.service import Desk

from contracts import events as e
from contracts.directory import DemandTypeDefined, DeviceTypeDefined, Names
from contracts.lifecycle import Service
from contracts.requests import WorkOrderAmendRequested
from work_orders.testing import defined

LATER = {"start": "2026-03-05T01:00:00Z", "end": "2026-03-05T03:00:00Z"}
NAMES = Names(en="x", zh="某类")
TYPES = (
    defined(DemandTypeDefined(demand_type="complaint", names=NAMES)),
    defined(DemandTypeDefined(demand_type="gone", names=NAMES, is_active=False)),
    defined(DeviceTypeDefined(device_type="analogue", names=NAMES)),
)


async def amend(desk: Desk, version: int | None = 1, *, role: str = "dispatcher", **changes: Any) -> Any:
    headers = desk.issuer.headers(role) | ({"if-match": f'"{version}"'} if version else {})
    body = {"reason": "用户来电改约", **changes}
    return await desk.client.post("/v1/work-orders/o-1/amend", json=body, headers=headers)


async def test_an_order_that_dispatch_holds_is_amended_at_once_and_keeps_what_was(staffed_desk: Desk) -> None:
    await staffed_desk.create()
    await staffed_desk.hear_of(*TYPES)
    answer = await amend(
        staffed_desk, appointment=LATER, content="没有声音", demand_type="complaint", device_type="analogue"
    )
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    order = answer.json()
    assert (order["status"], order["demand_type"], order["content"]) == ("created", "complaint", "没有声音")
    assert order["appointment"]["start"] == "2026-03-05T01:00:00Z"
    (amendment,) = order["amendments"]
    assert (amendment["reason"], amendment["version"]) == ("用户来电改约", 2)
    assert (amendment["before"]["demand_type"], amendment["after"]["demand_type"]) == ("test", "complaint")
    assert (amendment["before"]["content"], amendment["after"]["content"]) == ("测试", "没有声音")
    assert amendment["amended"]["by"]["sub"] == "dispatcher-1"
    (message,) = await staffed_desk.outbox()
    assert isinstance(message.body, e.WorkOrderAmended)
    assert message.body.before.demand_type == "test"
    assert "没有声音" not in message.data.decode()
    form = (await staffed_desk.get("/v1/work-orders/o-1/form")).json()
    assert form["order"]["amendments"] == order["amendments"]


async def test_an_amended_appointment_is_what_the_lists_are_sorted_by(staffed_desk: Desk) -> None:
    await staffed_desk.create()
    await amend(staffed_desk, appointment=LATER)
    async with staffed_desk.db.statements() as statements:
        due_at = await statements.fetchval("select due_at from work_orders where id = 'o-1'")
    assert due_at.isoformat() == "2026-03-05T01:00:00+00:00"


async def test_what_another_service_holds_is_asked_of_it(staffed_desk: Desk) -> None:
    await staffed_desk.create()
    await staffed_desk.dispatch()
    answer = await amend(staffed_desk, version=2, appointment=LATER)
    assert answer.status_code == 202
    assert (answer.json()["order_id"], answer.json()["state"]) == ("o-1", "pending")
    _, asked = await staffed_desk.outbox()
    assert asked.body == WorkOrderAmendRequested(
        request_id=answer.json()["request_id"],
        reason="用户来电改约",
        seen_version=2,
        appointment=asked.body.appointment,
    )
    assert (asked.subject, asked.order_version) == ("o-1", None)
    assert (await staffed_desk.get("/v1/work-orders/o-1")).json()["version"] == 2


async def test_of_two_amendments_at_once_the_second_is_refused_with_the_version_that_is_there(
    staffed_desk: Desk,
) -> None:
    await staffed_desk.create()
    await amend(staffed_desk, urgency="urgent")
    answer = await amend(staffed_desk, urgency="emergency")
    assert (answer.status_code, answer.json()["code"]) == (412, "stale_version")
    assert answer.json()["present_version"] == 2


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({}, 422, "nothing_amended"),
        ({"device_type": "digital"}, 422, "device_type_unknown"),
        ({"demand_type": "gone"}, 422, "demand_type_unknown"),
        ({"is_appointment_withdrawn": True}, 422, "nothing_amended"),
        ({"appointment": LATER, "is_appointment_withdrawn": True}, 422, "appointment_moved_and_withdrawn"),
        ({"appointment": {**LATER, "end": LATER["start"]}}, 422, "appointment_inverted"),
        ({"urgency": "quick"}, 422, "invalid_request"),
        ({"contact": {"name": "王", "phone": "1"}}, 422, "invalid_request"),
        ({"content": "x", "reason": ""}, 422, "invalid_request"),
        ({"content": "x", "version": None}, 428, "version_required"),
        ({"content": "x", "version": 2}, 412, "stale_version"),
        ({"content": "x", "role": "technician"}, 403, "role_not_allowed"),
    ],
)
async def test_an_amendment_that_cannot_be_is_refused_and_changes_nothing(
    staffed_desk: Desk, changes: dict[str, Any], status: int, code: str
) -> None:
    await staffed_desk.create()
    await staffed_desk.hear_of(*TYPES)
    answer = await amend(staffed_desk, **changes)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await staffed_desk.outbox() == []
    assert (await staffed_desk.get("/v1/work-orders/o-1")).json()["version"] == 1


async def test_a_closed_order_is_not_amended(staffed_desk: Desk) -> None:
    stream = await staffed_desk.create()
    await staffed_desk.hear(stream.write(e.WorkOrderCancelled(request_id="r", reason="x"), Service.DISPATCH))
    answer = await amend(staffed_desk, version=2, content="x")
    assert (answer.status_code, answer.json()["code"]) == (409, "act_not_allowed")
