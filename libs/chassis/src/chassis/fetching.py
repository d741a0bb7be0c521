"""Decodes fetched Kafka batches so that the offset advances whatever they contain.

Importing this module activates it for every consumer of the process. A poll returns an undecodable record as
`UndecodableRecord`, in order with the others; it has no value, so that a consumer without special handling treats it as
malformed. A poll returns at most `POLL_BYTES` of a partition; the next poll continues.
"""

from collections import OrderedDict
from collections.abc import Generator, Iterator, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from chassis.kafka_internals import READ_COMMITTED, fetched_until, find_partitions, put_in_place
from chassis.record_batches import Batch, UndecodableRecord, split, undecodable_range, unpack

__all__ = ["AIOKafkaConsumer", "UndecodableRecord", "empty_until", "fetched_until", "find_partitions"]

POLL_BYTES = 4 * 1024 * 1024
_FETCHED_AGAIN = 3
_MOST_REMEMBERED = 1000
_MOST_OFFSETS = 1_000_000
"""Of one damaged batch. Behind the end of the topic there would be nothing to go on with."""
_BYTES_OF_A_RECORD, _BYTES_OF_A_HEADER = 200, 150
"""What Python needs besides the bytes themselves: a flood of empty records is bounded as well."""
_DECOMPRESSED_FOR_ONE = 16
"""A poll decompresses so many bytes for one that it may give: bombs in a row would take the time of its session."""
_ABORT_MARKER = b"\x00\x00\x00\x00"

_again: OrderedDict[tuple[TopicPartition, int], int] = OrderedDict()
"""How often a damaged batch was fetched again: the damage may have been done on the way."""
_empty: dict[TopicPartition, tuple[int, int]] = {}
"""By partition, the latest offsets that gave no record: control records, aborted transactions, compacted records."""


def empty_until(place: TopicPartition, offset: int) -> int:
    """Up to where nothing stands from an offset on, as far as was fetched; the offset itself where something may.

    A consumer's position alone does not tell that: it also moves over records that were given and then lost.
    """
    first, end = _empty.get(place, (offset, offset))
    return end if first <= offset < end else offset


def _note_empty(place: TopicPartition, first: int, end: int) -> None:
    if first < end:
        begun, until = _empty.get(place, (first, first))
        _empty[place] = (begun if until == first else first, end)


class FetchedSet:
    """What was fetched of a partition, before it is unpacked; never refused, since the caller could not report it."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def has_next(self) -> bool:
        return bool(self._data)

    def size_in_bytes(self) -> int:
        return len(self._data)

    def batches(self) -> Iterator[Batch]:
        return split(self._data)


class FetchedRecords:
    """The records of a fetched set from an offset on; `next_fetch_offset` is where to fetch after the last given."""

    def __init__(
        self,
        tp: TopicPartition,
        records: FetchedSet,
        aborted_transactions: Sequence[tuple[int, int]] | None,
        fetch_offset: int,
        key_deserializer: Any,
        value_deserializer: Any,
        check_crcs: bool,
        isolation_level: int,
    ) -> None:
        self.next_fetch_offset = fetch_offset
        self._place = tp
        self._set = records
        self._aborted = _Aborted(aborted_transactions if isolation_level == READ_COMMITTED else None)
        self._left = POLL_BYTES
        self._records = self._unpack()

    def __iter__(self) -> "FetchedRecords":
        self._left = POLL_BYTES  # each poll begins here
        return self

    def __next__(self) -> ConsumerRecord:
        if self._left <= 0:
            self._records.close()
        record = next(self._records)
        self._left -= _weight(record)
        return record

    def _unpack(self) -> Generator[ConsumerRecord, None, None]:
        batches, begun = self._set.batches(), self.next_fetch_offset
        batch = next(batches, None)
        while batch is not None:
            following = next(batches, None)
            if (fault := batch.fault()) is not None:
                if _is_to_be_fetched_again(self._place, self.next_fetch_offset):
                    return
                yield self._given(self._undecodable(batch, following, fault))
            elif batch.last_offset >= self.next_fetch_offset:
                _again.pop((self._place, self.next_fetch_offset), None)
                if not (self._aborted.covers(batch, self._place) or batch.is_control):
                    for record in unpack(batch, self._place, self.next_fetch_offset, self._spend):
                        if record.offset >= self.next_fetch_offset:
                            yield self._given(record)
                # Compaction leaves the last offset of a batch, also where it takes the record.
                _note_empty(self._place, self.next_fetch_offset, batch.last_offset + 1)
                self.next_fetch_offset = batch.last_offset + 1
            elif not (following or self.next_fetch_offset > begun or _is_to_be_fetched_again(self._place, begun)):
                reason = "the batch ends before the offset that was asked for"
                yield self._given(undecodable_range(batch, self._place, begun, begun, reason))
            batch = following

    def _spend(self, decompressed: int) -> None:
        self._left -= decompressed // _DECOMPRESSED_FOR_ONE

    def _given(self, record: ConsumerRecord) -> ConsumerRecord:
        self.next_fetch_offset = next_offset(record)
        return record

    def _undecodable(self, batch: Batch, following: Batch | None, fault: str) -> UndecodableRecord:
        """Up to the next batch that is whole; else as far as it says itself, unless that is absurd."""
        first = self.next_fetch_offset
        last = batch.claimed_last_offset()
        if following is not None and following.fault() is None:
            last = following.base_offset - 1
        if not first <= last <= first + _MOST_OFFSETS:
            last = first
        return undecodable_range(batch, self._place, first, last, fault)


class _Aborted:
    """Which producers' records are of an aborted transaction, from batch to batch."""

    def __init__(self, transactions: Sequence[tuple[int, int]] | None) -> None:
        self._begun = sorted(transactions or (), key=lambda transaction: transaction[1], reverse=True)
        self._producers: set[int] = set()

    def covers(self, batch: Batch, place: TopicPartition) -> bool:
        while self._begun and self._begun[-1][1] <= batch.base_offset:
            self._producers.add(self._begun.pop()[0])
        if batch.is_control and self._producers:
            marker = next(unpack(batch, place), None)
            if marker is not None and marker.key == _ABORT_MARKER:
                self._producers.discard(batch.producer_id)
        return batch.is_transactional and batch.producer_id in self._producers


def next_offset(record: ConsumerRecord) -> int:
    """Where to go on after a record, or after a range of which only the offsets are known."""
    return (record.last_offset if isinstance(record, UndecodableRecord) else record.offset) + 1


def _weight(record: ConsumerRecord) -> int:
    size = len(record.key or b"") + len(record.value or b"")
    size += sum([len(name) + len(value or b"") for name, value in record.headers])
    if isinstance(record, UndecodableRecord):
        size += len(record.excerpt)
    return _BYTES_OF_A_RECORD + size + _BYTES_OF_A_HEADER * len(record.headers)


def _is_to_be_fetched_again(place: TopicPartition, offset: int) -> bool:
    count = _again.pop((place, offset), 0)
    if count >= _FETCHED_AGAIN:
        return False
    _again[place, offset] = count + 1
    while len(_again) > _MOST_REMEMBERED:
        _again.popitem(last=False)
    return True


put_in_place(FetchedSet, FetchedRecords)
