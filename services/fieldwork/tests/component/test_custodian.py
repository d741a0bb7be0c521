"""Event in, row out; request in, one answer out: fieldwork by the stream of an order."""

from dataclasses import replace

import pytest

from contracts import events as e
from contracts.chain import event_hash
from contracts.codec import new_message
from contracts.lifecycle import Service, Status
from contracts.limits import SHIPPED, SUBJECT, TimeLimit
from contracts.message import Actor, Message
from contracts.requests import (
    WorkOrderCancelRequested,
    WorkOrderExtensionRequested,
    WorkOrderRequestRefused,
    WorkOrderUrgeRequested,
)
from work_orders.testing import BEGIN, COMPLETION, ServiceUnderTest, Stream, make_completed, make_dispatched

TECHNICIAN = {"role": "technician", "areas": ["north"]}


async def _read_until(fieldwork: ServiceUnderTest, status: Status) -> Stream:
    stream = Stream().until(status)
    await fieldwork.receive(*stream.messages)
    return stream


@pytest.mark.parametrize("status", Status)
async def test_an_order_read_from_the_stream_is_the_fold_of_its_events(
    fieldwork: ServiceUnderTest, status: Status
) -> None:
    stream = await _read_until(fieldwork, status)
    order = (await fieldwork.get("/work-orders/o-1", "supervisor")).json()
    assert (order["status"], order["version"]) == (status, stream.order.version)
    row = await fieldwork.row_of()
    assert row["last_hash"] == event_hash(stream.messages[-1])
    assert row["custodian"] == (stream.order.custodian and stream.order.custodian.value)
    assert await fieldwork.sent() == []


async def test_events_that_come_again_or_late_change_nothing(fieldwork: ServiceUnderTest) -> None:
    stream = await _read_until(fieldwork, Status.PROCESSING)
    before = await fieldwork.row_of()
    await fieldwork.receive(*stream.messages)
    await fieldwork.receive(stream.messages[0], stream.messages[2], stream.messages[2])
    assert await fieldwork.row_of() == before


async def test_a_gap_parks_that_order_and_no_other(fieldwork: ServiceUnderTest) -> None:
    torn, whole = Stream("torn").until(Status.PROCESSING), Stream("whole").until(Status.DISPATCHED)
    await fieldwork.receive(torn.messages[0], torn.messages[2], *whole.messages)
    assert (await fieldwork.row_of("torn"))["version"] == 1
    assert (await fieldwork.row_of("whole"))["version"] == 2
    (parked,) = await fieldwork.rows("select key, reason from parked")
    assert (parked["key"], parked["reason"]) == ("torn", "a gap: version 3 came after version 1")


@pytest.mark.parametrize("status", [Status.DISPATCHED, Status.PROCESSING])
async def test_the_custodian_grants_a_cancel_request(fieldwork: ServiceUnderTest, status: Status) -> None:
    stream = await _read_until(fieldwork, status)
    last = stream.messages[-1]
    request = stream.ask()
    await fieldwork.receive(request)
    (granted,) = await fieldwork.sent()
    assert granted.body == e.WorkOrderCancelled(request_id="r-1", reason="用户来电要求")
    assert (granted.order_version, granted.prev_hash) == (last.order_version + 1, event_hash(last))
    assert (granted.causation_id, granted.actor.sub) == (request.id, "agent-1")
    row = await fieldwork.row_of()
    assert (row["status"], row["custodian"]) == ("cancelled", None)
    refused = await fieldwork.act("o-1", "start", version=granted.order_version, **TECHNICIAN)
    assert (refused.status_code, refused.json()["allowed_acts"]) == (409, [])


