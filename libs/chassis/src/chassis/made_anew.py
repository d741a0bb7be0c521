"""A topic that was lost and made anew counts its records from 0: what services have noted of it fits no more.

What must stay true: nobody goes on at a place of the topic that is gone, for the records before that place in the
new one would never be read. Kafka forgets what a group was told when a topic is deleted. So a database that has
read something of which Kafka was told nothing stands in a topic that is gone; it reads the new one from its
beginning, where what it knows already is a repeat (decision 15).

While a topic is filled again every group is told `BEING_FILLED`: a worker that starts meanwhile neither reads nor
publishes, or a new event would stand before the older ones of its key.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from chassis.database import Database, Transaction, is_transient
from chassis.kafka import client_security
from chassis.positions import positions_of
from chassis.settings import Settings
from chassis.subscription import Subscription
from contracts.topics import TOPICS

log = logging.getLogger(__name__)

BEING_FILLED = 1 << 62
_RETRY_SECONDS = 1.0
_BEFORE_ANY_PLACE = 10**12
"""Places of a topic that is gone are moved down by this, so that they are no places of the topic in its stead."""

Told = Mapping[str, Mapping[int, int]]
"""What Kafka was told: by topic and partition, where to go on."""


class TopicIsBeingFilled(Exception):
    """A topic is being filled again; nothing is read or published until that is done."""


@contextlib.asynccontextmanager
async def admin_of(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers, **client_security(settings))
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def told_to_kafka(settings: Settings, service: str, topics: Iterable[str]) -> Told:
    """Where the groups of a service stand, as far as Kafka was told."""
    prefix = settings.topic_prefix
    async with admin_of(settings) as admin:
        told = {topic: await admin.list_consumer_group_offsets(f"{prefix}{service}.{topic}") for topic in topics}
    return {
        topic: {place.partition: at.offset for place, at in offsets.items() if place.topic == prefix + topic}
        for topic, offsets in told.items()
    }


async def find_misfits(settings: Settings, service: str, subscriptions: Sequence[Subscription], db: Database) -> bool:
    """Goes back to the beginning of each topic that was made anew; whether the database is older than Kafka was told.

    Kafka is told after the commit, never before, so a database that was not set back is never behind it. Raises
    `TopicIsBeingFilled`.
    """
    topics = {*(topic.name for topic in TOPICS), *(subscription.topic.name for subscription in subscriptions)}
    told = await told_to_kafka(settings, service, sorted(topics))
    filled = [topic for topic, offsets in told.items() if BEING_FILLED in offsets.values()]
    if filled:
        raise TopicIsBeingFilled(f"{', '.join(filled)}: python -m reporting.republish has not come to its end")
    is_older = False
    for topic in (subscription.topic.name for subscription in subscriptions):
        own = await positions_of(db, topic)
        gone = [partition for partition, offset in own.items() if offset and not told[topic].get(partition)]
        await begin_anew(db, topic, gone)
        is_older |= any(offset > own.get(partition, 0) for partition, offset in told[topic].items())
    return is_older


async def begin_anew(db: Database, topic: str, partitions: Sequence[int]) -> None:
    """The positions go to the beginning; what was parked stays, under places that no new record can have."""
    while partitions:
        try:
            async with db.begin() as tx:
                await _to_the_beginning(tx, topic, partitions)
                await _move_parked(tx, topic, partitions)
        except Exception as error:
            if not is_transient(error):
                raise
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            log.error("%s was made anew; it is read from its beginning", topic, extra={"partitions": list(partitions)})
            return


async def _to_the_beginning(tx: Transaction, topic: str, partitions: Sequence[int]) -> None:
    # A database that was restored as well still has to read up to its mark; one that had is done with it.
    await tx.execute(
        """update positions set next_offset = 0,
               restored_until = case when next_offset < restored_until then restored_until end
           where topic = $1 and partition = any($2)""",
        topic,
        partitions,
    )


async def _move_parked(tx: Transaction, topic: str, partitions: Sequence[int]) -> None:
    await tx.execute(
        'update parked set "offset" = "offset" - $3 where topic = $1 and partition = any($2)',
        topic,
        partitions,
        _BEFORE_ANY_PLACE,
    )


async def has_all_of(tx: Transaction, topic: str, ends: Mapping[int, int]) -> None:
    """Notes that what stands in a topic that was made anew has been read to these ends, by partition."""
    partitions = list(ends)
    await tx.execute(
        """insert into positions (topic, partition, next_offset)
           select $1, partition, next from unnest($2::int[], $3::bigint[]) as place (partition, next) order by partition
           on conflict (topic, partition) do update set next_offset = excluded.next_offset, restored_until = null""",
        topic,
        partitions,
        list(ends.values()),
    )
    await _move_parked(tx, topic, partitions)


async def tell_kafka(settings: Settings, service: str, topic: str, offsets: Mapping[int, int]) -> None:
    """Tells the group of a service where to go on; raises `KafkaError` while one of its workers runs."""
    name = settings.topic_prefix + topic
    client = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        group_id=f"{settings.topic_prefix}{service}.{topic}",
        enable_auto_commit=False,
        **client_security(settings),
    )
    await client.start()
    try:
        places = {TopicPartition(name, partition): offset for partition, offset in offsets.items()}
        client.assign(list(places))
        await client.commit(places)
    finally:
        await client.stop()
