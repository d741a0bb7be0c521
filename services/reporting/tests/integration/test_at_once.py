"""A small batch of orders as one read and one statement: the same tables, and what others do between the two."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from services.reporting.tests import rebuild_steps
from services.reporting.tests.conftest import LimitStream
from services.reporting.tests.world import life, make_limits

from chassis import offsets, parking
from chassis.database import Database
from chassis.one_statement import execute_together, fetch_together
from chassis.parking import Parked, RawRecord
from chassis.subscribe import Consumer
from contracts.codec import decode, encode
from contracts.lifecycle import Status
from contracts.message import Message
from contracts.topics import DEADLINES, WORK_ORDERS, Topic
from reporting import projections
from reporting.consumers import SUBSCRIPTIONS
from reporting.projections import at_once
from reporting.record import event_store
from work_orders.testing_streams import BEGIN

TABLES = ("messages", "stays_a", "stays_b", "clocks_a", "clocks_b", "days_touched", "stream_state", "parked")


@dataclass
class Worker:
    """reporting's consumers, as one process has them."""

    db: Database
    offset: int = 0

    def records(self, *messages: Message, topic: Topic = WORK_ORDERS) -> list[RawRecord]:
        found = []
        for key, value, headers in map(encode, messages):
            found.append(RawRecord(topic.name, 0, self.offset, key, value, tuple(headers)))
            self.offset += 1
        return found

    async def apply(self, records: list[RawRecord]) -> None:
        subscription = next(one for one in SUBSCRIPTIONS if one.topic.name == records[0].topic)
        await Consumer(subscription, service="reporting", db=self.db).apply(records)

    async def take(self, *messages: Message) -> None:
        await self.apply(self.records(*messages))


@pytest.fixture
async def worker(reporting, make_stream) -> Worker:
    """One that has applied a batch, so that its partition has a position."""
    worker = Worker(reporting.db)
    await worker.take(*make_stream("o-0", Status.ARCHIVED).messages)
    return worker


@pytest.fixture
async def other(second_connection) -> AsyncIterator[Worker]:
    """The worker of another process."""
    async with second_connection() as db:
        yield Worker(db)


async def _tables(reporting) -> dict[str, list[Any]]:
    return {name: await reporting.rows(f"select * from {name} order by 1, 2") for name in TABLES}


async def _places(reporting, order_id: str) -> list[tuple[int, int]]:
    sql = "select place, order_version from messages where order_id = $1 order by place"
    return [tuple(row) for row in await reporting.rows(sql, order_id)]


async def _statuses(reporting, name: str = "a") -> dict[str, str]:
    rows = await reporting.rows(f"select order_id, status from stays_{name} where until_version is null")
    return {row["order_id"]: row["status"] for row in rows}


async def test_events_and_requests_take_two_round_trips_also_on_a_new_connection(
    reporting, worker, other, make_stream, asked
):
    other.offset = worker.offset
    first, second = make_stream("o-1", Status.COMPLETED), make_stream("o-2", Status.ARCHIVED)
    request = first.ask()
    await other.take(*first.messages[:2])
    await other.take(*first.messages[2:], *second.messages)
    assert [sql.split(maxsplit=1)[0] for sql in asked] == ["select", "with"] * 2
    assert (await _statuses(reporting)) == {"o-0": "archived", "o-1": "completed", "o-2": "archived"}
    kept = await reporting.rows("select place, message_id from messages order by place")
    assert [row["place"] for row in kept] == list(range(1, 16))
    assert request.id in {row["message_id"] for row in kept}


@pytest.mark.parametrize("seed", range(4))
async def test_the_tables_are_the_same_as_by_transactions(reporting, empty, make_stream, monkeypatch, seed):
    chance = random.Random(seed)
    streams = [life(make_stream, number, chance) for number in range(12)]
    left = [list(stream.messages) for stream in streams]
    mixed = []
    while any(left):
        mixed.append(chance.choice([messages for messages in left if messages]).pop(0))
    batches, sizes = [], random.Random(seed)
    while mixed:
        size = sizes.randint(1, 6)
        batches.append(mixed[:size])
        mixed = mixed[size:]
    found = []
    for most in (100, 0):
        monkeypatch.setattr(at_once, "_MOST_MESSAGES", most)
        await empty()
        worker = Worker(reporting.db)
        for batch in batches:
            await worker.take(*batch)
        found.append(await _tables(reporting))
    assert found[0]["clocks_a"]
    assert found[0] == found[1]


