"""A second set of projections, built from the event store beside the one that is shown, compared, switched.

1. `building`: the set is emptied, then every order is folded, a chunk of orders a transaction.
   Where it is stands in the `rebuilds` row, which each chunk locks: a worker that dies loses one chunk's
   work, and two workers take turns.
2. `catching_up`: orders that had events meanwhile are folded again, whole, until few are left. The last of
   them are done under the stream's lock, and from that commit on every batch of the consumer goes into both
   sets. So no event is missing (all before the lock are folded) and none is doubled (all after it are
   applied once).
3. `comparing`, then `ready`: both sets are compared in one snapshot.
4. An operator switches: under the same lock, the set that is shown changes in one commit.
"""

import logging
from collections.abc import Iterable
from typing import Any

from chassis.clock import SystemClock
from chassis.database import Database, Transaction, is_transient
from chassis.unit_of_work import UnitOfWork
from chassis.wakeup import Wakeup
from contracts.lifecycle import Service
from contracts.message import Actor
from reporting import projections
from reporting.rebuilds import store
from reporting.rebuilds.use_cases import request_rebuild, switch_to_rebuild
from reporting.record import event_store
from reporting.record.event_store import lock_stream

log = logging.getLogger(__name__)

_LOOK_EVERY_SECONDS = 5.0
_ORDERS_A_CHUNK = 500
_FEW_MESSAGES = 1000
_UPGRADE = Actor("upgrade", "service")


async def rebuild_on_command(db: Database, wakeup: Wakeup) -> None:
    """A job of the worker: carries out the rebuilds that are asked for, for as long as it runs."""
    uow = UnitOfWork(service=Service.REPORTING, db=db, clock=SystemClock(), wakeup=wakeup, actor=_UPGRADE)
    while True:
        mark = wakeup.mark()
        try:
            while await take_step(db) or await renew_shape(uow):
                pass
        except Exception as error:
            if not is_transient(error):
                log.exception("a rebuild failed")
                await _fail(db, f"{type(error).__name__}: {error}")
            else:
                log.warning("the rebuild failed, retrying: %s: %s", type(error).__name__, error)
        await wakeup.wait(_LOOK_EVERY_SECONDS, mark)


async def renew_shape(uow: UnitOfWork) -> bool:
    """Rebuilds and switches where an upgrade has changed the tables of a set; whether there was anything to do.

    Until then the set that is shown has the tables of another release, which no code keeps up.
    """
    async with uow.db.statements() as statements:
        state = await event_store.get_stream_state(statements)
        latest = next(iter(await store.rebuilds(statements, limit=1)), None)
    if state.live_shape == event_store.SHAPE or (latest and latest["state"] == "failed"):
        return False
    if latest and latest["state"] == "ready":
        # What it differs from was never filled.
        await switch_to_rebuild(latest["id"], accepts_differences=True, uow=uow)
    else:
        await request_rebuild(uow=uow)
    return True


async def _fail(db: Database, failure: str) -> None:
    async with db.begin() as tx:
        await lock_stream(tx)
        await store.note_failed(tx, failure)
        await event_store.follow(tx, None)


async def take_step(db: Database) -> bool:
    """The next step of the rebuild that is under way; whether there was anything to do."""
    async with db.statements() as statements:
        rebuild = await store.find_under_way(statements)
    if rebuild is None:
        return False
    await _STEPS[rebuild["state"]](db, rebuild["id"])
    return True


async def _build_chunk(db: Database, rebuild_id: int) -> None:
    """Folds the next subjects."""
    async with db.begin() as tx:
        rebuild = await store.lock_in_state(tx, rebuild_id, "building")
        if rebuild is None:
            return
        if rebuild["after_order_id"] == "":
            rebuild = await store.empty_set(tx, rebuild)
        subjects = await store.next_subjects(tx, rebuild, limit=_ORDERS_A_CHUNK)
        await _fold(tx, rebuild["target"], subjects)
        await store.note_built(tx, rebuild, subjects)


async def _fold(tx: Transaction, name: str, subjects: Iterable[str]) -> None:
    late_after = (await event_store.get_stream_state(tx)).late_after
    await projections.refold(tx, name, subjects, late_after)


async def _catch_up(db: Database, rebuild_id: int) -> None:
    """Folds the orders again that had events meanwhile; when few are left, under the stream's lock."""
    async with db.begin() as tx:
        rebuild = await store.lock_in_state(tx, rebuild_id, "catching_up")
        if rebuild is None:
            return
        upto = (await event_store.get_stream_state(tx)).message_count
        if upto - rebuild["caught_up_place"] > _FEW_MESSAGES:
            await _fold_changed(tx, rebuild, min(upto, rebuild["caught_up_place"] + 5 * _FEW_MESSAGES))
            return
    await _start_following(db, rebuild_id)


async def _start_following(db: Database, rebuild_id: int) -> None:
    async with db.begin() as tx:
        upto = (await lock_stream(tx)).message_count
        rebuild = await store.lock_in_state(tx, rebuild_id, "catching_up")
        if rebuild is None:
            return
        await _fold_changed(tx, rebuild, upto)
        await event_store.follow(tx, rebuild["target"])
        await store.note_comparing(tx, rebuild_id)


async def _fold_changed(tx: Transaction, rebuild: Any, upto: int) -> None:
    await _fold(tx, rebuild["target"], await store.changed_subjects(tx, rebuild, upto))
    await store.note_caught_up(tx, rebuild["id"], upto)


async def _compare(db: Database, rebuild_id: int) -> None:
    async with db.begin() as tx:
        rebuild = await store.lock_in_state(tx, rebuild_id, "comparing")
        if rebuild is None:
            return
        state = await event_store.get_stream_state(tx)
        await store.note_compared(tx, rebuild_id, await store.differences(tx, state.live, rebuild["target"]))


_STEPS = {"building": _build_chunk, "catching_up": _catch_up, "comparing": _compare}
