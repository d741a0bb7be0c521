"""Reads the streams from the topics if a broker is configured, else from reporting's record."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Set
from typing import Any, Protocol

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from chassis.fetching import AIOKafkaConsumer, UndecodableRecord, find_partitions
from contracts import topics
from contracts.codec import MalformedMessage, decode
from contracts.message import Message
from contracts.topics import CALLS, DEADLINES, QUALITY, WORK_ORDERS
from linework.client import SUPERVISOR, ServiceClients
from linework.stopped import Stopped
from linework.verify.facts import Facts
from linework.verify.laws import Ledger
from linework.verify.progress import VerifyProgress
from linework.verify.repairs import Place, Repairs

_MOST_AWAKE = 5_000
_RECORDS = 1_000
_MOST_TYPES = 20
_STALLED_SECONDS = 60
_NAMES = (WORK_ORDERS.name, CALLS.name, DEADLINES.name, QUALITY.name)
COUNTS = ("message_count", "call_message_count", "quality_message_count")
"""What reporting says it has read: of orders, of calls and time limits, of quality."""


class Left:
    """Records that the check could not take as messages: how many, and the first of them."""

    def __init__(self) -> None:
        self.unreadable_count = 0
        self.first_unreadable: str | None = None
        self.unknown_types: Counter[str] = Counter()
        """Messages of types that are not in this version's catalogue; they change no order and no figure."""

    def note_unreadable(self, where: str, error: MalformedMessage) -> None:
        self.unreadable_count += 1
        self.first_unreadable = self.first_unreadable or f"{where}: {error}"

    def note(self, message: Message) -> None:
        if message.body is None:
            name = message.type if message.type in self.unknown_types or len(self.unknown_types) < _MOST_TYPES else "…"
            self.unknown_types[name] += 1


ReadUpTo = Mapping[str, Any]
"""How far reporting has read, as each of its figures says."""


class RecordSource(Protocol):
    name: str
    left: Left

    async def read_on(self, ledger: Ledger, facts: Facts, until: ReadUpTo | None = None) -> None:
        """Everything from where it stopped last time to the present end, or to where reporting has read."""

    def is_behind(self, read: ReadUpTo) -> bool:
        """Whether reporting has read more than was read here."""

    def lag_of(self, read: ReadUpTo) -> int:
        """How many records reporting has yet to read of those that were read here."""


class TopicSource:
    """Partition by partition: each order is in one, so that only the orders of one partition are in memory."""

    def __init__(
        self,
        bootstrap_servers: str,
        prefix: str,
        repairs: Repairs | None = None,
        *,
        parked: Set[Place] = frozenset(),
        progress: VerifyProgress | None = None,
    ) -> None:
        """`repairs` take the place of the records they repair; `parked` are the records that reporting has parked."""
        names = ", ".join(prefix + topic.name for topic in (WORK_ORDERS, CALLS, DEADLINES, QUALITY))
        self.name = f"topics {names} at {bootstrap_servers}"
        self.left = Left()
        self._bootstrap_servers = bootstrap_servers
        self._prefix = prefix
        self._next: dict[tuple[str, int], int] = {}
        """By topic without prefix, and partition."""
        self._repairs = repairs or Repairs()
        self._parked = parked
        self._progress = progress or VerifyProgress(lambda text: None)
        self._read_count = 0

    async def read_on(self, ledger: Ledger, facts: Facts, until: ReadUpTo | None = None) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap_servers,
            enable_auto_commit=False,
            max_partition_fetch_bytes=4_194_304,
            # At the end of a partition the broker holds a fetch for so long, and the next partition waits for it.
            fetch_max_wait_ms=50,
        )
        try:
            await consumer.start()
            for partition in await self._partitions(consumer, WORK_ORDERS):
                await self._read(consumer, partition, WORK_ORDERS, ledger.take, until)
                ledger.rest()
            for topic, take in ((CALLS, facts.take), (DEADLINES, facts.take), (QUALITY, facts.take_notice)):
                for partition in await self._partitions(consumer, topic):
                    await self._read(consumer, partition, topic, take, until)
        except KafkaError as error:
            raise Stopped(f"The {self.name} cannot be read: {error}") from error
        finally:
            await consumer.stop()

    def is_behind(self, read: ReadUpTo) -> bool:
        return any(self._next.get(place, 0) < offset for place, offset in _offsets(read).items())

    def lag_of(self, read: ReadUpTo) -> int:
        offsets = _offsets(read)
        return sum(max(0, offset - offsets.get(place, 0)) for place, offset in self._next.items())

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
        take: Callable[..., None],
        until: ReadUpTo | None,
    ) -> None:
        end = (await consumer.end_offsets([partition]))[partition]
        if until is not None:
            end = min(end, _offsets(until).get((topic.name, partition.partition), 0))
        async for record in self._records(consumer, partition, topic, end):
            place = topic.name, record.partition, record.offset
            if place in self._repairs.discarded:
                continue
            try:
                repaired = self._repairs.by_place.get(place)
                message = repaired or _message(record, topic)
            except MalformedMessage as error:
                self.left.note_unreadable(f"{topic.name}, partition {record.partition}, offset {record.offset}", error)
                continue
            self.left.note(message)
            if place in self._parked:
                take(message, is_counted=False)
            else:
                take(message)

    async def _records(
        self, consumer: AIOKafkaConsumer, partition: TopicPartition, topic: topics.Topic, end: int
    ) -> AsyncIterator[ConsumerRecord]:
        place = topic.name, partition.partition
        begin = self._next.get(place, 0)
        if begin >= end:
            return
        consumer.assign([partition])
        consumer.seek(partition, begin)
        while (position := await consumer.position(partition)) < end:
            found = await self._fetch(consumer, partition, position)
            for record in found:
                if record.offset < end:
                    yield record
            self._read_count += len(found)
            self._progress.count(self._read_count)
        self._next[place] = end

    async def _fetch(
        self, consumer: AIOKafkaConsumer, partition: TopicPartition, position: int
    ) -> list[ConsumerRecord]:
        """The next records, none where the offsets only moved on; raises `Stopped` where the broker gives nothing."""
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + _STALLED_SECONDS
        while loop.time() < give_up_at:
            found = await consumer.getmany(partition, timeout_ms=500, max_records=_RECORDS)
            if found.get(partition) or await consumer.position(partition) > position:
                return found.get(partition, [])
        where = f"{partition.topic}, partition {partition.partition}, offset {position}"
        raise Stopped(f"Kafka returned no records of {where} for {_STALLED_SECONDS} s.")