async def test_two_workers_that_have_one_batch_in_hand_apply_it_once(reporting, worker, other, make_stream, meanwhile):
    records = worker.records(*make_stream("o-1", Status.COMPLETED).messages)
    meanwhile(lambda: other.apply(records))
    await worker.apply(records)
    assert await _places(reporting, "o-1") == [(6, 1), (7, 2), (8, 3), (9, 4)]
    assert await reporting.rows("select next_offset from positions") == [(records[-1].next_offset,)]
    assert await parking_count(reporting) == 0


async def test_a_worker_that_comes_late_with_a_part_of_what_another_applied_changes_nothing(
    reporting, worker, other, make_stream, meanwhile
):
    records = worker.records(*make_stream("o-1", Status.COMPLETED).messages)
    meanwhile(lambda: other.apply(records))
    await worker.apply(records[:2])
    assert [version for _, version in await _places(reporting, "o-1")] == [1, 2, 3, 4]
    assert (await _statuses(reporting))["o-1"] == "completed"
    assert await reporting.rows("select next_offset from positions") == [(records[-1].next_offset,)]


async def test_what_was_committed_but_not_acknowledged_is_known_when_it_comes_again(reporting, worker, make_stream):
    records = worker.records(*make_stream("o-1", Status.COMPLETED).messages)
    await worker.apply(records)
    before = await _tables(reporting)
    await worker.apply(records)
    await worker.apply(records[1:3])
    assert await _tables(reporting) == before


async def test_a_statement_that_fails_in_the_middle_leaves_nothing_and_is_repeated(
    reporting, worker, make_stream, monkeypatch
):
    before = await _tables(reporting)
    await reporting.rows("alter table stays_a add constraint broken check (status <> 'dispatched') not valid")
    records = worker.records(*make_stream("o-1", Status.DISPATCHED).messages)
    async with reporting.db.statements() as statements:
        with pytest.raises(Exception, match="broken"):
            await _write(statements, records, worker)
    await reporting.rows("alter table stays_a drop constraint broken")
    assert await _tables(reporting) == before
    await worker.apply(records)
    assert (await _statuses(reporting))["o-1"] == "dispatched"


async def _write(statements, records: list[RawRecord], worker: Worker) -> None:

    messages = [decode(one.key, one.value, one.headers, topic=WORK_ORDERS) for one in records]
    reads = at_once.ORDERS_AT_ONCE.reads(messages)
    assert reads
    changes = at_once.ORDERS_AT_ONCE.writes(messages, await fetch_together(statements, reads))
    assert changes
    await execute_together(statements, changes)


async def test_a_batch_of_another_topic_between_reading_and_writing_leaves_no_place_twice(
    reporting, worker, other, make_stream, limits, meanwhile
):
    """A set of limits that is known by then holds for the order."""
    stream = make_stream("o-1", Status.PROCESSING)
    meanwhile(lambda: other.apply(other.records(*limits, topic=DEADLINES)))
    await worker.take(*stream.messages)
    places = [row["place"] for row in await reporting.rows("select place from messages order by place")]
    assert places == list(range(1, 5 + len(limits) + 3 + 1))
    apart = await reporting.rows("select * from clocks_a where order_id = 'o-1' order by number")
    await reporting.rows("delete from clocks_a where order_id = 'o-1'")
    async with reporting.db.begin() as tx:
        late_after = (await event_store.get_stream_state(tx)).late_after
        await projections.refold(tx, "a", ["o-1"], late_after)
    assert await reporting.rows("select * from clocks_a where order_id = 'o-1' order by number") == apart


