"""A recreated topic counts its records from 0, so that the offsets stored for the old topic do not apply.

What must stay true: no worker goes on at an offset of a topic that is gone, for the records before that offset in the
new topic would never be read; and none goes back to the beginning of a topic that is still the same, for it would read,
and park, everything twice. So a topic counts as recreated only on evidence (decision 15): its id is not the one that
was stored with the offsets, and most brokers agree; or the leader of a partition confirms that it ends before our
offset. A missing answer, an error code or a group without offsets proves nothing.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from chassis.database import Database, Transaction
from chassis.kafka_internals import client_of
from chassis.offsets import Position, note_topic_id, stored_offsets
from chassis.parking import RawRecord, header_text
from chassis.topic_ids import agreed_topic_identity, topic_identity

log = logging.getLogger(__name__)

_ENDS_SECONDS = 1.5
_BEFORE_ANY_PLACE = 10**12
"""Parked records of the deleted topic are moved down by this, so that no record of the new topic has their place."""


def recreated(positions: Mapping[int, Position], topic_id: UUID | None, ends: Mapping[int, int]) -> list[int]:
    """The partitions that were created again since their positions were stored."""
    return [
        partition
        for partition, position in positions.items()
        if (topic_id and position.topic_id and position.topic_id != topic_id)
        or position.next_offset > ends.get(partition, position.next_offset)
    ]


@dataclass(frozen=True, slots=True)
class TopicOffsets:
    """Where a topic stands, by the brokers and by the database."""

    topic_id: UUID | None
    next_offsets: Mapping[int, int]
    """By partition, where this service reads on."""
    ends: Mapping[int, int]
    """By partition, where it ends."""


async def reset_if_recreated(
    reader: AIOKafkaConsumer, prefix: str, topic: str, db: Database, partitions: Iterable[int] = ()
) -> TopicOffsets:
    """Sets the positions of partitions that were created again to 0. The result has the ends of `partitions` too.

    What was parked stays, under places that no new record can have. An id that is seen for the first time is stored.
    Raises `KafkaError` while the brokers do not say what is needed to decide, and what the database raises.
    """
    client = client_of(reader)
    # The positions first: what the brokers say afterwards is compared with these, and with no later ones.
    positions = await stored_offsets(db, topic)
    identity = await topic_identity(client, prefix + topic)
    if recreated(positions, identity.topic_id, {}):
        identity = await agreed_topic_identity(client, prefix + topic)
    present = [TopicPartition(prefix + topic, number) for number in {*positions, *partitions} & identity.partitions]
    ends = await _ends(reader, present)
    gone = recreated(positions, identity.topic_id, ends)
    if gone:
        gone = await _reset(db, topic, identity.topic_id, {number: positions[number] for number in gone})
    if identity.topic_id and any(position.topic_id is None for position in positions.values()):
        await note_topic_id(db, topic, identity.topic_id, sorted(set(positions) - set(gone)))
    offsets = {number: position.next_offset for number, position in positions.items()} | dict.fromkeys(gone, 0)
    return TopicOffsets(identity.topic_id, offsets, ends)


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
            end: int = (await reader.end_offsets([place]))[place]
            return end
    return None


async def _reset(db: Database, topic: str, topic_id: UUID | None, positions: Mapping[int, Position]) -> list[int]:
    async with db.begin() as tx:
        reset = await reset_offsets(tx, topic, topic_id, positions)
    if reset:
        log.error("the topic %s was recreated; reading it from its beginning", topic, extra={"partitions": reset})
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
    await move_parked(tx, topic, reset)
    return reset


async def move_parked(tx: Transaction, topic: str, partitions: Sequence[int]) -> None:
    """Keeps what was parked out of the deleted topic, in its order, at places that no record of the new one has."""
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