def _offsets(read: ReadUpTo) -> dict[tuple[str, int], int]:
    return {
        (topic, int(partition)): offset
        for topic, partitions in read["positions"].items()
        for partition, offset in partitions.items()
        if topic in _NAMES
    }


def _message(record: ConsumerRecord, topic: topics.Topic) -> Message:
    if isinstance(record, UndecodableRecord):
        through = f"; through offset {record.last_offset}" if record.last_offset > record.offset else ""
        raise MalformedMessage(f"{record.reason}{through}")
    return decode(record.key, record.value, record.headers, topic=topic)


class Record:
    """Reporting's pages, topic by topic. It keeps each message once, so a repeat is never seen here."""

    def __init__(self, city: ServiceClients, progress: VerifyProgress | None = None) -> None:
        self.name = f"record of reporting at {city.reporting.address}"
        self.left = Left()
        self._city = city
        self._after = dict.fromkeys(_NAMES, 0)
        self._progress = progress or VerifyProgress(lambda text: None)
        self._read_count = 0

    async def read_on(self, ledger: Ledger, facts: Facts, until: ReadUpTo | None = None) -> None:
        takes = {CALLS.name: facts.take, DEADLINES.name: facts.take, QUALITY.name: facts.take_notice}
        for topic in _NAMES:
            async for message in self._messages(topic, None if until is None else _places(until)):
                takes.get(topic, ledger.take)(message)
                if ledger.awake_count > _MOST_AWAKE:
                    ledger.rest()
        ledger.rest()

    def is_behind(self, read: ReadUpTo) -> bool:
        return max(self._after.values()) < _places(read)

    def lag_of(self, read: ReadUpTo) -> int:
        return max(0, max(self._after.values()) - _places(read))

    async def _messages(self, topic: str, last_place: int | None) -> AsyncIterator[Message]:
        while True:
            query = {"after": self._after[topic], "topic": topic, "limit": _RECORDS}
            page = await self._city.reporting.read("/v1/events", by=SUPERVISOR, **query)
            items = [item for item in page["items"] if last_place is None or item["place"] <= last_place]
            for item in items:
                self._after[topic] = item["place"]
                try:
                    message = message_of(item)
                except MalformedMessage as error:
                    self.left.note_unreadable(f"place {item['place']}", error)
                    continue
                self.left.note(message)
                yield message
            self._read_count += len(items)
            self._progress.count(self._read_count)
            if len(items) < _RECORDS:
                return


def _places(read: ReadUpTo) -> int:
    """The places of the record are without gaps, so the last one is how many messages there are."""
    return sum(read[name] for name in COUNTS)


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


def stream_of(
    city: ServiceClients, repairs: Repairs, parked: Set[Place], progress: VerifyProgress
) -> TopicSource | Record:
    """The topic is the source of truth; reporting's record replaces it if no broker is known."""
    addresses = city.addresses
    if addresses.bootstrap_servers:
        return TopicSource(
            addresses.bootstrap_servers, addresses.topic_prefix, repairs, parked=parked, progress=progress
        )
    return Record(city, progress)
