"""An idle worker waits for minutes here, and nothing that happens meanwhile waits with it."""

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import uvicorn
from aiokafka import AIOKafkaProducer, TopicPartition
from fastapi import FastAPI

from chassis import dynamic_subscriptions, graceful_shutdown, outbox, relay
from chassis import listener as listening
from chassis.database import Database, Transaction
from chassis.dynamic_subscriptions import DynamicSubscription
from chassis.fetching import AIOKafkaConsumer
from chassis.graceful_shutdown import GracefulServer
from chassis.kafka_internals import OwnFetches
from chassis.subscribe import Subscription
from chassis.testing import PARTITIONS, eventually, settings_for
from chassis.wait_for_version import caught_up
from chassis.wakeup import APPLIED, JOBS, PUBLISH, Wakeup
from chassis.worker import Worker
from contracts.codec import encode
from contracts.message import Message
from contracts.topics import WORK_ORDERS

from .conftest import Toy
from .test_consuming import expected, is_ready, until_applied
from .toy import INI, SUBSCRIPTIONS, count, note

MINUTES = 600.0
KEYS = [f"order-{number}" for number in range(20)]


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "_LONGEST_WAIT_SECONDS", MINUTES)
    monkeypatch.setattr(listening, "_OVERLOOKED_MILLISECONDS", int(MINUTES * 1000))
    monkeypatch.setattr(listening, "_CHECK_EVERY_SECONDS", MINUTES)
    monkeypatch.setattr(relay, "_BALANCE_SECONDS", MINUTES)
    monkeypatch.setattr("chassis.kafka.ANSWER_MILLISECONDS", int(2 * MINUTES * 1000))


def worker_of(toy: Toy, worker_id: str = "0", subscriptions: list[Subscription] = SUBSCRIPTIONS) -> Worker:
    settings = settings_for(
        *(toy.url, toy.bootstrap_servers, toy.prefix), worker_id=worker_id, kafka_silent_seconds=4 * MINUTES
    )
    return Worker("toy", settings, subscriptions)


async def has_asked(worker: Worker) -> None:
    """Until a fetch of each consumer is under way, with nothing to be fetched."""
    fetches = [listener._client._fetches._under_way for listener in worker._listeners]
    await eventually(lambda: all(fetches))


async def send_to_all_partitions(toy: Toy, version: int) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=toy.bootstrap_servers, enable_idempotence=True)
    await producer.start()
    for number, key in enumerate(KEYS):
        encoded, value, headers = encode(note(key, version))
        await producer.send_and_wait(toy.topic, value, key=encoded, headers=headers, partition=number % PARTITIONS)
    await producer.stop()


async def test_records_are_read_at_once_though_a_fetch_may_wait_for_minutes(toy: Toy) -> None:
    worker = worker_of(toy)
    async with worker.running():
        await is_ready(worker)
        for version in (1, 2):
            await has_asked(worker)
            await send_to_all_partitions(toy, version)
            await until_applied(toy.db, expected(KEYS, version))


async def test_a_rebalance_does_not_wait_for_the_fetches_of_before(toy: Toy) -> None:
    first, second = worker_of(toy, "0"), worker_of(toy, "1")
    async with first.running():
        await is_ready(first)
        await has_asked(first)
        async with second.running():
            await is_ready(second)
            await send_to_all_partitions(toy, 1)
            await until_applied(toy.db, expected(KEYS, 1))


async def test_the_brokers_are_asked_about_the_topic_while_a_fetch_waits(toy: Toy) -> None:
    worker = worker_of(toy)
    async with worker.running():
        await is_ready(worker)
        await has_asked(worker)
        (listener,) = worker._listeners
        assert await listener._check(listener._client)
        assert listener.unconfirmed is None


async def test_a_worker_shuts_down_while_a_fetch_waits(toy: Toy) -> None:
    worker = worker_of(toy)
    async with asyncio.timeout(60):
        async with worker.running():
            await is_ready(worker)
            await has_asked(worker)


@pytest.fixture
async def reader(toy: Toy) -> AsyncIterator[tuple[AIOKafkaConsumer, OwnFetches]]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=toy.bootstrap_servers,
        fetch_max_wait_ms=int(MINUTES * 1000),
        request_timeout_ms=int(2 * MINUTES * 1000),
    )
    fetches = OwnFetches(consumer)
    await consumer.start()
    yield consumer, fetches
    await consumer.stop()


async def test_after_a_seek_the_earlier_fetch_is_not_awaited(
    toy: Toy, reader: tuple[AIOKafkaConsumer, OwnFetches]
) -> None:
    consumer, fetches = reader
    place = TopicPartition(toy.topic, 0)
    await toy.send(note("order-1", 1))
    consumer.assign([place])
    consumer.seek(place, 0)
    assert await consumer.getmany(place, timeout_ms=30_000)
    await eventually(lambda: fetches._under_way)
    consumer.seek(place, 0)
    fetches.give_up()
    assert await consumer.getmany(place, timeout_ms=30_000)


