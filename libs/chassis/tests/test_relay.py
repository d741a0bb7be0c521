"""The relay's promise: what was committed reaches Kafka at least once, in order per key.

Servers are started again in the main thread: they die with the thread that started them.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest
from aiokafka.errors import KafkaError

from chassis import relay as relay_module
from chassis import sending
from chassis.advisory_locks import AdvisoryLock
from chassis.outbox import MOST_BYTES, SHARDS, EventTooLarge
from chassis.relay import Relay
from chassis.testing import eventually

from .conftest import Toy
from .toy import count


@contextlib.asynccontextmanager
async def running(*relays: Relay) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(relay.run()) for relay in relays]
    try:
        yield
    finally:
        await stop(tasks)


async def stop(tasks: Iterable[asyncio.Task]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def without_repeats(versions: list[int]) -> list[int]:
    """What a reader makes of it: whatever is not above the last version is a repeat."""
    kept: list[int] = []
    for version in versions:
        if not kept or version > kept[-1]:
            kept.append(version)
    return kept


async def write(toy: Toy, keys: list[str], rows: int, *, writers: int = 8) -> None:
    """Many writers at once, and often on the same key."""

    async def writer(seed: int) -> None:
        choice = random.Random(seed)
        for _ in range(rows // writers):
            await count(toy.db, choice.choice(keys))

    await asyncio.gather(*(writer(seed) for seed in range(writers)))


async def assert_all_in_order(toy: Toy) -> dict[str, list[int]]:
    """Every version of every key is in Kafka, none before an earlier one."""
    found = await toy.versions_in_kafka()
    async with toy.db.statements() as statements:
        counted = await statements.fetch("select key, version from counted")
    assert {key: without_repeats(versions) for key, versions in found.items()} == {
        row["key"]: list(range(1, row["version"] + 1)) for row in counted
    }
    return found


async def test_two_relays_and_many_writers_keep_the_order_of_every_key_and_lose_nothing(toy: Toy) -> None:
    keys = [f"order-{number}" for number in range(50)]
    async with running(toy.relay(batch_rows=50), toy.relay(batch_rows=50)):
        await write(toy, keys, 3000)
        await eventually(toy.outbox_rows, until=lambda rows: rows == 0)
    found = await assert_all_in_order(toy)
    assert sum(map(len, found.values())) == 3000, "without a failure nothing is sent twice"


async def test_a_relay_that_comes_and_goes_under_load_breaks_no_order(toy: Toy) -> None:
    keys = [f"order-{number}" for number in range(20)]
    steady = toy.relay(batch_rows=20)
    async with running(steady):
        writing = asyncio.create_task(write(toy, keys, 2000))
        while not writing.done():
            passing = toy.relay(batch_rows=20)
            async with running(passing):
                await eventually(lambda one=passing: one.shards or writing.done(), seconds=30)
        await writing
        await eventually(toy.outbox_rows, until=lambda rows: rows == 0)
    await assert_all_in_order(toy)


async def test_relays_share_the_shards_fairly_and_take_over_from_one_that_died(toy: Toy) -> None:
    first, second = toy.relay(), toy.relay()
    async with running(first):
        await eventually(lambda: len(first.shards), until=lambda shards: shards == SHARDS)
        async with running(second):
            await eventually(
                lambda: (len(first.shards), len(second.shards)), until=lambda shards: shards == (SHARDS / 2, SHARDS / 2)
            )
            assert not first.shards & second.shards
        await eventually(lambda: len(first.shards), until=lambda shards: shards == SHARDS)


async def test_a_relay_killed_between_publish_and_delete_repeats_but_loses_nothing(toy: Toy) -> None:
    keys = [f"order-{number}" for number in range(10)]
    await write(toy, keys, 200)
    await toy.run_until_it_kills_itself("relay-killed-before-delete")
    assert await toy.outbox_rows() == 200, "it was killed before it deleted anything"
    assert len(await toy.records()) > 0, "and after Kafka had acknowledged"
    async with running(toy.relay()):
        await write(toy, keys, 100)
        await eventually(toy.outbox_rows, until=lambda rows: rows == 0)
    found = await assert_all_in_order(toy)
    assert sum(map(len, found.values())) > 300, "what was sent before the kill is there twice"


class FailsOnce(relay_module.AIOKafkaProducer):
    """A producer that loses the batch at one place, while what comes after it still gets through."""

    fails_at = 0
    made = 0

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        type(self).made += 1
        self.sent = 0

    async def send_batch(self, *arguments: Any, **options: Any) -> asyncio.Future:
        self.sent += 1
        if type(self).made == 1 and self.sent == self.fails_at:
            lost = asyncio.get_running_loop().create_future()
            lost.set_exception(KafkaError("the batch was lost"))
            return lost
        return await super().send_batch(*arguments, **options)


@pytest.mark.parametrize("fails_at", [1, 7, 30])
async def test_after_a_lost_batch_a_new_producer_starts_over_and_no_later_record_overtakes_it(
    toy: Toy, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    """Of three partitions; batches hold about five rows, so that each partition needs many of them."""
    producer = type("Producer", (FailsOnce,), {"fails_at": fails_at})
    monkeypatch.setattr(relay_module, "AIOKafkaProducer", producer)
    monkeypatch.setattr(relay_module, "BATCH_BYTES", 2_000)
    await write(toy, [f"order-{number}" for number in range(12)], 240)
    async with running(toy.relay()):
        await eventually(toy.outbox_rows, until=lambda rows: rows == 0)
    assert producer.made == 2
    found = await assert_all_in_order(toy)
    for key, versions in found.items():
        gaps = [(before, after) for before, after in zip([0, *versions], versions, strict=False) if after > before + 1]
        assert gaps == [], f"{key}: a reader would have met a gap in {versions}"


async def test_what_kafka_would_never_take_is_refused_before_it_is_committed(toy: Toy) -> None:
    with pytest.raises(EventTooLarge):
        await count(toy.db, "order-1", "x" * MOST_BYTES)
    assert await count(toy.db, "order-1", "x" * (MOST_BYTES - 1_000)) == 1
    async with running(toy.relay()):
        await eventually(toy.outbox_rows, until=lambda rows: rows == 0)


async def test_a_row_that_kafka_never_takes_is_named_and_stops_its_own_key_only(
    toy: Toy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("chassis.outbox.MOST_BYTES", 2 * MOST_BYTES)
    await count(toy.db, "order-1", "x" * (MOST_BYTES + 100_000))
    async with running(toy.relay()):
        await count(toy.db, "order-2")
        await eventually(toy.outbox_rows, until=lambda rows: rows == 1)
        await eventually(lambda: caplog.text, until=lambda text: "work-orders order-1: MessageSizeTooLarge" in text)
    assert await toy.versions_in_kafka() == {"order-2": [1]}


async def test_a_topic_that_is_not_there_is_named_and_holds_up_no_other(
    toy: Toy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sending, "FOUND_WITHIN_SECONDS", 0.5)
    await count(toy.db, "order-1")
    async with toy.db.statements() as statements:
        await statements.execute("update outbox set aggregatetype = 'nowhere'")
    async with running(toy.relay()):
        for _ in range(3):
            await count(toy.db, "order-2")
            await eventually(toy.outbox_rows, until=lambda rows: rows == 1)
        await eventually(lambda: caplog.text, until=lambda text: "nowhere order-1: TimeoutError" in text)
    assert await toy.versions_in_kafka() == {"order-2": [1, 2, 3]}


@pytest.mark.parametrize("stops", ["stop", "kill"])
async def test_while_kafka_is_away_commands_are_accepted_and_arrive_later(
    toy: Toy, kafka_server: Any, stops: str
) -> None:
    keys = [f"order-{number}" for number in range(10)]
    async with running(toy.relay()):
        await write(toy, keys, 80)
        await eventually(toy.outbox_rows, until=lambda rows: rows == 0)
        try:
            await asyncio.to_thread(getattr(kafka_server, stops))
            await write(toy, keys, 400)
            assert await toy.outbox_rows() == 400
        finally:
            kafka_server.start()
        await write(toy, keys, 80)
        await eventually(toy.outbox_rows, until=lambda rows: rows == 0, seconds=40)
    await assert_all_in_order(toy)


async def test_a_relay_that_is_stopped_while_kafka_is_away_stops_soon(toy: Toy, kafka_server: Any) -> None:
    relay = asyncio.create_task(toy.relay().run())
    await count(toy.db, "order-1")
    await eventually(toy.outbox_rows, until=lambda rows: rows == 0)
    try:
        await asyncio.to_thread(kafka_server.kill)
        await count(toy.db, "order-1")
        await asyncio.wait([relay], timeout=1)
        relay.cancel()
        done, _ = await asyncio.wait([relay], timeout=6)
        assert done == {relay}
    finally:
        kafka_server.start()
    async with running(toy.relay()):
        await eventually(toy.outbox_rows, until=lambda rows: rows == 0, seconds=40)
    await assert_all_in_order(toy)


async def test_a_relay_whose_connection_is_cut_goes_on_with_another_one(toy: Toy) -> None:
    keys = [f"order-{number}" for number in range(10)]
    async with running(toy.relay(batch_rows=20)):
        await write(toy, keys, 40)
        writing = asyncio.create_task(write(toy, keys, 800))
        for _ in range(3):
            async with toy.db.statements() as statements:
                cut = await statements.fetchval(
                    "select count(pg_terminate_backend(pid)) from pg_locks where locktype = 'advisory' and"
                    " objid = 0 and classid = $1 and database = (select oid from pg_database"
                    " where datname = current_database())",
                    AdvisoryLock.RELAY_PRESENCE,
                )
            assert cut <= 1
            await asyncio.wait([writing], timeout=1.2)
        await writing
        await eventually(toy.outbox_rows, until=lambda rows: rows == 0)
    await assert_all_in_order(toy)
