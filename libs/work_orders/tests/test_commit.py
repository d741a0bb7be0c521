"""One statement, one version: who loses a race changes nothing and is told the present version."""

import asyncio
import contextlib
import json
import random
from datetime import timedelta
from typing import Any

import pytest

from chassis.commands import AlreadyReplied, IdempotencyKeyReused, Reply, raise_if_replied
from chassis.database import Database
from chassis.testing import FixedClock
from chassis.wakeup import Wakeup
from contracts import events as e
from contracts.chain import event_hash
from contracts.codec import decode
from contracts.lifecycle import Service
from contracts.message import Message
from work_orders import unit_of_work, views
from work_orders.commit import BeforeTheLastAct, ExternalReferenceTaken, StaleVersion, WorkOrderNotFound

from .conftest import (
    BEGIN,
    Orders,
    act_on,
    clocks_in,
    count_of,
    follow,
    make_created,
    opened_order,
    opening_of,
    sealing_keys_of,
    tracked_in,
    whole_life,
)

NOTE = e.WorkOrderNoteAdded(note="seen")
REJECTED = e.WorkOrderRejected(reason=e.RejectionReason.UNSAFE, explanation="dog")


async def outbox_of(db: Database) -> list[Message]:
    """What is to be published, in the order in which the relay sends it."""
    async with db.statements() as statements:
        rows = await statements.fetch("select aggregateid, payload, headers from outbox order by id")
    return [
        decode(
            row["aggregateid"].encode(),
            row["payload"],
            [(name, text.encode()) for name, text in json.loads(row["headers"]).items()],
        )
        for row in rows
    ]


@pytest.fixture
async def processing(db: Database) -> str:
    """An order that fieldwork holds, at version 3."""
    await follow(db, Service.FIELDWORK, whole_life("order-1").messages[:3])
    return "order-1"


async def test_an_act_is_state_outbox_row_and_answer_at_once(db: Database, orders: Orders, processing: str) -> None:
    act = act_on(processing, 3, key="k")
    before = await orders.get_for(act)
    answer = await orders.record(before, NOTE, act, name="note")
    assert (answer.status, answer.etag) == (200, '"4"')
    stored = await tracked_in(db, processing)
    assert stored is not None
    assert (stored.order.version, stored.stream_version) == (4, 3)
    assert [note.note for note in (await opened_order(db, stored.order)).notes] == ["seen"]
    (message,) = await outbox_of(db)
    assert (message.order_version, message.body) == (4, e.WorkOrderNoteAdded(note=stored.order.notes[0].note))
    assert (message.prev_hash, stored.last_hash) == (before.last_hash, event_hash(message))
    assert await count_of(db, "idempotency_keys") == 1


async def test_of_many_decisions_on_one_version_one_wins_and_the_others_change_nothing(
    db: Database, orders: Orders, processing: str
) -> None:
    acts = [act_on(processing, 3, key=f"key-{number}") for number in range(10)]
    stored = [await orders.get_for(act) for act in acts]
    results = await asyncio.gather(
        *(orders.record(one, REJECTED, act, name="reject") for one, act in zip(stored, acts, strict=True)),
        return_exceptions=True,
    )
    winners = [result for result in results if isinstance(result, Reply)]
    stale = [result for result in results if isinstance(result, StaleVersion)]
    assert (len(winners), len(stale)) == (1, 9)
    assert {refusal.context["present_version"] for refusal in stale} == {4}
    assert await count_of(db, "outbox") == 1
    assert await count_of(db, "idempotency_keys") == 1
    present = await tracked_in(db, processing)
    assert present is not None
    assert (present.order.version, len(present.order.rejections)) == (4, 1)


async def test_the_same_act_twice_at_once_gets_the_same_answer(db: Database, orders: Orders, processing: str) -> None:
    act = act_on(processing, 3, key="once")
    stored = [await orders.get_for(act) for _ in range(6)]
    results = await asyncio.gather(
        *(orders.record(one, NOTE, act, name="note") for one in stored), return_exceptions=True
    )
    answers = [await answer_of(db, result) for result in results]
    assert {(answer.status, answer.body) for answer in answers} == {(200, answers[0].body)}
    assert await count_of(db, "outbox") == 1


async def answer_of(db: Database, result: Any) -> Reply:
    """What the caller gets; a remembered answer is opened before it is sent again."""
    assert isinstance(result, Reply | AlreadyReplied), repr(result)
    if isinstance(result, Reply):
        return result
    first = result.reply
    body = await opening_of(db).object(json.loads(first.body)["id"], first.body)
    return Reply(first.status, body, first.etag)


@pytest.fixture
def creating(db: Database, clock: FixedClock) -> Orders:
    """Intake's orders."""
    return Orders(Service.INTAKE, db, Wakeup(db.url), clock, sealing_keys_of(db), catch_up_seconds=0)


