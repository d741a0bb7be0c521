"""The stream, applied once and in order, however it is cut into batches and repeated."""

import asyncio
import contextlib
from dataclasses import replace

import pytest

from chassis.database import Database
from chassis.subscribe import Poison
from chassis.telemetry import METRICS
from contracts import events as e
from contracts.lifecycle import Service, Status
from contracts.order import WorkOrder, apply
from contracts.requests import WorkOrderCancelRequested, WorkOrderUrgeRequested
from work_orders.commit import StaleVersion

from .conftest import DISPATCHED, Orders, Timeline, act_on, count_of, follow, make_created, tracked_in, whole_life
from .test_commit import NOTE, outbox_of


def fold(timeline: Timeline) -> WorkOrder:
    order = None
    for message in timeline.messages:
        order = apply(order, message)
    assert order is not None
    return order


@pytest.mark.parametrize("batch", [1, 2, 3, 6])
async def test_a_row_is_the_fold_of_its_stream_however_it_is_cut(db: Database, batch: int) -> None:
    life = whole_life("order-1")
    for first in range(0, 6, batch):
        await follow(db, Service.REPORTING, life.messages[first : first + batch])
    stored = await tracked_in(db, "order-1")
    assert stored is not None
    assert (stored.order, stored.stream_version) == (fold(life), 6)


async def test_repeats_change_nothing_in_whatever_batch_they_come(db: Database) -> None:
    life = whole_life("order-1")
    every = life.messages
    for batch in (every[:3], every[:2], every[1:4], [*every[:4], every[4]], every, [every[5], *every]):
        await follow(db, Service.REPORTING, batch)
    stored = await tracked_in(db, "order-1")
    assert stored is not None
    assert (stored.order, stored.stream_version) == (fold(life), 6)
    assert await count_of(db, "outbox") == 0


async def test_a_gap_is_poison_and_changes_nothing(db: Database) -> None:
    life = whole_life("order-1").messages
    await follow(db, Service.REPORTING, life[:2])
    with pytest.raises(Poison, match="a gap: version 4 came after version 2") as poison:
        await follow(db, Service.REPORTING, life[3:5])
    assert poison.value.message is life[3]
    stored = await tracked_in(db, "order-1")
    assert stored is not None
    assert stored.order.version == 2


async def test_a_stream_that_does_not_begin_with_version_1_is_a_gap(db: Database) -> None:
    with pytest.raises(Poison, match="a gap"):
        await follow(db, Service.REPORTING, whole_life("order-1").messages[1:])


async def test_an_event_that_does_not_carry_the_hash_of_the_one_before_is_poison(db: Database) -> None:
    life = whole_life("order-1").messages
    forged = replace(life[2], prev_hash="1" * 64)
    with pytest.raises(Poison, match="does not carry the hash") as poison:
        await follow(db, Service.REPORTING, [*life[:2], forged])
    assert poison.value.message is forged
    assert await count_of(db, "work_orders") == 0


async def test_an_event_whose_past_was_changed_is_poison(db: Database) -> None:
    life = whole_life("order-1").messages
    changed = replace(life[1], data=life[1].data.replace(b"north", b"south"))
    with pytest.raises(Poison, match="version 3 does not carry the hash"):
        await follow(db, Service.REPORTING, [life[0], changed, life[2]])


async def test_an_event_that_is_not_from_the_custodian_is_poison(db: Database) -> None:
    life = Timeline("order-1")
    life.then(Service.INTAKE, make_created())
    life.then(Service.FIELDWORK, e.WorkOrderStarted())
    with pytest.raises(Poison, match="fieldwork does not hold"):
        await follow(db, Service.REPORTING, life.messages)


@pytest.mark.parametrize(("service", "is_told"), [(Service.FIELDWORK, True), (Service.QA, False)])
async def test_an_event_in_the_services_own_name_that_it_has_not_recorded_is_told(
    db: Database, service: Service, is_told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    life = whole_life("order-1").messages
    await follow(db, service, life[:2])
    before = METRICS.unrecorded._value.get()
    await follow(db, service, life[2:3])
    assert life[2].service == Service.FIELDWORK
    assert METRICS.unrecorded._value.get() - before == is_told
    assert ("that it has not recorded" in caplog.text) == is_told
    stored = await tracked_in(db, "order-1")
    assert stored is not None
    assert stored.order.version == 3


async def test_own_events_come_back_and_only_say_how_far_the_stream_was_read(db: Database, orders: Orders) -> None:
    await follow(db, Service.FIELDWORK, whole_life("order-1").messages[:3])
    act = act_on("order-1", 3)
    await orders.record(await orders.get_for(act), NOTE, act, name="note")
    before, unrecorded = await tracked_in(db, "order-1"), METRICS.unrecorded._value.get()
    await follow(db, Service.FIELDWORK, await outbox_of(db))
    after = await tracked_in(db, "order-1")
    assert METRICS.unrecorded._value.get() == unrecorded
    assert before is not None
    assert after is not None
    assert (before.stream_version, after.stream_version) == (3, 4)
    assert (before.order, before.last_hash) == (after.order, after.last_hash)
    assert not before.has_read_own_events
    assert after.has_read_own_events


async def test_an_act_and_an_answer_to_a_request_at_once_never_have_the_same_version(
    db: Database, orders: Orders
) -> None:
    life = whole_life("order-1")
    await follow(db, Service.FIELDWORK, life.messages[:3])

    async def act() -> None:
        stored = await tracked_in(db, "order-1")
        assert stored is not None
        with contextlib.suppress(StaleVersion):
            await orders.record(stored, NOTE, act_on("order-1", stored.order.version), name="note")

    for number in range(30):
        body = WorkOrderUrgeRequested(request_id=f"r-{number}", reason="third call")
        request = Timeline("order-1").then(Service.INTAKE, body)
        await asyncio.gather(act(), follow(db, Service.FIELDWORK, [request]), act())
    published = await outbox_of(db)
    order = fold(Timeline("order-1", [*life.messages[:3], *published]))
    stored = await tracked_in(db, "order-1")
    assert stored is not None
    assert stored.order == order
    assert [message.order_version for message in published] == list(range(4, order.version + 1))
    assert len(order.urges) == 30


async def test_a_request_is_answered_once_however_often_it_is_delivered(db: Database) -> None:
    life = Timeline("order-1")
    life.then(Service.INTAKE, make_created())
    request = life.then(Service.INTAKE, WorkOrderCancelRequested(request_id="r-1", reason="not needed"))
    await follow(db, Service.DISPATCH, [*life.messages, request])
    await follow(db, Service.DISPATCH, [request])
    assert await count_of(db, "outbox") == 1
    stored = await tracked_in(db, "order-1")
    assert stored is not None
    assert (stored.order.status, stored.order.version) == (Status.CANCELLED, 2)


async def test_only_the_custodian_answers(db: Database) -> None:
    life = Timeline("order-1")
    life.then(Service.INTAKE, make_created())
    life.then(Service.DISPATCH, DISPATCHED)
    life.then(Service.INTAKE, WorkOrderCancelRequested(request_id="r-1", reason="not needed"))
    for service in (Service.INTAKE, Service.QA, Service.REPORTING):
        await follow(db, service, life.messages)
    assert await count_of(db, "outbox") == 0


async def test_a_request_for_an_order_that_was_never_created_is_poison(db: Database) -> None:
    request = Timeline("order-1").then(Service.INTAKE, WorkOrderCancelRequested(request_id="r-1", reason="x"))
    with pytest.raises(Poison, match="never created"):
        await follow(db, Service.DISPATCH, [request])
