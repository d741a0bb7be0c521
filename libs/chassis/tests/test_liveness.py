"""What the probes of a worker say while the broker hangs, or a partition does: on the real broker."""

import contextlib
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis import listener as listening
from chassis.settings import Settings
from chassis.testing import eventually, settings_for
from chassis.worker import Worker

from .conftest import Toy
from .test_consuming import expected, is_ready, until_applied
from .toy import SUBSCRIPTIONS, note

KEYS = [f"order-{number}" for number in range(4)]


def impatient(toy: Toy, **changes: float) -> Settings:
    return settings_for(toy.url, toy.bootstrap_servers, toy.prefix, worker_id="0", **changes)


@contextlib.contextmanager
def hanging(server: Any) -> Iterator[None]:
    """The broker's process is there, takes connections and answers nothing."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "_CHECK_EVERY_SECONDS", 0.3)
    monkeypatch.setattr("chassis.worker._LONGEST_PATIENCE", 1.0)


async def test_a_worker_whose_broker_hangs_is_not_ready_and_is_not_restarted_for_it(
    toy: Toy, kafka_server: Any
) -> None:
    await toy.send(*(note(key, 1) for key in KEYS))
    worker = Worker("toy", impatient(toy, kafka_poll_seconds=3, kafka_silent_seconds=2), SUBSCRIPTIONS)
    async with worker.running():
        await until_applied(toy.db, expected(KEYS, 1))
        await is_ready(worker)
        with hanging(kafka_server):
            await eventually(worker.unready, until=lambda fault: fault and "no broker" in fault)
            # Longer than the poll loop may be silent: nothing but the broker is at fault.
            await eventually(worker._silent_seconds, until=lambda seconds: seconds > 6)
            assert worker.fault() is None
        await toy.send(*(note(key, 2) for key in KEYS))
        await until_applied(toy.db, expected(KEYS, 2), seconds=40)
        await is_ready(worker)


async def test_a_broker_that_is_silent_for_very_long_is_a_reason_to_try_a_restart(toy: Toy, kafka_server: Any) -> None:
    worker = Worker("toy", impatient(toy, kafka_silent_seconds=1, kafka_restart_seconds=4), SUBSCRIPTIONS)
    async with worker.running():
        await is_ready(worker)
        with hanging(kafka_server):
            await eventually(worker.fault, until=lambda fault: fault and "no broker" in fault, seconds=30)
        await eventually(worker.fault, until=lambda fault: fault is None, seconds=30)


async def test_a_worker_that_starts_without_a_broker_waits_and_is_alive(toy: Toy, kafka_server: Any) -> None:
    worker = Worker("toy", impatient(toy, kafka_poll_seconds=1, kafka_silent_seconds=1), SUBSCRIPTIONS)
    with hanging(kafka_server):
        async with worker.running():
            await eventually(worker._silent_seconds, until=lambda seconds: seconds > 3)
            assert worker.fault() is None
            assert worker.unready() is not None


@contextlib.contextmanager
def withheld(partition: int) -> Iterator[None]:
    """The client reads this partition and hands nothing of it out, as if it had lost it."""
    getmany = AIOKafkaConsumer.getmany

    async def forgetful(self: AIOKafkaConsumer, *partitions: TopicPartition, **options: Any) -> Any:
        records = await getmany(self, *partitions, **options)
        return {place: found for place, found in records.items() if place.partition != partition}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AIOKafkaConsumer, "getmany", forgetful)
        yield


async def test_a_partition_that_does_not_move_is_seen_though_all_polls_succeed(toy: Toy) -> None:
    """And only where the process had moved it before it is a reason for a restart."""
    await toy.send(*(note(key, 1) for key in KEYS))
    with withheld(0):
        worker = Worker("toy", impatient(toy, kafka_stalled_seconds=0.5), SUBSCRIPTIONS)
        async with worker.running():
            await eventually(worker.unready, until=lambda fault: fault and "work-orders: partitions 0" in fault)
            (listener,) = worker._listeners
            await eventually(lambda: listener.progress.stalled(3.0), until=lambda found: found == [0])
            assert worker.fault() is None, "it has never moved it, so another process may not either"
    worker = Worker("toy", impatient(toy, kafka_stalled_seconds=0.5), SUBSCRIPTIONS)
    async with worker.running():
        await until_applied(toy.db, expected(KEYS, 1))
        await is_ready(worker)
        (listener,) = worker._listeners
        await eventually(lambda: listener.progress._partitions[0].has_moved)
        getmany = listener._subscriber.consumer.getmany

        async def nothing(**options: Any) -> Any:
            await getmany(**options)
            return {}

        listener._subscriber.consumer.getmany = nothing
        listener._is_to_be_applied = refuse(listener)
        await toy.send(*(note(key, 2) for key in KEYS))
        await eventually(worker.fault, until=lambda fault: fault and "do not move any more" in fault, seconds=30)


def refuse(listener: Any) -> Any:
    """Drops what is read as a fault of the client would, and looks at the topic as ever."""

    async def look(client: Any, records: Any) -> bool:
        await listener._check(client)
        return False

    return look


def test_workers_that_are_set_off_together_do_not_give_up_together(
    toy_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    patience = {Worker("toy", toy_settings, SUBSCRIPTIONS)._patience for _ in range(5)}
    assert len(patience) == 5
    assert all(1.0 <= factor <= 1.5 for factor in patience)


@pytest.fixture
async def toy_settings(new_database: Any) -> Settings:
    from .toy import INI

    return settings_for(new_database(INI), "127.0.0.1:1", "")


async def test_a_worker_whose_partitions_were_all_taken_away_acknowledges_nothing(toy: Toy) -> None:
    worker = toy.worker()
    async with worker.running():
        await toy.send(note("order-1", 1))
        (listener,) = worker._listeners
        await eventually(lambda: listener._acknowledged)
        await listener.on_partitions_revoked([])
        listener._acknowledge_at = 0.0
        await listener._acknowledge()
