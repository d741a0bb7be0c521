"""How far a service has read each topic, in its own database: committed with the effects of what was read."""

import asyncio
from collections.abc import Mapping, Sequence

from chassis.database import Database, Transaction, is_transient
from chassis.parking import RawRecord

_RETRY_SECONDS = 1.0


async def advance(tx: Transaction, records: Sequence[RawRecord]) -> bool:
    """Notes how far the batch reaches; whether it began before the end of what a restored database missed."""
    positions: dict[int, int] = {}
    begins: dict[int, int] = {}
    for record in records:
        positions[record.partition] = max(positions.get(record.partition, 0), record.next_offset)
        begins[record.partition] = min(begins.get(record.partition, record.offset), record.offset)
    return await move(tx, records[0].topic, begins, positions)


async def move(tx: Transaction, topic: str, begins: Mapping[int, int], positions: Mapping[int, int]) -> bool:
    """The same for offsets by partition, of which everything between was applied or gives nothing to apply."""
    # Never backwards: after a rebalance two workers may apply the same batch for a moment.
    # In the order of partitions, so that they queue instead of deadlocking.
    rows = await tx.fetch(
        """insert into positions (topic, partition, next_offset)
           select $1, * from unnest($2::int[], $3::bigint[]) as place (partition, next_offset) order by partition
           on conflict (topic, partition) do update
           set next_offset = greatest(positions.next_offset, excluded.next_offset)
           returning partition, restored_until""",
        topic,
        list(positions),
        list(positions.values()),
    )
    return any(begins[row["partition"]] < (row["restored_until"] or 0) for row in rows)


async def positions_of(db: Database, topic: str) -> dict[int, int]:
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
