"""From a bridge to `partner.<id>.in`: acknowledged by Kafka, in order per call, before the cursor moves on."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from pydantic import SecretStr

from chassis.kafka import client_security
from chassis.settings import Settings
from contracts.codec import encode
from contracts.message import Message
from contracts.topics import PARTNER_IN, topic_of_partner
from linework.stopped import Stopped

_WAIT_SECONDS = 30.0


class Delivery:
    def __init__(self, producer: AIOKafkaProducer, topic: str) -> None:
        self._producer = producer
        self._topic = topic

    async def send(self, messages: Sequence[Message]) -> None:
        """Returns once Kafka has all of them; raises `Stopped` when it does not take them."""
        try:
            sent = []
            for message in messages:
                key, value, headers = encode(message)
                sent.append(await self._producer.send(self._topic, value, key=key, headers=headers))
            await asyncio.gather(*sent)
        except KafkaError as error:
            raise Stopped(f"Kafka did not take the events: {error}; the same command goes on from here.") from error


@contextlib.asynccontextmanager
async def delivery_to(bootstrap_servers: str, partner_id: str, *, prefix: str = "") -> AsyncIterator[Delivery]:
    """A delivery to a partner's topic, once intake's worker has made it."""
    topic = prefix + topic_of_partner(PARTNER_IN, partner_id).name
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers,
        enable_idempotence=True,
        compression_type="lz4",
        linger_ms=5,
        **_security(),
    )
    try:
        await producer.start()
    except (KafkaError, OSError) as error:
        await producer.stop()
        raise Stopped(f"Kafka at {bootstrap_servers} cannot be reached: {error}.") from error
    try:
        await _wait_for(producer, topic)
        yield Delivery(producer, topic)
    finally:
        await producer.stop()


def _security() -> dict[str, Any]:
    """As a partner's user over TLS, by the same variables that the services have."""
    names = {"kafka_user": "KAFKA_USER", "kafka_password": "KAFKA_PASSWORD", "kafka_ca_file": "KAFKA_CA_FILE"}
    given = {name: os.environ.get(variable, "") for name, variable in names.items()}
    return client_security(Settings.model_construct(**given | {"kafka_password": SecretStr(given["kafka_password"])}))


async def _wait_for(producer: AIOKafkaProducer, topic: str) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_WAIT_SECONDS):
            while True:
                cluster = await producer.client.fetch_all_metadata()
                if cluster.partitions_for_topic(topic):
                    return
                await asyncio.sleep(0.3)
    raise Stopped(f"There is no topic {topic}: is the partner registered, and intake's worker running?")
