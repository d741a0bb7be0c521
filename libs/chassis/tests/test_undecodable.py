"""What a client cannot decode stops nothing: on the real broker, by batches that were written by hand."""

import contextlib
from collections.abc import Sequence
from typing import Any

import psutil
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from chassis import parking
from chassis.kafka import create_missing_topics
from chassis.record_batches import EXCERPT_BYTES, MOST_RECORD_BYTES
from chassis.subscribe import Consumer, Subscription
from chassis.testing import eventually
from chassis.worker import Worker
from contracts.codec import encode
from contracts.message import Message
from contracts.topics import PARTNER_IN, topic_of_partner

from .batches import CODECS, Header, batch, headers_of, produce_raw, record, varint
from .conftest import Toy
from .test_consuming import committed_offsets, until_applied
from .toy import SUBSCRIPTIONS, TOPIC, effects_of, note, toy_settings

SIZE = 300_000_000
BOMB_CODECS = {"gzip": 1, "zstd": 4}


def packed(offset: int, message: Message, value: bytes | None = None, more: Sequence[Header] = ()) -> bytes:
    """A message as a record of a batch, with another value or more headers in front."""
    key, own, headers = encode(message)
    return record(offset, key, own if value is None else value, [*more, *headers_of(headers)])


async def send(toy: Toy, data: bytes) -> None:
    await produce_raw(toy.bootstrap_servers, toy.topic, data)


async def parked(toy: Toy) -> list[dict[str, Any]]:
    return await parking.parked_records(toy.db, topic=None, key=None)


def consumer_of(toy: Toy) -> Consumer:
    return Consumer(SUBSCRIPTIONS[0], service="toy", db=toy.db)


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
async def test_a_header_name_that_is_not_utf8_parks_its_key_and_the_partition_flows(toy: Toy, codec: int) -> None:
    """Before, aiokafka raised while it unpacked the batch, and nothing of the partition was applied again."""
    spoilt = packed(1, note("bad", 1), more=[(b"\xff\xfename", b"x")])
    await send(toy, batch([packed(0, note("good", 1)), spoilt, packed(2, note("good", 2))], codec=codec))
    await toy.send(note("good", 3), note("bad", 2))
    async with toy.worker().running():
        await until_applied(toy.db, {"good": [1, 2, 3]})
        (first, behind) = await eventually(lambda: parked(toy), until=lambda rows: len(rows) == 2)
        assert (first["key"], first["partition"], first["offset"]) == ("bad", 0, 1)
        assert "is not UTF-8" in first["reason"]
        assert behind["reason"] == parking.BEHIND
    with pytest.raises(parking.StillPoison, match="is not UTF-8"):
        await consumer_of(toy).release("bad", by="operator-1", at=note("bad", 1).recorded_at)
    await repair(toy, first["id"], note("bad", 1))
    assert await consumer_of(toy).release("bad", by="operator-1", at=note("bad", 1).recorded_at) == 2
    assert (await effects_of(toy.db))["bad"] == [1, 2]


async def repair(toy: Toy, parked_id: int, message: Message) -> None:
    _, value, headers = encode(message)
    texts = {name: text.decode() for name, text in headers}
    await parking.repair(
        toy.db, parked_id, value=value.decode(), headers=texts, by="operator-1", at=message.recorded_at
    )


ODD = {
    "no key, no value, no headers": record(0, None, None),
    "a key of nothing": record(0, b"", b"{}"),
    "an absurd time": record(0, b"odd", b"{}", time=-(2**62)),
    "300 headers": record(0, b"odd", b"{}", [(b"h", b"x")] * 300),
    "a megabyte of text": record(0, b"odd", b'"' + b"x" * 1_000_000 + b'"'),
}


@pytest.mark.parametrize("name", ODD)
async def test_an_odd_record_is_parked_alone(toy: Toy, name: str) -> None:
    with contextlib.suppress(KafkaError):  # what the broker refuses harms nobody
        await send(toy, batch([ODD[name]]))
    await toy.send(note("good", 1))
    async with toy.worker().running():
        await until_applied(toy.db, {"good": [1]})
    assert len(await parked(toy)) <= 1


LIES = {
    "an unknown codec": {"attributes": 6},
    "the wrong checksum": {"crc": 1},
    "a format of tomorrow": {"magic": 3},
    "more records than it has": {"count": 9},
    "a length that overflows": {"body": varint(2**62) + b"x"},
    "damaged zstd": {"attributes": 4, "body": b"\x28\xb5\x2f\xfd" + b"x" * 40},
    "a control batch": {"attributes": 0x20},
}


@pytest.mark.parametrize("name", LIES)
async def test_a_batch_with_false_counts_is_refused_by_the_broker_or_does_no_harm(toy: Toy, name: str) -> None:
    with contextlib.suppress(KafkaError):
        await send(toy, batch([packed(0, note("bad", 1))], **LIES[name]))
    await toy.send(note("good", 1))
    async with toy.worker().running():
        await until_applied(toy.db, {"good": [1]})


