"""The floor: the same rows and messages without the product, in raw asyncpg and aiokafka.

One lifecycle is seven acts. Each act is one transaction in its custodian's database: lock the order, write
it, add an outbox row. One relay sends the rows of four databases to Kafka, idempotent, keyed by order; each
of five listeners stores every event in its own database and commits its position. Nothing is checked,
decoded, authorised or served over HTTP. Bodies and headers have the sizes of the product's own.
"""

import asyncio
import json
import multiprocessing
import statistics
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from linework.processes import die_with_parent

CUSTODIANS = ("intake", "dispatch", "fieldwork", "fieldwork", "qa", "qa", "qa")
LISTENERS = ("intake", "dispatch", "fieldwork", "qa", "reporting")
_ABSENT = -1
"""What a listener has seen before it listens."""
_START_SECONDS = 120
_BODY = json.dumps({"content": "x" * 480})
_TABLES = """
create table orders (id uuid primary key, version int, status text, body jsonb);
create table outbox (id bigint generated always as identity primary key, key text, payload bytea);
create table events (id uuid, version int, payload bytea, primary key (id, version));
"""


@dataclass(frozen=True, slots=True)
class Servers:
    database_url: str
    bootstrap_servers: str

    def database(self, name: str) -> str:
        return f"{self.database_url.rsplit('/', 1)[0]}/{name}"


@dataclass(frozen=True, slots=True)
class Floor:
    lifecycles_per_second: float
    settled_per_second: float
    act_p50_ms: float
    act_p99_ms: float


async def measure(servers: Servers, numbers: Iterable[int], *, clients: int) -> Floor:
    """A lifecycle a number. Makes databases and a topic of its own, and drops them at the end."""
    topic = f"floor-{uuid.uuid4().hex[:8]}"
    await _prepare(servers, topic)
    context = multiprocessing.get_context("spawn")
    stop, relays, seen = context.Event(), context.Event(), {name: context.Value("i", _ABSENT) for name in LISTENERS}
    processes = [context.Process(target=_run_relay, args=(servers, topic, stop, relays), daemon=True)]
    processes += [
        context.Process(target=_run_listener, args=(servers, topic, stop, name, seen[name]), daemon=True)
        for name in LISTENERS
    ]
    for process in processes:
        process.start()
    try:
        async with asyncio.timeout(_START_SECONDS):
            while not relays.is_set() or min(counter.value for counter in seen.values()) == _ABSENT:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        pools = await _pools(servers, clients)
        started = time.perf_counter()
        latencies = await _drive(pools, numbers, clients)
        accepted = time.perf_counter() - started
        lifecycles = len(latencies) / len(CUSTODIANS)
        while min(counter.value for counter in seen.values()) < len(latencies):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        settled = time.perf_counter() - started
    finally:
        stop.set()
        for process in processes:
            process.join(5)
            process.kill()
        await _clean(servers, topic)
    centiles = statistics.quantiles(latencies, n=100)
    return Floor(lifecycles / accepted, lifecycles / settled, centiles[49] * 1000, centiles[98] * 1000)


async def _prepare(servers: Servers, topic: str) -> None:
    admin = await asyncpg.connect(servers.database_url)
    for name in LISTENERS:
        await admin.execute(f"drop database if exists floor_{name} with (force)")
        await admin.execute(f"create database floor_{name}")
        connection = await asyncpg.connect(servers.database(f"floor_{name}"))
        await connection.execute(_TABLES)
        await connection.close()
    await admin.close()
    kafka = AIOKafkaAdminClient(bootstrap_servers=servers.bootstrap_servers)
    await kafka.start()
    await kafka.create_topics([NewTopic(topic, 12, 1)])
    await kafka.close()


async def _clean(servers: Servers, topic: str) -> None:
    admin = await asyncpg.connect(servers.database_url)
    for name in LISTENERS:
        await admin.execute(f"drop database if exists floor_{name} with (force)")
    await admin.close()
    kafka = AIOKafkaAdminClient(bootstrap_servers=servers.bootstrap_servers)
    await kafka.start()
    await kafka.delete_topics([topic])
    await kafka.close()


def _run_relay(servers: Servers, topic: str, stop, relays) -> None:
    die_with_parent()
    asyncio.run(_relay(servers, topic, stop, relays))


async def _relay(servers: Servers, topic: str, stop, relays) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=servers.bootstrap_servers, enable_idempotence=True, linger_ms=2, compression_type="lz4"
    )
    await producer.start()
    relays.set()

    async def drain(name: str) -> None:
        connection = await asyncpg.connect(servers.database(f"floor_{name}"))
        while not stop.is_set():
            rows = await connection.fetch("select id, key, payload from outbox order by id limit 500")
            if not rows:
                await asyncio.sleep(0.02)
                continue
            sent = [await producer.send(topic, row["payload"], key=row["key"].encode()) for row in rows]
            await asyncio.gather(*sent)
            await connection.execute("delete from outbox where id = any($1::bigint[])", [row["id"] for row in rows])
        await connection.close()

    await asyncio.gather(*(drain(name) for name in sorted(set(CUSTODIANS))))
    await producer.stop()


def _run_listener(servers: Servers, topic: str, stop, name: str, seen) -> None:
    die_with_parent()
    asyncio.run(_listen(servers, topic, stop, name, seen))


async def _listen(servers: Servers, topic: str, stop, name: str, seen) -> None:
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=servers.bootstrap_servers,
        group_id=f"{topic}-{name}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_wait_ms=100,
    )
    await consumer.start()
    connection = await asyncpg.connect(servers.database(f"floor_{name}"))
    while not consumer.assignment():  # until its group has formed  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    seen.value = 0
    while not stop.is_set():
        batches = await consumer.getmany(timeout_ms=200, max_records=500)
        rows = [
            (uuid.UUID(record.key.decode()), json.loads(record.value)["version"], record.value)
            for records in batches.values()
            for record in records
        ]
        if rows:
            await connection.executemany("insert into events values ($1, $2, $3) on conflict do nothing", rows)
            await consumer.commit()
            seen.value += len(rows)
    await consumer.stop()
    await connection.close()


async def _pools(servers: Servers, clients: int) -> dict[str, asyncpg.Pool]:
    return {
        name: await asyncpg.create_pool(
            servers.database(f"floor_{name}"), min_size=max(1, clients // 2), max_size=clients
        )
        for name in set(CUSTODIANS)
    }


async def _drive(pools: Mapping[str, asyncpg.Pool], numbers: Iterable[int], clients: int) -> list[float]:
    remaining, latencies = iter(numbers), []

    async def client() -> None:
        for _ in remaining:
            order = uuid.uuid4()
            for version, name in enumerate(CUSTODIANS, start=1):
                started = time.perf_counter()
                async with pools[name].acquire() as connection, connection.transaction():
                    await _act(connection, order, version)
                latencies.append(time.perf_counter() - started)

    await asyncio.gather(*(client() for _ in range(clients)))
    for pool in pools.values():
        await pool.close()
    return latencies


async def _act(connection: asyncpg.Connection, order: uuid.UUID, version: int) -> None:
    payload = json.dumps({"version": version, "body": _BODY}).encode()
    await connection.fetchrow("select version, status, body from orders where id = $1 for update", order)
    await connection.execute(
        "insert into orders values ($1, $2, 's', $3) on conflict (id) do update set"
        " version = excluded.version, status = excluded.status, body = excluded.body",
        order,
        version,
        _BODY,
    )
    await connection.execute("insert into outbox (key, payload) values ($1, $2)", str(order), payload)
