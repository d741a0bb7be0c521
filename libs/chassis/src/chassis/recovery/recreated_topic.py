"""A topic that was deleted and created again counts its records from 0: the positions of the old one do not fit it.

What must stay true: no worker goes on at a position of a topic that is gone, for the records before that position in
the new topic would never be read; and none goes back to the beginning of a topic that is still the same, for it would
read, and park, everything twice. So a topic is taken for another one only on evidence (decision 15): its id is not
the one that was stored with the positions, and most brokers agree; or the broker confirms that a partition ends
before our position. A missing answer, an error code or a group without offsets proves nothing.

While a topic is filled again every group is told `BEING_FILLED`: a worker that starts meanwhile neither reads nor
publishes, or a new event would stand before the older ones of its key.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from chassis.database import Database, Transaction
from chassis.group_offsets import group_offsets
from chassis.kafka import ANSWER_MILLISECONDS, client_security
from chassis.offsets import Position, note_topic_id, stored_offsets
from chassis.parking import RawRecord, header_text
from chassis.settings import Settings
from chassis.subscription import Subscription
from chassis.topic_ids import agreed_topic_identity, topic_identity
from contracts.topics import TOPICS

log = logging.getLogger(__name__)

BEING_FILLED = 1 << 62
_ENDS_SECONDS = 1.5
_BEFORE_ANY_PLACE = 10**12
"""Places of a topic that is gone are moved down by this, so that they are no places of the topic in its stead."""

Told = Mapping[str, Mapping[int, int]]
"""What Kafka was told: by topic and partition, where to go on."""


class TopicIsBeingFilled(Exception):
    """A topic is being filled again; nothing is read or published until that is done."""


@contextlib.asynccontextmanager
async def admin_of(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        request_timeout_ms=ANSWER_MILLISECONDS,
        **client_security(settings),
    )
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


@contextlib.asynccontextmanager
async def _reader_of(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer without a group, that asks and reads nothing."""
    reader = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers.split(","),
        enable_auto_commit=False,
        request_timeout_ms=ANSWER_MILLISECONDS,
        **client_security(settings),
    )
    try:
        await reader.start()
        # Its task must have begun before it is stopped, or the client hands its own cancellation on to us.
        await asyncio.sleep(0)
        yield reader
    finally:
        await reader.stop()


async def told_to_kafka(settings: Settings, service: str, topics: Iterable[str]) -> Told:
    """Where the groups of a service stand, as far as Kafka was told.

    Raises `KafkaError` where the broker does not say so: no answer is not taken for "nothing".
    """
    prefix = settings.topic_prefix
    async with admin_of(settings) as admin:
        told = {topic: await group_offsets(admin, f"{prefix}{service}.{topic}") for topic in topics}
    return {
        topic: {place.partition: offset for place, offset in offsets.items() if place.topic == prefix + topic}
        for topic, offsets in told.items()
    }


async def find_misfits(settings: Settings, service: str, subscriptions: Sequence[Subscription], db: Database) -> bool:
    """Goes back to the beginning of each topic that was created again; whether the database is older than Kafka was
    told.

    Kafka is told after the commit, never before, so a database that was not set back is never behind it. Raises
    `TopicIsBeingFilled`, and `KafkaError` as long as the brokers do not answer what is asked.
    """
    topics = {*(topic.name for topic in TOPICS), *(subscription.topic.name for subscription in subscriptions)}
    told = await told_to_kafka(settings, service, sorted(topics))
    filled = [topic for topic, offsets in told.items() if BEING_FILLED in offsets.values()]
    if filled:
        raise TopicIsBeingFilled(f"{', '.join(filled)}: python -m reporting.republish has not come to its end")
    is_older = False
    async with _reader_of(settings) as reader:
        for topic in (subscription.topic.name for subscription in subscriptions):
            # A topic that is missing at the moment is looked at when its partitions are assigned.
            with contextlib.suppress(UnknownTopicOrPartitionError):
                await reset_if_recreated(reader, settings.topic_prefix, topic, db)
            own = await stored_offsets(db, topic)
            is_older |= any(
                offset > (own[partition].next_offset if partition in own else 0)
                for partition, offset in told[topic].items()
            )
    return is_older


def recreated(positions: Mapping[int, Position], topic_id: UUID | None, ends: Mapping[int, int]) -> list[int]:
    """The partitions that are no longer those which the positions belong to."""
    return [
        partition
        for partition, position in positions.items()
        if (topic_id and position.topic_id and position.topic_id != topic_id)
        or position.next_offset > ends.get(partition, position.next_offset)
    ]


@dataclass(frozen=True, slots=True)
class Standing:
    """What the brokers and the database say about a topic."""

    topic_id: UUID | None
    next_offsets: Mapping[int, int]
    """By partition, where to read on, as the database has it now."""
    ends: Mapping[int, int]
    """By partition, where it ends."""


