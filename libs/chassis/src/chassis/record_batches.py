"""Decodes Kafka's record batches (format 2) record by record; an undecodable record is an entry of its own.

Invariants: every offset of a batch is returned once, as a record or within an `UndecodableRecord`; no input raises an
exception; no batch takes more memory than `MOST_BATCH_BYTES`, whatever it decompresses to.

The format is described with Kafka's protocol: a header of 61 bytes, then the records, compressed as a whole.
"""

import hashlib
import struct
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field

from aiokafka import ConsumerRecord, TopicPartition

from chassis.decompression import CannotDecompress, decompress
from chassis.kafka_internals import DefaultRecordBatch, crc32c

MOST_BATCH_BYTES = 16 * 1024 * 1024
"""Of a decompressed batch as much is read; several partitions may have one in hand, in a container of 512 MiB."""
MOST_RECORD_BYTES = 2 * 1024 * 1024
"""Of one record with key, value and headers. Services publish half of this at the most."""
MOST_HEADERS = 200
_MOST_FAULTS = 1000
MOST_RECORDS = 20_000
"""Of one batch that is too large for the compiled reader: a flood of empty records must not take a poll for itself."""
EXCERPT_BYTES = 4096

_HEADER = struct.Struct(">qiibIhiqqqhii")
_LOG_OVERHEAD = 12
_CRC_COVERS_FROM = 21
_ATTRIBUTES_AT = 21
_MAGIC = 2
_FAST_BYTES = 512 * 1024
_NO_TIMESTAMP = -1
_LONGEST_VARINT = 10


@dataclass
class UndecodableRecord(ConsumerRecord):
    """A record that could not be decoded, or a range of offsets of which not even the records are known.

    Key and headers are given as far as they were found. `value` is None: what was found of it is the excerpt.
    """

    reason: str = ""
    excerpt: bytes = b""
    """The beginning of the value if that was found; else of the record, else of the batch as Kafka keeps it."""
    excerpt_of_bytes: int = 0
    """How large that is as a whole of which `excerpt` is the beginning."""
    sha256: str | None = None
    """Of the whole; None of a value that was not decompressed to its end."""
    last_offset: int = -1


class _Damaged(ValueError):
    """The bytes are no record."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch as it was fetched. `is_whole` is False when the data ends within it."""

    data: memoryview
    is_whole: bool
    base_offset: int
    magic: int
    fields: tuple[int, ...] = field(default=())
    """The header as the format lists it, when the magic byte is the one that is read."""

    @property
    def attributes(self) -> int:
        return self.fields[5]

    @property
    def last_offset(self) -> int:
        return self.base_offset + self.fields[6]

    @property
    def producer_id(self) -> int:
        return self.fields[9]

    @property
    def is_transactional(self) -> bool:
        return bool(self.attributes & 0x10)

    @property
    def is_control(self) -> bool:
        return bool(self.attributes & 0x20)

    @property
    def is_dense(self) -> bool:
        """Whether there is a record for each offset: compaction leaves gaps, and only the broker compacts."""
        return self.fields[12] == self.fields[6] + 1

    def fault(self) -> str | None:
        """Why nothing in it can be trusted, its length and offsets included; None when it is as it was written."""
        if not self.is_whole:
            return "the batch is longer than what was fetched"
        if self.magic != _MAGIC:
            return f"the batch has format {self.magic}; {_MAGIC} is read"
        if not self.fields:
            return "the batch is too short for its header"
        if crc32c(bytes(self.data[_CRC_COVERS_FROM:])) != self.fields[4]:
            return "the checksum of the batch does not fit"
        if self.fields[6] < 0:
            return "the batch ends before it begins"
        return None

    def claimed_last_offset(self) -> int:
        """Where a damaged batch probably ends: as its header states, if that is consistent, or after one offset."""
        return self.last_offset if self.fields and self.is_dense and self.fields[6] >= 0 else self.base_offset


