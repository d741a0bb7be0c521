"""A batch applied by one read and one guarded statement, and what other processes do between the two."""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest

from chassis import offsets, parking
from chassis.database import Database, Transaction
from chassis.offsets import TopicRecreated
from chassis.parking import Parked, RawRecord
from chassis.subscribe import Consumer, Subscription
from chassis.testing import FixedClock
from chassis.testing_fixtures import Meanwhile
from contracts.codec import encode
from contracts.lifecycle import Service
from contracts.message import Message
from contracts.order import apply
from contracts.requests import WorkOrderUrgeRequested
from contracts.topics import WORK_ORDERS
from work_orders.commit import StaleVersion
from work_orders.replica import Replica

from .conftest import Orders, Timeline, act_on, count_of, tracked_in, whole_life
from .test_commit import NOTE, outbox_of

OLD_TOPIC, NEW_TOPIC = UUID(int=1), UUID(int=2)


@dataclass
class Worker:
    """Fieldwork's consumer of orders, and what it asks of the database."""

    db: Database
    offsets: itertools.count = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        follower = Replica(Service.FIELDWORK, FixedClock())
        subscription = Subscription(WORK_ORDERS, follower.follow, follower.one_statement)
        self.consumer = Consumer(subscription, service="fieldwork", db=self.db)

    def records(self, messages: Sequence[Message]) -> list[RawRecord]:
        return [
            RawRecord(WORK_ORDERS.name, 0, next(self.offsets), key, value, tuple(headers))
            for key, value, headers in map(encode, messages)
        ]

    async def take(self, *messages: Message) -> None:
        await self.consumer.apply(self.records(messages))


@pytest.fixture
async def worker(db: Database) -> Worker:
    """One that has applied a batch, so that its partition has a position."""
    worker = Worker(db)
    await worker.take(*whole_life("order-0").messages)
    return worker


async def position(db: Database) -> int:
    async with db.statements() as statements:
        return await statements.fetchval("select next_offset from positions")


async def test_events_requests_and_answers_take_two_round_trips(worker: Worker, asked: list[str]) -> None:
    life = whole_life("order-1").messages[:3]
    request = Timeline("order-1").then(Service.INTAKE, WorkOrderUrgeRequested(request_id="r-1", reason="third call"))
    await worker.take(*life, *whole_life("order-2").messages, request)
    assert [sql.split(maxsplit=1)[0] for sql in asked] == ["select", "with"]
    stored = await tracked_in(worker.db, "order-1")
    assert stored is not None
    assert (stored.order.version, stored.stream_version, len(stored.order.urges)) == (4, 3, 1)
    assert [message.order_version for message in await outbox_of(worker.db)] == [4]
    assert await count_of(worker.db, "requests_seen") == 1


async def test_repeats_and_own_events_take_two_round_trips(worker: Worker, orders: Orders, asked: list[str]) -> None:
    life = whole_life("order-1").messages[:3]
    await worker.take(*life)
    await orders.record(await orders.get_for(act_on("order-1", 3)), NOTE, act_on("order-1", 3), name="note")
    own = await outbox_of(worker.db)
    asked.clear()
    await worker.take(*own, *life)
    assert len(asked) == 2
    stored = await tracked_in(worker.db, "order-1")
    assert stored is not None
    assert (stored.order.version, stored.stream_version) == (4, 4)


async def test_two_workers_that_have_one_batch_in_hand_apply_it_once(worker: Worker, meanwhile: Meanwhile) -> None:
    life = whole_life("order-1").messages[:3]
    request = Timeline("order-1").then(Service.INTAKE, WorkOrderUrgeRequested(request_id="r-1", reason="third call"))
    records = worker.records([*life, request])
    other = Worker(worker.db)
    meanwhile(lambda: other.consumer.apply(records))
    await worker.consumer.apply(records)
    assert [message.order_version for message in await outbox_of(worker.db)] == [4]
    stored = await tracked_in(worker.db, "order-1")
    assert stored is not None
    assert (stored.order.version, stored.stream_version) == (4, 3)
    assert await count_of(worker.db, "parked") == 0
    assert await position(worker.db) == records[-1].next_offset


async def test_a_worker_that_comes_late_with_the_beginning_of_what_another_applied_changes_nothing(
    worker: Worker, meanwhile: Meanwhile
) -> None:
    records = worker.records(whole_life("order-1").messages)
    other = Worker(worker.db)
    meanwhile(lambda: other.consumer.apply(records))
    await worker.consumer.apply(records[:2])
    stored = await tracked_in(worker.db, "order-1")
    assert stored is not None
    assert (stored.order.version, stored.stream_version) == (6, 6)
    assert await position(worker.db) == records[-1].next_offset


