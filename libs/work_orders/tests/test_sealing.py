"""Free text: sealed before it is a message, opened only in an answer, and words in its place when it cannot be."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from chassis.database import Database
from chassis.sealing import MasterKeys, Wrapped
from chassis.testing import MASTER_KEYS, FixedClock
from chassis.wakeup import APPLIED, Wakeup
from contracts import events as e
from contracts.catalogue import CATALOGUE, MessageKind
from contracts.codec import new_message
from contracts.lifecycle import Service, Status
from contracts.message import Message
from contracts.order import WorkOrder
from contracts.sealing import SEALED, SealedText, SealingKeyDestroyed, SealingKeyIssued, free_texts, texts_of
from contracts_tooling.golden import MESSAGES
from work_orders.order_table import to_json
from work_orders.sealing import Opening, place_of, seal, sealed
from work_orders.sealing_keys import SealingKeyNotArrived, SealingKeys, SubscriberErased, key_place, on_sealing_keys
from work_orders.testing import make_order

from .conftest import ACTOR, BEGIN, Orders, act_on, follow, make_created, sealing_keys_of, whole_life

MASTERS = MasterKeys.parse(MASTER_KEYS)
KEY, WRAPPED = MASTERS.new_key(place=key_place("s-1"))
NOTE = e.WorkOrderNoteAdded(note="the key is under the mat 钥匙在垫子下")


def about(body: Any, version: int) -> Message:
    return new_message(
        body,
        service=Service.INTAKE,
        subject="s-1",
        actor=ACTOR,
        occurred_at=BEGIN,
        recorded_at=BEGIN,
        entity_version=version,
    )


ISSUED = about(SealingKeyIssued(subscriber_id="s-1", master_key_id="test", wrapped=WRAPPED.text), 1)
DESTROYED = about(SealingKeyDestroyed(subscriber_id="s-1", ground="subscriber_asked"), 2)


async def hear(db: Database, *messages: Message) -> None:
    async with db.begin() as tx:
        await on_sealing_keys(messages, tx)


async def sealed_note(db: Database) -> str:
    return (await sealed(NOTE, sealing_keys_of(db), subject="o-1", subscriber_id="s-1")).note


async def test_whatever_the_order_and_number_of_its_messages_a_destroyed_key_stays_destroyed(db: Database) -> None:
    for batches in (
        [[ISSUED], [DESTROYED]],
        [[DESTROYED], [ISSUED]],
        [[ISSUED, DESTROYED, ISSUED]],
        [[DESTROYED, ISSUED]],
    ):
        async with db.statements() as statements:
            await statements.execute("delete from sealing_keys where subscriber_id = 's-1'")
        for batch in (*batches, *batches):
            await hear(db, *batch)
        with pytest.raises(SubscriberErased):
            await sealed_note(db)
        async with db.statements() as statements:
            row = await statements.fetchrow("select * from sealing_keys where subscriber_id = 's-1'")
        assert (row["entity_version"], row["wrapped"]) == (2, None)


async def test_a_writer_waits_for_the_key_and_is_told_to_come_again_when_it_does_not_come(db: Database) -> None:
    with pytest.raises(SealingKeyNotArrived):
        await sealed_note(db)
    async with Wakeup(db.url, hears=APPLIED).running() as wakeup:
        keys = SealingKeys(db, MASTERS, wakeup, catch_up_seconds=20)
        waiting = asyncio.create_task(sealed(NOTE, keys, subject="o-1", subscriber_id="s-1"))
        await hear(db, ISSUED)
        note = (await waiting).note
    assert KEY.open(SEALED.fullmatch(note)[2], place=place_of("o-1")) == NOTE.note


async def test_an_event_without_free_text_asks_for_no_key(db: Database) -> None:
    started = e.WorkOrderStarted()
    assert await sealed(started, sealing_keys_of(db), subject="o-1", subscriber_id="nobody") is started
    bare = e.WorkOrderDispatched(work_area_id="north", staff_ids=("a",))
    assert await sealed(bare, sealing_keys_of(db), subject="o-1", subscriber_id="nobody") is bare


def noted(order: WorkOrder, *notes: str) -> WorkOrder:
    return replace(order, notes=tuple(replace(make_order_with_note().notes[0], note=note) for note in notes))


def make_order_with_note() -> WorkOrder:
    return make_order(e.WorkOrderNoteAdded(note="x"), status=Status.PROCESSING)


AWKWARD = 'a "quoted" \\ text\n\twith {braces} and 🔔 and "sealed:1:s-1:' + "A" * 60 + '"'


async def test_any_text_comes_back_as_it_was_typed(db: Database) -> None:
    await hear(db, ISSUED)
    order = noted(
        make_order_with_note(), *(seal(text, KEY, subject="o-1", subscriber_id="s-1") for text in (AWKWARD, ""))
    )
    opened = json.loads(await Opening(sealing_keys_of(db)).object("o-1", to_json(order)))
    assert [note["note"] for note in opened["notes"]] == [AWKWARD, ""]
    assert "sealed_text" not in opened
    plain = noted(make_order_with_note(), "typed before texts were sealed")
    assert await Opening(sealing_keys_of(db)).object("o-1", to_json(plain)) == to_json(plain)


@pytest.mark.parametrize(
    ("heard", "subject", "why", "english", "chinese"),
    [
        ([], "o-1", "not_here_yet", "(not readable yet; look again in a moment)", "（暂时无法显示，请稍后刷新）"),
        ([ISSUED, DESTROYED], "o-1", "erased", "(erased with the subscriber's data)", "（已随用户资料删除）"),
        ([ISSUED], "another-order", "unreadable", "(cannot be read)", "（无法读取）"),
    ],
)
async def test_words_stand_for_a_text_that_cannot_be_opened_and_say_why(
    db: Database, heard: list[Message], subject: str, why: str, english: str, chinese: str
) -> None:
    await hear(db, *heard)
    order = noted(make_order_with_note(), "plain", seal("secret", KEY, subject="o-1", subscriber_id="s-1"))
    for language, words in (("en", english), ("zh", chinese)):
        shown = json.loads(await Opening(sealing_keys_of(db), language=language).object(subject, to_json(order)))
        assert ([note["note"] for note in shown["notes"]], shown["sealed_text"]) == (["plain", words], why)
    as_stored = await Opening(sealing_keys_of(db), as_sealed=True).object(subject, to_json(order))
    assert as_stored == to_json(order)


async def test_an_erasure_reaches_a_process_that_has_the_key_at_hand_within_ten_seconds(db: Database) -> None:
    now = 0.0
    keys = SealingKeys(db, MASTERS, Wakeup(db.url), catch_up_seconds=0, clock=lambda: now)
    await hear(db, ISSUED)
    text = seal("secret", KEY, subject="o-1", subscriber_id="s-1")
    assert await Opening(keys).text("o-1", text) == ("secret", None)
    await hear(db, DESTROYED)
    now = 9.9
    assert (await Opening(keys).text("o-1", text))[0] == "secret"
    now = 10.0
    assert (await Opening(keys).text("o-1", text))[1] == "erased"


def test_a_key_that_comes_along_again_is_unwrapped_once(db: Database) -> None:
    keys = sealing_keys_of(db)
    _, rewrapped = MASTERS.new_key(place=key_place("s-1"))
    first = keys.learn("s-1", "test", WRAPPED.text)
    assert keys.learn("s-1", "test", WRAPPED.text) is first
    assert keys.learn("s-1", "test", rewrapped.text) is not first
    assert keys.learn("s-1", None, None) is SealedText.ERASED
    assert keys.learn("s-1", "of another installation", WRAPPED.text) is SealedText.UNREADABLE


async def test_a_page_of_many_subscribers_costs_one_query_and_the_next_one_none(db: Database) -> None:
    queries = 0

    class Counting(SealingKeys):
        async def _read(self, subscriber_ids: Any) -> Any:
            nonlocal queries
            queries += 1
            return await super()._read(subscriber_ids)

    keys = Counting(db, MASTERS, Wakeup(db.url), catch_up_seconds=0)
    stored = []
    for number in range(30):
        key, wrapped = MASTERS.new_key(place=key_place(f"s-{number}"))
        body = SealingKeyIssued(subscriber_id=f"s-{number}", master_key_id="test", wrapped=wrapped.text)
        await hear(db, replace(about(body, 1), subject=f"s-{number}"))
        text = seal(f"text {number}", key, subject="o", subscriber_id=f"s-{number}")
        stored.append(("o", json.dumps({"content": text})))
    for _ in range(2):
        opened = await Opening(keys).objects(stored)
        assert [json.loads(one)["content"] for one in opened] == [f"text {number}" for number in range(30)]
    assert queries == 1


async def test_an_answer_that_is_remembered_is_remembered_sealed(db: Database, orders: Any) -> None:
    await follow(db, Service.FIELDWORK, whole_life("order-1").messages[:3])
    act = act_on("order-1", 3, key="k")
    answer = await orders.record(await orders.get_for(act), NOTE, act, name="note")
    assert NOTE.note in answer.body.decode()
    async with db.statements() as statements:
        rows = await statements.fetch("select response from idempotency_keys union all select payload from outbox")
        body = await statements.fetchval("select body from work_orders")
    for stored in (*(row["response"].decode() for row in rows), body):
        assert NOTE.note not in stored
        assert SEALED.search(stored)


def test_a_sealed_text_of_the_first_release_still_opens() -> None:
    """With the master key, the wrapped key and the events as they were recorded then."""
    masters = MasterKeys.parse("golden:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    issued = MESSAGES["sealing-keys/01-issued"].body
    key = masters.unwrap(Wrapped(issued.master_key_id, issued.wrapped), place=key_place(issued.subscriber_id))
    opened = [
        key.open(SEALED.fullmatch(text)[2], place=place_of(message.subject))
        for name, message in MESSAGES.items()
        if name.startswith("sealed/")
        for text in texts_of(message.body).values()
    ]
    assert opened == ["没有信号，请在门口按铃 🔔", "Ring twice", "他改主意了"]


NOT_TYPED = {
    "order_no", "subscriber_id", "subscriber_no", "device_type", "demand_type", "territory", "external_reference",
    "work_area_id", "staff_ids", "request_id", "code", "status", "allowed_acts",
    "contact_id", "supervision_id", "reason_code",
}  # fmt: skip
"""References and codes of events, requests and answers; an external reference is another system's number."""


def test_every_text_of_an_event_or_request_is_either_free_text_or_a_reference() -> None:
    found = set()
    for entry in CATALOGUE:
        if entry.kind in (MessageKind.EVENT, MessageKind.REQUEST, MessageKind.ANSWER):
            texts = {
                name
                for name, field in entry.body.__dataclass_fields__.items()
                if "str" in str(field.type) or field.type is str
            }
            found |= {f"{entry.type}: {name}" for name in texts - NOT_TYPED - set(free_texts(entry.body))}
    assert found == set()


async def test_an_order_is_created_only_while_its_key_exists(db: Database) -> None:
    keys = sealing_keys_of(db)
    orders = Orders(Service.INTAKE, db, Wakeup(db.url), FixedClock(), keys, catch_up_seconds=0)
    await orders.create(make_created(), act_on("order-1"), name="create")
    # Another process erases the subscriber; this one still has the key at hand.
    async with db.statements() as statements:
        await statements.execute("update sealing_keys set master_key_id = null, wrapped = null, entity_version = 2")
    with pytest.raises(SubscriberErased):
        await orders.create(make_created(order_no="2"), act_on("order-2"), name="create")
    async with db.statements() as statements:
        assert await statements.fetchval("select count(*) from work_orders") == 1