def split(data: bytes) -> Iterator[Batch]:
    """The batches of a fetched set; an incomplete one at its end is given only where nothing stands before it."""
    view, place = memoryview(data), 0
    while place < len(data):
        batch = _batch(view[place:])
        if not batch.is_whole and place:
            return
        yield batch
        if not batch.is_whole:
            return
        place += len(batch.data)


def _batch(rest: memoryview) -> Batch:
    if len(rest) <= 16:
        return Batch(rest, False, -1, _MAGIC)
    base_offset, length = struct.unpack_from(">qi", rest)
    size = _LOG_OVERHEAD + length
    if length <= 4 or size > len(rest):
        return Batch(rest, False, base_offset, rest[16])
    data = rest[:size]
    has_header = data[16] == _MAGIC and size >= _HEADER.size
    return Batch(data, True, base_offset, data[16], _HEADER.unpack_from(data) if has_header else ())


def undecodable_range(
    batch: Batch, place: TopicPartition, first: int, last: int, reason: str, headers: tuple[tuple[str, bytes], ...] = ()
) -> UndecodableRecord:
    """Offsets of a batch of which nothing is known but the batch itself."""
    return UndecodableRecord(
        *(place.topic, place.partition, first, _NO_TIMESTAMP, 0, None, None, None, -1, -1, headers),
        reason=reason,
        excerpt=bytes(batch.data[:EXCERPT_BYTES]),
        excerpt_of_bytes=len(batch.data),
        sha256=hashlib.sha256(batch.data).hexdigest(),
        last_offset=last,
    )


def unpack(
    batch: Batch, place: TopicPartition, start: int = 0, spend: Callable[[int], None] = lambda size: None
) -> Iterator[ConsumerRecord]:
    """The records of a batch without a fault, in order; never raises.

    Those before the offset `start` may be left out. `spend` is called with the number of decompressed bytes.
    """
    try:
        body, is_cut = decompress(batch.attributes & 7, batch.data[_HEADER.size :], MOST_BATCH_BYTES)
    except CannotDecompress as error:
        yield undecodable_range(batch, place, batch.base_offset, batch.last_offset, str(error))
        return
    spend(len(body))
    given, is_done = batch.base_offset - 1, False
    if len(body) <= _FAST_BYTES and not is_cut:
        fast = _fast(batch, body, place)
        while not is_done:
            try:
                record = next(fast)
            except StopIteration as end:
                is_done = bool(end.value)
                break
            given = record.offset
            yield record
    if not is_done:
        yield from _Slow(batch, body, is_cut, place, max(given, start - 1)).records()


def _fast(batch: Batch, body: bytes, place: TopicPartition) -> Generator[ConsumerRecord, None, bool]:
    """By aiokafka's compiled reader, up to the first record that is not as it should be; whether there is none."""
    plain = bytearray(batch.data[: _HEADER.size])
    struct.pack_into(">h", plain, _ATTRIBUTES_AT, batch.attributes & ~7)
    expected, last, is_dense = batch.base_offset, batch.last_offset, batch.is_dense
    try:
        for record in DefaultRecordBatch(memoryview(bytes(plain) + body)):
            offset, headers = record.offset, record.headers
            is_in_place = offset == expected if is_dense else expected <= offset <= last
            if not is_in_place or len(headers) > MOST_HEADERS:
                return False
            expected = offset + 1
            yield _consumer_record(
                place, offset, record.timestamp, record.timestamp_type, record.key, record.value, headers
            )
    except Exception:
        # The reader below meets the fault again and knows its record.
        return False
    return True


def _consumer_record(
    place: TopicPartition,
    offset: int,
    timestamp: int,
    kind: int,
    key: bytes | None,
    value: bytes | None,
    headers: list[tuple[str, bytes | None]],
) -> ConsumerRecord:
    sizes = -1 if key is None else len(key), -1 if value is None else len(value)
    return ConsumerRecord(
        place.topic, place.partition, offset, timestamp, kind, key, value, None, *sizes, tuple(headers)
    )