async def test_an_act_between_reading_and_writing_is_not_overwritten(
    worker: Worker, orders: Orders, meanwhile: Meanwhile
) -> None:
    life = whole_life("order-1").messages[:3]
    await worker.take(*life)
    request = Timeline("order-1").then(Service.INTAKE, WorkOrderUrgeRequested(request_id="r-1", reason="third call"))

    async def act() -> None:
        await orders.record(await orders.get_for(act_on("order-1", 3)), NOTE, act_on("order-1", 3), name="note")

    meanwhile(act)
    await worker.take(request, *whole_life("order-2").messages)
    published = await outbox_of(worker.db)
    assert [message.order_version for message in published] == [4, 5]
    order = None
    for message in (*life, *published):
        order = apply(order, message)
    stored = await tracked_in(worker.db, "order-1")
    assert stored is not None
    assert stored.order == order
    assert len(stored.order.urges) == len(stored.order.notes) == 1


async def test_acts_and_answers_at_once_give_one_stream_without_gaps(worker: Worker, orders: Orders) -> None:
    life = whole_life("order-1").messages[:3]
    await worker.take(*life)

    async def act() -> None:
        stored = await tracked_in(worker.db, "order-1")
        assert stored is not None
        try:
            await orders.record(stored, NOTE, act_on("order-1", stored.order.version), name="note")
        except StaleVersion:
            return

    for number in range(20):
        body = WorkOrderUrgeRequested(request_id=f"r-{number}", reason="third call")
        request = Timeline("order-1").then(Service.INTAKE, body)
        await asyncio.gather(act(), worker.take(request), act())
    published = await outbox_of(worker.db)
    assert [message.order_version for message in published] == list(range(4, 4 + len(published)))
    stored = await tracked_in(worker.db, "order-1")
    assert stored is not None
    assert len(stored.order.urges) == 20


async def test_a_record_whose_key_was_parked_between_reading_and_writing_is_parked_behind(
    worker: Worker, meanwhile: Meanwhile
) -> None:
    records = worker.records([*whole_life("order-1").messages[:2], *whole_life("order-2").messages])

    async def park() -> None:
        # As a worker of another release would, to which the first record is poison.
        async with worker.db.begin() as tx:
            await offsets.advance(tx, offsets.reach_of(records[:1]))
            await parking.park(tx, [Parked(records[0], "unknown here")])

    meanwhile(park)
    await worker.consumer.apply(records)
    async with worker.db.statements() as statements:
        rows = await statements.fetch('select "offset", reason from parked order by "offset"')
    assert [tuple(row) for row in rows] == [
        (records[0].offset, "unknown here"),
        (records[1].offset, parking.BEHIND),
    ]
    assert await tracked_in(worker.db, "order-1") is None
    assert await tracked_in(worker.db, "order-2") is not None


async def test_a_batch_of_a_topic_that_was_created_again_between_reading_and_writing_is_refused(
    worker: Worker, meanwhile: Meanwhile
) -> None:
    async def recreate() -> None:
        async with worker.db.statements() as statements:
            await statements.execute("update positions set topic_id = $1", NEW_TOPIC)

    async with worker.db.statements() as statements:
        await statements.execute("update positions set topic_id = $1", OLD_TOPIC)
    worker.consumer.topic_id = OLD_TOPIC
    meanwhile(recreate)
    with pytest.raises(TopicRecreated):
        await worker.take(*whole_life("order-1").messages)
    assert await tracked_in(worker.db, "order-1") is None


async def test_a_database_that_is_marked_as_restored_between_reading_and_writing_answers_nothing_yet(
    worker: Worker, meanwhile: Meanwhile
) -> None:
    await worker.take(*whole_life("order-1").messages[:3])
    request = Timeline("order-1").then(Service.INTAKE, WorkOrderUrgeRequested(request_id="r-1", reason="third call"))

    async def mark() -> None:
        async with worker.db.statements() as statements:
            await statements.execute("update positions set restored_until = next_offset + 100")

    meanwhile(mark)
    await worker.take(request)
    assert await count_of(worker.db, "outbox") == 0
    async with worker.db.statements() as statements:
        assert await statements.fetchval("select owed is not null from requests_seen")


async def test_a_batch_that_reaches_a_mark_set_between_reading_and_writing_settles_the_restore(
    worker: Worker, meanwhile: Meanwhile
) -> None:
    settled: list[bool] = []

    async def settle(tx: Transaction) -> None:
        settled.append(tx.is_catching_up)

    async def mark() -> None:
        async with worker.db.statements() as statements:
            await statements.execute("update positions set restored_until = next_offset + 1")

    worker.consumer.subscription = replace(worker.consumer.subscription, when_caught_up=settle)
    meanwhile(mark)
    await worker.take(whole_life("order-1").messages[0])
    assert settled == [True]


async def test_poison_in_a_batch_parks_its_key_and_the_rest_is_applied(worker: Worker) -> None:
    life = whole_life("order-1").messages
    await worker.take(*life[:1], replace(life[1], prev_hash="1" * 64), *whole_life("order-2").messages)
    assert await count_of(worker.db, "parked") == 1
    stored = await tracked_in(worker.db, "order-1")
    assert stored is not None
    assert stored.order.version == 1
    assert await tracked_in(worker.db, "order-2") is not None
