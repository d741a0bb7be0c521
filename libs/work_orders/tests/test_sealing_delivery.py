"""Sealing keys on a real Kafka: they reach every service in any trouble, and what was destroyed stays so."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from chassis import outbox
from chassis.database import Database, Transaction
from chassis.relay import Relay
from chassis.sealing import MasterKeys
from chassis.subscribe import Subscription
from chassis.testing import MASTER_KEYS, eventually, records_of, settings_for
from chassis.worker import Worker
from contracts.codec import encode, new_message
from contracts.lifecycle import Service
from contracts.message import Message
from contracts.sealing import SealingKeyDestroyed, SealingKeyIssued
from contracts.topics import SEALING_KEYS
from work_orders.sealing_keys import key_place, on_sealing_keys

from .conftest import ACTOR, BEGIN, INI

MASTERS = MasterKeys.parse(MASTER_KEYS)
SUBSCRIBERS = [f"s-{number:02}" for number in range(40)]
ERASED = set(SUBSCRIBERS[::2])


def about(subscriber_id: str, body: Any, version: int) -> Message:
    return new_message(
        body,
        service=Service.INTAKE,
        subject=subscriber_id,
        actor=ACTOR,
        occurred_at=BEGIN,
        recorded_at=BEGIN,
        entity_version=version,
    )


def issued(subscriber_id: str) -> Message:
    _, wrapped = MASTERS.new_key(place=key_place(subscriber_id))
    body = SealingKeyIssued(subscriber_id=subscriber_id, master_key_id=wrapped.master_key_id, wrapped=wrapped.text)
    return about(subscriber_id, body, 1)


def destroyed(subscriber_id: str) -> Message:
    return about(subscriber_id, SealingKeyDestroyed(subscriber_id=subscriber_id, ground="subscriber_asked"), 2)


class DiesBeforeItDeletes(Relay):
    """Publishes, and every second time is gone before it has deleted what was published."""

    rounds = 0

    async def _send(self, connection: asyncpg.Connection, producer: Any, rows: Sequence[Any]) -> None:
        self.rounds += 1
        await super()._send(_Cut(connection) if self.rounds % 2 else connection, producer, rows)


class _Cut:
    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def execute(self, *_: Any) -> None:
        raise ConnectionResetError("cut off between publishing and deleting")


class FailsBetween:
    """A handler whose transaction is lost every third time, after it has done all its work."""

    def __init__(self) -> None:
        self.batches = 0

    async def __call__(self, messages: Sequence[Message], tx: Transaction) -> None:
        await on_sealing_keys(messages, tx)
        self.batches += 1
        if self.batches % 3 == 1:
            raise ConnectionResetError("cut off between applying and committing")


@contextlib.asynccontextmanager
async def relaying(*relays: Relay) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(relay.run()) for relay in relays]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def state_of(db: Database) -> dict[str, tuple[int, bool]]:
    """By subscriber the version, and whether there is a key."""
    async with db.statements() as statements:
        rows = await statements.fetch("select subscriber_id, entity_version, wrapped from sealing_keys")
    return {row["subscriber_id"]: (row["entity_version"], row["wrapped"] is not None) for row in rows}


async def write(db: Database, messages: Sequence[Message]) -> None:
    for message in messages:
        async with db.begin() as tx:
            await outbox.add(tx, [message])


async def test_through_crashes_of_relay_and_worker_each_service_ends_with_the_living_keys_only(
    new_database: Callable[..., str], kafka_server: Any, topic_prefix: str
) -> None:
    writer, reader = Database(new_database(INI)), Database(new_database(INI))
    expected = {one: (2, False) if one in ERASED else (1, True) for one in SUBSCRIBERS}
    bootstrap = kafka_server.bootstrap_servers
    handler = FailsBetween()

    def worker() -> Worker:
        settings = settings_for(reader.url, bootstrap, topic_prefix)
        return Worker("reader", settings, [Subscription(SEALING_KEYS, handler)])

    await write(writer, [*map(issued, SUBSCRIBERS), *map(destroyed, sorted(ERASED))])
    relay = DiesBeforeItDeletes(writer.url, bootstrap, topic_prefix=topic_prefix, batch_rows=25)
    async with relaying(relay), worker().running():
        await eventually(lambda: state_of(reader), until=lambda found: found == expected, seconds=60)
        await eventually(lambda: _outbox_rows(writer), until=lambda count: count == 0, seconds=60)
    records = await records_of(bootstrap, topic_prefix + SEALING_KEYS.name)
    assert len(records) > len(SUBSCRIBERS) + len(ERASED), "nothing was published twice: no crash was survived"
    assert handler.batches > 1
    # As after a restore from a backup: everything is read once more, the old versions first.
    async with reader.statements() as statements:
        await statements.execute("delete from positions")
    applied_before = handler.batches
    async with worker().running():
        await eventually(lambda: handler.batches, until=lambda batches: batches > applied_before, seconds=60)
        await eventually(lambda: _positions(reader), until=lambda sum_of: sum_of == len(records), seconds=60)
    assert await state_of(reader) == expected
    for db in (writer, reader):
        await db.close()


async def _outbox_rows(db: Database) -> int:
    async with db.statements() as statements:
        return await statements.fetchval("select count(*) from outbox")


async def _positions(db: Database) -> int:
    async with db.statements() as statements:
        return int(await statements.fetchval("select coalesce(sum(next_offset), 0) from positions"))


async def test_a_destroyed_key_is_gone_from_the_topic_once_it_is_said_again_after_the_lag(
    kafka_server: Any, topic_prefix: str
) -> None:
    """The settings of the topic with a lag of a moment instead of a day."""
    topic = f"{topic_prefix}compacted"
    config = {**SEALING_KEYS.config, "max.compaction.lag.ms": "500", "segment.ms": "500"}
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_server.bootstrap_servers)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1, topic_configs=config)])
    producer = AIOKafkaProducer(bootstrap_servers=kafka_server.bootstrap_servers)
    await producer.start()

    async def send(message: Message) -> None:
        key, value, headers = encode(message)
        await producer.send_and_wait(topic, value, key=key, headers=headers)

    key = issued("s-1")
    try:
        for message in (key, issued("s-2"), destroyed("s-1")):
            await send(message)
        assert key.body.wrapped in await _values(kafka_server, topic)

        async def re_emitted() -> str:
            # Each is in place of the one before it, and closes the segment that this is in.
            await send(destroyed("s-1"))
            return await _values(kafka_server, topic)

        values = await eventually(re_emitted, until=lambda text: key.body.wrapped not in text, seconds=60)
        assert '"s-2"' in values, "the key of another subscriber has to stay"
    finally:
        await producer.stop()
        await admin.delete_topics([topic])
        await admin.close()


async def _values(kafka_server: Any, topic: str) -> str:
    records = await records_of(kafka_server.bootstrap_servers, topic)
    return "\n".join(record.value.decode() for record in records)
