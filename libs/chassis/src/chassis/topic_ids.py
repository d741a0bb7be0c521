"""The id of a topic, as the broker tells it: a topic that was deleted and created again has another one.

The client library stops at version 5 of Kafka's Metadata request, and ids come with version 10 (KIP-516), so its
structs are declared here. `client.send` and the protocol classes are no public interface of the library: everything
that leans on them is in this module, and `tests/test_topic_ids.py` fails when an upgrade moves them.
"""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass
from io import BytesIO
from uuid import UUID

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    IncompatibleBrokerVersion,
    KafkaConnectionError,
    KafkaError,
    RequestTimedOutError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

_METADATA = 3
_VERSION = 10
_NO_ID = UUID(int=0)
_ANSWER_SECONDS = 1.5
"""One broker that hangs must not keep the others from being asked."""


class TopicNotSettled(KafkaError):
    """The brokers do not agree yet about which topic has this name; ask again."""

    retriable = True


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


@dataclass(frozen=True, slots=True)
class TopicIdentity:
    """Which topic has a name at the moment, and the numbers of its partitions."""

    topic_id: UUID | None
    """None where the brokers tell no ids: they are older than Kafka 2.8, or no Kafka."""
    partitions: frozenset[int]


async def topic_identity(client: AIOKafkaClient, topic: str) -> TopicIdentity:
    """What any broker says. Raises `KafkaError`: `UnknownTopicOrPartitionError` while the topic is missing,
    `TopicAuthorizationFailedError` with the right that is missing, others when no broker answers.
    """
    nodes = _nodes(client)
    random.shuffle(nodes)
    failed: KafkaError = KafkaConnectionError(f"no broker answers about {topic}")
    for node in nodes:
        try:
            return await _ask(client, node, topic)
        except (UnknownTopicOrPartitionError, TopicAuthorizationFailedError):
            raise
        except KafkaError as error:
            failed = error
    raise failed


async def agreed_topic_identity(client: AIOKafkaClient, topic: str) -> TopicIdentity:
    """What most brokers say, and none denies: one broker may be behind the others and still name the topic of before.

    Raises as `topic_identity` does, and `TopicNotSettled`.
    """
    nodes = _nodes(client)
    answers = await asyncio.gather(*(_ask(client, node, topic) for node in nodes), return_exceptions=True)
    for answer in answers:
        if isinstance(answer, UnknownTopicOrPartitionError) or not isinstance(answer, TopicIdentity | KafkaError):
            raise answer
    counts = Counter(answer.topic_id for answer in answers if isinstance(answer, TopicIdentity))
    if len(counts) != 1 or counts.total() * 2 <= len(nodes):
        raise TopicNotSettled(f"{counts.total()} of {len(nodes)} brokers answered about {topic}: {len(counts)} ids")
    return next(answer for answer in answers if isinstance(answer, TopicIdentity))


def _nodes(client: AIOKafkaClient) -> list[int]:
    return [broker.nodeId for broker in client.cluster.brokers()]


async def _ask(client: AIOKafkaClient, node: int, topic: str) -> TopicIdentity:
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            response = await client.send(node, TopicMetadataRequest(topic))
    except TimeoutError:
        raise RequestTimedOutError(f"broker {node} does not answer about {topic}") from None
    except (IncompatibleBrokerVersion, NotImplementedError):
        partitions = client.cluster.partitions_for_topic(topic)
        if not partitions:
            raise UnknownTopicOrPartitionError(f"{topic} is missing") from None
        return TopicIdentity(None, frozenset(partitions))
    code, _, topic_id, _, partitions, *_ = response.topics[0]
    if code == TopicAuthorizationFailedError.errno:
        raise TopicAuthorizationFailedError(f"the right to Read (or Describe) topic {topic} is missing")
    if code:
        raise for_code(code)(f"topic {topic}")
    return TopicIdentity(None if topic_id == _NO_ID else topic_id, frozenset(found[1] for found in partitions))
