"""Consuming: from Kafka into this service's database, each record applied once, in order per key.

One batch is one transaction: effects, outbox rows, parked records and the position in the topic. After
it is committed, Kafka is told. On start and after every rebalance the worker seeks to the positions of
its own database, so that effects and position can never disagree, not even after a restored backup.

A handler gets a list of messages and a transaction and knows nothing of Kafka. It raises `Poison` for a
message that can never be applied; that key is parked and the rest of the batch is applied without it.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from datetime import datetime

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import KafkaAckableMessage

from chassis import parking
from chassis.database import Database, Transaction, is_transient
from chassis.parking import BEHIND, Parked, RawRecord, raw_record
from chassis.subscription import Poison, Subscription
from chassis.telemetry import METRICS
from chassis.wakeup import APPLIED, Wakeup
from contracts.codec import MalformedMessage, decode
from contracts.message import Message

__all__ = ["Consumer", "Listener", "Poison", "Subscription"]

log = logging.getLogger(__name__)

# Kafka takes the partitions away after max_poll_interval_ms, five minutes.
_RETRY_FOR_SECONDS = 120.0
_LONGEST_BACKOFF_SECONDS = 5.0
_LONGEST_REST_SECONDS = 0.05
_ACKNOWLEDGE_SECONDS = 1.0
_LAST_ACKNOWLEDGE_SECONDS = 2.0
_POLL_MILLISECONDS = 500
_STUCK_SECONDS = 5.0
_REST_STEP_SECONDS = 0.5
_UNPROCESSABLE = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
)
"""What one record can be the cause of. Anything else is a fault of ours: nothing is skipped until it is mended."""


class Consumer:
    """Applies one subscription of one service."""

    def __init__(self, subscription: Subscription, *, service: str, db: Database, wakeup: Wakeup | None = None) -> None:
        self.subscription = subscription
        self.group = f"{service}.{subscription.topic.name}"
        self._db = db
        self._wakeup = wakeup

    @property
    def _topic(self) -> str:
        return self.subscription.topic.name

    async def apply(self, records: Sequence[RawRecord]) -> None:
        """Applies a batch, waiting out whatever is transient; raises when that takes too long."""
        give_up_at, backoff = time.monotonic() + _RETRY_FOR_SECONDS, 0.1
        while True:
            try:
                await self._apply_whole(records)
                break
            except Exception as error:
                if not is_transient(error) or time.monotonic() > give_up_at:
                    raise
                log.warning("applying %s waits: %s: %s", self._topic, type(error).__name__, error)
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, _LONGEST_BACKOFF_SECONDS)
        METRICS.consumed.labels(self._topic).inc(len(records))
        if self._wakeup:
            self._wakeup.send(APPLIED)

    async def _apply_whole(self, records: Sequence[RawRecord]) -> None:
        try:
            await self._apply_without_poison(records)
        except _UNPROCESSABLE as error:
            if is_transient(error):
                raise
            if len(records) == 1:
                await self._park_alone(records[0], error)
                return
            # The database or the handler refused something without saying which record it was.
            log.warning("applying %s one by one: %s: %s", self._topic, type(error).__name__, error)
            for record in records:
                await self._apply_whole([record])

    async def _apply_without_poison(self, records: Sequence[RawRecord]) -> None:
        """One transaction for the batch; started again without a key each time the handler finds poison in it."""
        messages, poison = self._decode(records)
        while True:
            try:
                async with self._db.begin() as tx:
                    # First, because it locks the positions: a worker that lost its partitions while it was
                    # applying, and the one that has them now, take turns, and the second finds only repeats.
                    await _advance(tx, records)
                    applicable, parked = await self._split(tx, records, messages, poison)
                    if applicable:
                        await self.subscription.handler(applicable, tx)
                    await parking.park(tx, parked)
            except Poison as found:
                place = next(place for place, message in messages.items() if message is found.message)
                poison[place] = found.reason
                continue
            self._report(parked)
            return

    def _decode(self, records: Sequence[RawRecord]) -> tuple[dict[int, Message], dict[int, str]]:
        """By place in the batch: the messages that can be read, and why the others cannot."""
        messages: dict[int, Message] = {}
        unreadable: dict[int, str] = {}
        for place, record in enumerate(records):
            try:
                messages[place] = decode(record.key, record.value, record.headers, topic=self.subscription.topic)
            except MalformedMessage as error:
                unreadable[place] = str(error)
        return messages, unreadable

    async def _split(
        self, tx: Transaction, records: Sequence[RawRecord], messages: dict[int, Message], poison: dict[int, str]
    ) -> tuple[list[Message], list[Parked]]:
        """What to apply, and what to park: poison, and whatever stands behind it."""
        blocked = await parking.parked_keys(tx, self._topic, {record.parking_key for record in records})
        settled = await parking.settled_among(tx, self._topic, [records[place] for place in poison])
        applicable, parked = [], []
        for place, record in enumerate(records):
            if (record.partition, record.offset) in settled:
                continue  # read again, after an operator had released or discarded it
            if record.parking_key in blocked:
                parked.append(Parked(record, BEHIND))
            elif place in poison:
                if place not in messages and await self._is_answered(record, poison[place], tx):
                    continue
                parked.append(Parked(record, poison[place]))
                blocked.add(record.parking_key)
            else:
                applicable.append(messages[place])
        return applicable, parked

    async def _is_answered(self, record: RawRecord, reason: str, tx: Transaction) -> bool:
        answer = self.subscription.answer_unreadable
        return answer is not None and await answer(record, reason, tx)

    async def _park_alone(self, record: RawRecord, error: Exception) -> None:
        parked = [Parked(record, f"{type(error).__name__}: {error}")]
        async with self._db.begin() as tx:
            await _advance(tx, [record])
            await parking.park(tx, parked)
        self._report(parked)

    def _report(self, parked: Sequence[Parked]) -> None:
        for item in parked:
            METRICS.parked.labels(self._topic).inc()
            log.error(
                "parked a record: %s",
                item.reason,
                extra={
                    "topic": self._topic,
                    "key": item.record.parking_key,
                    "partition": item.record.partition,
                    "offset": item.record.offset,
                },
            )

    async def release(self, key: str, *, by: str, at: datetime) -> int:
        """Applies the parked records of a key in order, all or none; returns how many.

        Raises `StillPoison` and leaves everything as it was when one of them cannot be applied.
        """
        async with self._db.begin() as tx:
            taken = await parking.take_parked(tx, self._topic, key)
            for parked_id, record in taken:
                try:
                    await self._apply_parked(record, tx)
                except (MalformedMessage, Poison, *_UNPROCESSABLE) as error:
                    raise parking.StillPoison(parked_id=parked_id, reason=str(error)) from error
            await parking.mark_released(tx, [parked_id for parked_id, _ in taken], by=by, at=at)
        return len(taken)

    async def _apply_parked(self, record: RawRecord, tx: Transaction) -> None:
        try:
            message = decode(record.key, record.value, record.headers, topic=self.subscription.topic)
        except MalformedMessage as error:
            if not await self._is_answered(record, str(error), tx):
                raise
        else:
            await self.subscription.handler([message], tx)


async def _advance(tx: Transaction, records: Sequence[RawRecord]) -> None:
    positions: dict[int, int] = {}
    for record in records:
        positions[record.partition] = max(positions.get(record.partition, 0), record.offset + 1)
    # Never backwards: after a rebalance two workers may apply the same batch for a moment.
    # In the order of partitions, so that they queue instead of deadlocking.
    await tx.execute(
        """insert into positions (topic, partition, next_offset)
           select $1, * from unnest($2::int[], $3::bigint[]) as place (partition, next_offset) order by partition
           on conflict (topic, partition) do update
           set next_offset = greatest(positions.next_offset, excluded.next_offset)""",
        records[0].topic,
        list(positions),
        list(positions.values()),
    )


async def _as_it_is(message: KafkaMessage) -> KafkaMessage:
    # A coroutine, or FastStream would call it in a thread.
    return message


class Listener(ConsumerRebalanceListener):
    """A consumer on a FastStream broker: polls, applies, acknowledges, and says how it is."""

    def __init__(self, broker: KafkaBroker, consumer: Consumer, *, db: Database, prefix: str, worker_id: str) -> None:
        self.topic = consumer.subscription.topic.name
        self.polled_at = time.monotonic()
        self.is_assigned = False
        self.stuck: str | None = None
        """Why the batch at hand cannot be applied, as long as that is so."""
        self._consumer = consumer
        self._db = db
        self._prefix = prefix
        self._next_offsets: dict[int, int] = {}
        self._acknowledged: dict[int, int] = {}
        self._acknowledge_at = 0.0
        self._is_leaving = False
        self._subscriber = broker.subscriber(
            prefix + self.topic,
            batch=True,
            group_id=prefix + consumer.group,
            group_instance_id=worker_id,
            parser=self._unread,
            decoder=_as_it_is,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            max_records=consumer.subscription.batch_records,
            batch_timeout_ms=1,
            fetch_max_wait_ms=200,
            session_timeout_ms=10_000,
            heartbeat_interval_ms=2_000,
            listener=self,
        )
        self._subscriber(self._on_batch)

    async def _unread(self, batch: tuple[ConsumerRecord, ...]) -> KafkaMessage:
        """The batch as it is. FastStream's own parser reads every header as text: one that has no value or is not
        UTF-8 would make it drop the whole batch. And it sends an answer to whomever a header `reply_to` names.
        """
        return KafkaAckableMessage(raw_message=batch, body=b"", consumer=self._subscriber.consumer)

    async def _on_batch(self, message: KafkaMessage) -> None:
        records = [raw_record(record, self.topic) for record in message.raw_message]
        try:
            await self._consumer.apply(records)
        except Exception as error:
            # FastStream would swallow it and go on with the next batch, whose position steps over this one.
            self.stuck = f"{self.topic} cannot be applied: {type(error).__name__}"
            log.exception("%s; trying again", self.stuck)
            await asyncio.sleep(_STUCK_SECONDS)
            await message.nack()
            return
        self.stuck = None
        self._next_offsets |= {record.partition: record.offset + 1 for record in records}
        await self._acknowledge()
        await self._keep_pace(len(records))

    async def _keep_pace(self, count: int) -> None:
        """Rests while its writer is over its quota: what is not read yet waits on the topic, and nothing is lost."""
        if (pace := self._consumer.subscription.pace) is None:
            return
        left = await pace(count, self._db)
        if left > 0:
            METRICS.paced_seconds.labels(self.topic).inc(left)
        while left > 0 and not self._is_leaving:
            await asyncio.sleep(min(left, _REST_STEP_SECONDS))
            left -= _REST_STEP_SECONDS
            self.polled_at = time.monotonic()

    async def _acknowledge(self) -> None:
        """Tells Kafka what was applied, for lag and autoscaling: where to go on is in our own database.

        At most once a second, because every acknowledgement is a write of the broker; a worker that leaves
        acknowledges its last batch at once.
        """
        now = time.monotonic()
        if (now < self._acknowledge_at and not self._is_leaving) or self._acknowledged == self._next_offsets:
            return
        self._acknowledge_at = now + _ACKNOWLEDGE_SECONDS
        client = self._subscriber.consumer
        topic = self._prefix + self.topic
        offsets = {TopicPartition(topic, number): offset for number, offset in self._next_offsets.items()}
        try:
            await client.commit(offsets)
            self._acknowledged = dict(self._next_offsets)
        except (KafkaError, IllegalStateError) as error:
            # A rebalance has taken partitions away; whoever has them now acknowledges them.
            log.info("%s was not acknowledged: %s", self.topic, error)

    async def leave(self) -> None:
        """To be called before the broker stops: the batch at hand is the last, and what was applied is acknowledged."""
        self._is_leaving = True
        with contextlib.suppress(TimeoutError):  # with Kafka away there is nobody to tell
            async with asyncio.timeout(_LAST_ACKNOWLEDGE_SECONDS):
                await self._acknowledge()

    def watch(self) -> None:
        """To be called once the broker has started: notes each poll, waits in it for records, and paces it.

        FastStream sleeps for its batch timeout after an empty poll, and records that come meanwhile would
        wait for it: so its timeout is a millisecond and the waiting is done here, where records end it.
        A batch costs a transaction whatever its size. After a partial one the worker rests for as long as it took: when
        the machine is busy batches grow, and the processor goes to those who wait for an answer.
        """
        client: AIOKafkaConsumer = self._subscriber.consumer
        getmany = client.getmany
        read_at = 0.0

        async def waiting_getmany(*, timeout_ms: int, max_records: int):
            nonlocal read_at
            await asyncio.sleep(min(time.monotonic() - read_at, _LONGEST_REST_SECONDS) if read_at else 0.0)
            records = await getmany(timeout_ms=max(timeout_ms, _POLL_MILLISECONDS), max_records=max_records)
            self.polled_at = time.monotonic()
            is_partial = 0 < sum(map(len, records.values())) < max_records
            read_at = self.polled_at if is_partial else 0.0
            if not records and self._next_offsets:
                await self._acknowledge()
            return records

        client.getmany = waiting_getmany

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        self.is_assigned = False
        self._next_offsets.clear()

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Goes on where this database is, whatever Kafka was told."""
        positions = await self._positions()
        for partition in assigned:
            self._next_offsets[partition.partition] = positions.get(partition.partition, 0)
            self._subscriber.consumer.seek(partition, self._next_offsets[partition.partition])
        self.is_assigned = True

    async def _positions(self) -> dict[int, int]:
        while True:
            try:
                async with self._db.statements() as statements:
                    rows = await statements.fetch(
                        "select partition, next_offset from positions where topic = $1", self.topic
                    )
                return {row["partition"]: row["next_offset"] for row in rows}
            except Exception as error:
                # Reading from anywhere else than our own position is not an option: wait for the database.
                if not is_transient(error):
                    raise
                await asyncio.sleep(1)

    def lag(self) -> int:
        """Records between what was applied and the end of the topic, as far as the broker has told."""
        client = self._subscriber.consumer
        if client is None:
            return 0
        return sum(
            max(0, (client.highwater(partition) or 0) - self._next_offsets.get(partition.partition, 0))
            for partition in client.assignment()
        )
