"""The streams themselves: from the topics where there is a broker to ask, else from reporting's record of them."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Protocol

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from chassis.fetching import AIOKafkaConsumer, UndecodableRecord, find_partitions
from contracts import topics
from contracts.codec import MalformedMessage, decode
from contracts.message import Message
from contracts.topics import CALLS, DEADLINES, QUALITY, WORK_ORDERS
from linework.client import Installation, Person
from linework.stopped import Stopped
from linework.verify.facts import Facts
from linework.verify.laws import Ledger
from linework.verify.repairs import Repairs

_MOST_AWAKE = 5_000
_RECORDS = 1_000
_OF_QUALITY = "linework.quality."


class Stream(Protocol):
    name: str
    malformed: list[str]
    """Records that are no messages, and why; every service parks them."""

    async def read_on(self, ledger: Ledger, facts: Facts) -> None:
        """Everything from where it stopped last time to the present end."""


class Topic:
    """Partition by partition: each order is in one, so only the orders of one partition are awake at a time."""

    def __init__(self, bootstrap_servers: str, prefix: str, repairs: Repairs | None = None) -> None:
        """`repairs` stand in the place of the records that they are of: no service applied those as they are."""
        names = ", ".join(prefix + topic.name for topic in (WORK_ORDERS, CALLS, DEADLINES, QUALITY))
        self.name = f"topics {names} at {bootstrap_servers}"
        self.malformed: list[str] = []
        self._bootstrap_servers = bootstrap_servers
        self._prefix = prefix
        self._next: dict[TopicPartition, int] = {}
        self._repairs = repairs or Repairs()

    async def read_on(self, ledger: Ledger, facts: Facts) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap_servers, enable_auto_commit=False, max_partition_fetch_bytes=4_194_304
        )
        try:
            await consumer.start()
            for partition in await self._partitions(consumer, WORK_ORDERS):
                await self._read(consumer, partition, WORK_ORDERS, ledger.take)
                ledger.rest()
            for topic, take in ((CALLS, facts.take), (DEADLINES, facts.take), (QUALITY, facts.take_notice)):
                for partition in await self._partitions(consumer, topic):
                    await self._read(consumer, partition, topic, take)
        except KafkaError as error:
            raise Stopped(f"The {self.name} cannot be read: {error}") from error
        finally:
            await consumer.stop()

    async def _partitions(self, consumer: AIOKafkaConsumer, topic: topics.Topic) -> list[TopicPartition]:
        name = self._prefix + topic.name
        partitions = await find_partitions(consumer, name)
        if not partitions:
            raise Stopped(f"There is no topic {name}.")
        return partitions

    async def _read(
        self,
        consumer: AIOKafkaConsumer,
        partition: TopicPartition,
        topic: topics.Topic,
        take: Callable[[Message], None],
    ) -> None:
        async for record in self._records(consumer, partition):
            place = topic.name, record.partition, record.offset
            if place in self._repairs.discarded:
                continue
            try:
                repaired = self._repairs.by_place.get(place)
                take(repaired or _message(record, topic))
            except MalformedMessage as error:
                where = f"{topic.name}, partition {record.partition}, offset {record.offset}"
                self.malformed.append(f"{where}: {error}")

    async def _records(self, consumer: AIOKafkaConsumer, partition: TopicPartition) -> AsyncIterator[ConsumerRecord]:
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        consumer.seek(partition, self._next.get(partition, 0))
        while await consumer.position(partition) < end:
            found = await consumer.getmany(partition, timeout_ms=500, max_records=_RECORDS)
            for record in found.get(partition, ()):
                yield record
        self._next[partition] = await consumer.position(partition)


def _message(record: ConsumerRecord, topic: topics.Topic) -> Message:
    if isinstance(record, UndecodableRecord):
        through = f"; through offset {record.last_offset}" if record.last_offset > record.offset else ""
        raise MalformedMessage(f"{record.reason}{through}")
    return decode(record.key, record.value, record.headers, topic=topic)


class Record:
    """Reporting's pages. It keeps each message once, so a repeat is never seen here."""

    def __init__(self, city: Installation) -> None:
        self.name = f"record of reporting at {city.reporting.address}"
        self.malformed: list[str] = []
        self._city = city
        self._after = 0

    async def read_on(self, ledger: Ledger, facts: Facts) -> None:
        while True:
            page = await self._city.reporting.read(
                "/v1/events", by=Person("supervisor"), after=self._after, limit=_RECORDS
            )
            for item in page["items"]:
                try:
                    self._give(message_of(item), ledger, facts)
                except MalformedMessage as error:
                    self.malformed.append(f"place {item['place']}: {error}")
            self._after = page["next_after"]
            if ledger.awake_count > _MOST_AWAKE or not page["items"]:
                ledger.rest()
            if not page["items"]:
                return

    def _give(self, message: Message, ledger: Ledger, facts: Facts) -> None:
        if message.type.startswith(_OF_QUALITY):
            facts.take_notice(message)
        else:
            (ledger if message.entity_version is None else facts).take(message)


def message_of(item: Mapping[str, Any]) -> Message:
    """A message as reporting's record shows it; raises `MalformedMessage`."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": item["id"],
        "ce_source": item["source"],
        "ce_type": item["type"],
        "ce_subject": item["subject"],
        "ce_time": item["time"],
        "ce_recordedtime": item["recorded_time"],
        "ce_actor": item["actor"],
        "ce_actorrole": item["actor_role"],
        "ce_actorname": item["actor_name"],
        "ce_orderversion": item["order_version"],
        "ce_entityversion": item["entity_version"],
        "ce_prevhash": item["prev_hash"],
    }
    pairs = [(name, str(value).encode()) for name, value in headers.items() if value is not None]
    return decode(item["subject"].encode(), item["data"].encode(), pairs)


def stream_of(city: Installation, repairs: Repairs | None = None) -> Topic | Record:
    """The topic is the truth; the record is what is to be had where the broker cannot be reached."""
    addresses = city.addresses
    if addresses.bootstrap_servers:
        return Topic(addresses.bootstrap_servers, addresses.topic_prefix, repairs)
    return Record(city)
