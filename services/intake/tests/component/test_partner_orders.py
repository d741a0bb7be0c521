"""What partners are told of their orders, and what they may ask of them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from services.intake.tests.component.switch import Switch, registered_switch
from services.intake.tests.component.test_areas import TOMORROW, settle
from services.intake.tests.component.test_desk import logged
from services.intake.tests.service import Intake

from chassis.parking import RawRecord
from chassis.recovery.fence import must_read_until
from chassis.subscribe import Consumer
from contracts import events as e
from contracts import partners as p
from contracts.codec import encode
from contracts.lifecycle import Service, Status
from contracts.message import Message
from contracts.requests import WorkOrderRequestRefused
from intake.consumers import SUBSCRIPTIONS

WINDOW = e.Appointment(datetime(2026, 12, 3, 9, tzinfo=UTC), datetime(2026, 12, 3, 11, tzinfo=UTC))
DISPATCHED = e.WorkOrderDispatched(work_area_id="north", staff_ids=("staff-7",))
COMPLETED = e.WorkOrderCompleted(
    staff_ids=("staff-7",), handling="done", is_resolved=True, is_petitioned=False, is_called_back=True
)


def asked(**changes: Any) -> p.PartnerOrderRequested:
    values = {"subscriber_no": "111", "device_type": "digital", "demand_type": "test", "content": "没有图像", **changes}
    return p.PartnerOrderRequested(**values)


@pytest.fixture
async def partner(intake: Intake) -> Switch:
    return await registered_switch(intake)


async def ordered(intake: Intake, partner: Switch, reference: str = "PO-7", **changes: Any) -> str:
    """An order of the partner that the other services know of; its id."""
    await partner.says(partner.event(asked(**changes), call=reference))
    (order_id,) = [one.order_id for one in await told(partner, p.PartnerEventsAccepted) if one.order_id][-1:]
    await intake.deliver_own(order_id)
    return order_id


async def told(partner: Switch, kind: type = object) -> list[Any]:
    return [body for body in await partner.answers() if isinstance(body, kind)]


async def statuses(partner: Switch) -> list[str]:
    return [one.status.value for one in await told(partner, p.PartnerOrderStatusChanged)]


async def whole_life(intake: Intake, order_id: str) -> list[Message]:
    steps: Sequence[tuple[Service, Any]] = (
        (Service.DISPATCH, DISPATCHED),
        (Service.FIELDWORK, e.WorkOrderStarted()),
        (Service.FIELDWORK, COMPLETED),
        (Service.QA, e.WorkOrderArchived()),
    )
    return [await intake.happens(order_id, service, body) for service, body in steps]


async def read(intake: Intake, messages: Sequence[Message], at: int = 0) -> None:
    """The messages as records of the stream, from an offset on."""
    records = []
    for place, message in enumerate(messages):
        key, value, headers = encode(message)
        records.append(RawRecord("work-orders", 0, at + place, key, value, tuple(headers)))
    await Consumer(SUBSCRIPTIONS[0], service="intake", db=intake.db).apply(records)


async def test_a_partner_hears_of_each_fate_of_its_order_with_the_appointment(intake: Intake, partner: Switch) -> None:
    order_id = await ordered(intake, partner, "ＰＯ-7", appointment=WINDOW)
    await whole_life(intake, order_id)
    heard = [one for one in await partner.published("partner.pbx.out") if one.type.endswith("status_changed.v1")]
    assert [one.body.status for one in heard] == [Status.DISPATCHED, Status.COMPLETED, Status.ARCHIVED]
    assert [one.body.order_version for one in heard] == [2, 4, 5]
    # Under the key that the partner wrote, beside the answer to its event.
    assert {one.subject for one in heard} == {"ＰＯ-7"}
    assert {one.body.appointment for one in heard} == {WINDOW}
    assert "staff-7" not in str(heard)


async def test_what_the_stream_repeats_is_told_once(intake: Intake, partner: Switch) -> None:
    order_id = await ordered(intake, partner)
    messages = await whole_life(intake, order_id)
    await intake.deliver(*messages)
    await read(intake, messages)
    assert await statuses(partner) == ["dispatched", "completed", "archived"]


async def test_a_batch_of_the_worker_tells_the_same(intake: Intake, partner: Switch) -> None:
    await partner.says(partner.event(asked(), call="PO-7"))
    (answer,) = await told(partner)
    own = [message for message in await intake.outbox() if message.subject == answer.order_id]
    await read(intake, own)
    intake.last[answer.order_id] = own[-1]
    await whole_life(intake, answer.order_id)
    assert await statuses(partner) == ["dispatched", "completed", "archived"]
    async with intake.db.statements() as statements:
        assert await statements.fetchval("select count(*) from parked") == 0


async def test_an_order_of_a_person_with_such_a_reference_is_nobodys(intake: Intake, partner: Switch) -> None:
    order = await intake.order(external_reference="pbx/PO-1")
    await intake.deliver_own(order["id"])
    await whole_life(intake, order["id"])
    assert await told(partner) == []
    await partner.says(partner.event(p.PartnerOrderCancelRequested(reason="x"), call="PO-1"))
    assert [code for _, code in await partner.refusals()] == ["work_order_not_found"]


async def test_the_promise_of_a_reply_is_told(intake: Intake, partner: Switch) -> None:
    order_id = await ordered(intake, partner)
    call_id = (await logged(intake))["id"]
    await settle(intake, call_id, outcome="open_order", order_id=order_id, reason="again")
    await settle(intake, call_id, outcome="difficult_case", content="x", contact="王", reply_by=TOMORROW)
    await intake.happens(order_id, Service.DISPATCH, DISPATCHED)
    (heard,) = await told(partner, p.PartnerOrderStatusChanged)
    assert heard.reply_by == datetime.fromisoformat(TOMORROW)


async def test_a_cancel_request_is_answered_when_the_custodian_has_answered(intake: Intake, partner: Switch) -> None:
    order_id = await ordered(intake, partner)
    await partner.says(partner.event(p.PartnerOrderCancelRequested(reason="已恢复"), call="PO-7", event_id="stop"))
    (request,) = [one for one in await intake.outbox() if one.type.endswith("cancel_requested.v1")]
    assert (request.subject, request.body.reason, request.actor.sub) == (order_id, "已恢复", "pbx")
    assert "stop" not in str(await told(partner))
    cancelled = e.WorkOrderCancelled(request_id=request.body.request_id, reason=request.body.reason)
    await intake.happens(order_id, Service.DISPATCH, cancelled)
    answer, heard = (await told(partner))[-2:]
    assert ([one.event_id for one in answer.events], answer.order_id) == (["stop"], order_id)
    assert heard.status is Status.CANCELLED


async def test_a_refusal_of_the_custodian_reaches_the_partner_with_what_is_allowed(
    intake: Intake, partner: Switch
) -> None:
    order_id = await ordered(intake, partner)
    await whole_life(intake, order_id)
    urge = partner.event(p.PartnerOrderUrgeRequested(reason="hurry"), call="PO-7", event_id="urge")
    await partner.says(urge)
    (request,) = [one for one in await intake.outbox() if one.type.endswith("urge_requested.v1")]
    refused = WorkOrderRequestRefused(request_id=request.body.request_id, code="act_not_allowed", status="archived")
    for _ in range(2):
        await intake.happens(order_id, Service.QA, refused)
    (answer,) = await told(partner, p.PartnerEventRefused)
    assert (answer.event_id, answer.code, answer.event_type) == ("urge", "act_not_allowed", urge.type)
    assert "archived" in answer.detail.en
    assert "归档" in answer.detail.zh
    listed = (await intake.get("/partners/pbx/refused-events", "operator")).json()["items"]
    assert [(one["event_id"], one["code"]) for one in listed] == [("urge", "act_not_allowed")]


@pytest.mark.parametrize("body", [p.PartnerOrderCancelRequested(reason="x"), p.PartnerOrderUrgeRequested(reason="x")])
async def test_anothers_order_is_refused_like_one_that_does_not_exist(
    intake: Intake, partner: Switch, body: Any
) -> None:
    await ordered(intake, partner)
    other = Switch(intake.db, "other")
    before = len(await intake.outbox())
    await other.says(other.event(body, call="PO-7"), other.event(body, call="PO-8"))
    foreign, missing = await other.answers()
    assert foreign.code == missing.code == "work_order_not_found"
    assert foreign.detail.en.replace("PO-7", "PO-8") == missing.detail.en
    assert len(await intake.outbox()) == before + 2


async def test_a_disabled_partner_is_told_nothing(intake: Intake, partner: Switch) -> None:
    order_id = await ordered(intake, partner)
    definition = {"name_en": "pbx", "name_zh": "pbx", "is_active": False}
    answer = await intake.client.put("/v1/partners/pbx", json=definition, headers=intake.as_("operator"))
    assert answer.is_success
    await whole_life(intake, order_id)
    assert await statuses(partner) == []


async def forgotten(intake: Intake, *tables: str) -> None:
    """As in a database that was restored from before the partner's event."""
    async with intake.db.statements() as statements:
        for table in (*tables, "outbox", "partner_events"):
            await statements.execute(f"delete from {table}")


