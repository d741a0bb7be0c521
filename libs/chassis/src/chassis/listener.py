"""Consumes a topic from the offsets in the service's own database.

On start and after every rebalance the worker seeks to the offsets in its database; after each commit it also
commits them to Kafka, for lag metrics and autoscaling. So effects and offset always agree, even after a backup was
restored. The client starts to fetch from Kafka's committed offset as soon as it is assigned; records that it
fetched before the seek are discarded.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import KafkaAckableMessage

from chassis.database import Database, is_transient
from chassis.fetching import AIOKafkaConsumer, empty_until, fetched_until
from chassis.kafka_internals import OwnFetches
from chassis.offsets import PositionsWentBack, TopicRecreated, offsets_of
from chassis.parking import raw_record
from chassis.progress import Progress
from chassis.recovery.recreated_topic import TopicOffsets, reset_if_recreated
from chassis.subscribe import Consumer
from chassis.telemetry import METRICS

log = logging.getLogger(__name__)

Batches = Mapping[TopicPartition, Sequence[ConsumerRecord]]
Read = Callable[..., Awaitable[Batches]]
"""`AIOKafkaConsumer.getmany`, as it is shipped."""

_SHORTEST_REST_SECONDS, _LONGEST_REST_SECONDS = 0.02, 0.05
_CHECK_EVERY_SECONDS = 10.0
_CHECK_SECONDS = 5.0
_ACKNOWLEDGE_SECONDS = 1.0
_LAST_ACKNOWLEDGE_SECONDS = 2.0
_LONGEST_WAIT_SECONDS, _OVERLOOKED_MILLISECONDS = 5.0, 1000
_SHORTEST_WAIT_SECONDS = 0.5
_MOST_RECORDS = 500
_STUCK_SECONDS = 5.0
_REST_STEP_SECONDS = 0.5


def _rest_after(seconds: float) -> float:
    return min(max(seconds, _SHORTEST_REST_SECONDS), _LONGEST_REST_SECONDS)


async def _as_it_is(message: KafkaMessage) -> KafkaMessage:
    # A coroutine, or FastStream would call it in a thread.
    return message


def _partitions_of(message: KafkaMessage) -> set[TopicPartition]:
    return {TopicPartition(record.topic, record.partition) for record in message.raw_message}


class PolledConsumer(AIOKafkaConsumer):
    """A consumer each poll of which is its listener's, from the first one on."""

    def __init__(self, polled_by: "Listener", **options: Any) -> None:
        super().__init__(**options)
        self._polled_by = polled_by
        self._fetches = OwnFetches(self)

    def go_on_at(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Seeks, and lets no fetch of other positions be waited for."""
        for partition, offset in offsets.items():
            with contextlib.suppress(IllegalStateError):
                self.seek(partition, offset)
        if offsets:
            self._fetches.give_up()

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> Batches:
        return await self._polled_by.poll(self, super().getmany, max_records or _MOST_RECORDS)


async def start_broker(broker: KafkaBroker, listeners: Iterable["Listener"]) -> None:
    """Starts the broker with the consumers of its listeners. Raises `KafkaError`."""
    polled_by = {listener.group_id: listener for listener in listeners}
    shipped = await broker.connect()
    assert isinstance(shipped, partial)  # the class of the consumer, with the connection's options

    def build(*, group_id: str, **options: Any) -> PolledConsumer:
        return PolledConsumer(polled_by[group_id], group_id=group_id, **{**shipped.keywords, **options})

    broker.config.broker_config.builder = build
    await broker.start()


class Listener(ConsumerRebalanceListener):
    """A consumer on a FastStream broker: polls, applies, acknowledges, and says how it is."""

    def __init__(
        self,
        broker: KafkaBroker,
        consumer: Consumer,
        *,
        db: Database,
        prefix: str,
        worker_id: str,
        silent_seconds: float = 4 * _LONGEST_WAIT_SECONDS,
    ) -> None:
        """`silent_seconds`: a broker that does not answer for so long counts as silent, so it has to be asked."""
        self.topic = consumer.subscription.topic.name
        self.polled_at = time.monotonic()
        self.is_assigned = False
        self.stuck: str | None = None
        """Why the batch at hand cannot be applied, as long as that is so."""
        self.unconfirmed: str | None = None
        """Why it is not known whether the topic is still the one that was read, as long as that is so."""
        self.progress = Progress()
        self._consumer = consumer
        self._db = db
        self._prefix = prefix
        self._placement = 0
        """Counts how often the client was placed."""
        self._batch_placement = -1
        """The placement that the batch at hand was read under, once it is known to go on from there."""
        self._check_at = 0.0
        self._read_at = 0.0
        """When the last partial batch was read; 0 after any other."""
        self._fetched_at = 0
        self._next_offsets: dict[int, int] = {}
        consumer.read_from = self._next_offsets
        self._acknowledged: dict[int, int] = {}
        self._acknowledge_at = 0.0
        self._is_leaving = False
        self._longest_wait_seconds = min(_LONGEST_WAIT_SECONDS, silent_seconds / 4)
        self.group_id = prefix + consumer.group
        self._subscriber = broker.subscriber(
            prefix + self.topic,
            batch=True,
            group_id=self.group_id,
            group_instance_id=worker_id,
            parser=self._unread,
            decoder=_as_it_is,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            # Services write without transactions; one that another client leaves open must not hold them up. A partner
            # may write in them: what it has taken back is not applied, and what it leaves open holds up itself.
            isolation_level="read_committed" if consumer.subscription.topic.partner_id else "read_uncommitted",
            max_records=consumer.subscription.batch_records,
            batch_timeout_ms=1,
            # Records end the wait: this is how often an idle worker asks again, and so what it costs.
            fetch_max_wait_ms=int(self._longest_wait_seconds * 1000),
            # Whatever lets the client fetch wakes it: this bounds what its makers may have overlooked.
            consumer_timeout_ms=_OVERLOOKED_MILLISECONDS,
            session_timeout_ms=10_000,
            heartbeat_interval_ms=3_000,
            listener=self,
        )
        self._subscriber(self._on_batch)

    async def _unread(self, batch: tuple[ConsumerRecord, ...]) -> KafkaMessage:
        """The batch as it is. FastStream's own parser reads every header as text: one that has no value or is not
        UTF-8 would make it drop the whole batch. And it sends an answer to whomever a header `reply_to` names.
        """
        return KafkaAckableMessage(raw_message=batch, body=b"", consumer=self._subscriber.consumer)

    async def _on_batch(self, message: KafkaMessage) -> None:
        if not self._is_from(self._batch_placement):
            # The partitions may be taken away between the poll and here.
            self._place(self._client, _partitions_of(message))
            return
        records = [raw_record(record, self.topic) for record in message.raw_message]
        self.progress.begin()
        try:
            await self._consumer.apply(records)
        except (TopicRecreated, PositionsWentBack) as error:
            log.warning("%s", error)
            self._check_at = 0.0
            self._place(self._client, _partitions_of(message))
            return
        except Exception as error:
            # FastStream would swallow it and go on with the next batch, whose position steps over this one.
            self.stuck = f"{self.topic} cannot be applied: {type(error).__name__}"
            log.exception("%s; trying again", self.stuck)
            await asyncio.sleep(_STUCK_SECONDS)
            await message.nack()
            return
        finally:
            self.progress.end()
        self.stuck = None
        # The session may have run out meanwhile: then the client was placed again, maybe before this batch.
        if self._is_from(self._batch_placement):
            self._next_offsets |= {record.partition: record.next_offset for record in records}
        await self._acknowledge()
        await self._keep_pace(len(records))

    async def _keep_pace(self, count: int) -> None:
        """Rests while its writer is over its quota: what is not read yet waits on the topic, and nothing is lost."""
        if (pace := self._consumer.subscription.pace) is None:
            return
        left = await pace(count, self._db)
        if left > 0:
            METRICS.paced_seconds.labels(self.topic).inc(left)
        self.progress.begin()
        while left > 0 and not self._is_leaving:
            await asyncio.sleep(min(left, _REST_STEP_SECONDS))
            left -= _REST_STEP_SECONDS
            self.polled_at = time.monotonic()
        self.progress.end(counted_seconds=0.0)

    @property
    def _client(self) -> PolledConsumer:
        client = self._subscriber.consumer
        assert isinstance(client, PolledConsumer)  # there is one as long as the broker runs
        return client

    async def _acknowledge(self) -> None:
        """Tells Kafka what was applied, for lag and autoscaling: where to go on is in our own database.

        At most once a second, because every acknowledgement is a write of the broker; a worker that leaves
        acknowledges its last batch at once.
        """
        now = time.monotonic()
        if (now < self._acknowledge_at and not self._is_leaving) or self._acknowledged == self._next_offsets:
            return
        self._acknowledge_at = now + _ACKNOWLEDGE_SECONDS
        client = self._client
        topic = self._prefix + self.topic
        offsets = {TopicPartition(topic, number): offset for number, offset in self._next_offsets.items()}
        try:
            # A broker that hangs must not stop the poll loop with it.
            async with asyncio.timeout(_LAST_ACKNOWLEDGE_SECONDS):
                await client.commit(offsets)
            self._acknowledged = dict(self._next_offsets)
        except (KafkaError, IllegalStateError, TimeoutError) as error:
            # A rebalance has taken partitions away; whoever has them now acknowledges them.
            log.info("%s was not acknowledged: %s", self.topic, error)

    async def leave(self) -> None:
        """To be called before the broker stops: the batch at hand is the last, and what was applied is acknowledged."""
        self._is_leaving = True
        await self._acknowledge()

    async def poll(self, client: PolledConsumer, read: Read, max_records: int) -> Batches:
        """One poll of the client: waits for records, paces it, and gives only what goes on from where the database is.

        FastStream sleeps for its batch timeout after an empty poll, and records that come meanwhile would
        wait for it: so its timeout is a millisecond and the waiting is done here, where records end it.
        A batch costs a transaction whatever its size. After a partial one the worker rests for as long as it took, and
        at least for a moment: when the machine is busy batches grow, and the processor goes to those who wait for an
        answer.
        """
        await asyncio.sleep(_rest_after(time.monotonic() - self._read_at) if self._read_at else 0.0)
        placement = self._placement
        records = await read(timeout_ms=int(self._wait_seconds() * 1000), max_records=max_records)
        self.polled_at = time.monotonic()
        if records or self._has_fetched(client):
            self.progress.answered()
        if records and not self._is_from(placement):
            self._place(client, records)
            return {}
        if not await self._is_to_be_applied(client, records):
            self._place(client, records)
            return {}
        self._batch_placement = placement
        is_partial = 0 < sum(map(len, records.values())) < max_records
        self._read_at = self.polled_at if is_partial else 0.0
        if not records and self._next_offsets:
            await self._pass_over(client)
            await self._acknowledge()
        return records

    def _wait_seconds(self) -> float:
        """How long a poll waits for records: until something else is to be done."""
        now = time.monotonic()
        waits = [self._longest_wait_seconds, self._check_at - now]
        if self._acknowledged != self._next_offsets:
            waits.append(self._acknowledge_at - now)
        return max(_SHORTEST_WAIT_SECONDS, min(waits))

    async def _pass_over(self, client: PolledConsumer) -> None:
        """To be called after a poll that gave nothing: moves on over offsets that were fetched and have no record."""
        placement = self._placement
        reached = fetched_until(client, list(client.assignment()))
        begins = {place.partition: self._next_offsets.get(place.partition, at) for place, at in reached.items()}
        ends = {
            place.partition: end
            for place, at in reached.items()
            if (end := min(at, empty_until(place, begins[place.partition]))) > begins[place.partition]
        }
        if not ends:
            return
        try:
            await self._consumer.pass_over({number: begins[number] for number in ends}, ends)
        except (TopicRecreated, PositionsWentBack):
            self._check_at = 0.0
        except Exception as error:
            if not is_transient(error):
                raise
        else:
            # A rebalance may have taken the partitions away meanwhile.
            if self._is_from(placement):
                self._next_offsets |= ends

    async def _is_to_be_applied(self, client: PolledConsumer, records: Batches) -> bool:
        """Whether these records go on from where the database is, in the topic that it has read.

        Looked at after each placement, now and then, and when the client went back on its own: it begins a partition
        again where it is told that it ends before the position, which a topic that was created again does, and a
        broker that has just started may say for a moment.
        """
        starts = {place.partition: found[0].offset for place, found in records.items() if found}
        is_before = any(offset < self._next_offsets.get(number, 0) for number, offset in starts.items())
        if self.is_assigned and (is_before or time.monotonic() > self._check_at):
            return await self._check(client) and not is_before
        return True

    async def _check(self, client: PolledConsumer) -> bool:
        """Asks whether the topic is still the same; False where that is not known, or the place is another one now."""
        placement = self._placement
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                standing = await reset_if_recreated(
                    client, self._prefix, self.topic, self._db, list(self._next_offsets)
                )
        except Exception as error:
            self.unconfirmed = f"{self.topic} cannot be looked at: {type(error).__name__}: {error}"
            if not isinstance(error, KafkaError) and not is_transient(error):
                log.exception("%s; trying again", self.unconfirmed)
                await asyncio.sleep(_STUCK_SECONDS)
            return False
        self.unconfirmed = None
        self.progress.answered()
        return self._is_from(placement) and self._settle(client, standing)

    def _settle(self, client: PolledConsumer, standing: TopicOffsets) -> bool:
        """Takes over what was found; False when a position went back, here or in another worker."""
        self._check_at = time.monotonic() + _CHECK_EVERY_SECONDS
        self._consumer.topic_id = standing.topic_id
        back = {
            number: offset
            for number, offset in standing.next_offsets.items()
            if offset < self._next_offsets.get(number, 0)
        }
        self._next_offsets |= back
        self._place(client, [TopicPartition(self._prefix + self.topic, number) for number in back])
        self.progress.note(self._next_offsets, standing.ends)
        return not back

    def _has_fetched(self, client: PolledConsumer) -> bool:
        """Whether a broker has answered a fetch since the last poll, be it that there is nothing."""
        last, self._fetched_at = (
            self._fetched_at,
            max((client.last_poll_timestamp(place) or 0 for place in client.assignment()), default=0),
        )
        return self._fetched_at != last

    def _is_from(self, placement: int) -> bool:
        """Whether what was read since then began where this database is."""
        return self.is_assigned and placement == self._placement

    def _place(self, client: PolledConsumer, partitions: Iterable[TopicPartition]) -> None:
        """Back to where this database is; while that is being asked, whoever asks will place them."""
        if self.is_assigned:
            known = self._next_offsets
            client.go_on_at({place: known[place.partition] for place in partitions if place.partition in known})

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        self.is_assigned = False
        self._next_offsets.clear()
        self._acknowledged.clear()  # with nothing applied there is nothing to acknowledge
        self.progress.forget()

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Goes on where this database is, whatever Kafka was told."""
        positions = await offsets_of(self._db, self.topic)
        self._next_offsets |= {place.partition: positions.get(place.partition, 0) for place in assigned}
        self._client.go_on_at({place: self._next_offsets[place.partition] for place in assigned})
        self._placement += 1
        self._check_at = 0.0
        self.is_assigned = True

    def lag(self) -> int:
        """Records between what was applied and the end of the topic, as far as the broker has told."""
        client = self._subscriber.consumer
        if client is None:
            return 0
        return sum(
            max(0, (client.highwater(partition) or 0) - self._next_offsets.get(partition.partition, 0))
            for partition in client.assignment()
        )
