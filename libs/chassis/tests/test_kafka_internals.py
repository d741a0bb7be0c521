"""The seams to aiokafka and asyncpg: fails when an upgrade has moved what chassis leans on or stands in for."""

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import AIOKafkaConnection
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from chassis.asyncpg_internals import end_idle
from chassis.database import Database
from chassis.fetching import FetchedRecords, FetchedSet
from chassis.kafka_internals import AIOKafkaClient, client_of
from chassis.record_batches import split, unpack

ROOT = Path(__file__).parents[3]
ORIGINAL = Path(inspect.getfile(fetcher)).read_text(encoding="utf-8")


def original(name: str) -> Any:
    """A class of aiokafka's fetcher as it is shipped."""
    names: dict[str, Any] = {"__name__": "shipped"}
    exec(compile(ORIGINAL, "fetcher", "exec"), names)
    return names[name]


def test_the_fetcher_unpacks_by_our_classes_which_take_what_the_shipped_ones_take() -> None:
    assert (fetcher.MemoryRecords, fetcher.PartitionRecords) == (FetchedSet, FetchedRecords)
    used = fetcher.Fetcher._proc_fetch_request.__code__.co_names
    assert {"MemoryRecords", "PartitionRecords", "has_next", "size_in_bytes"} <= set(used)
    taken = [list(inspect.signature(one).parameters) for one in (FetchedRecords, original("PartitionRecords"))]
    assert taken[0] == taken[1]


def test_what_a_poll_asks_of_them_is_what_they_have() -> None:
    asked = {
        node.attr
        for node in ast.walk(ast.parse(inspect.getsource(fetcher.FetchResult)))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "_partition_records"
    }
    assert asked == {"next_fetch_offset"}
    loop = inspect.getsource(fetcher.FetchResult.getall)
    assert "for msg in self._partition_records" in loop  # a poll begins with __iter__


def test_what_is_well_formed_is_read_exactly_as_aiokafka_reads_it() -> None:
    builder = DefaultRecordBatchBuilder(2, 3, 0, -1, -1, -1, 100_000)
    for number in range(50):
        builder.append(number, 1000 + number, b"key", b"value" * number, [("a", b"b"), ("n", None)])
    data = bytes(builder.build())
    place = TopicPartition("t", 0)
    shipped = original("PartitionRecords")(place, original("MemoryRecords")(data), None, 7, None, None, True, 0)
    ours = FetchedRecords(place, FetchedSet(data), None, 7, None, None, True, 0)
    assert [vars(one) for one in ours] == [vars(one) for one in shipped]
    assert ours.next_fetch_offset == shipped.next_fetch_offset == 50
    assert all(isinstance(one, ConsumerRecord) for batch in split(data) for one in unpack(batch, place))


def test_the_consumer_has_the_state_that_is_read_of_it() -> None:
    source = inspect.getsource(AIOKafkaConsumer)
    assert "self._client" in source
    assert "self._subscription" in source
    assert "self._fetcher = Fetcher(" in source
    source = inspect.getsource(fetcher.Fetcher)
    for member in (
        "self._records",
        "self._wait_consume_future",
        "def _notify(self, future)",
        "self._client.send(node_id",
    ):
        assert member in source
    assert "self._conns" in inspect.getsource(AIOKafkaClient)
    assert "self._writer" in inspect.getsource(AIOKafkaConnection)


SOURCES = {
    file: file.read_text(encoding="utf-8")
    for folder in ("libs/*/src", "services/*/src", "tools/src")
    for file in ROOT.glob(f"{folder}/**/*.py")
}
NOT_PUBLIC = (
    r"from aiokafka\.(client|cluster|conn|consumer|coordinator|producer|protocol|record)\b",
    r"\b(admin|client|consumer|producer|reader|owner)\._[a-z]",
    r"\b(connection|pool|holder)\._[a-z]",
)


def test_every_poll_goes_through_the_module_that_puts_our_classes_in_place() -> None:
    polling = {file: text for file, text in SOURCES.items() if ".getmany(" in text or ".getone(" in text}
    assert len(polling) >= 4
    ours = re.compile(r"from chassis\.fetching import AIOKafkaConsumer|from chassis\.kafka import .*\breader_of\b")
    assert [str(file) for file, text in polling.items() if not ours.search(text)] == []


def test_private_members_of_the_clients_are_reached_in_one_module_each() -> None:
    private = {file.name for file, text in SOURCES.items() if any(re.search(one, text) for one in NOT_PUBLIC)}
    assert private == {"kafka_internals.py", "asyncpg_internals.py"}


@pytest.mark.parametrize(
    "line",
    [
        "x = reader._client",
        "await producer._sender.close()",
        "for one in pool._holders:",
        "from aiokafka.consumer.fetcher import Fetcher",
        "from aiokafka.protocol.types import Int8",
    ],
)
def test_a_planted_private_member_is_seen(line: str) -> None:
    assert any(re.search(one, line) for one in NOT_PUBLIC)


async def test_the_members_that_are_reached_are_where_they_are_expected() -> None:
    """Of objects that were never started: what they are made of, not what they do."""
    producer, admin = AIOKafkaProducer(), AIOKafkaAdminClient()
    assert inspect.iscoroutinefunction(producer._sender.close)
    assert inspect.iscoroutinefunction(producer.client.close)
    assert list(inspect.signature(admin._send_request).parameters) == ["request", "node_id"]
    consumer = AIOKafkaConsumer()
    for owner in (admin, consumer):
        assert list(inspect.signature(client_of(owner).send).parameters) == ["node_id", "request", "group"]
    await consumer.stop()
    await producer.stop()
    await admin.close()


async def test_idle_connections_of_a_pool_are_ended_without_waiting(toy_db: Database) -> None:
    pool = await asyncpg.create_pool(toy_db.url, min_size=2, max_size=3)
    try:
        used = await pool.acquire()
        assert (pool.get_size(), pool.get_idle_size()) == (2, 1)
        end_idle(pool)
        assert (pool.get_size(), pool.get_idle_size()) == (1, 0)
        assert await used.fetchval("select 1") == 1
        await pool.release(used)
        assert await pool.fetchval("select 2") == 2
    finally:
        await pool.close()
