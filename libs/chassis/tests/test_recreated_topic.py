"""A topic is taken for a new one where it is one, and nowhere else: on the real broker."""

import asyncio
import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import CoordinatorLoadInProgressError
from aiokafka.protocol.commit import OffsetFetchRequest, OffsetFetchResponse_v3

from chassis import group_offsets, listener, offsets
from chassis.database import Transaction
from chassis.kafka import admin_of
from chassis.parking import Parked, RawRecord, park
from chassis.recovery.recreated_topic import move_parked, parked_before
from chassis.subscribe import Subscription
from chassis.testing import create_topics, eventually
from chassis.worker import Worker
from contracts.codec import encode
from contracts.message import Message
from contracts.topics import WORK_ORDERS

from .conftest import Toy
from .test_consuming import expected, until_applied
from .toy import REFUSED_BY_HANDLER, effects_of, follow, note

KEYS = [f"order-{number}" for number in range(5)]
TOPIC = WORK_ORDERS.name
SAYS_SO = "was recreated"


async def until_ready(worker: Worker) -> None:
    await eventually(worker.unready, until=lambda fault: fault is None, seconds=30)


async def until_looked_at(worker: Worker) -> None:
    """The worker has asked which topic it is, and reads it."""
    await eventually(lambda: worker._listeners[0]._consumer.topic_id, seconds=30)


async def watch_positions(toy: Toy) -> None:
    """From here on each position that goes back is written down."""
    async with toy.db.statements() as statements:
        await statements.execute("create table gone_back (partition int, before bigint)")
        await statements.execute(
            """create function note_gone_back() returns trigger language plpgsql as $$ begin
               insert into gone_back values (old.partition, old.next_offset); return new; end $$"""
        )
        await statements.execute(
            """create trigger gone_back before update on positions for each row
               when (new.next_offset < old.next_offset) execute function note_gone_back()"""
        )


async def gone_back(toy: Toy) -> list[tuple[int, int]]:
    async with toy.db.statements() as statements:
        return [tuple(row) for row in await statements.fetch("select * from gone_back")]


async def parked(toy: Toy) -> list[tuple[str, str]]:
    async with toy.db.statements() as statements:
        rows = await statements.fetch("select key, reason from parked where state = 'parked' order by \"offset\"")
    return [(row["key"], row["reason"]) for row in rows]


async def recreate(toy: Toy) -> None:
    async with admin_of(toy.settings()) as admin:
        await admin.delete_topics([toy.topic])
        await eventually(admin.list_topics, until=lambda names: toy.topic not in names)
    await create_topics(toy.bootstrap_servers, [toy.topic])


