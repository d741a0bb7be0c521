"""A service's offsets, stored in its own database and committed with the effects of the records."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis.database import Database, Transaction, is_transient
from chassis.parking import RawRecord

_RETRY_SECONDS = 1.0


class TopicRecreated(Exception):
    """The batch was read from a topic that is gone: the positions belong to the one that was created in its place."""


async def advance(tx: Transaction, records: Sequence[RawRecord], topic_id: UUID | None = None) -> bool:
    """Notes how far the batch reaches, in the topic with this id (None: not known); whether it began before the end
    of what a restored database missed. Raises `TopicRecreated`.
    """
    positions: dict[int, int] = {}
    begins: dict[int, int] = {}
    for record in records:
        positions[record.partition] = max(positions.get(record.partition, 0), record.next_offset)
        begins[record.partition] = min(begins.get(record.partition, record.offset), record.offset)
    return await move(tx, records[0].topic, begins, positions, topic_id)


async def move(
    tx: Transaction,
    topic: str,
    begins: Mapping[int, int],
    positions: Mapping[int, int],
    topic_id: UUID | None = None,
) -> bool:
    """The same for offsets by partition, of which everything between was applied or gives nothing to apply."""
    # Never backwards: after a rebalance two workers may apply the same batch for a moment.
    # In the order of partitions, so that they queue instead of deadlocking.
    rows = await tx.fetch(
        """insert into positions (topic, partition, next_offset, topic_id)
           select $1, place.*, $4 from unnest($2::int[], $3::bigint[]) as place (partition, next_offset)
           order by partition
           on conflict (topic, partition) do update
           set next_offset = greatest(positions.next_offset, excluded.next_offset),
               topic_id = coalesce(positions.topic_id, excluded.topic_id)
           returning partition, restored_until, topic_id""",
        topic,
        list(positions),
        list(positions.values()),
        topic_id,
    )
    if topic_id and any(row["topic_id"] != topic_id for row in rows):
        raise TopicRecreated(f"{topic} was created again since the batch was read")
    return any(begins[row["partition"]] < (row["restored_until"] or 0) for row in rows)


async def offsets_of(db: Database, topic: str) -> dict[int, int]:
    """The next offset by partition; waits for a database that is away.

    Reading on from anywhere else than our own position is not an option.
    """
    while True:
        try:
            async with db.statements() as statements:
                rows = await statements.fetch("select partition, next_offset from positions where topic = $1", topic)
            return {row["partition"]: row["next_offset"] for row in rows}
        except Exception as error:
            if not is_transient(error):
                raise
            await asyncio.sleep(_RETRY_SECONDS)


@dataclass(frozen=True, slots=True)
class Position:
    """How far a partition was read, and of which topic; the id is None until it has been seen."""

    next_offset: int
    topic_id: UUID | None


async def stored_offsets(db: Database, topic: str) -> dict[int, Position]:
    """The positions by partition. Raises what the database raises."""
    async with db.statements() as statements:
        rows = await statements.fetch("select partition, next_offset, topic_id from positions where topic = $1", topic)
    return {row["partition"]: Position(row["next_offset"], row["topic_id"]) for row in rows}


async def note_topic_id(db: Database, topic: str, topic_id: UUID, partitions: Sequence[int]) -> None:
    """Notes which topic the positions of these partitions belong to, where that is not known yet."""
    async with db.statements() as statements:
        await statements.execute(
            "update positions set topic_id = $2 where topic = $1 and partition = any($3) and topic_id is null",
            topic,
            topic_id,
            partitions,
        )