async def test_the_same_creation_many_times_at_once_makes_one_order(db: Database, creating: Orders) -> None:
    acts = [act_on(f"order-{number}", key="once") for number in range(8)]
    results = await asyncio.gather(
        *(creating.create(make_created(order_no=act.order_id), act, name="create") for act in acts),
        return_exceptions=True,
    )
    assert len({(await answer_of(db, result)).body for result in results}) == 1
    assert await count_of(db, "work_orders") == await count_of(db, "outbox") == 1


async def test_an_act_again_after_it_was_done_gets_the_first_answer(
    db: Database, orders: Orders, processing: str
) -> None:
    act = act_on(processing, 3, key="again")
    first = await orders.record(await orders.get_for(act), NOTE, act, name="note")
    later = act_on(processing, 4)
    await orders.record(await orders.get_for(later), NOTE, later, name="note")
    with pytest.raises(AlreadyReplied) as repeated:
        await orders.get_for(act)
    assert await answer_of(db, repeated.value) == first


async def test_a_key_with_another_body_is_refused(db: Database, orders: Orders, processing: str) -> None:
    act = act_on(processing, 3, key="k", body="one")
    await orders.record(await orders.get_for(act), NOTE, act, name="note")
    with pytest.raises(IdempotencyKeyReused):
        await orders.get_for(act_on(processing, 4, key="k", body="another"))
    async with db.statements() as statements:
        await raise_if_replied(statements, act_on(processing, key="unknown").headers.idempotency)


@pytest.mark.parametrize("areas", [("south",), ()])
async def test_the_answer_to_an_act_is_not_given_again_to_whom_the_order_is_not_shown(
    db: Database, orders: Orders, processing: str, areas: tuple[str, ...]
) -> None:
    act = act_on(processing, 3, key="again")
    await orders.record(await orders.get_for(act), NOTE, act, name="note")
    with pytest.raises(WorkOrderNotFound):
        await orders.get_for(act_on(processing, 3, key="again", areas=areas))
    with pytest.raises(WorkOrderNotFound):
        await orders.get_for(act_on(processing, 3, key="again", body="another", areas=areas))
    with pytest.raises(AlreadyReplied):
        await orders.get_for(act_on(processing, 3, key="again", areas=("north", "south"), role="supervisor"))
    assert await count_of(db, "outbox") == 1


async def test_an_act_repeated_after_the_order_was_sent_on_gets_its_answer(
    db: Database, orders: Orders, processing: str
) -> None:
    act = act_on(processing, 3, key="again", areas=("north",))
    await orders.record(await orders.get_for(act), NOTE, act, name="note")
    async with db.statements() as statements:
        await statements.execute(
            """update work_orders set work_area_id = 'south', body = replace(body::text, '"north"', '"south"')::json
               where id = $1""",
            processing,
        )
    for areas in (("north",), ("north", "east"), ("south",)):
        with pytest.raises(AlreadyReplied):
            await orders.get_for(act_on(processing, 3, key="again", areas=areas))
    with pytest.raises(WorkOrderNotFound):
        await orders.get_for(act_on(processing, 3, key="again", areas=("east",)))
    with pytest.raises(WorkOrderNotFound):
        await orders.get_for(act_on(processing, 4, key="another", areas=("north",)))