async def test_the_custodian_grants_an_urge_and_puts_the_order_first(fieldwork: ServiceUnderTest) -> None:
    stream = await _read_until(fieldwork, Status.PROCESSING)
    await fieldwork.receive(stream.ask(WorkOrderUrgeRequested(request_id="r-1", reason="again")))
    (granted,) = await fieldwork.sent()
    assert granted.body == e.WorkOrderUrged(request_id="r-1", reason="again")
    assert (await fieldwork.row_of())["urgency"] == 0


async def test_a_suspended_order_can_be_cancelled(fieldwork: ServiceUnderTest) -> None:
    stream = Stream().until(Status.PROCESSING)
    stream.add(e.WorkOrderSuspended(reason="等待配件", until=stream.messages[0].occurred_at.replace(year=2030)))
    await fieldwork.receive(*stream.messages, stream.ask())
    assert [type(message.body) for message in await fieldwork.sent()] == [e.WorkOrderCancelled]
    assert (await fieldwork.get("/work-orders/o-1", "supervisor")).json()["suspension"] is None


@pytest.mark.parametrize("status", [Status.CREATED, Status.REJECTED, Status.COMPLETED, Status.ARCHIVED])
async def test_who_does_not_hold_the_order_is_silent(fieldwork: ServiceUnderTest, status: Status) -> None:
    stream = await _read_until(fieldwork, status)
    await fieldwork.receive(stream.ask())
    assert await fieldwork.sent() == []


async def _completed_here(fieldwork: ServiceUnderTest) -> tuple[Stream, Message]:
    """The order is completed here, and Kafka has not brought that back yet."""
    stream = await _read_until(fieldwork, Status.PROCESSING)
    assert (await fieldwork.act("o-1", "complete", version=3, **TECHNICIAN, **COMPLETION)).status_code == 200
    (completed,) = await fieldwork.sent()
    return stream, completed


async def test_a_request_before_the_hand_over_was_read_back_is_forwarded_behind_it(fieldwork: ServiceUnderTest) -> None:
    stream, completed = await _completed_here(fieldwork)
    request = stream.ask()
    await fieldwork.receive(request)
    sent = await fieldwork.sent()
    assert [message.body for message in sent] == [completed.body, replace(request.body, hop=1)]
    assert (sent[1].causation_id, sent[1].occurred_at) == (request.id, request.occurred_at)
    assert sent[1].actor == request.actor


async def test_a_request_behind_the_hand_over_is_the_next_custodians(fieldwork: ServiceUnderTest) -> None:
    stream, completed = await _completed_here(fieldwork)
    await fieldwork.receive(completed, stream.ask())
    assert await fieldwork.sent() == [completed]


async def test_a_request_is_forwarded_while_the_stream_is_not_read_to_the_hand_over(
    fieldwork: ServiceUnderTest,
) -> None:
    stream = await _read_until(fieldwork, Status.DISPATCHED)
    await fieldwork.act("o-1", "start", version=2, **TECHNICIAN)
    await fieldwork.act("o-1", "complete", version=3, **TECHNICIAN, **COMPLETION)
    started, completed = await fieldwork.sent()
    await fieldwork.receive(started, stream.ask(), completed)
    assert [type(message.body) for message in await fieldwork.sent()][2:] == [WorkOrderCancelRequested]


async def test_a_repeated_request_is_answered_once_and_forwarded_once(fieldwork: ServiceUnderTest) -> None:
    stream = await _read_until(fieldwork, Status.PROCESSING)
    request = stream.ask()
    await fieldwork.receive(request, request)
    await fieldwork.receive(request)
    assert len(await fieldwork.sent()) == 1
    other = Stream("o-2").until(Status.PROCESSING)
    await fieldwork.receive(*other.messages)
    await fieldwork.act("o-2", "complete", version=3, **TECHNICIAN, **COMPLETION)
    asked = other.ask(WorkOrderCancelRequested(request_id="r-2", reason="again"))
    await fieldwork.receive(asked, asked)
    await fieldwork.receive(asked)
    assert [type(message.body) for message in await fieldwork.sent()].count(WorkOrderCancelRequested) == 1