@dataclass(slots=True)
class _Fields:
    """What was found of a record before its bytes ended or turned out to be wrong."""

    offset: int | None = None
    timestamp: int = _NO_TIMESTAMP
    key: bytes | None = None
    value_at: int | None = None
    value_bytes: int = -1
    headers: list[tuple[str, bytes | None]] = field(default_factory=list)


class _Slow:
    """Reads what the compiled reader refuses, with a reason for each record that is not as it should be."""

    def __init__(self, batch: Batch, body: bytes, is_cut: bool, place: TopicPartition, given: int) -> None:
        self._batch = batch
        self._body = body
        self._is_cut = is_cut
        self._place = place
        self._given = given
        """The last offset that was given out by the compiled reader, or in an earlier poll."""
        self._seen = batch.base_offset - 1
        self._index = 0
        self._kind = int(bool(batch.attributes & 8))

    def records(self) -> Iterator[ConsumerRecord]:
        at, faults, reason = 0, 0, ""
        while not reason and self._index < self._batch.fields[12]:
            length, begin, reason = self._frame(at)
            if faults == _MOST_FAULTS:
                reason = f"{_MOST_FAULTS} records of the batch cannot be decoded"
            if self._index == MOST_RECORDS:
                reason = f"the batch has more than {MOST_RECORDS} records and {_FAST_BYTES} bytes"
            if not reason and self._is_given():
                at, self._index = begin + length, self._index + 1
                continue
            if not reason or (self._is_cut and length > MOST_RECORD_BYTES):
                record = self._too_large(begin, length) if length > MOST_RECORD_BYTES else self._one(begin, length)
                faults += isinstance(record, UndecodableRecord)
                yield from self._given_once(record)
                at, self._index = begin + length, self._index + 1
        if not reason and at != len(self._body):
            reason = "the batch has more records than its header states"
        yield from self._rest(reason)

    def _is_given(self) -> bool:
        return self._batch.is_dense and self._batch.base_offset + self._index <= self._given

    def _frame(self, at: int) -> tuple[int, int, str]:
        """Length of the record that begins here, where its fields begin, and why it is none."""
        if at >= len(self._body):
            return 0, at, "the batch has fewer records than its header states"
        try:
            length, begin = _varint(self._body, at)
        except (IndexError, _Damaged):
            return 0, at, "a record of the batch has no length"
        is_within = 0 <= length <= len(self._body) - begin
        return length, begin, "" if is_within else "a record of the batch is longer than the batch"

    def _given_once(self, record: ConsumerRecord) -> Iterator[ConsumerRecord]:
        """An offset that the compiled reader has given is not given again, nor is any given twice."""
        if record.offset > max(self._given, self._seen):
            yield record
        self._seen = max(self._seen, record.offset)

    def _rest(self, reason: str) -> Iterator[ConsumerRecord]:
        """The offsets behind the last record that was found; where nothing is wrong they were compacted away."""
        first = max(self._seen, self._given) + 1
        if self._is_cut:
            reason = f"the batch decompresses to more than {MOST_BATCH_BYTES} bytes"
        if reason and first <= self._batch.last_offset:
            yield undecodable_range(self._batch, self._place, first, self._batch.last_offset, reason)

    def _one(self, begin: int, length: int) -> ConsumerRecord:
        frame = self._body[begin : begin + length]
        found = _Fields()
        try:
            at = self._read_front(frame, found)
            value, at = _bytes(frame, at)
            _read_headers(frame, at, found)
            offset = self._checked(found.offset)
        except (IndexError, _Damaged) as error:
            reason = str(error) if isinstance(error, _Damaged) else "the record ends too early"
            return self._undecodable(found, reason, frame, length, hashlib.sha256(frame).hexdigest())
        return _consumer_record(self._place, offset, found.timestamp, self._kind, found.key, value, found.headers)

    def _too_large(self, begin: int, length: int) -> UndecodableRecord:
        """The facts of a record without its value: its key, its headers, the size of the value."""
        frame = memoryview(self._body)[begin : begin + length]
        found, digest, reason = _Fields(), None, f"the record has {length} bytes; {MOST_RECORD_BYTES} are read"
        try:
            at = self._read_front(frame, found)
            found.value_bytes, found.value_at = _varint(frame, at)
            end = found.value_at + max(found.value_bytes, 0)
            if end <= len(frame):
                digest = hashlib.sha256(frame[found.value_at : end]).hexdigest()
                if length - end <= MOST_RECORD_BYTES:
                    _read_headers(bytes(frame[end:]), 0, found)
        except (IndexError, _Damaged) as error:
            found.headers.clear()
            reason = f"{reason}; {error}"
        if found.value_at is None:
            return self._undecodable(found, reason, frame, length, None)
        return self._undecodable(found, reason, frame[found.value_at :], found.value_bytes, digest)

    def _read_front(self, frame: bytes | memoryview, found: _Fields) -> int:
        """Reads up to the key; returns where the value begins."""
        fields = self._batch.fields
        timestamp, at = _varint(frame, 1)  # the first byte are attributes, and none is in use
        found.timestamp = fields[8] if self._kind else fields[7] + timestamp
        delta, at = _varint(frame, at)
        found.offset = self._batch.base_offset + delta
        found.key, at = _bytes(frame, at)
        return at

    def _is_in_place(self, offset: int | None) -> bool:
        if self._batch.is_dense:
            return offset == self._batch.base_offset + self._index
        return offset is not None and self._seen < offset <= self._batch.last_offset

    def _checked(self, offset: int | None) -> int:
        if offset is None or not self._is_in_place(offset):
            raise _Damaged(f"the record has offset {offset}, which is not its place in the batch")
        return offset

    def _undecodable(
        self, found: _Fields, reason: str, data: bytes | memoryview, size: int, sha256: str | None
    ) -> UndecodableRecord:
        offset = found.offset
        if offset is None or not self._is_in_place(offset):
            by_place = self._batch.base_offset + self._index if self._batch.is_dense else self._seen + 1
            offset = min(by_place, self._batch.last_offset)
        key_size = -1 if found.key is None else len(found.key)
        return UndecodableRecord(
            *(self._place.topic, self._place.partition, offset, found.timestamp, self._kind, found.key),
            *(None, None, key_size, size, tuple(found.headers[:MOST_HEADERS])),
            reason=reason,
            excerpt=bytes(data[:EXCERPT_BYTES]),
            excerpt_of_bytes=size,
            sha256=sha256,
            last_offset=offset,
        )


