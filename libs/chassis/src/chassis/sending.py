"""Sends outbox rows to Kafka: the rows of a partition form a batch, in the order of their ids.

Invariant: no row is acknowledged before an earlier row of its key. Kafka accepts or rejects a batch as a whole, and the
next batch of the partition waits for it, so that no row can overtake a lost row.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import asyncpg
import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.partitioner import DefaultPartitioner

from chassis.kafka_internals import BatchBuilder
from chassis.tracing import publishing

Row: TypeAlias = asyncpg.Record
"""A row as it stands in the outbox."""

_MOST_BYTES = 1_048_576
FOUND_WITHIN_SECONDS = 5.0
_partition_of = DefaultPartitioner()
_HEADERS = msgspec.json.Decoder(dict[str, str])


@dataclass(slots=True)
class Sent:
    """What became of some rows; what is neither acknowledged nor failed has not been tried."""

    acknowledged: list[tuple[Row, str]] = field(default_factory=list)
    """A row, and the id of its event."""
    failures: list[tuple[Row, BaseException]] = field(default_factory=list)
    """A row, and why it was not taken."""


async def send(producer: AIOKafkaProducer, rows: Iterable[Row], *, prefix: str = "") -> Sent:
    """Sends rows, given in the order of their numbers, and waits until Kafka has them; raises nothing of Kafka's."""
    by_topic: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_topic[row["aggregatetype"]].append(row)
    sent = Sent()
    await asyncio.gather(*(_to_topic(producer, prefix + topic, of_it, sent) for topic, of_it in by_topic.items()))
    return sent


async def _to_topic(producer: AIOKafkaProducer, topic: str, rows: Sequence[Row], sent: Sent) -> None:
    try:
        # The client itself would look for 40 seconds, and what belongs on other topics would wait with it.
        async with asyncio.timeout(FOUND_WITHIN_SECONDS):
            partitions = sorted(await producer.partitions_for(topic))
    except Exception as error:
        sent.failures.append((rows[0], error))
        return
    keys = {row["aggregateid"] for row in rows}
    places = {key: _partition_of(key.encode(), partitions, partitions) for key in keys}
    by_partition: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        by_partition[places[row["aggregateid"]]].append(row)
    await asyncio.gather(
        *(_to_partition(producer, topic, partition, of_it, sent) for partition, of_it in by_partition.items())
    )


async def _to_partition(producer: AIOKafkaProducer, topic: str, partition: int, rows: list[Row], sent: Sent) -> None:
    rows = _without_too_large(rows, sent)
    if not rows:
        return
    first = rows[0]
    try:
        with publishing(first["aggregatetype"]) as spans:  # the topic without the prefix
            waiting = deque((row, spans.headers_of(_HEADERS.decode(row["headers"]))) for row in rows)
            while waiting:
                first, batch, taken = waiting[0][0], producer.create_batch(), list[tuple[Row, str]]()
                while waiting and _takes(batch, *waiting[0]):
                    row, headers = waiting.popleft()
                    taken.append((row, headers["ce_id"]))
                batch.close()  # nothing else is put into it
                await (await producer.send_batch(batch, topic, partition=partition))
                sent.acknowledged += taken
    except Exception as error:
        sent.failures.append((first, error))


def _takes(batch: BatchBuilder, row: Row, headers: Mapping[str, str]) -> bool:
    """Puts a row into a batch, unless that is full; an empty one takes any."""
    key, encoded = row["aggregateid"].encode(), [(name, text.encode()) for name, text in headers.items()]
    return batch.append(timestamp=None, key=key, value=row["payload"], headers=encoded) is not None


def _without_too_large(rows: Iterable[Row], sent: Sent) -> list[Row]:
    """Without rows that Kafka would refuse with their whole batch, and without what stands behind them."""
    left, stopped = [], set[str]()
    for row in rows:
        key = row["aggregateid"]
        size = len(key) + len(row["payload"]) + len(row["headers"])
        if size > _MOST_BYTES and key not in stopped:
            stopped.add(key)
            sent.failures.append((row, MessageSizeTooLargeError(f"{size} bytes")))
        if key not in stopped:
            left.append(row)
    return left