async def test_a_coordinator_that_loads_is_not_taken_for_a_topic_that_is_new(
    toy: Toy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As after each start of a broker: the first answers carry an error code and no offsets."""
    await toy.send(*(note(key, version) for version in (1, 2) for key in KEYS))
    async with toy.worker().running():
        await until_applied(toy.db, expected(KEYS, 2))
    await watch_positions(toy)
    send, loading = AIOKafkaAdminClient._send_request, [3]

    async def answer_late(self: AIOKafkaAdminClient, request: Any, node_id: int | None = None) -> Any:
        if isinstance(request, OffsetFetchRequest) and loading[0] > 0:
            loading[0] -= 1
            return OffsetFetchResponse_v3(0, [], CoordinatorLoadInProgressError.errno)
        return await send(self, request, node_id)

    monkeypatch.setattr(AIOKafkaAdminClient, "_send_request", answer_late)
    monkeypatch.setattr(group_offsets, "_RETRY_SECONDS", 0)
    async with toy.worker().running():
        await toy.send(*(note(key, 3) for key in KEYS))
        await until_applied(toy.db, expected(KEYS, 3))
    assert loading == [0]
    assert await gone_back(toy) == []
    assert SAYS_SO not in caplog.text


async def test_a_group_of_which_kafka_has_forgotten_everything_is_read_on_where_the_database_is(
    toy: Toy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As after a week, or where a worker is killed before its first acknowledgement."""

    async def acknowledge_nothing(self: AIOKafkaConsumer, offsets: Any = None) -> None:
        pass

    await toy.send(*(note(key, 1) for key in KEYS), note("order-9", 2))
    with monkeypatch.context() as patch:
        patch.setattr(AIOKafkaConsumer, "commit", acknowledge_nothing)
        async with toy.worker().running():
            await until_applied(toy.db, expected(KEYS, 1))
            await eventually(lambda: parked(toy))
    await watch_positions(toy)
    async with toy.worker().running():
        await toy.send(*(note(key, 2) for key in KEYS))
        await until_applied(toy.db, expected(KEYS, 2))
    assert await gone_back(toy) == []
    assert len(await parked(toy)) == 1
    assert SAYS_SO not in caplog.text


async def test_a_rebalance_while_a_batch_is_in_flight_moves_no_position_back(
    toy: Toy, caplog: pytest.LogCaptureFixture
) -> None:
    """As when a session runs out: the worker gets its partitions again, from before the batch that it commits then."""
    began, may_go_on = asyncio.Event(), asyncio.Event()

    async def follow_late(messages: Sequence[Message], tx: Transaction) -> None:
        began.set()
        await may_go_on.wait()
        await follow(messages, tx)

    await watch_positions(toy)
    worker = Worker("toy", toy.settings(), [Subscription(WORK_ORDERS, follow_late)])
    async with worker.running():
        await until_ready(worker)
        (listener,) = worker._listeners
        await toy.send(*(note(key, 1) for key in KEYS))
        await began.wait()
        placement = listener._placement
        listener._subscriber.consumer._coordinator.request_rejoin()
        await eventually(lambda: listener._placement, until=lambda count: count > placement, seconds=30)
        may_go_on.set()
        await toy.send(*(note(key, 2) for key in KEYS))
        await until_applied(toy.db, expected(KEYS, 2))
        await eventually(listener.lag, until=lambda lag: lag == 0)
    assert await gone_back(toy) == []
    assert SAYS_SO not in caplog.text


async def test_a_topic_that_was_created_again_is_read_from_its_beginning_and_nothing_is_parked_twice(
    toy: Toy, caplog: pytest.LogCaptureFixture
) -> None:
    """The new one is longer than the old one was: the position would be a place in it."""
    first = [*(encode(note(key, 1)) for key in KEYS), encode(note("poison", 1, REFUSED_BY_HANDLER))]
    behind = encode(note("poison", 2))
    no_key = (None, b"no key", [])
    await toy.send_raw(*first, behind, no_key)
    async with toy.worker().running():
        await until_applied(toy.db, expected(KEYS, 1))
        before = await eventually(lambda: parked(toy), until=lambda rows: len(rows) == 3)
    await recreate(toy)
    new = [encode(note(key, version)) for version in (2, 3) for key in KEYS]
    await toy.send_raw(*first, *new, behind, no_key, encode(note("poison", 3)))
    async with toy.worker().running():
        await until_applied(toy.db, expected(KEYS, 3))
        after = await eventually(lambda: parked(toy), until=lambda rows: len(rows) > 3)
    assert after[:3] == before
    assert [key for key, _ in after[3:]] == ["poison"]
    assert SAYS_SO in caplog.text


async def test_a_topic_that_is_created_again_and_grows_under_a_running_worker_is_read_whole(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "_CHECK_EVERY_SECONDS", 0.2)
    await toy.send(*(note(key, 1) for key in KEYS))
    worker = toy.worker()
    async with worker.running():
        await until_applied(toy.db, expected(KEYS, 1))
        await recreate(toy)
        await toy.send(*(note(key, version) for version in (1, 2, 3) for key in KEYS))
        await until_applied(toy.db, expected(KEYS, 3), seconds=40)
        assert await parked(toy) == []


async def test_a_batch_that_was_read_before_another_worker_started_over_is_read_again(toy: Toy) -> None:
    """The other worker has seen that the topic is new, and this one has not yet."""
    await toy.send(*(note(key, 1) for key in KEYS))
    worker = toy.worker()
    async with worker.running():
        await until_applied(toy.db, expected(KEYS, 1))
        async with toy.db.statements() as statements:
            await statements.execute("update positions set next_offset = 0, topic_id = $1", uuid.uuid4())
        await toy.send(*(note(key, 2) for key in KEYS))
        await until_applied(toy.db, expected(KEYS, 2))
        async with toy.db.statements() as statements:
            assert await statements.fetchval("select sum(next_offset) from positions") == 2 * len(KEYS)


async def test_positions_of_before_learn_the_id_of_their_topic_and_stay(toy: Toy) -> None:
    """As after an upgrade."""
    await toy.send(*(note(key, 1) for key in KEYS))
    async with toy.worker().running():
        await until_applied(toy.db, expected(KEYS, 1))
    async with toy.db.statements() as statements:
        topic_id = await statements.fetchval("select topic_id from positions where next_offset > 0")
        await statements.execute("update positions set topic_id = null")
    assert topic_id
    await watch_positions(toy)
    worker = toy.worker()
    async with worker.running():
        await until_looked_at(worker)
        async with toy.db.statements() as statements:
            assert await statements.fetchval("select topic_id from positions where next_offset > 0") == topic_id
    assert await gone_back(toy) == []


async def test_a_position_beyond_the_end_that_the_broker_confirms_is_read_from_the_beginning(toy: Toy) -> None:
    """As after a broker has lost the end of its log, or for a topic of before the ids that was created again."""
    await toy.send(*(note(key, 1) for key in KEYS))
    async with toy.db.statements() as statements:
        await statements.execute("insert into positions (topic, partition, next_offset) values ($1, 0, 99)", TOPIC)
    async with toy.worker().running():
        await until_applied(toy.db, expected(KEYS, 1))


async def test_a_batch_of_another_topic_than_the_positions_are_of_is_refused(toy: Toy) -> None:
    record = RawRecord(TOPIC, 0, 5, b"order-1", b"{}", ())
    old, new = uuid.uuid4(), uuid.uuid4()
    async with toy.db.begin() as tx:
        await offsets.advance(tx, offsets.reach_of([record], old))
    with pytest.raises(offsets.TopicRecreated):
        async with toy.db.begin() as tx:
            await offsets.advance(tx, offsets.reach_of([record, RawRecord(TOPIC, 0, 9, b"order-1", b"{}", ())], new))
    stored = await offsets.stored_offsets(toy.db, TOPIC)
    assert stored == {0: offsets.Position(6, old)}
    assert await effects_of(toy.db) == {}


async def test_a_parked_record_whose_event_id_has_no_value_is_recognised_in_the_new_topic(toy: Toy) -> None:
    record = RawRecord(TOPIC, 0, 5, b"order-1", b"{}", (("ce_id", None),))
    async with toy.db.begin() as tx:
        await park(tx, [Parked(record, "no id")])
        await move_parked(tx, TOPIC, [0])
        assert await parked_before(tx, TOPIC, [record]) == {(0, 5)}