async def test_an_order_that_a_restored_database_knows_from_the_stream_is_accepted_again(
    intake: Intake, partner: Switch
) -> None:
    event = partner.event(asked(), call="PO-7")
    await partner.says(event)
    (first,) = await told(partner)
    await forgotten(intake)
    await partner.says(event)
    assert await told(partner) == [first]


async def test_a_request_that_a_restored_database_knows_from_the_stream_is_not_asked_again(
    intake: Intake, partner: Switch
) -> None:
    order_id = await ordered(intake, partner)
    event = partner.event(p.PartnerOrderCancelRequested(reason="x"), call="PO-7", event_id="stop")
    await partner.says(event)
    (request,) = [one for one in await intake.outbox() if one.type.endswith("cancel_requested.v1")]
    refused = WorkOrderRequestRefused(request_id=request.body.request_id, code="act_not_allowed", status="completed")
    await forgotten(intake, "partner_requests")
    await intake.happens(order_id, Service.QA, refused)
    assert await told(partner) == []
    await partner.says(event)
    (answer,) = await told(partner)
    assert (answer.event_id, answer.code) == ("stop", "act_not_allowed")
    assert [one for one in await intake.outbox() if one.type.endswith("cancel_requested.v1")] == []


async def test_what_happened_while_the_database_was_away_is_told_at_the_end_of_catching_up(
    intake: Intake, partner: Switch
) -> None:
    order_id = await ordered(intake, partner)
    messages = await whole_life(intake, order_id)
    sent = [one.id for one in await partner.published("partner.pbx.out") if one.type.endswith("status_changed.v1")]
    created = [one for one in await intake.outbox() if one.subject == order_id and one.order_version]
    await forgotten(intake, "partner_messages", "partner_orders", "order_history", "work_orders")
    async with intake.db.statements() as statements:
        await must_read_until(statements, "work-orders", {0: len(messages) + 1})
    await read(intake, [*created, *messages[:2]])
    assert await statuses(partner) == []
    await read(intake, messages[2:], at=3)
    # Again, for nobody knows what the lost database had sent; under the same ids, which the partner knows.
    assert [one.id for one in await partner.published("partner.pbx.out")] == sent
    assert await statuses(partner) == ["dispatched", "completed", "archived"]


async def test_an_order_that_an_older_release_creates_is_heard_of(intake: Intake, partner: Switch) -> None:
    await partner.says(partner.event(asked(), call="PO-7"))
    (answer,) = await told(partner)
    async with intake.db.statements() as statements:
        await statements.execute("delete from partner_orders")
    await intake.deliver_own(answer.order_id)
    await whole_life(intake, answer.order_id)
    assert await statuses(partner) == ["dispatched", "completed", "archived"]


async def test_the_appointment_of_an_erased_subscriber_is_forgotten(intake: Intake, partner: Switch) -> None:
    order_id = await ordered(intake, partner, appointment=WINDOW)
    await whole_life(intake, order_id)
    subscriber_id = (await intake.get("/subscribers?subscriber_no=111")).json()["items"][0]["id"]
    erased = await intake.post(f"/subscribers/{subscriber_id}/erasure", {"ground": "subscriber_asked"}, "supervisor")
    assert erased.is_success, erased.text
    async with intake.db.statements() as statements:
        kept = await statements.fetch("select payload from partner_messages where payload like '%appointment%'")
    assert kept == []
