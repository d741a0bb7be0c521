"""A second set of projections, built from the event store beside the one that is shown, compared, switched.

1. `building`: the set is emptied, then every order is folded anew, a chunk of orders a transaction.
   Where it is stands in the `rebuilds` row, which each chunk locks: a worker that dies loses one chunk's
   work, and two workers take turns.
2. `catching_up`: orders that had events meanwhile are folded again, whole, until few are left. The last of
   them are done under the stream's lock, and from that commit on every batch of the consumer goes into both
   sets. So no event is missing (all before the lock are folded) and none is doubled (all after it are
   applied once).
3. `comparing`, then `ready`: both sets are held against each other in one snapshot.
4. An operator switches: under the same lock, the set that is shown changes in one commit.
"""

import logging
from datetime import UTC, datetime
from typing import Any

import msgspec

from chassis.database import Database, Transaction, is_transient
from chassis.wakeup import Wakeup
from contracts.refusals import Conflict, NotFound
from reporting import projections, tables
from reporting.record import event_store
from reporting.record.event_store import lock_stream

log = logging.getLogger(__name__)

_LOOK_EVERY_SECONDS = 1.0
_ORDERS_A_CHUNK = 500
_FEW_MESSAGES = 1000
_DIFFERENCES_SHOWN = 20
_UPGRADE = "upgrade"
_COMPARED_WITHIN_SECONDS = 3600.0
UNDER_WAY = ("building", "catching_up", "comparing")


class RebuildNotFound(NotFound):
    """There is no rebuild {rebuild_id}."""

    zh = "没有编号为 {rebuild_id} 的重建任务。"


class RebuildUnderWay(Conflict):
    """Rebuild {rebuild_id} is under way; wait until it is ready."""

    zh = "重建任务 {rebuild_id} 正在进行，请等待其就绪。"


class RebuildNotReady(Conflict):
    """Rebuild {rebuild_id} is {state}; only one that is ready can be switched to."""

    zh = "重建任务 {rebuild_id} 状态为 {state}，只有就绪的任务才能切换。"


class RebuildDiffers(Conflict):
    """Rebuild {rebuild_id} differs from what is shown in {difference_count} rows; look, then accept the differences."""

    zh = "重建任务 {rebuild_id} 与当前数据有 {difference_count} 行不同；请核对后再确认接受。"


async def request_rebuild(db: Database, *, by: str, at: datetime) -> Any:
    """Orders a rebuild, which a worker carries out; one that was ready and never switched to is dropped."""
    async with db.begin() as tx:
        state = await lock_stream(tx)
        running = await tx.fetchval("select id from rebuilds where state = any($1)", list(UNDER_WAY))
        if running is not None:
            raise RebuildUnderWay(rebuild_id=running)
        await tx.execute("update rebuilds set state = 'superseded', finished_at = $1 where state = 'ready'", at)
        await tx.execute("update stream_state set following = null")
        target = next(name for name in tables.SETS if name != state.live)
        return await tx.fetchrow(
            "insert into rebuilds (state, target, asked_by, asked_at) values ('building', $1, $2, $3) returning *",
            target,
            by,
            at,
        )


async def switch(db: Database, rebuild_id: int, *, accepts_differences: bool, by: str, at: datetime) -> Any:
    """Shows the rebuilt set from this commit on; the set shown before is no longer kept up."""
    # Asked first without the stream's lock: a comparison holds its row for as long as it takes.
    _check_is_ready(await get_rebuild(db, rebuild_id))
    async with db.begin() as tx:
        await lock_stream(tx)
        row = await tx.fetchrow("select * from rebuilds where id = $1 for update", rebuild_id)
        _check_is_ready(row)
        if row["difference_count"] and not accepts_differences:
            raise RebuildDiffers(rebuild_id=rebuild_id, difference_count=row["difference_count"])
        await tx.execute(
            """update stream_state set live = $1, generation = generation + 1, following = null, live_shape = $2""",
            row["target"],
            event_store.SHAPE,
        )
        return await tx.fetchrow(
            "update rebuilds set state = 'switched', switched_by = $2, switched_at = $3 where id = $1 returning *",
            rebuild_id,
            by,
            at,
        )


