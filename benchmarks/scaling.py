"""`python -m benchmarks.scaling`: what 1, 2 and 4 workers make of a backlog, with as many partitions.

Two things are measured apart, because together they would only measure the machine: `relay` is the outbox of one
service emptied into Kafka, `follow` is one service reading a topic from its beginning into its database. Each worker
is a process of its own. Processor seconds are those of the workers alone: what is left is PostgreSQL's and Kafka's.
"""

import argparse
import asyncio
import base64
import contextlib
import os
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from benchmarks.floor import Servers
from chassis.outbox import COLUMNS, row_of
from chassis.relay import Relay
from contracts.codec import encode
from contracts.lifecycle import Status
from contracts.message import Message
from contracts.topics import TOPICS, WORK_ORDERS
from linework.embedded import EmbeddedKafka, EmbeddedPostgres
from linework.ports import free_port
from linework.processes import die_with_parent
from linework.runtime.installation import REPOSITORY
from work_orders.testing import Stream

COUNTS = (1, 2, 4)


@dataclass(frozen=True, slots=True)
class Drained:
    """How a backlog went away."""

    per_second: float
    processor_ms_per_event: float
    """Of the worker processes, all of them together."""
    database_bytes_per_event: float
    """By which the service's database has grown, with its indexes."""

    def __str__(self) -> str:
        return (
            f"{self.per_second:8.0f} a second; of an event {self.processor_ms_per_event:5.2f} ms of the workers'"
            f" processors and {self.database_bytes_per_event:6.0f} bytes in the database"
        )


def events(count: int) -> Iterator[Message]:
    """Events of whole lives, the orders mixed as they are on a usual day."""
    streams = [Stream(f"scale-{number:06d}").until(Status.ARCHIVED).messages for number in range(count // 5)]
    for place in range(max(map(len, streams))):
        yield from (stream[place] for stream in streams if place < len(stream))


@contextlib.contextmanager
def servers() -> Iterator[Servers]:
    with TemporaryDirectory(prefix="linework-scaling-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        postgres = EmbeddedPostgres(folder / "postgres", free_port(), dies_with_parent=True)
        kafka = EmbeddedKafka(folder / "kafka", free_port(), free_port(), dies_with_parent=True)
        for server in (postgres, kafka):
            server.start()
            stack.callback(server.stop)
        yield Servers(postgres.url, kafka.bootstrap_servers)


async def make_topics(at: Servers, prefix: str, partitions: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=at.bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(prefix + topic.name, partitions, 1) for topic in TOPICS])
    finally:
        await admin.close()


async def make_database(at: Servers, name: str, service: str) -> str:
    async with connected(at.database_url) as admin:
        await admin.execute(f"create database {name}")
    url = at.database(name)
    command = [sys.executable, "-m", "alembic", "-c", str(REPOSITORY / "services" / service / "alembic.ini")]
    await asyncio.to_thread(
        subprocess.run, [*command, "upgrade", "heads"], env={**os.environ, "DATABASE_URL": url}, check=True
    )
    return url


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def follow(at: Servers, service: str, workers: int, messages: list[Message]) -> Drained:
    prefix = f"follow-{service}-{workers}."
    await make_topics(at, prefix, workers)
    url = await make_database(at, f"follow_{service}_{workers}", service)
    async with AIOKafkaProducer(
        bootstrap_servers=at.bootstrap_servers, enable_idempotence=True, compression_type="lz4", linger_ms=5
    ) as producer:
        for message in messages:
            key, value, headers = encode(message)
            await producer.send(prefix + WORK_ORDERS.name, value, key=key, headers=headers)
    environment = {
        "DATABASE_URL": url,
        "KAFKA_BOOTSTRAP_SERVERS": at.bootstrap_servers,
        "TOPIC_PREFIX": prefix,
        "ENVIRONMENT": "local",
        "OIDC_ISSUER": "http://127.0.0.1:9",
        "SEALING_MASTER_KEYS": "bench:" + base64.b64encode(os.urandom(32)).decode(),
    }

    def command(number: int) -> tuple[list[str], dict[str, str]]:
        more = {"WORKER_ID": str(number), "WORKER_PORT": str(free_port())}
        return [sys.executable, "-m", f"{service}.worker"], environment | more

    applied = "select coalesce(sum(next_offset), 0)::bigint from positions where topic = 'work-orders'"
    return await _drain(url, workers, command, applied, len(messages))


async def relay(at: Servers, workers: int, messages: list[Message]) -> Drained:
    prefix = f"relay-{workers}."
    await make_topics(at, prefix, workers)
    url = await make_database(at, f"relay_{workers}", "intake")
    async with connected(url) as connection:
        rows = [row_of(message) for message in messages]
        await connection.copy_records_to_table("outbox", columns=COLUMNS.split(", "), records=rows)
        await connection.execute("analyze outbox")

    def command(_: int) -> tuple[list[str], dict[str, str]]:
        return [sys.executable, "-m", "benchmarks.scaling", "--relay", url, at.bootstrap_servers, prefix], {}

    return await _drain(url, workers, command, f"select {len(messages)} - count(*) from outbox", len(messages))


async def _drain(
    url: str, workers: int, command: Callable[[int], tuple[list[str], dict[str, str]]], done_sql: str, count: int
) -> Drained:
    """Runs so many processes until nothing is left; the time begins when the first hundredth is done."""
    before, size_before = resource.getrusage(resource.RUSAGE_CHILDREN), await _size(url)
    processes = [_start(*command(number)) for number in range(workers)]
    try:
        async with connected(url) as connection, asyncio.timeout(300):
            began_at, began_with = await _until(connection, done_sql, count // 100)
            ended_at, _ = await _until(connection, done_sql, count)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            await asyncio.to_thread(process.wait)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    grown = await _size(url) - size_before
    return Drained((count - began_with) / (ended_at - began_at), used * 1000 / count, grown / count)


async def _size(url: str) -> int:
    async with connected(url) as connection:
        return await connection.fetchval("select pg_database_size(current_database())")


def _start(line: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        line,
        env={**os.environ, **environment},
        stderr=subprocess.DEVNULL,
        cwd=REPOSITORY,
        preexec_fn=die_with_parent,
    )


async def _until(connection: asyncpg.Connection, done_sql: str, wanted: int) -> tuple[float, int]:
    while True:
        done = await connection.fetchval(done_sql)
        if done >= wanted:
            return time.perf_counter(), done
        await asyncio.sleep(0.02)


async def measure(count: int, what: Sequence[str]) -> None:
    messages = list(events(count))
    with servers() as at:
        for name in what:
            for workers in COUNTS:
                drained = relay(at, workers, messages) if name == "relay" else follow(at, name, workers, messages)
                print(f"{name:10s} {workers} workers: {await drained}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--of", nargs="+", default=["relay", "dispatch", "reporting"], help="`relay`, or a service")
    parser.add_argument("--relay", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.relay:
        url, bootstrap_servers, prefix = options.relay
        asyncio.run(Relay(url, bootstrap_servers, topic_prefix=prefix).run())
    else:
        asyncio.run(measure(options.events, options.of))


if __name__ == "__main__":
    main()