async def test_a_foreign_order_takes_as_long_as_one_that_is_not_there(
    db: Database, orders: Orders, processing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is waited for, and so how long an answer takes, must not tell the two apart."""
    waited: list[tuple[Any, bool]] = []

    async def look(read: Any, is_there: Any, **_: Any) -> Any:
        found = await read()
        waited.append((found and found.order.id, is_there(found)))
        return found

    for module in (unit_of_work, views):
        monkeypatch.setattr(module, "caught_up", look)
    for order_id, areas in ((processing, ("south",)), ("none", ("south",)), (processing, ("north",))):
        with contextlib.suppress(WorkOrderNotFound):
            await orders.get_for(act_on(order_id, 3, areas=areas))
        with contextlib.suppress(WorkOrderNotFound):
            await views.one_order(
                db,
                order_id,
                areas=areas,
                at_least=2,
                opening=opening_of(db),
                clocks=clocks_in(db),
                wakeup=Wakeup(db.url),
                seconds=0,
            )
    assert waited == [(processing, False)] * 2 + [(None, False)] * 2 + [(processing, True)] * 2


async def test_a_creation_again_with_another_token_makes_no_second_order_and_shows_nothing(
    db: Database, creating: Orders
) -> None:
    first = act_on("order-1", key="once")
    await creating.create(make_created(), first, name="create")
    for other in (act_on("order-2", key="once", areas=("north",)), act_on("order-2", key="once", role="supervisor")):
        async with db.statements() as statements:
            await raise_if_replied(statements, other.headers.idempotency)
        with pytest.raises(IdempotencyKeyReused):
            await creating.create(make_created(order_no="other"), other, name="create")
    assert await count_of(db, "work_orders") == await count_of(db, "outbox") == 1


async def test_an_answer_that_was_remembered_before_for_whom_is_for_whoever_sees_every_area(
    db: Database, orders: Orders, processing: str
) -> None:
    act = act_on(processing, 3, key="old")
    await orders.record(await orders.get_for(act), NOTE, act, name="note")
    async with db.statements() as statements:
        await statements.execute("update idempotency_keys set role = null, areas = null")
        await raise_if_replied(statements, act_on(processing, key="old", areas=("north",)).headers.idempotency)
        with pytest.raises(AlreadyReplied):
            await raise_if_replied(statements, act.headers.idempotency)


async def test_an_external_reference_belongs_to_one_order(db: Database, creating: Orders) -> None:
    creations = [
        creating.create(make_created(external_reference="E-1"), act_on(f"order-{number}", key=f"k-{number}"), name="x")
        for number in range(4)
    ]
    results = await asyncio.gather(*creations, return_exceptions=True)
    taken = [result for result in results if isinstance(result, ExternalReferenceTaken)]
    assert len(taken) == 3
    assert await count_of(db, "work_orders") == await count_of(db, "outbox") == 1
    assert await count_of(db, "idempotency_keys") == 1


async def test_outbox_numbers_grow_in_the_order_of_versions_under_many_writers(db: Database, clock: FixedClock) -> None:
    ids = [f"order-{number}" for number in range(5)]
    for order_id in ids:
        await follow(db, Service.FIELDWORK, whole_life(order_id).messages[:3])
    orders = Orders(Service.FIELDWORK, db, Wakeup(db.url), clock, sealing_keys_of(db), catch_up_seconds=0)

    async def write(seed: int) -> None:
        choice = random.Random(seed)
        done = 0
        while done < 40:
            order_id = choice.choice(ids)
            stored = await tracked_in(db, order_id)
            assert stored is not None
            try:
                await orders.record(stored, NOTE, act_on(order_id, stored.order.version), name="note")
                done += 1
            except StaleVersion:
                continue

    await asyncio.gather(*(write(seed) for seed in range(10)))
    messages = await outbox_of(db)
    assert len(messages) == 400
    for order_id in ids:
        versions = [message.order_version for message in messages if message.subject == order_id]
        assert versions == list(range(4, 4 + len(versions)))


async def test_an_act_without_the_version_it_was_decided_on_is_refused(orders: Orders, processing: str) -> None:
    with pytest.raises(Exception, match="If-Match"):
        await orders.get_for(act_on(processing, None))


async def test_an_act_on_an_old_version_is_told_the_present_one(orders: Orders, processing: str) -> None:
    with pytest.raises(StaleVersion) as stale:
        await orders.get_for(act_on(processing, 2))
    assert (stale.value.context["present_version"], stale.value.context["expected_version"]) == (3, 2)
    assert "processing" in stale.value.context.values()


async def test_an_order_of_a_foreign_area_and_an_unknown_one_are_not_found_alike(
    orders: Orders, processing: str
) -> None:
    for act in (act_on(processing, 3, areas=("south",)), act_on(processing, 3, areas=()), act_on("nothing", 1)):
        with pytest.raises(WorkOrderNotFound):
            await orders.get_for(act)
    assert (await orders.get_for(act_on(processing, 3, areas=("south", "north")))).order.version == 3


async def test_a_version_on_its_way_is_waited_for(db: Database, clock: FixedClock) -> None:
    life = whole_life("order-1").messages
    await follow(db, Service.FIELDWORK, life[:2])
    orders = Orders(Service.FIELDWORK, db, Wakeup(db.url), clock, sealing_keys_of(db), catch_up_seconds=20)
    waiting = asyncio.create_task(orders.get_for(act_on("order-1", 3)))
    await asyncio.wait([waiting], timeout=0.1)
    assert not waiting.done()
    await follow(db, Service.FIELDWORK, life[2:3])
    assert (await asyncio.wait_for(waiting, 10)).order.version == 3


async def test_what_was_done_cannot_have_been_before_the_last_act(orders: Orders, processing: str) -> None:
    early = act_on(processing, 3, occurred_at=BEGIN - timedelta(days=1))
    with pytest.raises(BeforeTheLastAct):
        await orders.record(await orders.get_for(early), NOTE, early, name="note")
    on_time = act_on(processing, 3, occurred_at=BEGIN + timedelta(minutes=2))
    assert (await orders.record(await orders.get_for(on_time), NOTE, on_time, name="note")).etag == '"4"'
