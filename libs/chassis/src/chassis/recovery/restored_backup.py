"""Marks a database that was restored from a backup, before the processes of its service start.

    python -m chassis.restored SERVICE

With the environment of the service. Notes where every topic ends that the service reads: until its worker has read so
far, the service carries out no command (`chassis.recovery.fence`). Takes back at once what the service itself last
published about entities of its own, such as reference data. Running it again does no harm.
"""

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from chassis.database import TRANSIENT, Database
from chassis.fetching import AIOKafkaConsumer, find_partitions
from chassis.kafka import reader_of
from chassis.recovery.fence import must_read_until
from chassis.settings import Settings
from chassis.subscription import Subscription
from contracts.codec import MalformedMessage, decode

CONSUMERS = "linework.consumers"
"""The entry points by which each service names its module of `SUBSCRIPTIONS` and, where it has any, `OWN`."""
_READ_FOR_SECONDS = 60.0


async def mark_restored(
    settings: Settings, subscriptions: Sequence[Subscription], own: Sequence[Subscription] = ()
) -> dict[str, int]:
    """Marks how far each topic must be read; by topic, how many records that are. `own` is taken back at once."""
    db = Database(settings.database_url, pool_size=1, application_name="linework restored")
    try:
        async with reader_of(settings) as reader:
            for subscription in own:
                await _take_back(reader, settings.topic_prefix, subscription, db)
            behind: dict[str, int] = {}
            for topic in (subscription.topic.name for subscription in subscriptions):
                behind[topic] = await _mark(db, topic, await ends_of(reader, settings.topic_prefix + topic))
            return behind
    finally:
        await db.close()


async def _mark(db: Database, topic: str, ends: Mapping[int, int]) -> int:
    async with db.begin() as tx:
        await must_read_until(tx, topic, ends)
        behind: int = await tx.fetchval(
            """select coalesce(sum(greatest(restored_until - next_offset, 0)), 0)::bigint
               from positions where topic = $1""",
            topic,
        )
        return behind


async def ends_of(reader: AIOKafkaConsumer, topic: str) -> dict[int, int]:
    """By partition, where a topic ends; partitions in which nothing can be read are left out."""
    partitions = await find_partitions(reader, topic)
    begins, ends = await reader.beginning_offsets(partitions), await reader.end_offsets(partitions)
    return {place.partition: ends[place] for place in partitions if ends[place] > begins[place]}


async def _take_back(reader: AIOKafkaConsumer, prefix: str, subscription: Subscription, db: Database) -> None:
    records = await _everything(reader, prefix + subscription.topic.name)
    messages = []
    for record in records:
        with contextlib.suppress(MalformedMessage):  # the worker of every reader has parked it
            messages.append(decode(record.key, record.value, record.headers, topic=subscription.topic))
    async with db.begin() as tx:
        await subscription.handler(messages, tx)


async def _everything(reader: AIOKafkaConsumer, topic: str) -> list[ConsumerRecord]:
    """A whole topic; for compacted ones, which hold each entity about once."""
    ends = await ends_of(reader, topic)
    partitions = [TopicPartition(topic, number) for number in ends]
    if not partitions:
        return []
    reader.assign(partitions)
    await reader.seek_to_beginning(*partitions)
    found: list[ConsumerRecord] = []
    async with asyncio.timeout(_READ_FOR_SECONDS):
        while any([await reader.position(place) < ends[place.partition] for place in partitions]):
            for records in (await reader.getmany(timeout_ms=200)).values():
                found += records
    return found


def main() -> None:
    services = {entry.name: entry for entry in entry_points(group=CONSUMERS)}
    parser = argparse.ArgumentParser(prog="python -m chassis.restored", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("service", choices=sorted(services))
    consumers = services[parser.parse_args().service].load()
    settings = Settings.from_environment()
    try:
        behind = asyncio.run(mark_restored(settings, consumers.SUBSCRIPTIONS, getattr(consumers, "OWN", ())))
    except (*TRANSIENT, KafkaError) as error:
        sys.exit(f"nothing was noted, do not start the service: {type(error).__name__}: {error}")
    for topic, count in behind.items():
        print(f"{topic}: {count} records to be read before the service acts")
