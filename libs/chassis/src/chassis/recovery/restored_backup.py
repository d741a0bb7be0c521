"""To be run when a service's database was restored from a backup, before its processes start.

    python -m chassis.restored SERVICE

With the environment of the service. Notes how far every topic reaches that the service reads: until its worker
has read that far it acts on nothing (`chassis.catching_up`). Takes back at once what the service itself last
published about entities of its own, such as work areas. Repeating it does no harm.
"""

import argparse
import asyncio
import contextlib
import importlib
import sys
from collections.abc import Mapping, Sequence

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from chassis.database import TRANSIENT, Database
from chassis.fetching import AIOKafkaConsumer, find_partitions
from chassis.kafka import client_security
from chassis.recovery.fence import must_read_until
from chassis.settings import Settings
from chassis.subscribe import Subscription
from contracts.codec import MalformedMessage, decode

_READ_FOR_SECONDS = 60.0


async def restored(
    settings: Settings, subscriptions: Sequence[Subscription], own: Sequence[Subscription] = ()
) -> dict[str, int]:
    """By topic, how many records are to be read before the service acts."""
    db = Database(settings.database_url, pool_size=1, application_name="linework restored")
    servers = settings.kafka_bootstrap_servers.split(",")
    reader = AIOKafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False, **client_security(settings))
    await reader.start()
    try:
        for subscription in own:
            await _take_back(reader, settings.topic_prefix, subscription, db)
        behind: dict[str, int] = {}
        for subscription in subscriptions:
            ends = await ends_of(reader, settings.topic_prefix + subscription.topic.name)
            behind[subscription.topic.name] = await _mark(db, subscription.topic.name, ends)
        return behind
    finally:
        await reader.stop()
        await db.close()


async def _mark(db: Database, topic: str, ends: Mapping[int, int]) -> int:
    async with db.begin() as tx:
        await must_read_until(tx, topic, ends)
        return await tx.fetchval(
            """select coalesce(sum(greatest(restored_until - next_offset, 0)), 0)::bigint
               from positions where topic = $1""",
            topic,
        )


async def ends_of(reader: AIOKafkaConsumer, topic: str) -> dict[int, int]:
    """By partition, where a topic ends; partitions in which nothing can be read are left out."""
    partitions = await find_partitions(reader, topic)
    begins, ends = await reader.beginning_offsets(partitions), await reader.end_offsets(partitions)
    return {place.partition: ends[place] for place in partitions if ends[place] > begins[place]}


async def _take_back(reader: AIOKafkaConsumer, prefix: str, subscription: Subscription, db: Database) -> None:
    records = await _everything(reader, prefix + subscription.topic.name)
    messages = []
    for record in records:
        with contextlib.suppress(MalformedMessage):  # whoever reads the topic all day has parked it
            messages.append(decode(record.key, record.value, record.headers, topic=subscription.topic))
    async with db.begin() as tx:
        await subscription.handler(messages, tx)


async def _everything(reader: AIOKafkaConsumer, topic: str) -> list[ConsumerRecord]:
    """A whole topic; for compacted ones, which are as large as what they are about."""
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
    parser = argparse.ArgumentParser(prog="python -m chassis.restored", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("service", help="intake, dispatch, fieldwork, qa or reporting")
    consumers = importlib.import_module(f"{parser.parse_args().service}.consumers")
    settings = Settings.from_environment()
    try:
        behind = asyncio.run(restored(settings, consumers.SUBSCRIPTIONS, getattr(consumers, "OWN", ())))
    except (*TRANSIENT, KafkaError) as error:
        sys.exit(f"nothing was noted, do not start the service: {type(error).__name__}: {error}")
    for topic, count in behind.items():
        print(f"{topic}: {count} records to be read before the service acts")


if __name__ == "__main__":
    main()
