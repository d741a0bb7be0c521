"""Delivers events of a bridge to `partner.<id>.in`, ordered per call; Kafka acknowledges before the cursor advances."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from contracts.codec import encode
from contracts.message import Message
from contracts.topics import PARTNER_IN, topic_of_partner
from linework.bridge.progress import ReadingProgress
from linework.kafka_security import security_of_environment
from linework.stopped import Stopped

_WAIT_SECONDS = 30.0
_STOP_SECONDS = 5.0


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
            raise Stopped(f"Kafka rejected the events: {error}; run the same command to resume.") from error


@contextlib.asynccontextmanager
async def delivery_to(
    bootstrap_servers: str, partner_id: str, *, prefix: str = "", progress: ReadingProgress | None = None
) -> AsyncIterator[Delivery]:
    """A delivery to a partner's topic, once intake's worker has made it."""
    topic = prefix + topic_of_partner(PARTNER_IN, partner_id).name
    with _quiet_aiokafka():
        producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap_servers,
            enable_idempotence=True,
            compression_type="lz4",
            linger_ms=5,
            **security_of_environment(),
        )
        try:
            await _start(producer, bootstrap_servers)
            await _wait_for(producer, topic, progress or ReadingProgress())
            yield Delivery(producer, topic)
        finally:
            # Unacknowledged events are sent again by the next run, so a Kafka that is away is not waited for.
            with contextlib.suppress(TimeoutError, KafkaError):
                await asyncio.wait_for(producer.stop(), _STOP_SECONDS)


async def _start(producer: AIOKafkaProducer, bootstrap_servers: str) -> None:
    try:
        await producer.start()
    except (KafkaError, OSError) as error:
        raise Stopped(f"Kafka at {bootstrap_servers} cannot be reached: {error}.") from error


@contextlib.contextmanager
def _quiet_aiokafka() -> Iterator[None]:
    """The client warns about a new topic until it has a leader; real errors are raised."""
    logger = logging.getLogger("aiokafka")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


async def _wait_for(producer: AIOKafkaProducer, topic: str, progress: ReadingProgress) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_WAIT_SECONDS):
            while not await _has_leaders(producer, topic):
                progress.wait(f"Waiting for the topic {topic}, which intake's worker makes.")
                await asyncio.sleep(0.3)
            return
    raise Stopped(f"There is no topic {topic}: is the partner registered, and intake's worker running?")


async def _has_leaders(producer: AIOKafkaProducer, topic: str) -> bool:
    """Whether every partition of the topic can be written to."""
    try:
        cluster = await producer.client.fetch_all_metadata()
    except KafkaError:
        return False  # while a broker starts
    partitions = cluster.partitions_for_topic(topic) or set()
    return bool(partitions) and partitions == (cluster.available_partitions_for_topic(topic) or set())
