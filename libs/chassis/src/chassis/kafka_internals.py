"""The seam to aiokafka's private members: everything of it that is not its public interface is named here.

aiokafka unpacks what it has fetched by classes of its own, and there an exception has no way out: it ends the fetch of
a partition, of every partition, or comes again with every poll. So chassis puts its own classes in their place
(`chassis.fetching`). An upgrade that moves one of these names fails in `test_kafka_internals`, not in production.
"""

from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.util import calc_crc32c as crc32c

__all__ = ["DefaultRecordBatch", "crc32c", "fetched_until", "find_partitions", "put_in_place"]


def put_in_place(memory_records: type[Any], partition_records: type[Any]) -> None:
    """From here on every consumer of this process unpacks what it fetches by these classes.

    The fetcher makes `memory_records(data)` and asks it for `has_next()` and `size_in_bytes()`; then
    `partition_records(place, memory, aborted, offset, …)`, an iterator of `ConsumerRecord` with the attribute
    `next_fetch_offset`.
    """
    for name in ("MemoryRecords", "PartitionRecords"):
        if not hasattr(fetcher, name):
            raise ImportError(f"aiokafka.consumer.fetcher has no {name}; this release of it is not known")
    vars(fetcher).update(MemoryRecords=memory_records, PartitionRecords=partition_records)


async def find_partitions(consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
    """The partitions of a topic that the consumer is not subscribed to; none where there is no such topic."""
    # Nothing was subscribed, so the client knows of no topic until it is told to look.
    await consumer._client.add_topic(topic)
    await consumer._client.force_metadata_update()
    return [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]


def fetched_until(consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
    """By partition, the offset up to which a poll has given everything; unlike `position` it does not wait.

    Control records and aborted transactions give nothing: after them it is further than the last record.
    """
    subscription = consumer._subscription.subscription
    assignment = subscription.assignment if subscription else None
    if assignment is None:
        return {}
    states = {place: assignment.state_value(place) for place in partitions if place in assignment.tps}
    return {place: state.position for place, state in states.items() if state and state.has_valid_position}
