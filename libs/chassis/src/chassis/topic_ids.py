"""Topic ids from the brokers: a topic that was deleted and recreated has a different id."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from aiokafka.errors import (
    IncompatibleBrokerVersion,
    KafkaConnectionError,
    KafkaError,
    RequestTimedOutError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)

from chassis.kafka_internals import AIOKafkaClient, topic_metadata

_NO_ID = UUID(int=0)
_ANSWER_SECONDS = 1.5
"""One broker that hangs must not keep the others from being asked."""


class TopicNotSettled(KafkaError):
    """The brokers do not agree yet about which topic has this name; ask again."""

    retriable = True


@dataclass(frozen=True, slots=True)
class TopicIdentity:
    """Which topic has a name at the moment, and the numbers of its partitions."""

    topic_id: UUID | None
    """None where the brokers tell no ids: they are older than Kafka 2.8, or no Kafka."""
    partitions: frozenset[int]


async def topic_identity(client: AIOKafkaClient, topic: str) -> TopicIdentity:
    """The answer of any broker. Raises `KafkaError`: `UnknownTopicOrPartitionError` while the topic is missing,
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
            response = await topic_metadata(client, node, topic)
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
