"""The embedded servers themselves: what they hold survives a stop and a crash."""

import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from linework.embedded import EmbeddedKafka, EmbeddedPostgres
from linework.ports import free_port
from linework.runtime.preparation import create_databases, create_topics, database_urls


async def test_postgres_keeps_what_was_committed_through_a_crash(postgres_server: EmbeddedPostgres) -> None:
    table = f"kept_{uuid.uuid4().hex}"
    await execute(postgres_server, f"create table {table} as select 7 as seven")
    postgres_server.kill()
    postgres_server.start()
    postgres_server.restart()
    assert await execute(postgres_server, f"select seven from {table}") == [(7,)]


async def test_postgres_flushes_to_disk_and_asks_for_a_password(installed_postgres: EmbeddedPostgres) -> None:
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        assert await execute(installed_postgres, f"show {setting}") == [("on",)]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(installed_postgres.url, password="wrong")


@pytest.fixture
def installed_postgres() -> Iterator[EmbeddedPostgres]:
    """A server as an installation has it; the suite's own does not wait for the disk."""
    with TemporaryDirectory(prefix="linework-postgres-") as folder:
        server = EmbeddedPostgres(Path(folder), free_port(), shared_buffers="16MB", dies_with_parent=True)
        server.start()
        yield server
        server.stop()


async def execute(server: EmbeddedPostgres, sql: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(server.url)
    try:
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


def test_databases_are_created_once(postgres_server: EmbeddedPostgres) -> None:
    create_databases(postgres_server.url)
    create_databases(postgres_server.url.replace("postgresql:", "postgresql+asyncpg:"))
    assert database_urls("postgresql+psycopg://u:p@host:1/x?sslmode=require")["qa"] == (
        "postgresql://u:p@host:1/linework_qa?sslmode=require"
    )


async def test_kafka_keeps_its_records_through_a_stop_and_a_crash(kafka_server: EmbeddedKafka) -> None:
    topic = f"kept-{uuid.uuid4().hex}"
    await make_topic(kafka_server, topic)
    async with AIOKafkaProducer(bootstrap_servers=kafka_server.bootstrap_servers, enable_idempotence=True) as producer:
        await producer.send_and_wait(topic, b"first")
    kafka_server.stop()
    kafka_server.start()
    kafka_server.kill()
    kafka_server.start()
    async with AIOKafkaConsumer(bootstrap_servers=kafka_server.bootstrap_servers) as consumer:
        consumer.assign([TopicPartition(topic, 0)])
        await consumer.seek_to_beginning()
        assert (await consumer.getone()).value == b"first"


async def make_topic(server: EmbeddedKafka, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=server.bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, 1)])
    finally:
        await admin.close()


def test_topics_are_created_once(kafka_server: EmbeddedKafka) -> None:
    prefix = f"{uuid.uuid4().hex}-"
    create_topics(kafka_server.bootstrap_servers, prefix)
    create_topics(kafka_server.bootstrap_servers, prefix)


def test_the_suite_reaches_no_other_machine() -> None:
    with socket.socket() as probe, pytest.raises(Exception, match=r"a test connects to 192\.0\.2\.1:80"):
        probe.connect(("192.0.2.1", 80))
