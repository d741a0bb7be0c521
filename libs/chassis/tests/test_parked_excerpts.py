"""What is kept and shown of a record is bounded, and still enough to know it by, to repair it or to give it up."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from chassis import parking
from chassis.database import Database
from chassis.parking import RawRecord, RepairNotText, Undecoded, ValueNotKept
from chassis.parking_api import ParkedRecord, ParkedRecords
from chassis.subscribe import Consumer
from contracts.codec import encode
from contracts.message import Message

from .toy import SUBSCRIPTIONS, TOPIC, effects_of, note

NOW = datetime(2026, 3, 2, tzinfo=UTC)
SHA = "a" * 64


@pytest.fixture
def consumer(toy_db: Database) -> Consumer:
    return Consumer(SUBSCRIPTIONS[0], service="toy", db=toy_db)


def raw(offset: int, message: Message) -> RawRecord:
    key, value, headers = encode(message)
    return RawRecord(TOPIC, 0, offset, key, value, tuple(headers))


def undecoded(offset: int, key: bytes | None, last_offset: int | None = None) -> RawRecord:
    about = Undecoded("the record has 300000000 bytes; 2097152 are read", 300_000_000, SHA)
    end = (offset if last_offset is None else last_offset) + 1
    return RawRecord(TOPIC, 0, offset, key, b"{" * 4096, (("ce_id", b"1"),), 0, about, end)


async def repair(db: Database, parked_id: int, message: Message) -> None:
    _, value, headers = encode(message)
    texts = {name: text.decode() for name, text in headers}
    await parking.repair(db, parked_id, value=value.decode(), headers=texts, by="op", at=NOW)


async def parked(db: Database, **more: Any) -> list[dict[str, Any]]:
    return await parking.parked_records(db, topic=None, key=None, **more)


async def test_an_excerpt_says_of_how_much_it_is_and_is_not_released_as_if_it_were_the_whole(
    toy_db: Database, consumer: Consumer
) -> None:
    await consumer.apply([undecoded(0, b"order-1"), raw(1, note("order-1", 2)), raw(2, note("order-2", 1))])
    assert await effects_of(toy_db) == {"order-2": [1]}
    (excerpt, behind) = await parked(toy_db)
    assert (excerpt["value_bytes"], excerpt["value_sha256"], excerpt["is_excerpt"]) == (300_000_000, SHA, True)
    assert (behind["is_excerpt"], behind["value_bytes"]) == (False, len(encode(note("order-1", 2))[1]))
    with pytest.raises(ValueNotKept):
        await consumer.release("order-1", by="op", at=NOW)
    assert len(await parked(toy_db)) == 2
    await repair(toy_db, excerpt["id"], note("order-1", 1))
    assert await consumer.release("order-1", by="op", at=NOW) == 2
    assert (await effects_of(toy_db))["order-1"] == [1, 2]


async def test_an_excerpt_behind_another_record_says_both(toy_db: Database, consumer: Consumer) -> None:
    await consumer.apply([raw(0, note("order-1", 2)), undecoded(1, b"order-1")])
    (_, second) = await parked(toy_db)
    assert second["reason"] == "the record has 300000000 bytes; 2097152 are read; " + parking.BEHIND


async def test_a_record_without_a_value_is_answered_among_the_others_and_alone(
    toy_db: Database, consumer: Consumer
) -> None:
    """Its length is unknown to the database; the whole page was refused for it, and every other record with it."""
    await consumer.apply([RawRecord(TOPIC, 0, 0, b"order-1", None, ()), raw(1, note("order-1", 1))])
    rows = await parked(toy_db)
    page = ParkedRecords.model_validate({"items": rows})
    assert [(row.value is None, row.value_bytes is None, row.is_excerpt) for row in page.items] == [
        (True, True, False),
        (False, False, False),
    ]
    alone = ParkedRecord.model_validate(await parking.parked_record(toy_db, rows[0]["id"]))
    assert (alone.value, alone.value_bytes, alone.is_excerpt) == (None, None, False)


async def test_a_range_of_offsets_is_one_row_moves_the_position_and_is_repaired_or_discarded(
    toy_db: Database, consumer: Consumer
) -> None:
    await consumer.apply([undecoded(4, None, 9), undecoded(10, None, 19)])
    async with toy_db.statements() as statements:
        assert await statements.fetchval("select next_offset from positions") == 20
    first, second = await parked(toy_db)
    assert [(row["key"], row["offset"], row["last_offset"]) for row in (first, second)] == [
        ("0:4", 4, 9),
        ("0:10", 10, 19),
    ]
    await repair(toy_db, first["id"], note("order-1", 1))
    assert await consumer.release("0:4", by="op", at=NOW) == 1
    await parking.discard(toy_db, second["id"], by="op", at=NOW)
    assert await effects_of(toy_db) == {"order-1": [1]}
    await consumer.apply([undecoded(4, None, 9), undecoded(10, None, 19)])
    assert await parked(toy_db) == []


async def test_a_page_is_small_whatever_is_parked_and_one_record_is_whole(toy_db: Database, consumer: Consumer) -> None:
    value = bytes(range(256)) * 4096
    headers = tuple((f"h{number}", b"\xff" * 5000) for number in range(150))
    await consumer.apply([RawRecord(TOPIC, 0, offset, b"k", value, headers) for offset in range(40)])
    page = await parked(toy_db, limit=200)
    assert len(page) == 40
    assert len(json.dumps(page, default=str)) < 40 * 40_000
    one = page[0]
    assert (one["is_excerpt"], one["value_bytes"], len(one["headers"])) == (True, len(value), 20)
    whole = await parking.parked_record(toy_db, one["id"])
    assert (whole["is_excerpt"], len(whole["headers"])) == (False, 150)
    assert whole["value"] == value.decode("utf-8", "backslashreplace").replace("\x00", "\\x00")
    texts = {f"h{number}": "x" * 10_000 for number in range(50)}
    for row in page[:10]:
        await parking.repair(toy_db, row["id"], value=json.dumps("x" * 900_000), headers=texts, by="op", at=NOW)
    page = await parked(toy_db, limit=200)
    assert len(json.dumps(page, default=str)) < 40 * 40_000
    assert len((await parking.parked_record(toy_db, one["id"]))["repaired"]["value"]) == 900_002


async def test_what_was_parked_before_there_were_bounds_is_shown_within_them(toy_db: Database) -> None:
    async with toy_db.statements() as statements:
        await statements.execute(
            """insert into parked (topic, key, partition, "offset", value, headers, reason)
               values ($1, 'old', 0, 0, decode(repeat('00', 20000000), 'hex'), '[]', 'old')""",
            TOPIC,
        )
    (row,) = await parked(toy_db)
    assert (row["is_excerpt"], row["value_bytes"], row["value_sha256"]) == (True, 20_000_000, None)
    whole = await parking.parked_record(toy_db, row["id"])
    assert (whole["is_excerpt"], len(whole["value"])) == (True, 4096 * 4)


async def test_a_header_name_that_is_no_text_is_parked_and_shown(toy_db: Database, consumer: Consumer) -> None:
    key, value, headers = encode(note("bad", 1))
    name = b"\xff\x00name".decode("utf-8", "surrogateescape")
    await consumer.apply([RawRecord(TOPIC, 0, 0, key, value, ((name, b"x"), *headers))])
    (row,) = await parked(toy_db)
    assert row["headers"]["\\xff\\x00name"] == "x"
    assert "is not UTF-8" in row["reason"]


async def test_a_repair_that_is_nested_without_end_is_refused(toy_db: Database, consumer: Consumer) -> None:
    await consumer.apply([undecoded(0, b"order-1")])
    (row,) = await parked(toy_db)
    with pytest.raises(RepairNotText):
        await parking.repair(toy_db, row["id"], value="[" * 500_000, headers={}, by="op", at=NOW)