async def test_who_cancelled_an_order_refuses_a_later_request(fieldwork: ServiceUnderTest) -> None:
    stream = await _read_until(fieldwork, Status.DISPATCHED)
    first = stream.ask()
    second = stream.ask(WorkOrderCancelRequested(request_id="r-2", reason="again"))
    await fieldwork.receive(first, second)
    granted, refused = await fieldwork.sent()
    assert granted.body.request_id == "r-1"
    assert refused.body == WorkOrderRequestRefused(request_id="r-2", code="act_not_allowed", status="cancelled")
    assert refused.order_version is None


async def test_a_request_that_was_forwarded_is_answered_here_when_the_order_has_come_back(
    fieldwork: ServiceUnderTest,
) -> None:
    stream = await _read_until(fieldwork, Status.DISPATCHED)
    await fieldwork.act("o-1", "reject", version=2, **TECHNICIAN, reason="wrong_trade", explanation="需要光纤班")
    await fieldwork.receive(stream.ask())
    rejected, forwarded = await fieldwork.sent()
    stream.take(rejected)
    ruled = stream.add(e.WorkOrderRedispatchRequested(is_misdispatch_valid=True))
    await fieldwork.receive(rejected, ruled, stream.add(make_dispatched()), forwarded, forwarded)
    assert [type(message.body) for message in await fieldwork.sent()][2:] == [e.WorkOrderCancelled]


async def test_a_request_for_an_order_that_was_never_created_is_parked(fieldwork: ServiceUnderTest) -> None:
    await fieldwork.receive(Stream("nowhere").ask())
    (parked,) = await fieldwork.rows("select key, reason from parked")
    assert parked["key"] == "nowhere"
    assert await fieldwork.sent() == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"source": "/linework/dispatch"}, "dispatch may not write"),
        ({"prev_hash": "0" * 64}, "does not carry the hash"),
        ({"order_version": 5}, "a gap"),
    ],
)
async def test_an_event_that_cannot_follow_is_parked_and_nothing_changes(
    fieldwork: ServiceUnderTest, change: dict, reason: str
) -> None:
    stream = await _read_until(fieldwork, Status.PROCESSING)
    before = await fieldwork.row_of()
    await fieldwork.receive(replace(stream.add(make_completed()), **change))
    (parked,) = await fieldwork.rows("select reason from parked")
    assert reason in parked["reason"]
    assert await fieldwork.row_of() == before


async def test_an_extension_is_decided_by_the_limits_that_an_operator_has_defined(fieldwork: ServiceUnderTest) -> None:
    await _read_until(fieldwork, Status.PROCESSING)
    ask = WorkOrderExtensionRequested(request_id="r-1", clock=e.SlaClock.COMPLETE, minutes=30, reason="等配件")
    stream = Stream().until(Status.PROCESSING)
    await fieldwork.receive(stream.ask(ask))
    limits = replace(SHIPPED, applies_from=BEGIN, limits=(TimeLimit(clock=e.SlaClock.COMPLETE, minutes=60),))
    told = {"actor": Actor("operator-1", "operator"), "occurred_at": BEGIN, "recorded_at": BEGIN, "entity_version": 1}
    await fieldwork.receive(new_message(limits, service=Service.DISPATCH, subject=SUBJECT, **told))
    await fieldwork.receive(stream.ask(replace(ask, request_id="r-2")))
    refused, granted = await fieldwork.sent()
    assert (refused.body.request_id, refused.body.code) == ("r-1", "limit_not_running")
    assert granted.body == e.WorkOrderExtended(request_id="r-2", clock=e.SlaClock.COMPLETE, minutes=30, reason="等配件")
    order = (await fieldwork.get("/work-orders/o-1", "supervisor")).json()
    assert (order["status"], order["extensions"][0]["minutes"]) == ("processing", 30)
    await fieldwork.rows("delete from time_limits")
