"""The next deadline beside each order, and how it is kept up with newer limits."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from chassis.database import Database
from contracts.codec import new_message
from contracts.events import SlaClock
from contracts.lifecycle import Service
from contracts.limits import SUBJECT, TimeLimit, TimeLimitsDefined
from contracts.message import Actor
from work_orders import rows_by_limits
from work_orders.rows_by_limits import recompute
from work_orders.time_limits import on_deadlines

from .conftest import BEGIN, follow, whole_life
from .test_clocks import make_rules


async def define(db: Database, version: int, *limits: TimeLimit, **more: Any) -> None:
    rules: TimeLimitsDefined = make_rules(*limits, **more)
    moment = BEGIN + timedelta(minutes=version)
    times = {"occurred_at": moment, "recorded_at": moment, "entity_version": version}
    message = new_message(rules, service=Service.DISPATCH, subject=SUBJECT, actor=Actor("o", "operator"), **times)
    async with db.begin() as tx:
        await on_deadlines([message], tx)


async def rows(db: Database) -> dict[str, tuple[datetime | None, int]]:
    async with db.statements() as statements:
        found = await statements.fetch("select id, next_due_at, rules_version from work_orders order by id")
    return {row["id"]: (row["next_due_at"], row["rules_version"]) for row in found}


async def test_an_order_has_its_next_deadline_beside_it_as_it_is_written(db: Database) -> None:
    for length, order_id in ((1, "created"), (5, "completed"), (6, "archived")):
        await follow(db, Service.FIELDWORK, whole_life(order_id).messages[:length])
    arrive = BEGIN + timedelta(minutes=45)
    assert await rows(db) == {"created": (arrive, 0), "completed": (None, 0), "archived": (None, 0)}


async def test_newer_limits_reach_the_orders_that_somebody_keeps_in_chunks(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows_by_limits, "_ORDERS_A_CHUNK", 2)
    for number in range(5):
        await follow(db, Service.FIELDWORK, whole_life(f"open-{number}").messages[:2])
    await follow(db, Service.FIELDWORK, whole_life("over").messages)
    assert await recompute(db) == 0
    await define(db, 1, TimeLimit(clock=SlaClock.ARRIVE, minutes=60))
    assert await recompute(db) == 5
    hour = BEGIN + timedelta(minutes=60)
    assert await rows(db) == {**{f"open-{number}": (hour, 1) for number in range(5)}, "over": (None, 0)}
    assert await recompute(db) == 0


async def test_an_order_that_an_earlier_release_created_gets_its_deadline(db: Database) -> None:
    await follow(db, Service.FIELDWORK, whole_life("open").messages[:2])
    async with db.statements() as statements:
        await statements.execute("update work_orders set next_due_at = null, rules_version = default")
    assert await recompute(db) == 1
    assert await rows(db) == {"open": (BEGIN + timedelta(minutes=45), 0)}


async def test_the_stream_is_applied_by_the_newest_limits(db: Database) -> None:
    await define(db, 1, TimeLimit(clock=SlaClock.COMPLETE, minutes=90))
    life = whole_life("o-1").messages
    await follow(db, Service.FIELDWORK, life[:2])
    await define(db, 2, TimeLimit(clock=SlaClock.COMPLETE, minutes=30))
    await follow(db, Service.FIELDWORK, life[2:3])
    assert await rows(db) == {"o-1": (BEGIN + timedelta(minutes=30), 2)}
