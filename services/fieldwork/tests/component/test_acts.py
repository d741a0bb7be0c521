"""HTTP in, outbox row out: what the work area does with an order."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from contracts import events as e
from contracts.chain import event_hash
from contracts.holders import Holder
from contracts.lifecycle import Status
from work_orders.http import prepare_orders
from work_orders.testing import BEGIN, COMPLETION, ServiceUnderTest, Stream, make_dispatched, staff

TOMORROW = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
TECHNICIAN = {"role": "technician", "areas": ["north"]}
ACTS = {
    "start": {},
    "reject": {"reason": "wrong_trade", "explanation": "需要光纤班"},
    "complete": COMPLETION,
    "suspend": {"reason": "等待配件", "until": TOMORROW.isoformat()},
    "resume": {},
    "notes": {"note": "钥匙在门卫"},
    "arrive": {"place": "东门"},
}


async def test_an_act_is_answered_with_the_order_and_published_behind_what_was_before(
    fieldwork: ServiceUnderTest,
) -> None:
    stream = Stream().until(Status.DISPATCHED)
    await fieldwork.receive(*stream.messages)
    answer = await fieldwork.act("o-1", "start", version=2, sub="north-1", **TECHNICIAN)
    assert (answer.status_code, answer.headers["etag"]) == (200, '"3"')
    assert (answer.json()["status"], answer.json()["started"]["by"]["sub"]) == ("processing", "north-1")
    (message,) = await fieldwork.sent()
    assert message.body == e.WorkOrderStarted()
    assert (message.order_version, message.prev_hash) == (3, event_hash(stream.messages[-1]))
    assert (message.actor.sub, message.actor.role) == ("north-1", "technician")
    row = await fieldwork.row_of()
    assert (row["version"], row["stream_version"], row["status"]) == (3, 2, "processing")


@pytest.mark.parametrize(
    ("status", "act", "event"),
    [
        (
            Status.DISPATCHED,
            "reject",
            e.WorkOrderRejected(reason=e.RejectionReason.WRONG_TRADE, explanation="需要光纤班"),
        ),
        (
            Status.PROCESSING,
            "complete",
            e.WorkOrderCompleted(**COMPLETION | {"staff_ids": ("north-1",)}),
        ),
        (
            Status.PROCESSING,
            "suspend",
            e.WorkOrderSuspended(reason="等待配件", until=TOMORROW, held_by=Holder.HOUSE, reason_code="other"),
        ),
        (Status.DISPATCHED, "arrive", e.WorkOrderArrived(place="东门")),
        (Status.DISPATCHED, "notes", e.WorkOrderNoteAdded(note="钥匙在门卫")),
    ],
)
async def test_what_was_given_with_an_act_is_in_its_event(fieldwork: ServiceUnderTest, status, act, event) -> None:
    stream = Stream().until(status)
    await fieldwork.receive(*stream.messages)
    answer = await fieldwork.act("o-1", act, version=len(stream.messages), **TECHNICIAN, **ACTS[act])
    assert answer.status_code == 200, answer.text
    (message,) = await fieldwork.sent()
    assert message.body == event
    # What comes back from Kafka is known already and changes nothing but how far the stream was read.
    await fieldwork.receive(message, message)
    row = await fieldwork.row_of()
    assert row["version"] == row["stream_version"] == message.order_version
    assert row["body"] == answer.text


async def test_a_suspended_order_rests_until_it_is_resumed(fieldwork: ServiceUnderTest) -> None:
    await fieldwork.receive(*Stream().until(Status.PROCESSING).messages)
    await fieldwork.act("o-1", "suspend", version=3, **TECHNICIAN, **ACTS["suspend"])
    for act in ("reject", "complete", "suspend"):
        refused = await fieldwork.act("o-1", act, version=4, **TECHNICIAN, **ACTS[act])
        assert (refused.status_code, refused.json()["code"]) == (409, "act_not_allowed")
        assert {"cancel", "resume", "recall"} <= set(refused.json()["allowed_acts"])
    resumed = await fieldwork.act("o-1", "resume", version=4, **TECHNICIAN)
    assert resumed.json()["suspension"] is None
    assert (await fieldwork.act("o-1", "complete", version=5, **TECHNICIAN, **COMPLETION)).status_code == 200


@pytest.mark.parametrize(
    ("act", "body", "status", "code"),
    [
        ("complete", COMPLETION | {"staff_ids": ["north-1", "north-1"]}, 422, "staff_repeated"),
        ("complete", COMPLETION | {"staff_ids": ["south-1"]}, 422, "staff_outside_work_area"),
        ("complete", COMPLETION | {"staff_ids": []}, 422, "invalid_request"),
        ("complete", COMPLETION | {"is_resolved": "yes"}, 422, "invalid_request"),
        ("complete", COMPLETION | {"handling": "\u0000"}, 422, "invalid_request"),
        ("complete", COMPLETION | {"staff_ids": ["a'; drop table work_orders; --"]}, 422, "invalid_request"),
        ("complete", COMPLETION | {"weather": "rain"}, 422, "invalid_request"),
        ("complete", COMPLETION | {"occurred_at": "2026-03-02T07:00:00Z"}, 422, "before_the_last_act"),
        ("complete", COMPLETION | {"occurred_at": "9999-12-31T23:59:59Z"}, 422, "invalid_request"),
        ("reject", {"reason": "bored", "explanation": "x"}, 422, "invalid_request"),
        ("reject", {"reason": "other"}, 422, "invalid_request"),
        ("suspend", {"reason": "x", "until": "2026-01-01T00:00:00Z"}, 422, "suspension_already_over"),
        ("suspend", {"reason": "x", "until": "1900-01-01T00:00:00Z"}, 422, "invalid_request"),
        ("suspend", {"reason": "x", "until": "9999-12-31T23:59:59Z"}, 422, "invalid_request"),
        ("start", {}, 409, "act_not_allowed"),
        ("resume", {}, 409, "act_not_allowed"),
        ("notes", {"note": " "}, 422, "invalid_request"),
    ],
)
async def test_what_is_not_right_is_refused_and_changes_nothing(
    fieldwork: ServiceUnderTest, act: str, body: dict, status: int, code: str
) -> None:
    await fieldwork.receive(*Stream().until(Status.PROCESSING).messages)
    before = await fieldwork.row_of()
    answer = await fieldwork.act("o-1", act, version=3, **TECHNICIAN, **body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert await fieldwork.row_of() == before
    assert await fieldwork.sent() == []


async def test_a_binding_assignment_cannot_be_rejected(fieldwork: ServiceUnderTest) -> None:
    stream = Stream().until(Status.CREATED)
    stream.add(make_dispatched(is_binding=True))
    await fieldwork.receive(*stream.messages)
    answer = await fieldwork.act("o-1", "reject", version=2, **TECHNICIAN, **ACTS["reject"])
    assert (answer.status_code, answer.json()["code"]) == (409, "binding_assignment")
    assert "north" in answer.json()["detail"]


async def test_a_completion_by_staff_whose_entries_are_on_their_way_can_be_tried_again(
    fieldwork: ServiceUnderTest,
) -> None:
    stream = Stream().until(Status.CREATED)
    stream.add(make_dispatched(staff_ids=("north-9",)))
    stream.add(e.WorkOrderStarted())
    await fieldwork.receive(*stream.messages)
    completion = COMPLETION | {"staff_ids": ["north-9"]}
    early = await fieldwork.act("o-1", "complete", version=3, key="k", **TECHNICIAN, **completion)
    assert (early.status_code, early.json()["code"]) == (503, "staff_not_arrived")
    assert early.headers["retry-after"]
    await fieldwork.receive(staff("north-9", "north"))
    assert (await fieldwork.act("o-1", "complete", version=3, key="k", **TECHNICIAN, **completion)).status_code == 200


async def test_the_same_command_gets_the_same_answer_and_happens_once(fieldwork: ServiceUnderTest) -> None:
    await fieldwork.receive(*Stream().until(Status.PROCESSING).messages)
    first = await fieldwork.act("o-1", "complete", version=3, key="k", **TECHNICIAN, **COMPLETION)
    again = await fieldwork.act("o-1", "complete", version=3, key="k", **TECHNICIAN, **COMPLETION)
    assert (again.status_code, again.content, again.headers["etag"]) == (200, first.content, '"4"')
    other = await fieldwork.act("o-1", "complete", version=3, key="k", **TECHNICIAN, **COMPLETION | {"handling": "x"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len(await fieldwork.sent()) == 1


async def test_an_act_keeps_the_time_at_which_it_was_done(fieldwork: ServiceUnderTest) -> None:
    await fieldwork.receive(*Stream().until(Status.DISPATCHED).messages)
    done_at = BEGIN + timedelta(hours=3)
    await fieldwork.act("o-1", "start", version=2, **TECHNICIAN, occurred_at=done_at.isoformat())
    (message,) = await fieldwork.sent()
    assert message.occurred_at == done_at < message.recorded_at


@pytest.mark.parametrize("role", ["agent", "dispatcher", "auditor", "operator", "partner"])
async def test_only_technicians_and_supervisors_act(fieldwork: ServiceUnderTest, role: str) -> None:
    await fieldwork.receive(*Stream().until(Status.DISPATCHED).messages)
    for act, body in ACTS.items():
        if (role, act) == ("dispatcher", "complete"):
            continue  # the handling rules may let a dispatcher do that
        answer = await fieldwork.act("o-1", act, version=2, role=role, **body)
        assert (answer.status_code, answer.json()["code"]) == (403, "role_not_allowed")


@pytest.mark.parametrize("areas", [["south"], ["southnorth", "North"], None])
async def test_an_order_of_a_foreign_area_is_not_found_by_any_act(fieldwork: ServiceUnderTest, areas) -> None:
    await fieldwork.receive(*Stream().until(Status.PROCESSING).messages)
    before = await fieldwork.row_of()
    for act, body in ACTS.items():
        foreign = await fieldwork.act("o-1", act, version=3, role="technician", areas=areas, **body)
        unknown = await fieldwork.act("o-2", act, version=3, role="technician", areas=areas, **body)
        assert (foreign.status_code, foreign.json()["code"]) == (404, "work_order_not_found")
        assert unknown.json()["detail"] == foreign.json()["detail"].replace("o-1", "o-2")
    assert await fieldwork.row_of() == before


async def test_an_order_that_went_to_another_area_is_out_of_the_first_ones_reach(fieldwork: ServiceUnderTest) -> None:
    stream = Stream().until(Status.REDISPATCHING)
    stream.add(make_dispatched(work_area_id="south", staff_ids=("south-1",)))
    await fieldwork.receive(*stream.messages)
    assert (await fieldwork.act("o-1", "start", version=5, **TECHNICIAN)).status_code == 404
    south = {"role": "technician", "areas": ["south", "west"]}
    assert (await fieldwork.act("o-1", "start", version=5, **south)).status_code == 200


async def test_a_supervisor_acts_in_every_work_area(fieldwork: ServiceUnderTest) -> None:
    await fieldwork.receive(*Stream().until(Status.DISPATCHED).messages)
    assert (await fieldwork.act("o-1", "start", version=2, role="supervisor")).status_code == 200


async def test_a_completion_waits_for_staff_and_version_that_are_on_their_way(fieldwork: ServiceUnderTest) -> None:
    fieldwork.app.state.settings.catch_up_seconds = 20.0
    prepare_orders(fieldwork.app)
    stream = Stream().until(Status.CREATED)
    stream.add(make_dispatched(staff_ids=("north-9",)))
    await fieldwork.receive(*stream.messages)
    completion = COMPLETION | {"staff_ids": ["north-9"]}
    waiting = asyncio.create_task(fieldwork.act("o-1", "complete", version=3, **TECHNICIAN, **completion))
    await fieldwork.receive(stream.add(e.WorkOrderStarted()))
    assert not waiting.done()
    await fieldwork.receive(staff("north-9", "north"))
    assert (await waiting).status_code == 200
