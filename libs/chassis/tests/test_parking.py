"""Poison stops one key, not a partition: parked, repaired, released in order, discarded."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from chassis import parking
from chassis.database import Database, Transaction
from chassis.parking import BEHIND, ParkedKeyNotFound, RawRecord, StillPoison
from chassis.subscribe import Consumer, Subscription
from chassis.testing import eventually
from contracts.codec import encode
from contracts.message import Message
from contracts.topics import WORK_ORDERS

from .conftest import Toy
from .toy import REFUSED_BY_DATABASE, REFUSED_BY_HANDLER, SUBSCRIPTIONS, TOPIC, effects_of, follow, note

NOW = datetime(2026, 3, 2, tzinfo=UTC)

Raw = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]


def without_header(name: str) -> Callable[[Raw], Raw]:
    return lambda raw: (raw[0], raw[1], [header for header in raw[2] if header[0] != name])


def with_header(name: str, value: bytes) -> Callable[[Raw], Raw]:
    return lambda raw: (raw[0], raw[1], [(key, value if key == name else old) for key, old in raw[2]])


POISON: dict[str, tuple[Message, Callable[[Raw], Raw], str]] = {
    "bad JSON": (note("bad", 2), lambda raw: (raw[0], b'{"note":', raw[2]), "does not fit"),
    "not UTF-8": (note("bad", 2), lambda raw: (raw[0], b'{"note":"\xff"}', raw[2]), "does not fit"),
    "no value": (note("bad", 2), lambda raw: (raw[0], None, raw[2]), "no value"),
    "a field missing": (note("bad", 2), lambda raw: (raw[0], b"{}", raw[2]), "note"),
    "a missing header": (note("bad", 2), without_header("ce_id"), "ce_id is missing"),
    "an order version that is text": (note("bad", 2), with_header("ce_orderversion", b"two"), "ce_orderversion"),
    "a foreign writer": (note("bad", 2), with_header("ce_source", b"/linework/intake"), "may not write"),
    "a gap": (note("bad", 3), lambda raw: raw, "a gap: 3 after 1"),
    "a handler that refuses it": (note("bad", 2, REFUSED_BY_HANDLER), lambda raw: raw, "ValueError"),
    "a database that refuses it": (note("bad", 2, REFUSED_BY_DATABASE), lambda raw: raw, "CheckViolation"),
    "NUL in a header": (note("bad", 2), with_header("ce_actor", b"a\x00b"), "control character"),
}


def raw_records(*raws: Raw, first: int = 0) -> list[RawRecord]:
    return [
        RawRecord(TOPIC, 0, offset, key, value, tuple(headers))
        for offset, (key, value, headers) in enumerate(raws, start=first)
    ]


OF_NO_USE = with_header("ce_type", b"linework.work_order.started.v1")


@pytest.fixture
def consumer(toy_db: Database) -> Consumer:
    return Consumer(SUBSCRIPTIONS[0], service="toy", db=toy_db)


async def parked(db: Database) -> list[dict[str, Any]]:
    return await parking.parked_records(db, topic=None, key=None)


@pytest.mark.parametrize("name", POISON)
async def test_only_the_poisoned_key_is_parked_with_what_comes_after_it(
    toy_db: Database, consumer: Consumer, name: str
) -> None:
    message, spoil, reason = POISON[name]
    before = [encode(note("good", 1)), encode(note("bad", 1))]
    after = [encode(note("good", 2)), encode(note("bad", 4)), encode(note("other", 1))]
    await consumer.apply(raw_records(*before, spoil(encode(message)), *after))
    assert await effects_of(toy_db) == {"good": [1, 2], "bad": [1], "other": [1]}
    poison, behind = await parked(toy_db)
    assert (poison["key"], poison["offset"]) == ("bad", 2)
    assert reason in poison["reason"]
    assert (behind["key"], behind["offset"], behind["reason"]) == ("bad", 4, BEHIND)

    await consumer.apply(raw_records(encode(note("bad", 5)), encode(note("good", 3)), first=6))
    assert await effects_of(toy_db) == {"good": [1, 2, 3], "bad": [1], "other": [1]}
    assert [row["offset"] for row in await parked(toy_db)] == [2, 4, 6]


async def test_a_record_under_a_wrong_key_parks_what_stands_under_that_key(
    toy_db: Database, consumer: Consumer
) -> None:
    _, value, headers = encode(note("good", 2))
    await consumer.apply(raw_records(encode(note("good", 1)), (b"wrong", value, headers), encode(note("other", 1))))
    assert await effects_of(toy_db) == {"good": [1], "other": [1]}
    (row,) = await parked(toy_db)
    assert row["key"] == "wrong"
    assert "is not the subject" in row["reason"]


async def test_a_record_without_a_key_stands_alone(toy_db: Database, consumer: Consumer) -> None:
    _, value, headers = encode(note("good", 2))
    keyless = (None, value, headers)
    await consumer.apply(raw_records(keyless, encode(note("good", 1)), keyless))
    assert [row["key"] for row in await parked(toy_db)] == ["0:0", "0:2"]
    assert await effects_of(toy_db) == {"good": [1]}


async def test_an_unknown_type_is_passed_on_and_not_parked(toy_db: Database) -> None:
    seen: list[Message] = []

    async def see(messages: Sequence[Message], _: Transaction) -> None:
        seen.extend(messages)

    unknown = with_header("ce_type", b"linework.work_order.praised.v1")(encode(note("good", 1)))
    await Consumer(Subscription(WORK_ORDERS, see), service="toy", db=toy_db).apply(raw_records(unknown))
    assert [(one.type, one.body) for one in seen] == [("linework.work_order.praised.v1", None)]
    assert await parked(toy_db) == []


async def test_many_poisoned_keys_in_one_batch_each_stop_themselves_alone(toy_db: Database, consumer: Consumer) -> None:
    messages = [note(f"bad-{number}", 2) for number in range(20)] + [note(f"good-{number}", 1) for number in range(20)]
    await consumer.apply(raw_records(*map(encode, messages)))
    assert set(await effects_of(toy_db)) == {f"good-{number}" for number in range(20)}
    assert {row["key"] for row in await parked(toy_db)} == {f"bad-{number}" for number in range(20)}


async def test_on_the_broker_what_stands_around_poison_flows_and_release_catches_up(toy: Toy) -> None:
    async with toy.worker().running():
        good = [encode(note("good", version)) for version in (1, 2, 3)]
        key, _, headers = encode(note("bad", 1))
        await toy.send_raw(good[0], (key, b"{", headers), good[1], encode(note("bad", 2)), good[2])
        await eventually(lambda: effects_of(toy.db), until=lambda found: found == {"good": [1, 2, 3]})
        rows = await eventually(lambda: parked(toy.db), until=lambda rows: len(rows) == 2)
        _, value, fine = encode(note("bad", 1))
        await repair(toy.db, rows[0]["id"], value, fine)
        consumer = Consumer(SUBSCRIPTIONS[0], service="toy", db=toy.db)
        assert await consumer.release("bad", by="operator-1", at=NOW) == 2
        await toy.send(note("bad", 3))
        await eventually(lambda: effects_of(toy.db), until=lambda found: found == {"good": [1, 2, 3], "bad": [1, 2, 3]})


async def repair(db: Database, parked_id: int, value: bytes | None, headers: list[tuple[str, bytes]]) -> None:
    texts = {name: text.decode() for name, text in headers}
    await parking.repair(db, parked_id, value=(value or b"").decode(), headers=texts, by="operator-1", at=NOW)


async def park_spoiled(consumer: Consumer, db: Database, versions: int = 4) -> dict[str, Any]:
    """`bad` has version 1 applied, a spoiled version 2, and later ones behind it."""
    key, _, headers = encode(note("bad", 2))
    later = [encode(note("bad", version)) for version in range(3, versions + 1)]
    await consumer.apply(raw_records(encode(note("bad", 1)), (key, b"{", headers), *later))
    return (await parked(db))[0]


async def test_release_is_refused_and_changes_nothing_while_the_poison_is_in_it(
    toy_db: Database, consumer: Consumer
) -> None:
    poison = await park_spoiled(consumer, toy_db)
    with pytest.raises(StillPoison) as refused:
        await consumer.release("bad", by="operator-1", at=NOW)
    assert refused.value.context["parked_id"] == poison["id"]
    assert await effects_of(toy_db) == {"bad": [1]}
    assert len(await parked(toy_db)) == 3


async def test_release_is_all_or_none_also_when_a_later_record_is_poison(toy_db: Database, consumer: Consumer) -> None:
    poison = await park_spoiled(consumer, toy_db, versions=3)
    await consumer.apply(raw_records(encode(note("bad", 7)), first=9))
    _, value, headers = encode(note("bad", 2))
    await repair(toy_db, poison["id"], value, headers)
    with pytest.raises(StillPoison):
        await consumer.release("bad", by="operator-1", at=NOW)
    assert await effects_of(toy_db) == {"bad": [1]}


async def test_a_repaired_key_is_released_in_order_and_both_forms_are_kept(
    toy_db: Database, consumer: Consumer
) -> None:
    poison = await park_spoiled(consumer, toy_db)
    _, value, headers = encode(note("bad", 2))
    await repair(toy_db, poison["id"], value, headers)
    assert await consumer.release("bad", by="operator-1", at=NOW) == 3
    assert await effects_of(toy_db) == {"bad": [1, 2, 3, 4]}
    row = await parking.parked_record(toy_db, poison["id"])
    assert (row["state"], row["settled_by"], row["value"]) == ("released", "operator-1", "{")
    assert row["repaired"]["value"] == (value or b"").decode()
    with pytest.raises(ParkedKeyNotFound):
        await consumer.release("bad", by="operator-1", at=NOW)
    await consumer.apply(raw_records(encode(note("bad", 5)), first=20))
    assert await effects_of(toy_db) == {"bad": [1, 2, 3, 4, 5]}


async def test_a_spoiled_record_that_is_read_again_after_its_release_is_not_parked_again(
    toy_db: Database, consumer: Consumer
) -> None:
    poison = await park_spoiled(consumer, toy_db)
    _, value, headers = encode(note("bad", 2))
    await repair(toy_db, poison["id"], value, headers)
    await consumer.release("bad", by="operator-1", at=NOW)
    key, _, headers = encode(note("bad", 2))
    later = [encode(note("bad", version)) for version in (3, 4, 5)]
    await consumer.apply(raw_records(encode(note("bad", 1)), (key, b"{", headers), *later))
    assert await parked(toy_db) == []
    assert await effects_of(toy_db) == {"bad": [1, 2, 3, 4, 5]}


async def test_a_discarded_record_is_given_up_for_good_with_who_decided_it(
    toy_db: Database, consumer: Consumer
) -> None:
    repeat = without_header("ce_id")(encode(note("bad", 1)))
    batch = raw_records(encode(note("bad", 1)), repeat, encode(note("bad", 2)))
    await consumer.apply(batch)
    poison, _ = await parked(toy_db)
    row = await parking.discard(toy_db, poison["id"], by="operator-1", at=NOW)
    assert (row["state"], row["settled_by"], row["settled_at"]) == ("discarded", "operator-1", NOW)
    with pytest.raises(parking.ParkedRecordNotFound):
        await parking.discard(toy_db, poison["id"], by="operator-2", at=NOW)
    assert await consumer.release("bad", by="operator-1", at=NOW) == 1
    await consumer.apply(batch)
    assert await effects_of(toy_db) == {"bad": [1, 2]}
    assert await parked(toy_db) == []


@pytest.mark.parametrize("round_", range(10))
async def test_a_record_that_arrives_during_a_release_neither_overtakes_nor_gets_left_behind(
    toy_db: Database, round_: int
) -> None:
    entered = asyncio.Event()

    async def slow_follow(messages: Sequence[Message], tx: Transaction) -> None:
        entered.set()
        await asyncio.sleep(0.001 * round_)
        await follow(messages, tx)

    consumer = Consumer(Subscription(WORK_ORDERS, slow_follow), service="toy", db=toy_db)
    poison = await park_spoiled(consumer, toy_db)
    _, value, headers = encode(note("bad", 2))
    await repair(toy_db, poison["id"], value, headers)
    entered.clear()
    releasing = asyncio.create_task(consumer.release("bad", by="operator-1", at=NOW))
    if round_ % 2:
        await entered.wait()
    for version in (5, 6):
        await consumer.apply(raw_records(encode(note("bad", version)), first=version * 10))
    await releasing
    if left := await parked(toy_db):
        # They came before the release had begun to look, or while it was at it: they wait for the next one.
        assert {row["reason"] for row in left} == {BEHIND}
        await consumer.release("bad", by="operator-1", at=NOW)
    assert await effects_of(toy_db) == {"bad": [1, 2, 3, 4, 5, 6]}
    assert await parked(toy_db) == []


async def test_a_record_that_arrives_while_its_key_is_being_released_waits_and_follows(toy_db: Database) -> None:
    began, may_end = asyncio.Event(), asyncio.Event()

    async def follow_when_told(messages: Sequence[Message], tx: Transaction) -> None:
        began.set()
        await may_end.wait()
        await follow(messages, tx)

    quick = Consumer(SUBSCRIPTIONS[0], service="toy", db=toy_db)
    poison = await park_spoiled(quick, toy_db)
    _, value, headers = encode(note("bad", 2))
    await repair(toy_db, poison["id"], value, headers)
    slow = Consumer(Subscription(WORK_ORDERS, follow_when_told), service="toy", db=toy_db)
    releasing = asyncio.create_task(slow.release("bad", by="operator-1", at=NOW))
    await began.wait()
    arriving = asyncio.create_task(quick.apply(raw_records(encode(note("bad", 5)), first=50)))
    await asyncio.wait([arriving], timeout=0.3)
    assert not arriving.done()
    may_end.set()
    await asyncio.gather(releasing, arriving)
    assert await effects_of(toy_db) == {"bad": [1, 2, 3, 4, 5]}
    assert await parked(toy_db) == []


async def test_two_operators_who_release_at_once_apply_everything_once(toy_db: Database, consumer: Consumer) -> None:
    poison = await park_spoiled(consumer, toy_db)
    _, value, headers = encode(note("bad", 2))
    await repair(toy_db, poison["id"], value, headers)
    results = await asyncio.gather(
        *(consumer.release("bad", by=f"operator-{number}", at=NOW) for number in (1, 2)), return_exceptions=True
    )
    assert sorted(map(str, results)) == sorted(["3", str(ParkedKeyNotFound(topic=TOPIC, key="bad"))])
    assert await effects_of(toy_db) == {"bad": [1, 2, 3, 4]}


async def test_whatever_bytes_a_record_has_it_can_be_parked_and_shown(toy_db: Database, consumer: Consumer) -> None:
    wild: Raw = (b"\x00\xffkey", b"\x00\xff{", [("ce_type", b"\x00\xff"), ("x\x00y", b"\x80"), ("empty", b"")])
    await consumer.apply(raw_records(wild))
    (row,) = await parked(toy_db)
    assert row["key"] == "\\x00\\xffkey"
    assert json.dumps(row["headers"])
    assert await parking.parked_record(toy_db, row["id"]) == row


async def test_what_was_settled_is_listed_by_its_state(toy_db: Database, consumer: Consumer) -> None:
    first = await park_spoiled(consumer, toy_db)
    await parking.discard(toy_db, first["id"], by="operator-1", at=NOW)
    discarded = await parking.parked_records(toy_db, topic=None, key=None, state="discarded")
    assert [row["id"] for row in discarded] == [first["id"]]
    assert await parking.parked_records(toy_db, topic=None, key=None, state="released") == []
    everything = await parking.parked_records(toy_db, topic=None, key=None, state=None)
    assert [row["id"] for row in everything] == [first["id"], *(row["id"] for row in await parked(toy_db))]


async def test_a_type_that_the_handler_has_no_use_for_is_passed_over_unread(toy_db: Database) -> None:
    notes = replace(SUBSCRIPTIONS[0], types=frozenset({note("a", 1).type.encode()}))
    consumer = Consumer(notes, service="toy", db=toy_db)
    key, _, headers = encode(note("a", 1))
    unread, typeless = OF_NO_USE((key, b"no JSON", headers)), without_header("ce_type")(encode(note("b", 1)))
    await consumer.apply(raw_records(encode(note("a", 1)), unread, encode(note("a", 2)), typeless))
    assert await effects_of(toy_db) == {"a": [1, 2]}
    async with toy_db.statements() as statements:
        assert await statements.fetch("select next_offset from positions") == [(4,)]
        assert [row["key"] for row in await statements.fetch("select key from parked")] == ["b"]


async def test_a_type_of_no_use_waits_behind_its_parked_key(toy_db: Database) -> None:
    bad = encode(note("a", 2, REFUSED_BY_HANDLER))
    consumer = Consumer(SUBSCRIPTIONS[0], service="toy", db=toy_db)
    await consumer.apply(raw_records(encode(note("a", 1)), bad))
    consumer.subscription = replace(SUBSCRIPTIONS[0], types=frozenset({note("a", 1).type.encode()}))
    await consumer.apply(raw_records(OF_NO_USE(encode(note("a", 3))), first=2))
    async with toy_db.statements() as statements:
        rows = await statements.fetch('select "offset", reason from parked order by "offset"')
    assert [row["offset"] for row in rows] == [1, 2]
    assert rows[1]["reason"] == BEHIND
