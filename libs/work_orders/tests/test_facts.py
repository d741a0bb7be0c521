"""Facts stand beside an order: kept once, in any status, and no decision waits for them."""

import asyncio
from typing import Any

import pytest

from chassis.clock import SystemClock
from chassis.commands import Reply
from chassis.database import Database
from chassis.one_statement import execute_together, fetch_together
from chassis.subscribe import Poison
from contracts import events as e
from contracts import facts as f
from contracts.lifecycle import Service
from contracts.message import Message
from work_orders.commit import StaleVersion
from work_orders.replica import Replica

from .conftest import Orders, Timeline, act_on, count_of, follow, tracked_in, whole_life

REMARK = f.WorkOrderRemarked(remark="the gate is green")
PART = f.WorkOrderPartUsed(part_no="RG6", count="12.5", unit="m")
REJECTED = e.WorkOrderRejected(reason=e.RejectionReason.UNSAFE, explanation="dog")


def life_with_facts(*facts: Any) -> Timeline:
    """An archived order, and what was told of it afterwards."""
    life = whole_life("order-1")
    for fact in facts:
        life.then(Service.FIELDWORK, fact)
    return life


async def facts_in(db: Database) -> list[Any]:
    async with db.statements() as statements:
        return await statements.fetch("select id, kind, data from order_facts order by recorded_at")


async def test_a_fact_is_kept_once_however_often_it_is_delivered_and_leaves_the_order_as_it_is(db: Database) -> None:
    life = life_with_facts(REMARK, PART)
    await follow(db, Service.QA, life.messages)
    await follow(db, Service.QA, life.messages[-2:])
    rows = await facts_in(db)
    assert [(row["id"], row["kind"]) for row in rows] == [
        (message.id, kind) for message, kind in zip(life.messages[-2:], ("remark", "part"), strict=True)
    ]
    stored = await tracked_in(db, "order-1")
    assert stored is not None
    assert stored.order.version == 6


async def test_a_batch_with_facts_is_one_read_and_one_change_too(db: Database) -> None:
    replica, life = Replica(Service.QA, SystemClock()), life_with_facts(REMARK, PART)
    await _at_once(db, replica, life.messages[:-1])
    await _at_once(db, replica, life.messages[-2:])
    assert [row["kind"] for row in await facts_in(db)] == ["remark", "part"]


async def _at_once(db: Database, replica: Replica, messages: list[Message]) -> None:
    async with db.statements() as statements:
        parts = replica.reads(messages)
        assert parts is not None
        changes = replica.writes(messages, await fetch_together(statements, parts))
        assert changes is not None
        await execute_together(statements, changes)


async def test_a_fact_about_an_order_that_was_never_created_is_parked(db: Database) -> None:
    stray = Timeline("order-9").then(Service.FIELDWORK, PART)
    with pytest.raises(Poison, match="never created"):
        await follow(db, Service.QA, [stray])


@pytest.mark.parametrize("between", [e.WorkOrderNoteAdded(note="seen"), e.WorkOrderArrived(), e.WorkOrderContacted()])
async def test_a_decision_fits_the_version_before_what_decides_nothing(
    db: Database, orders: Orders, between: e.WorkOrderEvent
) -> None:
    await follow(db, Service.FIELDWORK, whole_life("order-1").messages[:3])
    await _recorded(orders, between, 3)
    reply = await _recorded(orders, REJECTED, 3)
    assert reply.etag == '"5"'


async def test_a_decision_does_not_fit_the_version_before_another_decision(db: Database, orders: Orders) -> None:
    await follow(db, Service.FIELDWORK, whole_life("order-1").messages[:3])
    with pytest.raises(StaleVersion) as refused:
        await orders.get_for(act_on("order-1", 2))
    assert refused.value.context["present_version"] == 3


async def test_a_decision_that_loses_the_race_to_an_arrival_is_written_behind_it(db: Database, orders: Orders) -> None:
    await follow(db, Service.FIELDWORK, whole_life("order-1").messages[:3])
    act = act_on("order-1", 3)
    before = await orders.get_for(act)
    await _recorded(orders, e.WorkOrderArrived(), 3)
    reply = await orders.record(before, REJECTED, act, name="reject")
    assert reply.etag == '"5"'


async def test_of_decisions_and_notes_at_once_all_notes_and_one_decision_are_written(
    db: Database, orders: Orders
) -> None:
    await follow(db, Service.FIELDWORK, whole_life("order-1").messages[:3])
    act, note = act_on("order-1", 3), e.WorkOrderNoteAdded(note="seen")
    before = await orders.get_for(act)
    events = [*([note] * 4), e.WorkOrderSuspended(reason="parts", until=before.order.changed.at), *([note] * 4)]
    results = await asyncio.gather(
        *(orders.record(before, event, act, name="x") for event in events), return_exceptions=True
    )
    stored = await tracked_in(db, "order-1")
    assert stored is not None
    written = [result for result in results if isinstance(result, Reply)]
    assert (stored.order.version, await count_of(db, "outbox")) == (3 + len(written), len(written))
    # A note that was overtaken by the decision is refused here; notes of the field need no version at all.
    assert {type(result) for result in results} <= {Reply, StaleVersion}
    assert stored.order.suspension is not None


async def _recorded(orders: Orders, event: e.WorkOrderEvent, version: int) -> Reply:
    act = act_on("order-1", version)
    return await orders.record(await orders.get_for(act), event, act, name="x")
