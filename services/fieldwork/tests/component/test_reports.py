"""HTTP in, outbox row out: what the field reports, in any status and without a version."""

import asyncio
from datetime import timedelta
from functools import partial

import pytest

from contracts import events as e
from contracts import facts as f
from contracts.lifecycle import Status
from work_orders.testing import BEGIN, ServiceUnderTest, Stream, make_dispatched

NORTH = {"role": "technician", "areas": ["north"]}
SOUTH = {"role": "technician", "areas": ["south"]}
AT_NINE = "2026-03-02T09:00:00+00:00"
ETA = f.WorkOrderEtaRevised(expected_at=BEGIN + timedelta(hours=1), reason="堵车")
REPORTS = {
    "accept": ({}, e.WorkOrderAccepted(), f.WorkOrderAcceptanceRecorded()),
    "contact": ({"note": "约三点"}, e.WorkOrderContacted(note="约三点"), f.WorkOrderContactRecorded(note="约三点")),
    "arrive": ({"place": "东门"}, e.WorkOrderArrived(place="东门"), f.WorkOrderArrivalRecorded(place="东门")),
    "notes": ({"note": "有狗"}, e.WorkOrderNoteAdded(note="有狗"), f.WorkOrderNoteRecorded(note="有狗")),
    "depart": ({}, None, f.WorkOrderDeparted()),
    "eta": ({"expected_at": AT_NINE, "reason": "堵车"}, None, ETA),
    "readings": (
        {"quantity": "signal_level", "value": "-12.5", "unit": "dBmV"},
        None,
        f.WorkOrderReadingTaken(quantity="signal_level", value="-12.5", unit="dBmV"),
    ),
    "parts": ({"part_no": "RG6", "count": "12.5"}, None, f.WorkOrderPartUsed(part_no="RG6", count="12.5")),
}


async def _report(fieldwork: ServiceUnderTest, act: str, who: dict, *, key: str | None = None, **more):
    headers = fieldwork.issuer.headers(who["role"], who.get("areas")) | ({"idempotency-key": key} if key else {})
    body = REPORTS[act][0] | more
    return await fieldwork.client.post(f"/v1/work-orders/o-1/{act}", json=body, headers=headers)


@pytest.mark.parametrize("act", REPORTS)
async def test_a_report_needs_no_version_and_moves_the_order_where_it_can(fieldwork: ServiceUnderTest, act) -> None:
    await fieldwork.receive(*Stream().until(Status.DISPATCHED).messages)
    answers = [await _report(fieldwork, act, NORTH, key="k") for _ in range(2)]
    assert answers[0].content == answers[1].content
    (message,) = await fieldwork.sent()
    _, event, fact = REPORTS[act]
    if event is None:
        assert (answers[0].status_code, message.order_version, message.body) == (201, None, fact)
        assert answers[0].json()["id"] == message.id
    else:
        assert (answers[0].status_code, message.order_version, message.body) == (200, 3, event)
        assert (answers[0].json()["version"], answers[0].headers["etag"]) == (3, '"3"')
    await fieldwork.receive(message)
    assert (await fieldwork.row_of())["version"] == (3 if event else 2)


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.ARCHIVED, Status.REJECTED])
@pytest.mark.parametrize("act", REPORTS)
async def test_once_the_order_is_not_held_a_report_is_a_fact(fieldwork: ServiceUnderTest, act, status) -> None:
    stream = Stream().until(status)
    await fieldwork.receive(*stream.messages)
    answer = await _report(fieldwork, act, NORTH)
    assert answer.status_code == 201, answer.text
    (message,) = await fieldwork.sent()
    assert message.body == REPORTS[act][2]
    assert (await fieldwork.row_of())["version"] == stream.order.version


async def test_a_report_waits_for_the_version_that_it_names(fieldwork: ServiceUnderTest) -> None:
    stream = Stream().until(Status.REDISPATCHING)
    stream.add(make_dispatched())
    await fieldwork.receive(*stream.messages[:-1])
    fieldwork.app.state.unit_of_work = partial(fieldwork.app.state.unit_of_work, catch_up_seconds=10)
    asked = asyncio.create_task(fieldwork.act("o-1", "arrive", version=stream.order.version, **NORTH))
    await asyncio.wait({asked}, timeout=0.2)
    await fieldwork.receive(stream.messages[-1])
    assert (await asked).status_code == 200