async def test_a_relay_is_woken(toy: Toy) -> None:
    await count(toy.db, "order-1")  # before the relay starts: its first round sends the row without a wake-up
    sender = toy.relay()
    running = asyncio.create_task(sender.run())
    async with Wakeup(toy.url).running() as wakeup:
        await eventually(toy.outbox_rows, until=lambda rows: rows == 0)
        await count(toy.db, "order-1")
        wakeup.send(PUBLISH)
        await eventually(toy.outbox_rows, until=lambda rows: rows == 0)
    sender.leave()
    await running


async def test_a_lost_wake_up_delays_a_row_until_the_next_look(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "_BALANCE_SECONDS", 0.5)
    sender = toy.relay()
    running = asyncio.create_task(sender.run())
    for _ in range(3):
        await count(toy.db, "order-1")
        await eventually(toy.outbox_rows, until=lambda rows: rows == 0)
    sender.leave()
    await running


async def test_what_a_consumer_publishes_is_sent_at_once(toy: Toy) -> None:
    async def answer(messages: Sequence[Message], tx: Transaction) -> None:
        answers = [note("answer", 1) for message in messages if message.subject == "order-1"]
        await outbox.add(tx, answers)

    worker = worker_of(toy, subscriptions=[Subscription(WORK_ORDERS, answer)])
    async with worker.running():
        await is_ready(worker)
        await eventually(lambda: worker._relay.shards)
        await has_asked(worker)
        await toy.send(note("order-1", 1))
        await eventually(
            toy.records, until=lambda records: {record.key for record in records} == {b"order-1", b"answer"}
        )


async def test_a_subscription_that_is_asked_for_begins_at_once(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamic_subscriptions, "_LOOK_SECONDS", MINUTES)
    wanted: list[DynamicSubscription] = []
    looks = 0

    async def arriving(_: Database) -> Sequence[DynamicSubscription]:
        nonlocal looks
        looks += 1
        return list(wanted)

    def has_begun() -> bool:
        wakeup.send(JOBS)  # again, because it is lost until the worker's connection is there
        return bool(worker._all_listeners())

    worker = Worker("toy", toy.settings(), [], arriving=arriving)
    async with worker.running(), Wakeup(toy.url).running() as wakeup:
        await eventually(lambda: looks)
        wanted.append(DynamicSubscription(SUBSCRIPTIONS[0], [WORK_ORDERS]))
        await eventually(has_begun)
        await toy.send(note("order-1", 1))
        await until_applied(toy.db, expected(["order-1"], 1))


async def test_a_wake_up_that_could_not_be_sent_waits_for_the_next_connection() -> None:
    class Cut:
        async def execute(self, *_: Any, **__: Any) -> None:
            raise ConnectionError

    wakeup = Wakeup("postgresql://nobody@127.0.0.1/none")
    with pytest.raises(ConnectionError):
        await wakeup._notify(Cut(), PUBLISH, None)
    assert wakeup._pending == {PUBLISH: None}


@pytest.fixture
async def hearing(new_database: Any) -> AsyncIterator[Wakeup]:
    """Whose connection is there."""
    async with Wakeup(new_database(INI), hears=APPLIED).running() as wakeup:

        async def is_heard() -> bool:
            wakeup.send(APPLIED)
            return await wakeup.wait(0.2)

        await eventually(is_heard)
        while await wakeup.wait(0.2):  # what was sent too often
            pass
        yield wakeup


async def test_who_waits_for_a_key_is_woken_by_this_key_only(hearing: Wakeup) -> None:
    any_key, own, other = hearing.mark(), hearing.mark("order-1"), hearing.mark("order-2")
    hearing.send(APPLIED, ["order-1"])
    await asyncio.wait_for(own.wait(), 60)
    assert any_key.is_set()
    assert not other.is_set()
    hearing.send(APPLIED, [str(number) for number in range(5000)])
    await asyncio.wait_for(other.wait(), 60)


@pytest.mark.parametrize("key", [None, "order-1"])
async def test_what_comes_while_a_read_runs_is_not_waited_for_again(
    hearing: Wakeup, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    monkeypatch.setattr("chassis.wait_for_version._LOOK_AGAIN_SECONDS", MINUTES)
    reads = 0

    async def read() -> int:
        nonlocal reads
        reads += 1
        if reads == 1:  # what it gives is as of before the wake-up
            mark = hearing.mark()
            hearing.send(APPLIED, ["order-1"])
            await mark.wait()
        return reads

    found = caught_up(read, lambda found: found == 2, wakeup=hearing, seconds=MINUTES, key=key)
    assert await asyncio.wait_for(found, 60) == 2


async def test_a_server_that_looks_seldom_is_ended_by_a_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graceful_shutdown, "_TICK_SECONDS", MINUTES)
    app = FastAPI()
    config = uvicorn.Config(app)
    config.load()
    server = GracefulServer(config, app, drain_seconds=0)
    serving = asyncio.create_task(server.main_loop())
    await eventually(lambda: server._loop)
    server.handle_exit(signal.SIGTERM, None)
    await asyncio.wait_for(serving, 60)
