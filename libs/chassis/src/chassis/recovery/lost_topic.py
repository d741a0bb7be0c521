"""A lost topic is refilled from reporting's record, message by message (`python -m reporting.republish`).

What must stay true: while a topic is filled no worker reads it and no relay publishes to it, or a new event would
stand before the older ones of its key. So every group first commits the impossible offset `REFILLING`, and a worker
that finds it at its start waits (`start_check`). The offset goes with the end of the filling; a filling that was cut
off leaves it, and its second run goes on.
"""

from collections.abc import Mapping
from uuid import UUID

from chassis.database import Transaction
from chassis.group_offsets import CommittedOffsets
from chassis.recovery.recreated_topic import move_parked

REFILLING = 1 << 62
"""Committed by a group for partition 0: no topic is so long."""


class TopicIsBeingRefilled(Exception):
    """A topic is being filled again; nothing is read or published until that is done."""


def check_not_refilling(committed: CommittedOffsets) -> None:
    """Raises `TopicIsBeingRefilled` where one of these topics is being filled."""
    refilling = [topic for topic, offsets in committed.items() if REFILLING in offsets.values()]
    if refilling:
        raise TopicIsBeingRefilled(f"{', '.join(refilling)}: python -m reporting.republish has not come to its end")


async def note_read_to_end(tx: Transaction, topic: str, topic_id: UUID | None, ends: Mapping[int, int]) -> None:
    """Notes that this service has read a recreated topic to these ends, by partition."""
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
    await move_parked(tx, topic, partitions)