async def reset_if_recreated(
    reader: AIOKafkaConsumer, prefix: str, topic: str, db: Database, partitions: Iterable[int] = ()
) -> Standing:
    """Sets the positions of partitions that were created again to 0. Of `partitions` the ends are told in any case.

    What was parked stays, under places that no new record can have. An id that is seen for the first time is stored.
    Raises `KafkaError` while the brokers do not say what is needed to decide, and what the database raises.
    """
    # The positions first: what the brokers say afterwards is compared with these, and with no later ones.
    positions = await stored_offsets(db, topic)
    identity = await topic_identity(reader._client, prefix + topic)
    if recreated(positions, identity.topic_id, {}):
        identity = await agreed_topic_identity(reader._client, prefix + topic)
    present = [TopicPartition(prefix + topic, number) for number in {*positions, *partitions} & identity.partitions]
    ends = await _ends(reader, present)
    gone = recreated(positions, identity.topic_id, ends)
    if gone:
        gone = await _reset(db, topic, identity.topic_id, {number: positions[number] for number in gone})
    if identity.topic_id and any(position.topic_id is None for position in positions.values()):
        await note_topic_id(db, topic, identity.topic_id, sorted(set(positions) - set(gone)))
    offsets = {number: position.next_offset for number, position in positions.items()} | dict.fromkeys(gone, 0)
    return Standing(identity.topic_id, offsets, ends)


async def _ends(reader: AIOKafkaConsumer, places: Sequence[TopicPartition]) -> dict[int, int]:
    """By partition, where it ends; without those whose leader does not say: nothing is concluded about them."""
    if not places:
        return {}
    try:
        async with asyncio.timeout(_ENDS_SECONDS):
            found = await reader.end_offsets(places)
    except (KafkaError, TimeoutError):
        # One partition without a leader makes the client fail for all of them.
        answers = await asyncio.gather(*(_end(reader, place) for place in places))
        return {place.partition: end for place, end in zip(places, answers, strict=True) if end is not None}
    return {place.partition: end for place, end in found.items()}


async def _end(reader: AIOKafkaConsumer, place: TopicPartition) -> int | None:
    with contextlib.suppress(KafkaError, TimeoutError):
        async with asyncio.timeout(_ENDS_SECONDS):
            return (await reader.end_offsets([place]))[place]
    return None


async def _reset(db: Database, topic: str, topic_id: UUID | None, positions: Mapping[int, Position]) -> list[int]:
    async with db.begin() as tx:
        reset = await reset_offsets(tx, topic, topic_id, positions)
    if reset:
        log.error("%s was created again; it is read from its beginning", topic, extra={"partitions": reset})
    return reset


async def reset_offsets(
    tx: Transaction, topic: str, topic_id: UUID | None, positions: Mapping[int, Position]
) -> list[int]:
    """Sets these positions to 0 in the topic with this id, where they still are what was looked at; returns where."""
    # Another worker may have applied a batch, or done the same, since the positions were read.
    # A database that was restored as well still has to read up to its mark; one that had is done with it.
    rows = await tx.fetch(
        """update positions set next_offset = 0, topic_id = $2,
               restored_until = case when positions.next_offset < restored_until then restored_until end
           from unnest($3::int[], $4::bigint[], $5::uuid[]) as seen (partition, next_offset, topic_id)
           where topic = $1 and positions.partition = seen.partition and positions.next_offset = seen.next_offset
             and positions.topic_id is not distinct from seen.topic_id
           returning positions.partition""",
        topic,
        topic_id,
        list(positions),
        [position.next_offset for position in positions.values()],
        [position.topic_id for position in positions.values()],
    )
    reset = sorted(row["partition"] for row in rows)
    await _move_parked(tx, topic, reset)
    return reset


async def _move_parked(tx: Transaction, topic: str, partitions: Sequence[int]) -> None:
    await tx.execute(
        'update parked set "offset" = "offset" - $3 where topic = $1 and partition = any($2)',
        topic,
        partitions,
        _BEFORE_ANY_PLACE,
    )


async def parked_before(tx: Transaction, topic: str, records: Sequence[RawRecord]) -> set[tuple[int, int]]:
    """Partition and offset of those records that were parked out of the topic of before, whatever became of them.

    The places differ, so a record is known by its key, its value and the id of its event.
    """
    if not records:
        return set()
    rows = await tx.fetch(
        """select record.partition, record."offset"
           from unnest($2::int[], $3::bigint[], $4::bytea[], $5::bytea[], $6::text[])
               as record (partition, "offset", raw_key, value, event_id)
           where exists (
               select from parked where parked.topic = $1 and parked."offset" < 0
                 and parked.raw_key is not distinct from record.raw_key
                 and parked.value is not distinct from record.value
                 and (select header->>1 from jsonb_array_elements(parked.headers) as header
                      where header->>0 = 'ce_id' limit 1) is not distinct from record.event_id)""",
        topic,
        [record.partition for record in records],
        [record.offset for record in records],
        [record.key for record in records],
        [record.value for record in records],
        [_event_id(record) for record in records],
    )
    return {(row["partition"], row["offset"]) for row in rows}


def _event_id(record: RawRecord) -> str | None:
    return next((header_text(value) for name, value in record.headers if name == "ce_id"), None)


async def has_all_of(tx: Transaction, topic: str, topic_id: UUID | None, ends: Mapping[int, int]) -> None:
    """Notes that what stands in a topic that was created again has been read to these ends, by partition."""
    partitions = list(ends)
    await tx.execute(
        """insert into positions (topic, partition, next_offset, topic_id)
           select $1, partition, next, $4
           from unnest($2::int[], $3::bigint[]) as place (partition, next) order by partition
           on conflict (topic, partition) do update
           set next_offset = excluded.next_offset, topic_id = excluded.topic_id, restored_until = null""",
        topic,
        partitions,
        list(ends.values()),
        topic_id,
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
