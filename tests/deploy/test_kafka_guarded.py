"""The rights of `users.yaml` on a real broker that asks who comes: enough for each process, and no more."""

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError
from deploy import kafka_rights
from tests.deploy.guarded_kafka import GuardedKafka, operator_of
from tests.deploy.test_kafka_rights import of_kind
from tests.server_folders import server_folder

from chassis.kafka import client_security, create_missing_topics
from chassis.recovery.restored_backup import mark_restored
from chassis.relay import SHARDS
from chassis.testing import eventually
from chassis.worker import Worker
from contracts.lifecycle import Service
from contracts.topics import TEMPLATES, topic_of_partner
from linework.ports import free_port

PARTNERS = ("switch-1", "switch-2")
USERS = of_kind("KafkaUser", PARTNERS)
EVERY_TOPIC = kafka_rights.topics(PARTNERS)


@pytest.fixture(scope="module")
def running_broker() -> Iterator[GuardedKafka]:
    with server_folder("kafka") as folder:
        server = GuardedKafka(Path(folder), free_port(), free_port(), free_port(), USERS)
        server.start()
        yield server
        server.stop()


@pytest.fixture
async def broker(running_broker: GuardedKafka) -> GuardedKafka:
    """With every topic, and a record in each partition of it, put there by the operator."""
    async with operator_of(running_broker) as admin:
        if set(await admin.list_topics()) < {topic.name for topic in EVERY_TOPIC}:
            await admin.create_topics([NewTopic(topic.name, 2, 1) for topic in EVERY_TOPIC])
            await running_broker.allow(USERS)
            await _fill(running_broker)
    return running_broker


async def _fill(broker: GuardedKafka) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers)
    async with producer:
        for topic in EVERY_TOPIC:
            for partition in (0, 1):
                await producer.send_and_wait(topic.name, b"not an event", key=b"k", partition=partition)


class Visitor:
    """Somebody who comes as a user, and tries."""

    def __init__(self, broker: GuardedKafka, user: str, group: str | None = None) -> None:
        come_as = {"bootstrap_servers": broker.for_users, **client_security(broker.settings_of(user))}
        self.producer = AIOKafkaProducer(**come_as)
        self.consumer = AIOKafkaConsumer(group_id=group, enable_auto_commit=False, **come_as)

    async def __aenter__(self) -> "Visitor":
        await self.producer.start()
        await self.consumer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.producer.stop()
        await self.consumer.stop()

    async def may_write(self, topic: str) -> bool:
        try:
            await self.producer.send_and_wait(topic, b"not an event", key=b"k", partition=0)
        except TopicAuthorizationFailedError:
            return False
        return True

    async def may_read(self, topic: str) -> bool:
        client = self.consumer._client
        await client.add_topic(topic)
        await client.force_metadata_update()
        # Where a topic may not even be seen, the client would go on asking for ever.
        if topic in client.cluster.unauthorized_topics:
            return False
        place = TopicPartition(topic, 0)
        self.consumer.assign([place])
        self.consumer.seek(place, 0)
        try:
            await self.consumer.getone(place)
        except TopicAuthorizationFailedError:
            return False
        return True

    async def may_keep_positions(self, topic: str) -> bool:
        place = TopicPartition(topic, 0)
        self.consumer.assign([place])
        try:
            await self.consumer.commit({place: 1})
        except GroupAuthorizationFailedError:
            return False
        return True


@pytest.mark.parametrize("service", Service)
async def test_the_restore_command_may_read_all_that_it_takes_back(
    service: Service, broker: GuardedKafka, new_database: Callable[[str], str]
) -> None:
    consumers = importlib.import_module(f"{service.value}.consumers")
    settings = broker.settings_of(kafka_rights.worker_of(service), new_database(service.value))
    behind = await mark_restored(settings, consumers.SUBSCRIPTIONS, getattr(consumers, "OWN", ()))
    assert set(behind) == {subscription.topic.name for subscription in consumers.SUBSCRIPTIONS}
    assert all(count >= 2 for count in behind.values())


@pytest.mark.parametrize("service", Service)
async def test_a_worker_gets_its_partitions_and_its_outbox_as_its_own_user(
    service: Service, broker: GuardedKafka, new_database: Callable[[str], str]
) -> None:
    consumers = importlib.import_module(f"{service.value}.consumers")
    settings = broker.settings_of(kafka_rights.worker_of(service), new_database(service.value))
    worker = Worker(service.value, settings, consumers.SUBSCRIPTIONS)

    async def state() -> tuple[str | None, int]:
        return worker.unready(), len(worker._relay.shards)

    async with worker.running():
        await eventually(state, until=lambda found: found == (None, SHARDS), seconds=30)


def granted(user: str, operation: str) -> set[str]:
    acls = USERS[user]["authorization"]["acls"]
    return {
        acl["resource"]["name"] for acl in acls if acl["resource"]["type"] == "topic" and operation in acl["operations"]
    }


@pytest.mark.parametrize("user", USERS)
async def test_a_user_writes_and_reads_what_it_is_granted_and_is_refused_the_rest(
    user: str, broker: GuardedKafka
) -> None:
    async with Visitor(broker, user) as visitor:
        assert {topic.name for topic in EVERY_TOPIC if await visitor.may_write(topic.name)} == granted(user, "Write")
        assert {topic.name for topic in EVERY_TOPIC if await visitor.may_read(topic.name)} == granted(user, "Read")


@pytest.mark.parametrize(
    ("user", "topic", "own", "foreign"),
    [
        ("qa-worker", "work-orders", "qa.anything", "reporting.anything"),
        ("partner-switch-1", "partner.switch-1.out", "partner.switch-1.mine", "partner.switch-2.mine"),
    ],
)
async def test_nobody_keeps_positions_in_the_group_of_somebody_else(
    user: str, topic: str, own: str, foreign: str, broker: GuardedKafka
) -> None:
    for group, is_allowed in ((own, True), (foreign, False)):
        async with Visitor(broker, user, group) as visitor:
            assert await visitor.may_keep_positions(topic) == is_allowed


async def test_intake_finds_its_partners_topics_there_and_cannot_make_any(broker: GuardedKafka) -> None:
    security = client_security(broker.settings_of("intake-worker"))
    there = [topic_of_partner(template, "switch-1") for template in TEMPLATES]
    await create_missing_topics(broker.for_users, "", there, security)
    unknown = [topic_of_partner(template, "nobody-knows") for template in TEMPLATES]
    with pytest.raises(KafkaError):
        await create_missing_topics(broker.for_users, "", unknown, security)


async def test_who_has_no_user_or_a_wrong_password_does_not_come_in(broker: GuardedKafka) -> None:
    security: dict[str, Any] = client_security(broker.settings_of("qa-worker"))
    for wrong in ({"sasl_plain_password": "wrong"}, {"sasl_plain_username": "somebody"}):
        producer = AIOKafkaProducer(bootstrap_servers=broker.for_users, **security | wrong)
        with pytest.raises(KafkaError):
            await producer.start()
        await producer.stop()
