"""The seam to aiokafka: the only module that uses its private members.

- *Decoding.* An exception in the classes that decode fetched batches cannot be handled: it ends the fetch of a
  partition or of all partitions, or recurs with every poll. So chassis replaces these classes (`chassis.fetching`).
- *Topic ids.* The library stops at version 5 of Kafka's Metadata request, and ids come with version 10 (KIP-516), so
  the structs of that version are declared here.
- *Committed offsets.* The library's public call drops the broker's error code.
- *Long fetches.* A broker answers the requests of a connection one after the other, and the library sends everything on
  the one on which a fetch may wait for seconds. So fetches get a connection of their own.

An upgrade that moves one of these names fails in `test_kafka_internals`, not in production.
"""

import asyncio
from collections.abc import Sequence
from io import BytesIO
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import READ_COMMITTED
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.util import calc_crc32c as crc32c

__all__ = [
    "READ_COMMITTED",
    "AIOKafkaClient",
    "BatchBuilder",
    "DefaultRecordBatch",
    "OwnFetches",
    "abandon",
    "client_of",
    "crc32c",
    "fetch_group_offsets",
    "fetched_until",
    "find_partitions",
    "put_in_place",
    "topic_metadata",
]

_METADATA = 3
_VERSION = 10
_NO_ID = UUID(int=0)


def put_in_place(memory_records: type[Any], partition_records: type[Any]) -> None:
    """From here on every consumer of this process unpacks what it fetches by these classes.

    The fetcher makes `memory_records(data)` and asks it for `has_next()` and `size_in_bytes()`; then
    `partition_records(place, memory, aborted, offset, …)`, an iterator of `ConsumerRecord` with the attribute
    `next_fetch_offset`.
    """
    for name in ("MemoryRecords", "PartitionRecords"):
        if not hasattr(fetcher, name):
            raise ImportError(f"aiokafka.consumer.fetcher has no {name}; this release is not supported")
    vars(fetcher).update(MemoryRecords=memory_records, PartitionRecords=partition_records)


class OwnFetches:
    """The fetches of a consumer, from here on on connections of their own; to be made before the consumer starts.

    A fetch that is given up, by a rebalance or by `give_up`, takes its connection with it: the broker would answer the
    next fetch on it only after the abandoned one.
    The library has one fetch at a time under way with a broker, and it leaves out partitions of which records are still
    in hand: new records of those would wait until it is answered. So it is sent once everything was handed out.
    """

    _GROUP: Any = "fetch"
    _LOOK_SECONDS = 0.05

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._client = consumer._client
        self._shipped = self._client.send
        self._under_way: set[asyncio.Task[Any]] = set()
        vars(self._client)["send"] = self._send

    def give_up(self) -> None:
        """Ends the fetches under way, after a seek: they are of positions that are not wanted any more."""
        for task in self._under_way:
            task.cancel()  # the fetcher takes that for a fetch without an answer, and sends the next one
        # After a rebalance it may take a fetch that has just ended for one under way, and wait for nothing.
        asyncio.get_running_loop().call_later(self._LOOK_SECONDS, self._look_again)

    def _look_again(self) -> None:
        fetcher = self._consumer._fetcher
        if fetcher is not None and fetcher._wait_consume_future is not None:
            fetcher._notify(fetcher._wait_consume_future)

    async def _send(self, node_id: int, request: Any, **options: Any) -> Any:
        if not isinstance(request, FetchRequest):
            return await self._shipped(node_id, request, **options)
        await self._until_handed_out()
        if not self._is_current(request):
            raise asyncio.CancelledError  # as in `give_up`
        task = asyncio.current_task()
        assert task is not None  # the fetcher makes one for each fetch
        self._under_way.add(task)
        try:
            return await self._shipped(node_id, request, group=self._GROUP)
        except asyncio.CancelledError:
            self._drop_connection(node_id)
            raise
        finally:
            self._under_way.discard(task)

    def _drop_connection(self, node_id: int) -> None:
        connection = self._client._conns.pop((node_id, self._GROUP), None)
        if connection is not None and connection.connected():
            # Without the goodbye of TLS, which would outlive the client: it waits only for connections that it has.
            connection._writer.transport.abort()
            connection.close()

    async def _until_handed_out(self) -> None:
        fetcher = self._consumer._fetcher
        while fetcher._records:
            # The fetcher renews the future with each of its rounds, so this one may never be set.
            await asyncio.wait([fetcher._wait_consume_future], timeout=self._LOOK_SECONDS)
            await asyncio.sleep(0)

    def _is_current(self, request: Any) -> bool:
        """Whether it asks for every partition that it could, at the positions of this moment."""
        asked = {TopicPartition(topic, one[0]): one[1] for topic, parts in request.topics for one in parts}
        node = {self._client.cluster.leader_for_partition(place) for place in asked}
        every = [
            place for place in self._consumer.assignment() if self._client.cluster.leader_for_partition(place) in node
        ]
        return fetched_until(self._consumer, every) == asked


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


def client_of(owner: AIOKafkaConsumer | AIOKafkaAdminClient) -> AIOKafkaClient:
    """The connections of a consumer or an admin client, for requests that neither of them offers."""
    return owner._client


async def abandon(producer: AIOKafkaProducer) -> None:
    """Ends a producer whose `stop` would wait for a broker that is away; what was not acknowledged is dropped."""
    await producer._sender.close()
    await producer.client.close()


async def fetch_group_offsets(admin: AIOKafkaAdminClient, group: str) -> Any:
    """The answer of a group's coordinator about every partition: `error_code` and `topics`."""
    coordinator = await admin.find_coordinator(group)
    return await admin._send_request(OffsetFetchRequest(group, None), coordinator)


async def topic_metadata(client: AIOKafkaClient, node: int, topic: str) -> "MetadataResponseV10":
    """What one broker answers about one topic; it never creates the topic. Raises `KafkaError`, and
    `IncompatibleBrokerVersion` or `NotImplementedError` where the broker does not know the version."""
    response: MetadataResponseV10 = await client.send(node, TopicMetadataRequest(topic))
    return response


class _Uuid(AbstractType[UUID]):
    @classmethod
    def encode(cls, value: UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> UUID:
        return UUID(bytes=data.read(16))


class MetadataResponseV10(Response):
    API_KEY = _METADATA
    API_VERSION = _VERSION
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString("utf-8")),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_authorized_operations", Int32),
        ("tags", TaggedFields),
    )


class MetadataRequestV10(RequestStruct):
    FLEXIBLE_VERSION = True
    API_KEY = _METADATA
    API_VERSION = _VERSION
    RESPONSE_TYPE = MetadataResponseV10
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(("topic_id", _Uuid), ("name", CompactString("utf-8")), ("tags", TaggedFields)),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class TopicMetadataRequest(Request[MetadataRequestV10]):
    """Asks about one topic by its name; never creates it."""

    API_KEY = _METADATA

    def __init__(self, topic: str) -> None:
        self._topic = topic

    def build(self, request_struct_class: type[MetadataRequestV10]) -> MetadataRequestV10:
        return request_struct_class([(_NO_ID, self._topic, {})], False, False, False, {})