def _moved_on() -> Stream:
    """The north sent it back at 08:02, the south has it since 08:04."""
    stream = Stream().until(Status.REDISPATCHING)
    stream.add(make_dispatched(work_area_id="south", staff_ids=("south-1",)))
    return stream


async def test_an_area_that_lost_the_order_reports_what_happened_while_it_had_it(fieldwork: ServiceUnderTest) -> None:
    await fieldwork.receive(*_moved_on().messages)
    answer = await _report(fieldwork, "arrive", NORTH, occurred_at="2026-03-02T08:01:30Z")
    assert (answer.status_code, answer.json()["kind"]) == (201, "arrival")
    assert answer.json()["data"]["place"] == "东门"
    assert "south" not in answer.text
    (message,) = await fieldwork.sent()
    assert (message.body, message.order_version) == (f.WorkOrderArrivalRecorded(place="东门"), None)
    seen = await fieldwork.get("/work-orders/o-1/facts", **SOUTH)
    assert [fact["kind"] for fact in seen.json()["items"]] == ["arrival"]
    assert (await fieldwork.get("/work-orders/o-1/facts", **NORTH)).status_code == 404


async def test_what_happened_long_after_an_area_lost_the_order_is_refused(fieldwork: ServiceUnderTest) -> None:
    await fieldwork.receive(*_moved_on().messages)
    answer = await _report(fieldwork, "arrive", NORTH)
    assert (answer.status_code, answer.json()["code"]) == (409, "order_let_go")
    assert (await _report(fieldwork, "arrive", SOUTH)).status_code == 200


async def test_an_area_that_never_had_the_order_learns_nothing(fieldwork: ServiceUnderTest) -> None:
    await fieldwork.receive(*Stream().until(Status.DISPATCHED).messages)
    answer = await _report(fieldwork, "arrive", SOUTH)
    assert (answer.status_code, answer.json()["code"]) == (404, "work_order_not_found")
    assert await fieldwork.sent() == []


async def test_an_arrival_may_be_older_than_the_start_that_was_told_before(fieldwork: ServiceUnderTest) -> None:
    await fieldwork.receive(*Stream().until(Status.PROCESSING).messages)
    answer = await _report(fieldwork, "arrive", NORTH, occurred_at="2026-03-02T08:01:30Z")
    assert (answer.status_code, answer.json()["arrivals"][0]["arrived"]["at"]) == (200, "2026-03-02T08:01:30Z")


@pytest.mark.parametrize(
    ("act", "more", "code"),
    [
        ("parts", {"count": "0"}, "invalid_request"),
        ("parts", {"count": "-1"}, "invalid_request"),
        ("parts", {"count": "1e9"}, "invalid_request"),
        ("parts", {"part_no": "王强 13800001111"}, "invalid_request"),
        ("readings", {"value": "a lot"}, "invalid_request"),
        ("readings", {"value": "٣"}, "invalid_request"),
        ("readings", {"value": "1" * 13}, "invalid_request"),
        ("eta", {"expected_at": "9999-12-31T00:00:00Z"}, "invalid_request"),
        ("eta", {"reason": " "}, "invalid_request"),
        ("depart", {"weather": "rain"}, "invalid_request"),
        ("depart", {"occurred_at": "2026-03-01T00:00:00Z"}, "before_the_order"),
    ],
)
async def test_what_is_not_right_is_refused_and_changes_nothing(fieldwork, act, more, code) -> None:
    await fieldwork.receive(*Stream().until(Status.DISPATCHED).messages)
    answer = await _report(fieldwork, act, NORTH, **more)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert await fieldwork.sent() == []


async def test_a_decision_on_the_version_before_reports_is_taken(fieldwork: ServiceUnderTest) -> None:
    await fieldwork.receive(*Stream().until(Status.DISPATCHED).messages)
    for act in ("accept", "contact", "arrive", "notes", "parts"):
        await _report(fieldwork, act, NORTH)
    answer = await fieldwork.act("o-1", "start", version=2, **NORTH)
    assert (answer.status_code, answer.json()["version"]) == (200, 7)
    stale = await fieldwork.act("o-1", "reject", version=6, **NORTH, reason="other", explanation="x")
    assert (stale.status_code, stale.json()["code"], stale.json()["present_version"]) == (412, "stale_version", 7)