@pytest.mark.parametrize("codec", BOMB_CODECS.values(), ids=BOMB_CODECS)
async def test_a_bomb_is_parked_as_an_excerpt_and_repaired_with_a_whole_value(toy: Toy, codec: int) -> None:
    bomb = packed(1, note("bomb", 1), value=bytes(SIZE))
    await send(toy, batch([packed(0, note("good", 1)), bomb, packed(2, note("lost", 1))], codec=codec))
    await toy.send(note("bomb", 2), note("lost", 2))
    before = psutil.Process().memory_info().rss
    async with toy.worker().running():
        rows = await eventually(lambda: parked(toy), until=lambda rows: len(rows) == 4, seconds=30)
        assert psutil.Process().memory_info().rss - before < 200_000_000
    huge, rest, behind, gap = rows
    assert (huge["key"], huge["offset"], huge["value_bytes"], huge["is_excerpt"]) == ("bomb", 1, SIZE, True)
    assert (rest["key"], rest["offset"], rest["last_offset"]) == ("0:2", 2, None)
    assert "decompresses to more than" in rest["reason"]
    assert (behind["key"], gap["key"], gap["reason"]) == ("bomb", "lost", "a gap: 2 after 0")
    assert len((await parking.parked_record(toy.db, huge["id"]))["value"]) <= 4 * EXCERPT_BYTES
    consumer, now = consumer_of(toy), note("bomb", 1).recorded_at
    with pytest.raises(parking.ValueNotKept):
        await consumer.release("bomb", by="operator-1", at=now)
    for row, key in ((huge, "bomb"), (rest, "lost")):
        await repair(toy, row["id"], note(key, 1))
        await consumer.release(row["key"], by="operator-1", at=now)
    await consumer.release("lost", by="operator-1", at=now)
    assert await effects_of(toy.db) == {"good": [1], "bomb": [1, 2], "lost": [1, 2]}
    assert await parked(toy) == []


async def test_a_record_above_the_bound_stops_its_key_and_not_the_batch_it_came_in(toy: Toy) -> None:
    large = packed(1, note("large", 1), value=bytes(MOST_RECORD_BYTES + 1))
    await send(toy, batch([packed(0, note("good", 1)), large, packed(2, note("good", 2))], codec=4))
    async with toy.worker().running():
        await until_applied(toy.db, {"good": [1, 2]})
    (row,) = await parked(toy)
    assert (row["key"], row["value_bytes"]) == ("large", MOST_RECORD_BYTES + 1)
    assert len(row["value_sha256"]) == 64
    discarded = await parking.discard(toy.db, row["id"], by="operator-1", at=note("large", 1).recorded_at)
    assert discarded["state"] == "discarded"


async def test_a_worker_that_dies_at_a_bomb_parks_it_once_and_goes_on(toy: Toy) -> None:
    await toy.send(note("good", 1))
    async with toy.worker().running():
        await until_applied(toy.db, {"good": [1]})
    spoilt = packed(1, note("bad", 1), more=[(b"\xff", b"")])
    bomb = packed(2, note("bomb", 1), value=bytes(SIZE))
    await send(toy, batch([packed(0, note("good", 2)), spoilt, bomb, packed(3, note("lost", 1))], codec=4))
    for moment in ("worker-killed-before-commit", "worker-killed-before-ack"):
        await toy.run_until_it_kills_itself(moment)
    async with toy.worker().running():
        await toy.send(note("good", 3))
        await until_applied(toy.db, {"good": [1, 2, 3]})
    assert [(row["key"], row["offset"]) for row in await parked(toy)] == [("bad", 2), ("bomb", 3), ("0:4", 4)]


@contextlib.asynccontextmanager
async def transaction(toy: Toy, topic: str) -> Any:
    producer = AIOKafkaProducer(bootstrap_servers=toy.bootstrap_servers, transactional_id=f"{toy.prefix}writer")
    await producer.start()
    try:
        await producer.begin_transaction()
        yield producer, toy.prefix + topic
    finally:
        await producer.stop()


async def test_a_topic_that_ends_with_the_mark_of_a_transaction_is_read_to_its_end(toy: Toy) -> None:
    async with transaction(toy, TOPIC) as (producer, topic):
        key, value, headers = encode(note("good", 1))
        await producer.send_and_wait(topic, value, key=key, headers=headers, partition=0)
        await producer.commit_transaction()
    worker = toy.worker()
    async with worker.running():
        await eventually(lambda: committed_offsets(toy), until=lambda end: end == 2)
        assert [listener.lag() for listener in worker._listeners] == [0]
        await toy.send(note("good", 2))
        await until_applied(toy.db, {"good": [1, 2]})


async def test_what_a_partner_has_taken_back_by_its_transaction_is_not_applied(toy: Toy) -> None:
    topic = topic_of_partner(PARTNER_IN, "northern")
    seen: list[str] = []

    async def take(messages: Sequence[Message], tx: Any) -> None:
        seen.extend(message.subject for message in messages)

    async def tell(raw: parking.RawRecord, reason: str, tx: Any) -> bool:
        seen.append(f"{raw.key!r}")
        return True

    settings = toy_settings(toy.url, toy.bootstrap_servers, toy.prefix)
    await create_missing_topics(toy.bootstrap_servers, toy.prefix, [topic])
    async with transaction(toy, topic.name) as (producer, name):
        await producer.send_and_wait(name, b"{}", key=b"taken-back", partition=0)
        await producer.abort_transaction()
        await producer.begin_transaction()
        await producer.send_and_wait(name, b"{}", key=b"said", partition=0)
        await producer.commit_transaction()
    async with Worker("toy", settings, [Subscription(topic, take, answer_unreadable=tell)]).running():
        await eventually(lambda: committed_offsets(toy), until=lambda end: end == 4)
    assert seen == ["b'said'"]
