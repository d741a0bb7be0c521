"""Kafka connection settings: plaintext on a single machine, else TLS with a user or certificate per service."""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import for_code
from faststream.kafka import KafkaBroker
from faststream.security import BaseSecurity, SASLScram512

from chassis.fetching import AIOKafkaConsumer
from chassis.settings import Settings
from chassis.tls import ClientContext
from contracts.topics import Topic

_DRAIN_SECONDS = 15.0
_METADATA_MILLISECONDS = 10_000
ANSWER_MILLISECONDS = 15_000
"""A broker that is silent for so long is gone, and TCP has not noticed. Longer than a session of a group."""
_TOPIC_ALREADY_EXISTS = 36


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if not (settings.kafka_user or settings.kafka_ca_file or settings.kafka_certificate_file):
        return None
    # A user's password never travels in the clear; without a CA of its own the broker's must be a public one.
    return ClientContext(settings.kafka_certificates)


def client_security(settings: Settings) -> dict[str, Any]:
    """What an aiokafka client is made with to be let in."""
    context = _tls(settings)
    if context is None:
        return {}
    if not settings.kafka_user:
        return {"security_protocol": "SSL", "ssl_context": context}
    return {
        "security_protocol": "SASL_SSL",
        "ssl_context": context,
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": settings.kafka_user,
        "sasl_plain_password": settings.kafka_password.get_secret_value(),
    }


def broker_security(settings: Settings) -> BaseSecurity | None:
    """The same for FastStream's broker."""
    context = _tls(settings)
    if context is None:
        return None
    if not settings.kafka_user:
        return BaseSecurity(ssl_context=context)
    return SASLScram512(settings.kafka_user, settings.kafka_password.get_secret_value(), ssl_context=context)


def new_broker(settings: Settings) -> KafkaBroker:
    """FastStream's broker as workers use it: it makes no topics, and a batch at hand is finished when it stops."""
    return KafkaBroker(
        # FastStream takes a text with commas for the name of one broker.
        [server.strip() for server in settings.kafka_bootstrap_servers.split(",")],
        security=broker_security(settings),
        allow_auto_create_topics=False,
        # The relay has a producer of its own: one more, and an admin client, would only ask for metadata.
        consumer_only=True,
        # A topic that gets more partitions is read whole soon, not after the five minutes of the default.
        metadata_max_age_ms=_METADATA_MILLISECONDS,
        request_timeout_ms=ANSWER_MILLISECONDS,
        # Handlers take the raw batch: nothing is to be injected or converted.
        apply_types=False,
        graceful_timeout=_DRAIN_SECONDS,
        logger=logging.getLogger(__name__),
        log_level=logging.DEBUG,
    )


@contextlib.asynccontextmanager
async def admin_of(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    """An admin client within the block. Raises `KafkaError`."""
    admin = AIOKafkaAdminClient(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        request_timeout_ms=ANSWER_MILLISECONDS,
        **client_security(settings),
    )
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


@contextlib.asynccontextmanager
async def reader_of(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer without a group within the block. Raises `KafkaError`."""
    reader = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers.split(","),
        enable_auto_commit=False,
        request_timeout_ms=ANSWER_MILLISECONDS,
        **client_security(settings),
    )
    try:
        await reader.start()
        # Its task must have begun before it is stopped, or the client hands its own cancellation on to us.
        await asyncio.sleep(0)
        yield reader
    finally:
        await reader.stop()


async def create_missing_topics(
    bootstrap_servers: str,
    prefix: str,
    topics: Iterable[Topic],
    security: Mapping[str, Any] = {},
) -> None:
    """Creates the topics that are missing; one that is there is left as its operator set it. Raises `KafkaError`."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers, **security)
    await admin.start()
    try:
        present = set(await admin.list_topics())
        wanted = [topic for topic in topics if prefix + topic.name not in present]
        if not wanted:
            return
        copies = min(3, len((await admin.describe_cluster())["brokers"]))
        missing = [
            NewTopic(prefix + topic.name, topic.partitions, copies, topic_configs=_settings_of(topic.config, copies))
            for topic in wanted
        ]
        for name, code, message in (await admin.create_topics(missing)).topic_errors:
            if code not in (0, _TOPIC_ALREADY_EXISTS):
                raise for_code(code)(f"topic {name} could not be created: {message}")
    finally:
        await admin.close()


def _settings_of(config: Mapping[str, str], copies: int) -> dict[str, str]:
    # With three copies one may be away. With fewer a promise of two would stop every write.
    return {"min.insync.replicas": "2" if copies >= 3 else "1"} | {
        name: value for name, value in config.items() if copies >= 3 or name != "min.insync.replicas"
    }