def _check_is_ready(row: Any) -> None:
    if row["state"] != "ready":
        raise RebuildNotReady(rebuild_id=row["id"], state=row["state"])


async def rebuilds(db: Database, *, limit: int) -> list[Any]:
    """The latest rebuilds, newest first."""
    async with db.statements() as statements:
        return await statements.fetch("select * from rebuilds order by id desc limit $1", limit)


async def get_rebuild(db: Database, rebuild_id: int) -> Any:
    async with db.statements() as statements:
        row = await statements.fetchrow("select * from rebuilds where id = $1", rebuild_id)
    if row is None:
        raise RebuildNotFound(rebuild_id=rebuild_id)
    return row


async def rebuild_on_command(db: Database, wakeup: Wakeup) -> None:
    """A job of the worker: carries out the rebuilds that are asked for, for as long as it runs."""
    while True:
        try:
            while await take_step(db) or await renew_shape(db):
                pass
        except Exception as error:
            if not is_transient(error):
                log.exception("a rebuild has failed")
                await _fail(db, f"{type(error).__name__}: {error}")
            else:
                log.warning("the rebuild waits: %s: %s", type(error).__name__, error)
        await wakeup.wait(_LOOK_EVERY_SECONDS)


async def renew_shape(db: Database) -> bool:
    """After an upgrade the set that is shown can be of tables that nobody keeps up: builds one and switches to it."""
    async with db.statements() as statements:
        state = await event_store.get_stream_state(statements)
        latest = await statements.fetchrow("select id, state from rebuilds order by id desc limit 1")
    if state.live_shape == event_store.SHAPE or (latest and latest["state"] == "failed"):
        return False
    now = datetime.now(UTC)
    if latest and latest["state"] == "ready":
        # What it differs from was never filled.
        await switch(db, latest["id"], accepts_differences=True, by=_UPGRADE, at=now)
    else:
        await request_rebuild(db, by=_UPGRADE, at=now)
    return True


async def _fail(db: Database, failure: str) -> None:
    async with db.begin() as tx:
        await lock_stream(tx)
        await tx.execute(
            """update rebuilds set state = 'failed', failure = $2, finished_at = now() where state = any($1)""",
            list(UNDER_WAY),
            failure[:2000],
        )
        await tx.execute("update stream_state set following = null")


async def take_step(db: Database) -> bool:
    """The next step of the rebuild that is under way; whether there was anything to do."""
    async with db.statements() as statements:
        row = await statements.fetchrow("select id, state from rebuilds where state = any($1)", list(UNDER_WAY))
    if row is None:
        return False
    if row["state"] == "building":
        await _build_chunk(db, row["id"])
    elif row["state"] == "catching_up":
        await _catch_up(db, row["id"])
    else:
        await _compare(db, row["id"])
    return True


async def _lock(tx: Transaction, rebuild_id: int, state: str) -> Any:
    return await tx.fetchrow("select * from rebuilds where id = $1 and state = $2 for update", rebuild_id, state)


async def _build_chunk(db: Database, rebuild_id: int) -> None:
    """Folds the next orders by their ids, of those that there were at the beginning."""
    async with db.begin() as tx:
        row = await _lock(tx, rebuild_id, "building")
        if row is None:
            return
        if row["after_order_id"] == "":
            row = await _empty(tx, row)
        found = await tx.fetch(
            """select order_id from (
                   (select order_id from messages where order_version = 1 and order_id > $1 and place <= $2
                    order by order_id limit $3)
                   union
                   (select distinct order_id from messages where topic = 'quality' and order_id > $1 and place <= $2
                    order by order_id limit $3)
               ) as subjects order by order_id limit $3""",
            row["after_order_id"],
            row["caught_up_place"],
            _ORDERS_A_CHUNK,
        )
        await _fold(tx, row["target"], [one["order_id"] for one in found])
        await tx.execute(
            "update rebuilds set state = $2, after_order_id = $3, done_count = done_count + $4 where id = $1",
            rebuild_id,
            "building" if found else "catching_up",
            found[-1]["order_id"] if found else row["after_order_id"],
            len(found),
        )


