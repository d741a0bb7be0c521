"""Mutual TLS on a real broker: a certificate names the user, and has its rights."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError
from deploy import kafka_rights
from tests.deploy.guarded_kafka import GuardedKafka, operator_of
from tests.deploy.test_kafka_rights import of_kind
from tests.server_folders import server_folder

from chassis.kafka import client_security
from chassis.relay import SHARDS
from chassis.settings import Settings
from chassis.testing import eventually, settings_for
from chassis.testing_certificates import Authority
from chassis.worker import Worker
from contracts.lifecycle import Service
from linework.ports import free_port
from qa import consumers

QA = kafka_rights.worker_of(Service.QA)
RIGHTS = {QA: of_kind("KafkaUser", ())[QA]}


@pytest.fixture(scope="module")
def running_broker() -> Iterator[GuardedKafka]:
    with server_folder("kafka") as folder:
        server = GuardedKafka(Path(folder), free_port(), free_port(), free_port(), [])
        server.start()
        yield server
        server.stop()


@pytest.fixture
async def broker(running_broker: GuardedKafka) -> GuardedKafka:
    async with operator_of(running_broker) as admin:
        if not await admin.list_topics():
            await admin.create_topics([NewTopic(topic.name, 2, 1) for topic in kafka_rights.topics(())])
            await running_broker.allow(RIGHTS)
    return running_broker


async def written(settings: Settings, topic: str, security: dict[str, Any] | None = None) -> None:
    come_as = security or client_security(settings)
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers, **come_as)
    try:
        await producer.start()
        await producer.send_and_wait(topic, b"not an event", key=b"k")
    finally:
        await producer.stop()


async def test_a_worker_with_a_certificate_gets_its_partitions_and_its_outbox(
    broker: GuardedKafka, new_database: Callable[[str], str]
) -> None:
    settings = broker.settings_with_certificate(*broker.authority.issue(QA), new_database("qa"))
    worker = Worker("qa", settings, consumers.SUBSCRIPTIONS)

    async def state() -> tuple[str | None, int]:
        return worker.unready(), len(worker._relay.shards)

    async with worker.running():
        await eventually(state, until=lambda found: found == (None, SHARDS), seconds=30)


async def test_a_certificate_has_the_rights_of_its_name_and_no_more(broker: GuardedKafka) -> None:
    settings = broker.settings_with_certificate(*broker.authority.issue(QA))
    await written(settings, "quality")
    with pytest.raises(TopicAuthorizationFailedError):
        await written(settings, "directory")


async def test_who_shows_no_certificate_or_one_of_another_authority_does_not_come_in(
    broker: GuardedKafka, tmp_path: Path
) -> None:
    none = settings_for("postgresql://x@y/z", broker.for_certificates, kafka_ca_file=str(broker.authority.file))
    foreign = broker.settings_with_certificate(*Authority(tmp_path).issue(QA))
    for settings in (none, foreign):
        with pytest.raises(KafkaError):
            await written(settings, "quality")


async def test_replaced_files_are_shown_at_the_next_connection(broker: GuardedKafka) -> None:
    settings = broker.settings_with_certificate(*broker.authority.issue("somebody", "renewed"))
    security = client_security(settings)
    with pytest.raises(TopicAuthorizationFailedError):
        await written(settings, "quality", security)
    broker.authority.issue(QA, "renewed")
    await written(settings, "quality", security)
