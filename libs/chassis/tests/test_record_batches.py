"""Whatever a batch is made of, each of its offsets is given once; nothing raises, hangs or takes memory unbounded."""

import gzip
import hashlib
import random
import struct
import tracemalloc
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, READ_UNCOMMITTED
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis import fetching, record_batches
from chassis.decompression import CannotDecompress, decompress
from chassis.fetching import FetchedRecords, FetchedSet, empty_until, next_offset
from chassis.record_batches import EXCERPT_BYTES, MOST_BATCH_BYTES, MOST_RECORD_BYTES, MOST_RECORDS, UndecodableRecord

from .batches import CODECS, COMPRESS, batch, record, varint

PLACE = TopicPartition("t", 0)
THREE = [record(number, b"k%d" % number, b"v%d" % number, [(b"h", b"x"), (b"n", None)]) for number in range(3)]


def fetched(data: bytes, offset: int = 0, *, aborted: Any = None, level: int = READ_UNCOMMITTED) -> FetchedRecords:
    return FetchedRecords(PLACE, FetchedSet(data), aborted, offset, None, None, True, level)


def served(data: bytes, offset: int) -> bytes:
    """What a broker would give from an offset on: batches that end before it are behind."""
    while len(data) > 27:
        base, length = struct.unpack_from(">qi", data)
        (last,) = struct.unpack_from(">i", data, 23)
        if base + last >= offset:
            break
        data = data[12 + length :]
    return data


def read(data: bytes, offset: int = 0, **more: Any) -> list[ConsumerRecord]:
    """Everything that polls give of the data until nothing is left of it."""
    found: list[ConsumerRecord] = []
    while rest := served(data, offset):
        poll = fetched(rest, offset, **more)
        found += poll
        offset = poll.next_fetch_offset
    return found


def shape(records: Sequence[ConsumerRecord]) -> list[tuple[int, int, bytes | None, str]]:
    """First and last offset, key, and what is wrong."""
    return [(one.offset, next_offset(one) - 1, one.key, getattr(one, "reason", "")) for one in records]