async def _empty(tx: Transaction, row: Any) -> Any:
    """Empties the set and notes from which place on events must be caught up with."""
    name = row["target"]
    # Whoever still reads this set holds this up; the next readers must not queue behind it for long.
    await tx.execute("set local lock_timeout = '1s'")
    await tx.execute("truncate " + ", ".join(f"{table}_{name}" for table in tables.PROJECTIONS))
    return await tx.fetchrow(
        """update rebuilds set caught_up_place = state.message_count, order_count = (
               select count(distinct order_id) from messages
               where (order_version = 1 or topic = 'quality') and place <= state.message_count
           ) from stream_state as state where id = $1 returning rebuilds.*""",
        row["id"],
    )


async def _fold(tx: Transaction, name: str, order_ids: list[str]) -> None:
    late_after = (await event_store.get_stream_state(tx)).late_after
    await projections.write_anew(tx, name, order_ids, late_after)


async def _catch_up(db: Database, rebuild_id: int) -> None:
    """Folds the orders again that had events meanwhile; when few are left, under the stream's lock."""
    async with db.begin() as tx:
        row = await _lock(tx, rebuild_id, "catching_up")
        if row is None:
            return
        upto = (await event_store.get_stream_state(tx)).message_count
        if upto - row["caught_up_place"] > _FEW_MESSAGES:
            await _fold_changed(tx, row, min(upto, row["caught_up_place"] + 5 * _FEW_MESSAGES))
            return
    await _start_following(db, rebuild_id)


async def _start_following(db: Database, rebuild_id: int) -> None:
    async with db.begin() as tx:
        upto = (await lock_stream(tx)).message_count
        row = await _lock(tx, rebuild_id, "catching_up")
        if row is None:
            return
        await _fold_changed(tx, row, upto)
        await tx.execute("update stream_state set following = $1", row["target"])
        await tx.execute("update rebuilds set state = 'comparing' where id = $1", rebuild_id)


async def _fold_changed(tx: Transaction, row: Any, upto: int) -> None:
    found = await tx.fetch(
        """select distinct order_id from messages
           where place > $1 and place <= $2 and (order_version is not null or topic = 'quality')""",
        row["caught_up_place"],
        upto,
    )
    await _fold(tx, row["target"], [one["order_id"] for one in found])
    await tx.execute("update rebuilds set caught_up_place = $2 where id = $1", row["id"], upto)


_KEYS = {name: tuple(table.primary_key.columns.keys()) for name, table in tables.PROJECTIONS.items()}
"""By table of a set, what is unique in it; the first column is the subject."""
_DIFFERENT = """
    select '{table}' as "table", coalesce(shown.{subject}, rebuilt.{subject}) as order_id,
        to_jsonb(shown) as shown, to_jsonb(rebuilt) as rebuilt
    from {table}_{live} as shown full join {table}_{target} as rebuilt using ({key})
    where shown is distinct from rebuilt"""


async def _compare(db: Database, rebuild_id: int) -> None:
    """Holds both sets against each other. One statement sees one moment, and every batch goes into both."""
    async with db.begin() as tx:
        row = await _lock(tx, rebuild_id, "comparing")
        if row is None:
            return
        state = await event_store.get_stream_state(tx)
        different = " union all ".join(
            _DIFFERENT.format(table=table, subject=key[0], key=", ".join(key), live=state.live, target=row["target"])
            for table, key in _KEYS.items()
        )
        await tx.execute("set local statement_timeout = 0")
        found = await tx.fetch_patiently(
            f"""with different as materialized ({different})
                select *, (select count(*) from different) as difference_count
                from different order by 1, 2 limit {_DIFFERENCES_SHOWN}""",
            seconds=_COMPARED_WITHIN_SECONDS,
        )
        await tx.execute(
            """update rebuilds set state = 'ready', difference_count = $2, differences = $3, finished_at = now()
               where id = $1""",
            rebuild_id,
            found[0]["difference_count"] if found else 0,
            msgspec.json.encode([_shown(one) for one in found]).decode(),
        )


def _shown(row: Any) -> dict[str, Any]:
    values = {name: msgspec.json.decode(row[name]) if row[name] else None for name in ("shown", "rebuilt")}
    return {"table": row["table"], "order_id": row["order_id"], **values}