def _varint(data: bytes | memoryview, at: int) -> tuple[int, int]:
    """A zigzag varint of at most 64 bits and where it ends; raises `IndexError` or `_Damaged`."""
    raw = 0
    for count in range(_LONGEST_VARINT):
        byte = data[at + count]
        raw |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            raw &= 0xFFFF_FFFF_FFFF_FFFF
            return (raw >> 1) ^ -(raw & 1), at + count + 1
    raise _Damaged("a number has more than 64 bits")


def _bytes(data: bytes | memoryview, at: int) -> tuple[bytes | None, int]:
    """Bytes with their length before them, None where that is negative; raises `IndexError` or `_Damaged`."""
    length, at = _varint(data, at)
    if length < 0:
        return None, at
    if length > min(len(data) - at, MOST_RECORD_BYTES):
        raise _Damaged(f"a part of {length} bytes is longer than the record")
    return bytes(data[at : at + length]), at + length


def _read_headers(frame: bytes, at: int, found: _Fields) -> None:
    count, at = _varint(frame, at)
    if not 0 <= count <= MOST_HEADERS:
        raise _Damaged(f"the record has {count} headers; {MOST_HEADERS} are read")
    for _ in range(count):
        name, at = _bytes(frame, at)
        if name is None:
            raise _Damaged("a header has no name")
        value, at = _bytes(frame, at)
        # The bytes of a name that is not UTF-8 are kept; the decoder of the message refuses it.
        found.headers.append((name.decode("utf-8", "surrogateescape"), value))
    if at != len(frame):
        raise _Damaged("the record is longer than its parts")