@pytest.fixture(autouse=True)
def _nothing_fetched_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process remembers of a partition belongs to one test, which all read the same one."""
    monkeypatch.setattr(fetching, "_again", type(fetching._again)())
    monkeypatch.setattr(fetching, "_empty", {})


@pytest.fixture(params=CODECS.values(), ids=CODECS)
def codec(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture(params=[True, False], ids=["compiled", "own"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not request.param:
        monkeypatch.setattr(record_batches, "_FAST_BYTES", -1)


def test_records_are_given_as_they_were_written(codec: int, reader: None) -> None:
    first, _, third = read(batch(THREE, base=7, codec=codec, first_time=1000), 7)
    assert (first.topic, first.partition, first.offset, first.key, first.value) == ("t", 0, 7, b"k0", b"v0")
    assert (first.timestamp, first.timestamp_type, first.headers) == (1000, 0, (("h", b"x"), ("n", None)))
    assert (third.offset, third.serialized_key_size, third.serialized_value_size) == (9, 2, 2)


def test_reading_goes_on_within_a_batch_and_after_one_that_compaction_has_emptied(codec: int, reader: None) -> None:
    compacted = batch([record(1, b"a"), record(4, b"b")], base=10, codec=codec, last=6)
    data = compacted + batch([], base=17, last=2) + batch(THREE, base=20)
    assert [one.offset for one in read(data, 12)] == [14, 20, 21, 22]
    poll = fetched(batch([], base=17, last=2), 17)
    assert (list(poll), poll.next_fetch_offset) == ([], 20)


def test_null_keys_values_and_absurd_times_are_only_data(reader: None) -> None:
    odd = [record(0, None, None, time=-(2**62)), record(1, b"", b"", time=2**62)]
    first, second = read(batch(odd, first_time=-1))
    assert (first.key, first.value, first.serialized_value_size, first.timestamp) == (None, None, -1, -(2**62) - 1)
    assert (second.key, second.value, second.timestamp) == (b"", b"", 2**62 - 1)
    (appended,) = read(batch(THREE[:1], attributes=8, first_time=5, max_time=9))
    assert (appended.timestamp, appended.timestamp_type) == (9, 1)


def test_a_header_name_that_is_not_utf8_keeps_its_bytes_and_the_others_flow(codec: int, reader: None) -> None:
    spoilt = record(1, b"bad", b"v", [(b"\xff\xfe", b"x"), (b"ce_id", b"1")])
    good, bad, after = read(batch([THREE[0], spoilt, THREE[2]], codec=codec))
    assert (good.key, bad.key, bad.value, after.key) == (b"k0", b"bad", b"v", b"k2")
    assert bad.headers[0][0].encode("utf-8", "surrogateescape") == b"\xff\xfe"
    assert bad.headers[1] == ("ce_id", b"1")


def frame(*parts: bytes) -> bytes:
    whole = b"".join(parts)
    return varint(len(whole)) + whole


BROKEN = {
    "a key longer than the record": frame(b"\0\0", varint(1), varint(2**40), b"k"),
    "a value longer than the record": frame(b"\0\0", varint(1), varint(1), b"k", varint(2**62), b"v"),
    "a length that overflows": frame(b"\0\0", varint(1), varint(2**63 - 60), b"k", varint(2**63 - 70), b"v"),
    "a number without an end": frame(b"\0\0", varint(1), b"\xff" * 20),
    "more headers than bytes": frame(b"\0\0", varint(1), varint(1), b"k", varint(1), b"v", varint(2**31)),
    "a negative number of headers": frame(b"\0\0", varint(1), varint(1), b"k", varint(1), b"v", varint(-5)),
    "a header without a name": frame(b"\0\0", varint(1), varint(1), b"k", varint(1), b"v", varint(1), varint(-1)),
    "more than its parts": frame(b"\0\0", varint(1), varint(1), b"k", varint(1), b"v", varint(0), b"more"),
    "nothing in it": varint(0),
    "the place of another": record(2, b"k"),
    "a place outside of the batch": record(2**40, b"k"),
    "too many headers": record(1, b"k", b"v", [(b"h", b"")] * 500),
}


@pytest.mark.parametrize("name", BROKEN)
def test_one_broken_record_is_given_as_such_between_the_good_ones(codec: int, reader: None, name: str) -> None:
    before, broken, after = read(batch([THREE[0], BROKEN[name], THREE[2]], codec=codec))
    assert (before.key, broken.offset, after.key, after.offset) == (b"k0", 1, b"k2", 2)
    assert isinstance(broken, UndecodableRecord)
    assert broken.value is None
    assert broken.reason
    assert broken.last_offset == 1
    assert BROKEN[name].endswith(broken.excerpt) or broken.excerpt_of_bytes > EXCERPT_BYTES
    assert broken.key in (None, b"k")


RANGES = {
    "a length that is negative": ([THREE[0], varint(-3), THREE[2]], {}, [(0, 0), (1, 2)]),
    "a length past the end": ([THREE[0], varint(999) + b"x"], {"last": 2, "count": 3}, [(0, 0), (1, 2)]),
    "fewer records than its header states": (THREE, {"count": 9, "last": 8}, [(0, 0), (1, 1), (2, 2), (3, 8)]),
    "more records than it says": (THREE, {"count": 1, "last": 2}, [(0, 0), (1, 2)]),
    "a negative number of records": (THREE, {"count": -1, "last": 2}, [(0, 2)]),
    "an unknown codec": (THREE, {"attributes": 6}, [(0, 2)]),
    "codec seven": (THREE, {"attributes": 7}, [(0, 2)]),
    "no gzip": (THREE, {"attributes": 1}, [(0, 2)]),
    "no zstd": (THREE, {"attributes": 4}, [(0, 2)]),
    "no lz4": (THREE, {"attributes": 3}, [(0, 2)]),
    "no snappy": (THREE, {"attributes": 2}, [(0, 2)]),
    "the wrong checksum": (THREE, {"crc": 1}, [(0, 2)]),
}


@pytest.mark.parametrize("name", RANGES)
def test_offsets_whose_records_are_not_known_are_given_as_one_range(reader: None, name: str) -> None:
    records, wrong, expected = RANGES[name]
    data = batch(records, base=5, **wrong)
    found = read(data + batch(THREE[:1], base=5 + expected[-1][1] + 1), 5)
    places = [(first - 5, last - 5) for first, last, _, _ in shape(found)]
    assert places == [*expected, (expected[-1][1] + 1,) * 2]
    damaged = found[-2]
    assert isinstance(damaged, UndecodableRecord)
    assert damaged.reason
    assert (damaged.excerpt, damaged.excerpt_of_bytes) == (data[:EXCERPT_BYTES], len(data))
    assert damaged.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("cut", [1, 10, 40])
def test_truncated_compressed_data_takes_only_its_own_batch(cut: int) -> None:
    for codec in (1, 2, 3, 4):
        body = COMPRESS[codec](b"".join(THREE))[:-cut]
        (damaged, after) = read(batch(THREE, codec=codec, body=body) + batch(THREE[:1], base=3))
        assert (damaged.offset, damaged.last_offset, after.offset) == (0, 2, 3)
        assert "is damaged" in damaged.reason


@pytest.mark.parametrize("magic", [0, 1, 3, 127])
def test_a_format_of_yesterday_or_tomorrow_is_passed_by_up_to_the_next_batch(magic: int) -> None:
    damaged, after, *_ = read(batch(THREE, magic=magic) + batch(THREE, base=3))
    assert (damaged.offset, damaged.last_offset, after.offset) == (0, 2, 3)
    assert f"format {magic}" in damaged.reason


@pytest.mark.parametrize(
    "data",
    [b"\0" * 5, b"\0" * 12, b"\0" * 17, b"\0" * 100, batch(THREE)[:30], struct.pack(">qi", 0, -5) + b"\2" * 90],
    ids=["5 zeros", "12 zeros", "17 zeros", "100 zeros", "half a header", "a negative length"],
)
def test_what_is_no_batch_moves_on_by_one_offset(data: bytes) -> None:
    for _ in range(3):
        poll = fetched(data, 8)
        assert (list(poll), poll.next_fetch_offset) == ([], 8)
    (damaged,) = poll = list(last := fetched(data, 8))
    assert (damaged.offset, last.next_fetch_offset) == (8, 9)


def test_a_damaged_batch_does_not_send_the_position_far_away() -> None:
    far = bytearray(batch(THREE, base=2**60, crc=1))
    absurd = batch(THREE, base=8, crc=1, count=2**31 - 1, last=2**31 - 2)
    for data in (bytes(far), absurd):
        polls = [fetched(data, 8) for _ in range(4)]
        assert [list(poll) for poll in polls[:3]] == [[], [], []]
        assert [(one.offset, one.last_offset) for one in polls[3]] == [(8, 8)]
    followed = [list(fetched(bytes(far) + batch(THREE, base=11), 8)) for _ in range(4)][3]
    assert [(one.offset, next_offset(one) - 1) for one in followed] == [(8, 10), (11, 11), (12, 12), (13, 13)]


def test_damage_that_was_done_on_the_way_is_fetched_again() -> None:
    spoilt = bytearray(batch(THREE, base=40))
    spoilt[-1] ^= 1
    poll = fetched(bytes(spoilt), 40)
    assert (list(poll), poll.next_fetch_offset) == ([], 40)
    assert [one.key for one in fetched(batch(THREE, base=40), 40)] == [b"k0", b"k1", b"k2"]


def test_an_incomplete_batch_behind_others_waits_for_the_next_fetch() -> None:
    poll = fetched(batch(THREE) + batch(THREE, base=3)[:50])
    assert ([one.offset for one in poll], poll.next_fetch_offset) == ([0, 1, 2], 3)


def control(base: int, producer: int, kind: int) -> bytes:
    marker = record(0, struct.pack(">hh", 0, kind), b"\0" * 6)
    return batch([marker], base=base, attributes=0x30, producer=(producer, 0, -1))


def test_offsets_without_a_record_are_known_and_those_of_records_are_not() -> None:
    list(fetched(batch(THREE) + control(3, 1, 0) + control(4, 1, 0)))
    assert [empty_until(PLACE, offset) for offset in range(6)] == [0, 1, 2, 5, 5, 5]
    # A consumer that has lost the records of this batch may not take them for applied.
    list(fetched(batch(THREE, base=5), 5))
    assert [empty_until(PLACE, offset) for offset in (3, 5, 7, 8)] == [5, 5, 7, 8]


def test_control_batches_give_nothing_and_what_was_aborted_is_not_given_to_who_asks_for_that() -> None:
    def of(producer: int, base: int) -> bytes:
        return batch([record(0, b"p%d" % producer)], base=base, attributes=0x10, producer=(producer, 0, 0))

    data = of(1, 0) + of(2, 1) + control(2, 1, 0) + of(1, 3) + control(4, 2, 1) + control(5, 1, 1)
    everything = fetched(data)
    assert ([one.offset for one in everything], everything.next_fetch_offset) == ([0, 1, 3], 6)
    committed = fetched(data, aborted=[(1, 0)], level=READ_COMMITTED)
    assert ([one.offset for one in committed], committed.next_fetch_offset) == ([1, 3], 6)


def bomb(codec: int, size: int) -> bytes:
    before, after = record(0, b"good", b"v"), record(2, b"last", b"v")
    return batch([before, record(1, b"bomb", bytes(size), [(b"ce_id", b"7")]), after], codec=codec)


@pytest.mark.parametrize("codec", [1, 3, 4])
def test_a_record_of_300_mb_is_an_excerpt_and_takes_no_memory(codec: int) -> None:
    size = 300_000_000 if codec != 3 else 150_000_000
    data = bomb(codec, size)
    tracemalloc.start()
    found = read(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * MOST_BATCH_BYTES
    good, huge, rest = found
    assert (good.key, huge.key, huge.offset, huge.value) == (b"good", b"bomb", 1, None)
    assert (huge.excerpt, huge.excerpt_of_bytes, huge.sha256) == (bytes(EXCERPT_BYTES), size, None)
    assert (rest.offset, rest.last_offset) == (2, 2)
    assert "decompresses to more than" in rest.reason


@pytest.mark.parametrize("codec", [0, 1, 2, 3, 4])
def test_a_record_above_its_bound_keeps_key_headers_size_and_hash(codec: int) -> None:
    size = MOST_RECORD_BYTES + 1
    good, large, last = read(bomb(codec, size))
    assert (good.key, large.key, last.key) == (b"good", b"bomb", b"last")
    assert (large.excerpt_of_bytes, large.sha256) == (size, hashlib.sha256(bytes(size)).hexdigest())
    assert large.headers == (("ce_id", b"7"),)
    assert f"{MOST_RECORD_BYTES} are read" in large.reason


def test_snappy_cannot_hide_how_much_it_is() -> None:
    (damaged,) = read(batch([record(0, b"k", bytes(20_000_000))], codec=2))
    assert (damaged.key, damaged.offset, damaged.excerpt_of_bytes) == (b"k", 0, 20_000_000)


def test_one_poll_gives_a_bounded_number_of_bytes_and_the_next_goes_on() -> None:
    value = random.Random(1).randbytes(1_000_000)
    data = batch([record(number, b"k", value) for number in range(12)])
    first = fetched(data)
    assert 4 <= len(list(first)) <= 6
    assert [one.offset for one in read(data)] == list(range(12))
    headers = [(b"h", value[:10_000])] * 100
    named = batch([record(number, b"k", b"v", headers) for number in range(12)])
    assert 4 <= len(list(fetched(named))) <= 6
    assert [one.offset for one in read(named)] == list(range(12))
    bombs = b"".join(batch([record(0, b"k", bytes(40_000_000))], base=number, codec=4) for number in range(12))
    assert len(list(fetched(bombs))) <= 5
    assert len(read(bombs)) == 12
    tiny = batch([record(number, None, None) for number in range(40_000)])
    assert len(list(fetched(tiny))) < 30_000


def test_a_flood_of_empty_records_in_one_batch_is_given_up_to_a_bound() -> None:
    found = read(batch([record(number, None, None) for number in range(60_000)], codec=1))
    assert len(found) == MOST_RECORDS + 1
    assert (found[-1].offset, found[-1].last_offset) == (MOST_RECORDS, 59_999)
    covers_once(found, 0, 59_999)


def test_a_flood_of_broken_records_is_one_entry_in_the_end() -> None:
    found = read(batch([varint(0)] * 50_000, codec=4))
    assert len(found) == 1001
    assert (found[-1].offset, found[-1].last_offset) == (1000, 49_999)


def covers_once(found: Sequence[ConsumerRecord], first: int, last: int) -> None:
    places = [(one.offset, next_offset(one) - 1) for one in found]
    assert places == sorted(places)
    assert [place for begin, end in places for place in range(begin, end + 1)] == list(range(first, last + 1))


BODIES = st.one_of(st.binary(max_size=400), st.lists(st.sampled_from([*THREE, *BROKEN.values()])).map(b"".join))


@settings(max_examples=300, deadline=None)
@given(body=BODIES, codec=st.integers(0, 7), count=st.integers(0, 40), is_raw=st.booleans())
def test_every_offset_of_a_batch_is_given_once_whatever_is_in_it(
    body: bytes, codec: int, count: int, is_raw: bool
) -> None:
    packed = body if is_raw or codec > 4 else COMPRESS[codec](body)
    found = read(batch([], codec=0, attributes=codec, body=packed, count=count, last=max(0, count - 1), base=3), 3)
    if count:
        covers_once(found, 3, 3 + count - 1)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid set of batches with some bytes changed, cut off or doubled, and its checksums mended or not."""
    data = bytearray(batch(THREE, codec=draw(st.integers(0, 4))) + batch(THREE, base=3, codec=draw(st.integers(0, 4))))
    for _ in range(draw(st.integers(1, 6))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    if draw(st.booleans()):
        del data[draw(st.integers(0, len(data) - 1)) :]
    return bytes(data)


@settings(max_examples=500, deadline=None)
@given(data=st.one_of(mutated(), st.binary(max_size=300)), offset=st.integers(0, 5))
def test_nothing_that_could_be_fetched_raises_and_the_position_moves_on(data: bytes, offset: int) -> None:
    at = offset
    for _ in range(4):
        poll = fetched(data, at)
        for one in poll:
            assert one.offset >= at
        assert poll.next_fetch_offset >= at
        at = poll.next_fetch_offset
    assert at > offset or not data


@settings(max_examples=500, deadline=None)
@given(data=st.binary(max_size=300), codec=st.integers(0, 9), cut=st.integers(0, 60), plain=st.binary(max_size=2000))
def test_decompressing_raises_only_what_it_says_and_never_gives_too_much(
    data: bytes, codec: int, cut: int, plain: bytes
) -> None:
    packed = COMPRESS[codec](plain)[: -cut or None] if codec in COMPRESS else data
    for given_data in (data, packed):
        try:
            found, is_cut = decompress(codec, memoryview(given_data), 1000)
        except CannotDecompress:
            continue
        assert len(found) <= 1000
        if given_data is packed and not cut and codec:
            assert is_cut == (len(plain) > 1000)
            assert plain.startswith(found)


def test_gzip_of_many_members_is_read_and_of_very_many_refused() -> None:
    two = gzip.compress(b"a") + gzip.compress(b"b")
    assert decompress(1, memoryview(two), 10) == (b"ab", False)
    with pytest.raises(CannotDecompress, match="members"):
        decompress(1, memoryview(gzip.compress(b"") * 1000), 10)
