"""One toy service on a real PostgreSQL and a real Kafka."""

import asyncio
import itertools
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord

from chassis.database import Database
from chassis.parking import RawRecord
from chassis.relay import Relay
from chassis.settings import Settings
from chassis.testing import records_of
from chassis.worker import Worker
from contracts.codec import decode, encode
from contracts.message import Message
from linework.processes import die_with_parent

from .toy import INI, TOPIC, toy_settings, toy_worker

_POOL_SIZE = 12
_PROCESS = Path(__file__).with_name("toy") / "process.py"


@dataclass(frozen=True, slots=True)
class Toy:
    """The toy service of one test: its database, its topic, and its processes to be started."""

    url: str
    bootstrap_servers: str
    prefix: str
    db: Database

    @property
    def topic(self) -> str:
        return self.prefix + TOPIC

    def settings(self, worker_id: str = "0") -> Settings:
        return toy_settings(self.url, self.bootstrap_servers, self.prefix, worker_id)

    def worker(self, worker_id: str = "0") -> Worker:
        return toy_worker(self.url, self.bootstrap_servers, self.prefix, worker_id)

    def relay(self, **options: Any) -> Relay:
        return Relay(self.url, self.bootstrap_servers, topic_prefix=self.prefix, **options)

    async def outbox_rows(self) -> int:
        async with self.db.statements() as statements:
            return await statements.fetchval("select count(*) from outbox")

    async def records(self) -> list[ConsumerRecord]:
        return await records_of(self.bootstrap_servers, self.topic)

    async def run_until_it_kills_itself(self, moment: str) -> None:
        """A process of the toy service that ends by kill -9 at this moment; see `toy/process.py`."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, _PROCESS, moment, self.url, self.bootstrap_servers, self.prefix, preexec_fn=die_with_parent
        )
        try:
            assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGKILL
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def versions_in_kafka(self) -> dict[str, list[int]]:
        """By key, the versions in the order in which Kafka has them, repeats included."""
        found: dict[str, list[int]] = {}
        for record in await self.records():
            message = decode(record.key, record.value, record.headers)
            found.setdefault(message.subject, []).append(message.order_version)
        return found

    async def send(self, *messages: Message) -> None:
        """Straight to Kafka, as another service's relay would."""
        await self.send_raw(*(encode(message) for message in messages))

    async def send_raw(self, *records: tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap_servers, enable_idempotence=True)
        await producer.start()
        try:
            for key, value, headers in records:
                await producer.send_and_wait(self.topic, value, key=key, headers=headers, partition=0)
        finally:
            await producer.stop()


@pytest.fixture
async def toy_db(new_database: Any) -> AsyncIterator[Database]:
    """The database of a toy service, for what needs no Kafka."""
    db = Database(new_database(INI), pool_size=_POOL_SIZE)
    yield db
    await db.close()


@pytest.fixture
async def toy(new_database: Any, kafka_server: Any, topic_prefix: str) -> AsyncIterator[Toy]:
    url = new_database(INI)
    db = Database(url, pool_size=_POOL_SIZE)
    yield Toy(url, kafka_server.bootstrap_servers, topic_prefix, db)
    await db.close()


@pytest.fixture
def records_in_hand() -> Callable[..., list[RawRecord]]:
    """Records as a consumer would read them from one partition, without a broker."""
    offsets = itertools.count()

    def read(*messages: Message) -> list[RawRecord]:
        return [
            RawRecord(TOPIC, 0, next(offsets), key, value, tuple(headers))
            for key, value, headers in map(encode, messages)
        ]

    return read