async def test_within_a_process_a_batch_of_another_topic_waits_until_this_one_is_written(
    reporting, worker, make_stream, limits, meanwhile
):
    waiting: list[asyncio.Task[None]] = []

    async def begin() -> None:
        waiting.append(asyncio.create_task(worker.apply(worker.records(*limits, topic=DEADLINES))))
        await asyncio.wait(waiting, timeout=0.5)

    meanwhile(begin)
    await worker.take(*make_stream("o-1", Status.DISPATCHED).messages)
    await asyncio.gather(*waiting)
    assert await _places(reporting, "o-1") == [(6, 1), (7, 2)]


@pytest.fixture
def limits() -> list[Message]:
    stream = LimitStream()
    stream.add(make_limits(random.Random(3), BEGIN), BEGIN)
    return stream.messages


async def test_a_rebuild_that_begins_to_follow_between_reading_and_writing_misses_nothing(
    reporting, worker, make_stream, meanwhile
):
    await rebuild_steps.request(reporting)
    stream = make_stream("o-1", Status.COMPLETED)
    await worker.take(*stream.messages[:2])
    meanwhile(lambda: rebuild_steps.finish(reporting))
    await worker.take(*stream.messages[2:])
    assert await _statuses(reporting, "b") == await _statuses(reporting, "a")
    assert (await _statuses(reporting, "b"))["o-1"] == "completed"


async def test_a_switch_between_reading_and_writing_is_written_to_the_set_that_is_shown(
    reporting, worker, make_stream, meanwhile
):
    asked = await rebuild_steps.request(reporting)
    await rebuild_steps.finish(reporting)
    await reporting.rows("update stream_state set following = null")
    stream = make_stream("o-1", Status.COMPLETED)

    async def switch() -> None:
        await rebuild_steps.switch(reporting, asked["id"])

    meanwhile(switch)
    await worker.take(*stream.messages)
    assert (await _statuses(reporting, "b"))["o-1"] == "completed"
    await worker.take(*make_stream("o-2", Status.DISPATCHED).messages)
    assert (await _statuses(reporting, "b"))["o-2"] == "dispatched"
    assert "o-2" not in await _statuses(reporting, "a")


async def test_a_record_whose_key_was_parked_between_reading_and_writing_is_parked_behind(
    reporting, worker, make_stream, meanwhile
):
    records = worker.records(
        *make_stream("o-1", Status.DISPATCHED).messages, *make_stream("o-2", Status.COMPLETED).messages
    )

    async def park() -> None:
        async with reporting.db.begin() as tx:
            await offsets.advance(tx, offsets.reach_of(records[:1]))
            await parking.park(tx, [Parked(records[0], "unknown here")])

    meanwhile(park)
    await worker.apply(records)
    rows = await reporting.rows('select "offset", reason from parked order by "offset"')
    assert [tuple(row) for row in rows] == [(records[0].offset, "unknown here"), (records[1].offset, parking.BEHIND)]
    assert await _statuses(reporting) == {"o-0": "archived", "o-2": "completed"}


async def test_poison_in_a_batch_parks_its_key_and_the_rest_is_applied(reporting, worker, make_stream):
    broken, whole = make_stream("o-1", Status.DISPATCHED), make_stream("o-2", Status.COMPLETED)
    await worker.take(broken.messages[0], replace(broken.messages[1], prev_hash="f" * 64), *whole.messages)
    assert await _statuses(reporting) == {"o-0": "archived", "o-1": "created", "o-2": "completed"}
    assert await parking_count(reporting) == 1


async def test_processes_with_a_partition_each_number_every_message_once(reporting, worker, other, make_stream):
    workers = [worker, other]
    lives = [[make_stream(f"o-{side}{number}", Status.ARCHIVED) for number in range(6)] for side in (1, 2)]

    async def consume(side: int) -> None:
        for stream in lives[side]:
            for message in stream.messages:
                (record,) = workers[side].records(message)
                await workers[side].apply([replace(record, partition=side)])

    await asyncio.gather(consume(0), consume(1))
    places = [row["place"] for row in await reporting.rows("select place from messages order by place")]
    assert places == list(range(1, 5 + 60 + 1))
    assert set((await _statuses(reporting)).values()) == {"archived"}
    assert await parking_count(reporting) == 0


async def parking_count(reporting) -> int:
    return (await reporting.rows("select count(*) as parked from parked"))[0]["parked"]
