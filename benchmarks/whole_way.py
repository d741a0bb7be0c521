"""The whole way of a call event: from `partner.in` through intake and `calls` into reporting's figures.

    python -m benchmarks.whole_way --events 60000

The product runs as it always does, on servers of its own. First reporting alone: a call centre's events are written to
`calls` as intake would, and the clock stops when its worker has all of them. Then the whole way, from the first
event that is sent to `partner.in`. The floor, in the same run on the same servers: aiokafka and COPY, twice over,
with nothing between.
"""

import argparse
import asyncio
import contextlib
import os
import time
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from benchmarks import processors
from benchmarks.call_centre import PARTNER, CallCentre, on_calls, on_partner_in
from benchmarks.installation import MeasuredInstallation, measured_installation
from benchmarks.rounds import say
from chassis.parking import RawRecord
from contracts.topics import PARTNER_IN, topic_of_partner

_ADVANCED_EVERY_SECONDS = 0.1
_AT_ONCE = 2000


@dataclass
class Spent:
    """Wall clock of a stretch, and what each part used of the processors within it."""

    seconds: float = 0.0
    processor: dict[str, float] = field(default_factory=dict)

    def told(self, name: str, events: int) -> str:
        parts = sorted(self.processor.items(), key=lambda one: -one[1])
        each = ", ".join(f"{part} {used * 1e6 / events:.0f}" for part, used in parts if used * 1e6 / events >= 1)
        return f"{name:28s}{events / self.seconds:8.0f} a second; us of processor an event: {each}"


@contextlib.asynccontextmanager
async def spending(built: MeasuredInstallation) -> AsyncIterator[Spent]:
    spent, before, began = Spent(), _processor(built), time.perf_counter()
    yield spent
    spent.seconds = time.perf_counter() - began
    spent.processor = {name: used - before.get(name, 0.0) for name, used in _processor(built).items()}


def _processor(built: MeasuredInstallation) -> Mapping[str, float]:
    roots = {"this": os.getpid(), **built.process_ids()}
    return processors.seconds_by_root(processors.processes(), roots)


async def _register(built: MeasuredInstallation) -> None:
    address = f"http://127.0.0.1:{built.ports['intake']}/v1/partners/{PARTNER}"
    asked = {"name_en": "bench", "name_zh": "测试", "events_per_second": 100_000, "is_active": True}
    async with httpx.AsyncClient(timeout=30) as client:
        answer = await client.put(address, json=asked, headers={"authorization": f"Bearer {built.tokens['operator']}"})
        answer.raise_for_status()


async def _send(built: MeasuredInstallation, records: Iterable[RawRecord]) -> int:
    producer = AIOKafkaProducer(
        bootstrap_servers=built.servers.bootstrap_servers, linger_ms=5, max_batch_size=262_144, compression_type="lz4"
    )
    await producer.start()
    sent, count = [], 0
    for record in records:
        sent.append(
            await producer.send(
                record.topic, record.value, key=record.key, partition=record.partition, headers=list(record.headers)
            )
        )
        count += 1
        if len(sent) >= _AT_ONCE:
            await asyncio.gather(*sent)
            sent.clear()
    await asyncio.gather(*sent)
    await producer.stop()
    return count


async def _number(built: MeasuredInstallation, service: str, sql: str) -> int:
    return int((await built.query(service, sql))[0][0] or 0)


async def _until_taken(built: MeasuredInstallation, events: int, before: int) -> int:
    """Until intake has all events and reporting all that intake has said; how many messages that is."""
    while await _number(built, "intake", "select count(*) from partner_events") < events:  # noqa: ASYNC110
        await asyncio.sleep(_ADVANCED_EVERY_SECONDS)
    said = await _number(
        built,
        "intake",
        "select (select sum(version) from calls) + (select coalesce(sum(version), 0) from agent_streams)",
    )
    await _until_read(built, before + said)
    return said


async def _until_read(built: MeasuredInstallation, said: int) -> None:
    sql = "select call_message_count from stream_state"
    while await _number(built, "reporting", sql) < said:  # noqa: ASYNC110
        await asyncio.sleep(_ADVANCED_EVERY_SECONDS)


async def _floor(built: MeasuredInstallation, events: int) -> Spent:
    """One process that reads the partner's topic, copies each batch, writes it to a second topic and copies that."""
    topic = f"floor-{uuid.uuid4().hex[:8]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=built.servers.bootstrap_servers)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 12, 1)])
    database = await asyncpg.connect(built.servers.database_url)
    await database.execute("create table floor_in (key bytea, value bytea); create table floor_out (like floor_in)")
    producer = AIOKafkaProducer(
        bootstrap_servers=built.servers.bootstrap_servers, enable_idempotence=True, compression_type="lz4"
    )
    await producer.start()
    async with spending(built) as spent:
        source = topic_of_partner(PARTNER_IN, PARTNER)
        async for batch in _batches(built, source.name, source.partitions, events):
            await database.copy_records_to_table("floor_in", records=[(one.key, one.value) for one in batch])
            await asyncio.gather(*[await producer.send(topic, one.value, key=one.key) for one in batch])
        async for batch in _batches(built, topic, 12, events):
            await database.copy_records_to_table("floor_out", records=[(one.key, one.value) for one in batch])
    await producer.stop()
    await database.execute("drop table floor_in, floor_out")
    await database.close()
    await admin.delete_topics([topic])
    await admin.close()
    return spent


async def _batches(built: MeasuredInstallation, topic: str, partitions: int, count: int) -> AsyncIterator[list[Any]]:
    client = AIOKafkaConsumer(bootstrap_servers=built.servers.bootstrap_servers, enable_auto_commit=False)
    await client.start()
    try:
        places = [TopicPartition(topic, number) for number in range(partitions)]
        client.assign(places)
        await client.seek_to_beginning(*places)
        seen = 0
        while seen < count:
            found = await client.getmany(timeout_ms=500, max_records=_AT_ONCE)
            batch = [record for records in found.values() for record in records]
            seen += len(batch)
            yield batch
    finally:
        await client.stop()


async def measure(options: argparse.Namespace) -> None:
    days = max(3, round(365 * options.events / 10_000_000))
    async with measured_installation() as built:
        await _register(built)
        async with spending(built) as alone:
            direct = await _send(built, on_calls(CallCentre(options.events, days=days, seed=2, agents_are="b").facts()))
            await _until_read(built, direct)
        say(alone.told("reporting alone", direct))
        await _until_there(built, topic_of_partner(PARTNER_IN, PARTNER).name)
        async with spending(built) as whole:
            events = await _send(built, on_partner_in(CallCentre(options.events, days=days).facts()))
            said = await _until_taken(built, events, direct)
        say(f"{events} events of the partner have become {said} messages on calls")
        say(whole.told("the whole way", events))
        floor = await _floor(built, events)
        say(floor.told("floor", events))


async def _until_there(built: MeasuredInstallation, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=built.servers.bootstrap_servers)
    await admin.start()
    while topic not in await admin.list_topics():  # noqa: ASYNC110
        await asyncio.sleep(_ADVANCED_EVERY_SECONDS)
    await admin.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=60_000)
    asyncio.run(measure(parser.parse_args()))
