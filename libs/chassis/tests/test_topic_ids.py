"""Which topic has a name: what the brokers say, and what is concluded from it."""

import contextlib
import random
import uuid
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import (
    IncompatibleBrokerVersion,
    KafkaConnectionError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from chassis.kafka import admin_of
from chassis.kafka_internals import MetadataRequestV10, MetadataResponseV10, TopicMetadataRequest
from chassis.offsets import Position
from chassis.recovery.recreated_topic import recreated
from chassis.testing import create_topics, eventually
from chassis.topic_ids import TopicIdentity, TopicNotSettled, agreed_topic_identity, topic_identity

from .conftest import Toy

OLD, NEW = uuid.uuid4(), uuid.uuid4()


def response(topic_id: uuid.UUID, error_code: int = 0) -> MetadataResponseV10:
    partitions = [(0, number, 1, 0, [1], [1], [], {}) for number in range(3)]
    topic = (error_code, "toys", topic_id, False, partitions, -1, {})
    return MetadataResponseV10(0, [(1, "localhost", 9092, None, {})], "cluster", 1, [topic], -1, {})


class Brokers:
    """A client of brokers that answer what is said here, by node."""

    def __init__(self, answers: Mapping[int, Any]) -> None:
        self._answers = answers
        self.cluster = SimpleNamespace(
            brokers=lambda: [SimpleNamespace(nodeId=node) for node in answers],
            partitions_for_topic=lambda topic: {0, 1},
        )

    async def send(self, node: int, request: TopicMetadataRequest) -> MetadataResponseV10:
        answer = self._answers[node]
        if isinstance(answer, Exception):
            raise answer
        return MetadataResponseV10.decode(answer.encode())


def test_the_request_is_what_kafka_reads() -> None:
    """Byte by byte as `MetadataRequest.json` of Kafka has version 10: flexible, one topic by its name."""
    request = TopicMetadataRequest("toys").prepare({3: (0, 13)})
    assert isinstance(request, MetadataRequestV10)
    # one topic: no id, its name, no tags; three times false; no tags
    assert request.encode() == b"\x02" + bytes(16) + b"\x05toys" + b"\x00" + b"\x00\x00\x00" + b"\x00"


async def test_a_topic_id_comes_with_the_partitions() -> None:
    identity = await topic_identity(Brokers({1: response(OLD)}), "toys")
    assert (identity.topic_id, identity.partitions) == (OLD, {0, 1, 2})


async def test_a_broker_that_is_away_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "shuffle", lambda nodes: None)  # the one that is away is asked first
    identity = await topic_identity(Brokers({1: KafkaConnectionError(), 2: response(OLD)}), "toys")
    assert identity.topic_id == OLD
    with pytest.raises(KafkaConnectionError):
        await topic_identity(Brokers({1: KafkaConnectionError(), 2: KafkaConnectionError()}), "toys")


@pytest.mark.parametrize("answer", [IncompatibleBrokerVersion(), response(uuid.UUID(int=0))], ids=["older", "no id"])
async def test_brokers_that_tell_no_ids_are_no_error(answer: Any) -> None:
    assert (await topic_identity(Brokers({1: answer}), "toys")).topic_id is None


@pytest.mark.parametrize("ask", [topic_identity, agreed_topic_identity])
async def test_a_topic_that_is_missing_is_not_another_topic(ask: Any) -> None:
    with pytest.raises(UnknownTopicOrPartitionError):
        await ask(Brokers({1: response(uuid.UUID(int=0), UnknownTopicOrPartitionError.errno)}), "toys")


async def test_a_missing_right_is_named() -> None:
    with pytest.raises(TopicAuthorizationFailedError, match=r"Read .* toys"):
        await topic_identity(Brokers({1: response(uuid.UUID(int=0), TopicAuthorizationFailedError.errno)}), "toys")


@pytest.mark.parametrize(
    "answers",
    [
        {1: response(OLD), 2: response(NEW), 3: response(NEW)},
        {1: response(NEW), 2: KafkaConnectionError(), 3: KafkaConnectionError()},
        {1: response(NEW), 2: KafkaConnectionError()},
    ],
    ids=["one is behind", "one of three", "one of two"],
)
async def test_an_id_that_not_most_brokers_agree_on_is_not_settled(answers: Any) -> None:
    with pytest.raises(TopicNotSettled):
        await agreed_topic_identity(Brokers(answers), "toys")


async def test_an_id_that_most_brokers_agree_on_is_settled_though_one_is_away() -> None:
    identity = await agreed_topic_identity(
        Brokers({1: response(NEW), 2: response(NEW), 3: KafkaConnectionError()}), "toys"
    )
    assert identity.topic_id == NEW


@pytest.mark.parametrize(
    ("position", "topic_id", "ends", "is_new"),
    [
        (Position(10, OLD), NEW, {}, True),
        (Position(10, OLD), NEW, {0: 50}, True),
        (Position(10, OLD), OLD, {0: 10}, False),
        (Position(10, OLD), OLD, {}, False),
        (Position(10, OLD), OLD, {0: 9}, True),
        (Position(10, OLD), None, {0: 10}, False),
        (Position(10, OLD), None, {0: 0}, True),
        (Position(10, None), NEW, {0: 10}, False),
        (Position(10, None), NEW, {}, False),
        (Position(10, None), NEW, {0: 9}, True),
    ],
)
def test_a_topic_is_new_by_its_id_or_by_an_end_before_the_position_and_by_nothing_else(
    position: Position, topic_id: uuid.UUID | None, ends: dict[int, int], is_new: bool
) -> None:
    assert recreated({0: position}, topic_id, ends) == [0] * is_new


async def identity_or_none(client: Any, topic: str) -> TopicIdentity | None:
    with contextlib.suppress(UnknownTopicOrPartitionError):
        return await topic_identity(client, topic)
    return None


async def test_the_client_library_and_a_real_broker_still_speak_this_version(toy: Toy) -> None:
    """Fails when an upgrade of aiokafka moves what `topic_ids` leans on."""
    async with admin_of(toy.settings()) as admin:
        before = await topic_identity(admin._client, toy.topic)
        assert before.topic_id
        assert before.partitions == {0, 1, 2, 3}
        assert await agreed_topic_identity(admin._client, toy.topic) == before
        await admin.delete_topics([toy.topic])
        await eventually(admin.list_topics, until=lambda names: toy.topic not in names)
        with pytest.raises(UnknownTopicOrPartitionError):
            await topic_identity(admin._client, toy.topic)
        await create_topics(toy.bootstrap_servers, [toy.topic], partitions=2)
        after = await eventually(lambda: identity_or_none(admin._client, toy.topic))
        assert after.topic_id not in (None, before.topic_id)
        assert after.partitions == {0, 1}
    consumer = AIOKafkaConsumer(bootstrap_servers=toy.bootstrap_servers)
    assert callable(consumer._client.send)
    await consumer.stop()
