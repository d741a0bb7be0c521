"""Consuming on the real broker: applied once and in order, whoever dies or comes when."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from chassis.database import Database, Transaction, is_transient
from chassis.subscribe import Consumer, Subscription
from chassis.testing import eventually
from chassis.worker import Worker
from contracts.codec import encode
from contracts.message import Message
from contracts.topics import WORK_ORDERS
from linework.ports import free_port

from .conftest import Toy
from .toy import count, effects_of, follow, note, toy_worker


def expected(keys: Sequence[str], versions: int) -> dict[str, list[int]]:
    return {key: list(range(1, versions + 1)) for key in keys}


async def until_applied(db: Database, effects: dict[str, list[int]], seconds: float = 30) -> None:
    """Waits until as much was applied, and fails unless it is exactly this."""
    rows = sum(map(len, effects.values()))
    found = await eventually(
        lambda: effects_of(db), until=lambda found: sum(map(len, found.values())) >= rows, seconds=seconds
    )
    assert found == effects


async def is_ready(worker: Worker) -> None:
    await eventually(worker.unready, until=lambda fault: fault is None, seconds=30)


async def committed_offsets(toy: Toy) -> int:
    async with toy.db.statements() as statements:
        return await statements.fetchval("select coalesce(sum(next_offset), 0) from positions")


@pytest.mark.parametrize("moment", ["worker-killed-before-commit", "worker-killed-before-ack"])
async def test_what_a_killed_worker_had_in_hand_is_applied_exactly_once(toy: Toy, moment: str) -> None:
    keys = [f"order-{number}" for number in range(20)]
    await toy.send(*(note(key, version) for version in (1, 2, 3) for key in keys))
    await toy.run_until_it_kills_itself(moment)
    was_committed = await committed_offsets(toy) > 0
    assert was_committed == (moment == "worker-killed-before-ack")
    async with toy.worker().running():
        await toy.send(*(note(key, 4) for key in keys))
        await until_applied(toy.db, expected(keys, 4))


async def test_a_worker_finds_the_cluster_by_any_of_its_brokers(toy: Toy) -> None:
    nobody_there = f"127.0.0.1:{free_port()}"
    await toy.send(note("order-1", 1))
    async with toy_worker(toy.url, f"{nobody_there}, {toy.bootstrap_servers}", toy.prefix).running():
        await until_applied(toy.db, expected(["order-1"], 1))


@pytest.mark.parametrize(
    "header",
    [("traceparent-bin", b"\x80\xff\x00"), ("empty", None), ("reply_to", b"anybody"), ("content-type", b"\xff")],
    ids=lambda header: header[0],
)
async def test_an_unknown_header_neither_loses_the_batch_nor_has_an_effect(
    toy: Toy, header: tuple[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    key, value, headers = encode(note("order-1", 1))
    await toy.send_raw((key, value, [header, *headers]), encode(note("order-2", 1)), encode(note("order-1", 2)))
    async with toy.worker().running():
        await until_applied(toy.db, {"order-1": [1, 2], "order-2": [1]})
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


async def test_a_batch_that_is_delivered_again_changes_nothing(toy: Toy) -> None:
    await toy.send(*(note("order-1", version) for version in (1, 2, 3)))
    async with toy.worker().running():
        await until_applied(toy.db, expected(["order-1"], 3))
        await toy.send(*(note("order-1", version) for version in (1, 2, 3, 4)))
        await until_applied(toy.db, expected(["order-1"], 4))


@contextlib.asynccontextmanager
async def writing(toy: Toy, keys: list[str], versions: int) -> AsyncIterator[None]:
    """All keys are counted up while the block runs, and on after it until they have so many versions."""

    async def write() -> None:
        for _ in range(versions):
            await asyncio.gather(*(count(toy.db, key) for key in keys))
            await asyncio.sleep(0.01)

    task = asyncio.create_task(write())
    try:
        yield
    finally:
        await task


async def test_two_workers_share_the_partitions_while_records_flow_and_one_takes_over_from_the_other(toy: Toy) -> None:
    keys = [f"order-{number}" for number in range(30)]
    first, second = toy.worker("first"), toy.worker("second")
    async with writing(toy, keys, 40), first.running():
        await is_ready(first)
        async with second.running():
            await eventually(
                lambda: [len(partitions(worker)) for worker in (first, second)],
                until=lambda shares: shares == [2, 2],
                seconds=30,
            )
            await eventually(lambda: effects_of(toy.db))
        # A static member does not leave its group: its partitions come back when its session has run out.
        await eventually(lambda: len(partitions(first)), until=lambda share: share == 4, seconds=30)
        await until_applied(toy.db, expected(keys, 40), seconds=40)


def partitions(worker: Worker) -> set[Any]:
    consumers = [listener._subscriber.consumer for listener in worker._listeners]
    return {partition for consumer in consumers if consumer for partition in consumer.assignment()}


async def test_a_worker_that_lost_its_partitions_and_the_one_that_has_them_now_take_turns(
    toy_db: Database, records_in_hand: Any
) -> None:
    records = records_in_hand(*(note(f"order-{number}", 1) for number in range(50)))
    both_began = asyncio.Barrier(2)

    async def follow_late(messages: Sequence[Message], tx: Transaction) -> None:
        # Both have the batch in hand. Only the lock decides who reads the versions first.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await both_began.wait()
        await follow(messages, tx)

    late = Consumer(Subscription(WORK_ORDERS, follow_late), service="toy", db=toy_db)
    await asyncio.gather(late.apply(records), late.apply(records))
    assert await effects_of(toy_db) == {f"order-{number}": [1] for number in range(50)}
    async with toy_db.statements() as statements:
        assert await statements.fetchval("select count(*) from parked") == 0


async def test_a_restored_older_database_catches_up_from_the_stream_and_nothing_is_doubled(toy: Toy) -> None:
    keys = [f"order-{number}" for number in range(10)]
    await toy.send(*(note(key, version) for version in (1, 2) for key in keys))
    async with toy.worker().running():
        await until_applied(toy.db, expected(keys, 2))
    async with toy.db.begin() as tx:
        await tx.execute("create table backup_followed as select * from followed")
        await tx.execute("create table backup_effects as select * from effects")
        await tx.execute("create table backup_positions as select * from positions")
    await toy.send(*(note(key, version) for version in (3, 4, 5) for key in keys))
    async with toy.worker().running():
        await until_applied(toy.db, expected(keys, 5))
    async with toy.db.begin() as tx:
        for table in ("followed", "effects", "positions"):
            await tx.execute(f"delete from {table}")
            await tx.execute(f"insert into {table} overriding system value select * from backup_{table}")
    assert await effects_of(toy.db) == expected(keys, 2)
    async with toy.worker().running():
        await until_applied(toy.db, expected(keys, 5))


async def test_positions_that_are_older_than_the_effects_double_nothing(toy: Toy) -> None:
    keys = [f"order-{number}" for number in range(10)]
    await toy.send(*(note(key, version) for version in (1, 2, 3) for key in keys))
    async with toy.worker().running():
        await until_applied(toy.db, expected(keys, 3))
    async with toy.db.statements() as statements:
        await statements.execute("update positions set next_offset = 0")
    await toy.send(*(note(key, 4) for key in keys))
    async with toy.worker().running():
        await until_applied(toy.db, expected(keys, 4))


async def test_kafka_away_for_a_while_delays_and_loses_nothing(toy: Toy, kafka_server: Any) -> None:
    keys = [f"order-{number}" for number in range(10)]
    worker = toy.worker()
    async with worker.running(), writing(toy, keys, 60):
        await is_ready(worker)
        await asyncio.to_thread(kafka_server.kill)
        try:
            before = await toy.outbox_rows()
            await eventually(toy.outbox_rows, until=lambda rows: rows > before)
        finally:
            kafka_server.start()
        await until_applied(toy.db, expected(keys, 60), seconds=60)


async def test_a_restart_of_postgres_under_load_loses_nothing_and_the_pools_recover(
    toy: Toy, postgres_server: Any
) -> None:
    keys = [f"order-{number}" for number in range(10)]
    told: list[tuple[str, int]] = []

    async def write(key: str) -> None:
        while len(told) < 600:
            try:
                told.append((key, await count(toy.db, key)))
            except Exception as error:
                if not is_transient(error):
                    raise
                await asyncio.sleep(0.1)

    worker = toy.worker()
    async with worker.running():
        await is_ready(worker)
        writers = [asyncio.create_task(write(key)) for key in keys]
        await eventually(lambda: len(told), until=lambda writes: writes > 200)
        postgres_server.restart()
        await asyncio.gather(*writers)
        await eventually(toy.outbox_rows, until=lambda rows: rows == 0, seconds=30)
        async with toy.db.statements() as statements:
            counted = {row["key"]: row["version"] for row in await statements.fetch("select * from counted")}
        # A commit whose answer got lost may count once more than was told; never less.
        assert all(counted[key] >= version for key, version in told)
        await until_applied(toy.db, {key: list(range(1, counted[key] + 1)) for key in keys}, seconds=30)
        assert worker.fault() is None


async def test_a_fault_of_ours_holds_the_batch_back_and_steps_over_nothing(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.listener._STUCK_SECONDS", 0.3)
    async with toy.db.statements() as statements:
        await statements.execute("alter table effects rename to effects_away")
    await toy.send(*(note("order-1", version) for version in (1, 2)))
    worker = toy.worker()
    async with worker.running():
        await eventually(worker.unready, until=lambda fault: fault and "cannot be applied" in fault)
        await toy.send(note("order-1", 3), note("order-2", 1))
        await eventually(worker.unready, until=lambda fault: fault and "cannot be applied" in fault)
        async with toy.db.statements() as statements:
            await statements.execute("alter table effects_away rename to effects")
        await until_applied(toy.db, {"order-1": [1, 2, 3], "order-2": [1]})
        await is_ready(worker)


async def test_a_worker_of_which_a_part_has_died_is_not_alive(toy: Toy) -> None:
    worker = toy.worker()
    async with worker.running():
        await is_ready(worker)
        assert worker.fault() is None
        relay = next(task for task in worker._tasks if task.get_name() == "relay")
        relay.cancel()
        assert await eventually(worker.fault) == "relay has ended"


async def test_a_worker_that_has_not_polled_for_too_long_is_not_alive(toy: Toy) -> None:
    worker = toy.worker()
    async with worker.running():
        await is_ready(worker)
        worker._listeners[0].polled_at -= 1000
        assert "Kafka was last polled" in (worker.fault() or "")
        await eventually(worker.fault, until=lambda fault: fault is None)
