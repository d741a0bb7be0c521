"""Our relay can be swapped for Debezium's outbox router: whoever reads the topic cannot tell which one wrote it.

The other relay (`toy/router.py`) reads PostgreSQL's own log by logical decoding, as Debezium does.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord
from tests.server_folders import server_folder

from chassis.database import Database
from chassis.relay import Relay
from chassis.testing import Databases, create_topics, eventually, records_of
from contracts.codec import decode, headers_of
from contracts.message import Actor, Message
from contracts.topics import TOPICS
from linework.embedded import EmbeddedPostgres
from linework.ports import free_port

from .conftest import Toy
from .toy import INI, TOPIC, count, effects_of, note, toy_worker
from .toy.router import HEADER_COLUMNS, Router, prepare

KEYS, VERSIONS = 6, 8


@pytest.fixture(scope="module")
def logging_server(pytestconfig: pytest.Config) -> Iterator[Databases]:
    """A PostgreSQL whose log can be decoded, which costs a restart."""
    with server_folder("postgres") as folder:
        server = EmbeddedPostgres(
            Path(folder), free_port(), shared_buffers="32MB", dies_with_parent=True, is_throwaway=True
        )
        server.start()
        databases = Databases(server, pytestconfig.rootpath)
        databases.execute("alter system set wal_level = logical")
        server.restart()
        yield databases
        server.stop()


@pytest.fixture
async def written(logging_server: Databases) -> AsyncIterator[str]:
    """A service's database in which keys were counted up by many at once, after the router was prepared for."""
    url = logging_server.create(INI)
    db = Database(url, pool_size=8)
    async with connected(url) as connection:
        await prepare(connection)

        async def count_up(number: int) -> None:
            for _ in range(VERSIONS):
                await count(db, f"key-{number}", f'"{number}" 已与用户电话联系 \\u4e2d\u4e2d\n')

        await asyncio.gather(*(count_up(number) for number in range(KEYS)))
        yield url
    await db.close()


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def publish_by_router(url: str, bootstrap_servers: str, prefix: str) -> None:
    async with connected(url) as connection, AIOKafkaProducer(bootstrap_servers=bootstrap_servers) as producer:
        router = Router(connection, producer, topic_prefix=prefix)
        assert await router.pump(acknowledges=False) == KEYS * VERSIONS
        assert await router.pump() == KEYS * VERSIONS  # again, as after a crash
        assert await router.pump() == 0


async def publish_by_ours(url: str, bootstrap_servers: str, prefix: str) -> None:
    relaying = asyncio.create_task(Relay(url, bootstrap_servers, topic_prefix=prefix).run())
    async with connected(url) as connection:
        await eventually(lambda: connection.fetchval("select count(*) from outbox"), until=lambda rows: rows == 0)
    relaying.cancel()
    await asyncio.gather(relaying, return_exceptions=True)


def by_key(records: list[ConsumerRecord]) -> dict[str, list[Message]]:
    """What a reader makes of the records: of each key the messages in their order, a repeat left out."""
    found: dict[str, dict[str, Message]] = {}
    for record in records:
        message = decode(record.key, record.value, record.headers)
        found.setdefault(message.subject, {}).setdefault(message.id, message)
    return {key: list(messages.values()) for key, messages in found.items()}


def test_the_router_is_told_of_every_header_that_a_message_can_have() -> None:
    everything = {field.name: getattr(note("key", 1), field.name) or "some" for field in fields(Message)}
    everything["actor"] = Actor("north-1", "technician", "Repair One")
    assert set(headers_of(Message(**everything))) == set(HEADER_COLUMNS)


async def test_readers_cannot_tell_a_relay_from_debeziums_router(written: str, toy: Toy) -> None:
    other = f"{toy.prefix}router."
    await create_topics(toy.bootstrap_servers, [other + topic.name for topic in TOPICS])
    await publish_by_router(written, toy.bootstrap_servers, other)
    await publish_by_ours(written, toy.bootstrap_servers, toy.prefix)
    ours = await records_of(toy.bootstrap_servers, toy.topic)
    theirs = await records_of(toy.bootstrap_servers, other + TOPIC)
    assert by_key(theirs) == by_key(ours)
    assert {record.key: record.partition for record in theirs} == {record.key: record.partition for record in ours}
    assert len(by_key(ours)) == KEYS


async def test_a_service_follows_what_the_router_wrote_and_applies_it_once(
    written: str, toy: Toy, kafka_server: Any
) -> None:
    await publish_by_router(written, toy.bootstrap_servers, toy.prefix)
    async with toy_worker(toy.url, kafka_server.bootstrap_servers, toy.prefix).running():
        await eventually(
            lambda: effects_of(toy.db), until=lambda found: sum(map(len, found.values())) >= KEYS * VERSIONS, seconds=30
        )
    assert await effects_of(toy.db) == {f"key-{number}": list(range(1, VERSIONS + 1)) for number in range(KEYS)}
