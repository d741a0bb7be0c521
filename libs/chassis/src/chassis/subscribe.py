"""Consumes records into the service's database, each applied once, ordered per key.

A batch is a transaction: effects, outbox rows, parked records and the offset. `listener` provides the batches;
`recovery` handles a restored backup.

A handler receives a list of messages and a transaction and does not depend on Kafka. It raises `Poison` for a
message that can never be applied; its key is parked, and the rest of the batch is applied without it. A handler that
is `OneStatement` as well applies most batches without a transaction, by one read and one statement that is guarded by
what was read. Whatever is out of the ordinary, and every batch that was overtaken, takes the locks of the transaction.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from chassis import parking
from chassis.database import Database, Overtaken, Statements, Transaction, is_transient
from chassis.offsets import OffsetRange, advance, advanced, positions_under, reach_of
from chassis.one_statement import execute_together, fetch_together
from chassis.outbox import EventTooLarge
from chassis.parking import BEHIND, Parked, RawRecord
from chassis.recovery import fence
from chassis.recovery.recreated_topic import parked_before
from chassis.subscription import Gap, Poison, Subscription
from chassis.telemetry import METRICS, log_events
from chassis.tracing import applying
from chassis.wakeup import APPLIED, PUBLISH, Wakeup
from contracts.codec import MalformedMessage, decode
from contracts.message import Message

__all__ = ["Consumer", "Gap", "Poison", "Subscription"]

log = logging.getLogger(__name__)

# Kafka takes the partitions away after max_poll_interval_ms, five minutes.
_RETRY_FOR_SECONDS = 120.0
_LONGEST_BACKOFF_SECONDS = 5.0
_UNPROCESSABLE = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    EventTooLarge,
)
"""What one record can be the cause of. Anything else is a fault of ours: nothing is skipped until it is mended."""


class Consumer:
    """Applies one subscription of one service."""

    def __init__(self, subscription: Subscription, *, service: str, db: Database, wakeup: Wakeup | None = None) -> None:
        self.subscription = subscription
        self.group = f"{service}.{subscription.topic.name}"
        self._db = db
        self._wakeup = wakeup
        self._turn = db.turn if subscription.takes_turns else contextlib.nullcontext()
        self.topic_id: UUID | None = None
        """Which topic the batches come from, as far as the brokers tell."""
        self.read_from: Mapping[int, int] = {}
        """The stored position of each partition as the reader knows it; where the database is before it, a crash has
        taken back what it had committed."""

    @property
    def _topic(self) -> str:
        return self.subscription.topic.name

    async def apply(self, records: Sequence[RawRecord]) -> None:
        """Applies a batch, waiting out whatever is transient; raises when that takes too long, `TopicRecreated`, and
        `PositionsWentBack`."""
        give_up_at, backoff = time.monotonic() + _RETRY_FOR_SECONDS, 0.1
        while True:
            try:
                await self._apply_whole(records)
                break
            except Exception as error:
                if not fence.is_passing(error) or time.monotonic() > give_up_at:
                    raise
                log.warning("applying %s waits: %s: %s", self._topic, type(error).__name__, error)
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, _LONGEST_BACKOFF_SECONDS)
        METRICS.consumed.labels(self._topic).inc(len(records))
        if self._wakeup:
            self._wakeup.send(APPLIED, {record.parking_key for record in records})

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
        """Applies the batch as a whole; again without a key each time the handler finds poison in it."""
        messages, poison = self._decode(records)
        gaps = 0
        with applying(self.group, ((records[place], message) for place, message in messages.items())) as spans:
            while True:
                try:
                    async with self._turn:
                        applicable, parked = await self._commit(records, messages, poison)
                    break
                except Poison as found:
                    place = next(place for place, message in messages.items() if message is found.message)
                    poison[place] = found.reason
                    gaps += isinstance(found, Gap)
            spans.note_parked(parked)
        events = [(message.subject, message.order_version, message.id) for message in applicable]
        log_events(log, "applied", events, topic=self._topic)
        METRICS.gaps.labels(self._topic).inc(gaps)
        self._report(parked)

    async def _commit(
        self, records: Sequence[RawRecord], messages: dict[int, Message], poison: dict[int, str]
    ) -> tuple[list[Message], list[Parked]]:
        """Applies and parks what is to be; returns both."""
        if not poison and await self._is_committed_at_once(records, list(messages.values())):
            return list(messages.values()), []
        async with self._db.begin() as tx:
            # First, because it locks the positions: a worker that lost its partitions while it was
            # applying, and the one that has them now, take turns, and the second finds only repeats.
            await self._advance(tx, records)
            applicable, parked = await self._split(tx, records, messages, poison)
            if tx.is_catching_up:
                await fence.forget_published(tx, [message.id for message in messages.values()])
            if applicable:
                await self.subscription.handler(applicable, tx)
            await parking.park(tx, parked)
            await self._settle_restore(tx)
        self._wake_relay(tx)
        return applicable, parked

    async def _is_committed_at_once(self, records: Sequence[RawRecord], messages: Sequence[Message]) -> bool:
        """Applies a batch in two round trips; False where it needs the transaction, and nothing was written."""
        one = self.subscription.one_statement
        reads = one.reads(messages) if one else None
        if one is None or reads is None:
            return False
        reach = self._reach_of(records)
        is_parked = parking.parked_among(self._topic, (record.parking_key for record in records))
        async with self._db.statements() as statements:
            positions, parked, *read = await fetch_together(statements, [positions_under(reach), is_parked, *reads])
            position = advanced(reach, positions)
            changes = None if parked or position is None else one.writes(messages, read)
            if position is None or changes is None:
                return False
            try:
                # The position first: it keeps apart two workers that apply the same records, as in the transaction.
                # Whatever parks a key moves the position of its partition, so it guards the keys as well.
                await execute_together(statements, [position, *changes])
            except Overtaken:
                return False
        self._wake_relay(statements)
        return True

    def _wake_relay(self, committed: Statements) -> None:
        if committed.is_publishing and self._wakeup:
            self._wakeup.send(PUBLISH)

    async def _advance(self, tx: Transaction, records: Sequence[RawRecord]) -> None:
        await self._note_catching_up(tx, await advance(tx, self._reach_of(records)))

    def _reach_of(self, records: Sequence[RawRecord]) -> OffsetRange:
        return reach_of(records, self.topic_id, self.read_from)

    async def pass_over(self, begins: Mapping[int, int], ends: Mapping[int, int]) -> None:
        """Moves on, by partition, over offsets at which there is nothing to apply, such as the marks of transactions.

        Without it a topic that ends with one would never have been read to its end.
        """
        async with self._db.begin() as tx:
            reach = OffsetRange(self._topic, begins, ends, self.topic_id, self.read_from)
            await self._note_catching_up(tx, await advance(tx, reach))
            await self._settle_restore(tx)

    async def _note_catching_up(self, tx: Transaction, is_catching_up: bool) -> None:
        tx.is_catching_up = is_catching_up
        if is_catching_up:
            await fence.take_turns(tx)

    async def _settle_restore(self, tx: Transaction) -> None:
        settle = self.subscription.when_caught_up
        if tx.is_catching_up and settle and not await fence.is_catching_up(tx, self._topic):
            await fence.pass_through(tx)
            await settle(tx)

    def _decode(self, records: Sequence[RawRecord]) -> tuple[dict[int, Message], dict[int, str]]:
        """By place in the batch: the messages that are of use and can be read, and why others cannot."""
        messages: dict[int, Message] = {}
        unreadable: dict[int, str] = {}
        for place, record in enumerate(records):
            if record.undecoded:
                unreadable[place] = record.undecoded.reason
                continue
            if not self.subscription.is_for(record):
                continue
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
        keys = blocked | {records[place].parking_key for place in poison}
        # Read again in a topic that was created again: it waits under its old place, or an operator has settled it.
        settled |= await parked_before(tx, self._topic, [record for record in records if record.parking_key in keys])
        applicable, parked = [], []
        for place, record in enumerate(records):
            if (record.partition, record.offset) in settled:
                continue  # read again, after an operator had released or discarded it
            if record.parking_key in blocked:
                parked.append(Parked(record, f"{record.undecoded.reason}; {BEHIND}" if record.undecoded else BEHIND))
            elif place in poison:
                if place not in messages and await self._is_answered(record, poison[place], tx):
                    continue
                parked.append(Parked(record, poison[place]))
                blocked.add(record.parking_key)
            elif place in messages:
                applicable.append(messages[place])
        return applicable, parked

    async def _is_answered(self, record: RawRecord, reason: str, tx: Transaction) -> bool:
        answer = self.subscription.answer_unreadable
        return answer is not None and await answer(record, reason, tx)

    async def _park_alone(self, record: RawRecord, error: Exception) -> None:
        parked = [Parked(record, f"{type(error).__name__}: {error}")]
        async with self._db.begin() as tx:
            await self._advance(tx, [record])
            await parking.park(tx, parked)
            await self._settle_restore(tx)
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

        Raises `StillPoison` and leaves everything as it was when one of them cannot be applied, and `ValueNotKept`
        when only an excerpt of one was kept and nothing was given in its place.
        """
        async with self._db.begin() as tx:
            taken = await parking.take_parked(tx, self._topic, key)
            for parked_id in taken:
                try:
                    await self._apply_parked(await parking.to_be_applied(tx, parked_id), tx)
                except (MalformedMessage, Poison, *_UNPROCESSABLE) as error:
                    raise parking.StillPoison(parked_id=parked_id, reason=str(error)) from error
            await parking.mark_released(tx, taken, by=by, at=at)
        self._wake_relay(tx)
        METRICS.released.labels(self._topic).inc(len(taken))
        return len(taken)

    async def _apply_parked(self, record: RawRecord, tx: Transaction) -> None:
        try:
            message = decode(record.key, record.value, record.headers, topic=self.subscription.topic)
        except MalformedMessage as error:
            if not await self._is_answered(record, str(error), tx):
                raise
        else:
            await self.subscription.handler([message], tx)
