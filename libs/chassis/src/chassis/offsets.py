"""A service's offsets, stored in its own database and committed with the effects of the records."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from chassis.database import Database, Transaction, is_transient
from chassis.one_statement import Part, Rows
from chassis.parking import RawRecord

_RETRY_SECONDS = 1.0


class TopicRecreated(Exception):
    """The batch was read from a topic that is gone: the positions belong to the one that was created in its place."""


class PositionsWentBack(Exception):
    """The database is before where the batch was read from: a crash or a failover took back what it had committed.

    Applying the batch would step over what is missing now; it has to be read again from the stored position.
    """


@dataclass(frozen=True, slots=True)
class OffsetRange:
    """From where to where a batch reaches, by partition, in the topic with this id (None: not known)."""

    topic: str
    begins: Mapping[int, int]
    ends: Mapping[int, int]
    topic_id: UUID | None = None
    read_from: Mapping[int, int] = field(default_factory=dict)
    """The stored positions as the reader knows them, where it knows them."""

    def has_gap(self, partition: int, stored: int) -> bool:
        return stored < self.read_from.get(partition, 0)


def reach_of(
    records: Sequence[RawRecord], topic_id: UUID | None = None, read_from: Mapping[int, int] | None = None
) -> OffsetRange:
    begins: dict[int, int] = {}
    ends: dict[int, int] = {}
    for record in records:
        begins[record.partition] = min(begins.get(record.partition, record.offset), record.offset)
        ends[record.partition] = max(ends.get(record.partition, 0), record.next_offset)
    return OffsetRange(records[0].topic, begins, ends, topic_id, read_from or {})


def positions_under(reach: OffsetRange) -> Part:
    """Reads the positions that a batch moves."""
    return Part(_POSITIONS, (reach.topic, list(reach.ends)))


def advanced(reach: OffsetRange, positions: Rows) -> Part | None:
    """Moves the positions if they still are what was read; None where more is to be done, as for a new partition, a
    topic that may have been created again, and a restored database.
    """
    is_plain = len(positions) == len(reach.ends) and all(
        reach.begins[partition] >= restored_until
        and reach.topic_id in (None, topic_id)
        and not reach.has_gap(partition, present)
        for partition, present, restored_until, topic_id in positions
    )
    if not is_plain:
        return None
    moves = [
        (partition, present, reach.begins[partition], max(present, reach.ends[partition]))
        for partition, present, *_ in positions
    ]
    columns = [list(column) for column in zip(*moves, strict=True)]
    return Part(_ADVANCE, (reach.topic, reach.topic_id, *columns), least=len(moves))


_POSITIONS = """select partition, next_offset, coalesce(restored_until, 0), topic_id from positions
    where topic = $1 and partition = any($2::int[])"""
# In the order of partitions, so that workers with overlapping batches queue instead of deadlocking.
_ADVANCE = """update positions set next_offset = locked.next_offset from (
        select partition, read.next_offset from positions as present
        join unnest($3::int[], $4::bigint[], $5::bigint[], $6::bigint[])
            as read (partition, present, begin, next_offset) using (partition)
        where topic = $1 and present.next_offset = read.present and coalesce(restored_until, 0) <= read.begin
            and ($2::uuid is null or topic_id = $2)
        order by partition for no key update of present) as locked
    where topic = $1 and positions.partition = locked.partition"""


async def advance(tx: Transaction, reach: OffsetRange) -> bool:
    """Moves the positions over what was applied or gives nothing to apply; whether it began before the end of what a
    restored database missed. Raises `TopicRecreated` or `PositionsWentBack`.
    """
    # Never backwards: after a rebalance two workers may apply the same batch for a moment.
    # In the order of partitions, so that they queue instead of deadlocking.
    rows = await tx.fetch(
        """insert into positions (topic, partition, next_offset, topic_id)
           select $1, place.*, $4 from unnest($2::int[], $3::bigint[]) as place (partition, next_offset)
           order by partition
           on conflict (topic, partition) do update
           set next_offset = greatest(positions.next_offset, excluded.next_offset),
               topic_id = coalesce(positions.topic_id, excluded.topic_id)
           returning partition, restored_until, topic_id, (
               select before.next_offset from positions as before
               where before.topic = $1 and before.partition = positions.partition) as stored""",
        reach.topic,
        list(reach.ends),
        list(reach.ends.values()),
        reach.topic_id,
    )
    if reach.topic_id and any(row["topic_id"] != reach.topic_id for row in rows):
        raise TopicRecreated(f"{reach.topic} was created again since the batch was read")
    # The subquery sees the row as it was before this statement.
    gaps = [row["partition"] for row in rows if reach.has_gap(row["partition"], row["stored"] or 0)]
    if gaps:
        raise PositionsWentBack(f"the database has lost its last positions of {reach.topic} {gaps}: reading them again")
    return any(reach.begins[row["partition"]] < (row["restored_until"] or 0) for row in rows)


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
