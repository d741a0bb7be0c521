"""Rebuilds in the database: their rows, what they still have to fold, and the comparison of both sets."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from chassis.database import Statements, Transaction
from reporting import tables
from reporting.rebuilds.domain import UNDER_WAY, RebuildNotFound

_DIFFERENCES_SHOWN = 20
_COMPARED_WITHIN_SECONDS = 3600.0
_KEYS = {name: tuple(table.primary_key.columns.keys()) for name, table in tables.PROJECTIONS.items()}
"""By table of a set, the columns of its key; the first is the subject."""


async def add_rebuild(tx: Transaction, target: str, *, by: str, at: datetime) -> Any:
    """Adds a rebuild of a set; one that was ready and not switched to is superseded."""
    await tx.execute("update rebuilds set state = 'superseded', finished_at = $1 where state = 'ready'", at)
    return await tx.fetchrow(
        "insert into rebuilds (state, target, asked_by, asked_at) values ('building', $1, $2, $3) returning *",
        target,
        by,
        at,
    )


async def rebuilds(statements: Statements, *, limit: int) -> list[Any]:
    """The latest rebuilds, newest first."""
    return await statements.fetch("select * from rebuilds order by id desc limit $1", limit)


async def get_rebuild(statements: Statements, rebuild_id: int) -> Any:
    return _required(await statements.fetchrow("select * from rebuilds where id = $1", rebuild_id), rebuild_id)


async def lock_rebuild(tx: Transaction, rebuild_id: int) -> Any:
    row = await tx.fetchrow("select * from rebuilds where id = $1 for update", rebuild_id)
    return _required(row, rebuild_id)


def _required(row: Any, rebuild_id: int) -> Any:
    if row is None:
        raise RebuildNotFound(rebuild_id=rebuild_id)
    return row


async def find_under_way(statements: Statements) -> Any:
    """Id and state of the rebuild that is under way, or None."""
    return await statements.fetchrow("select id, state from rebuilds where state = any($1)", list(UNDER_WAY))


async def lock_in_state(tx: Transaction, rebuild_id: int, state: str) -> Any:
    """The row, or None where another worker has moved the rebuild on."""
    return await tx.fetchrow("select * from rebuilds where id = $1 and state = $2 for update", rebuild_id, state)


async def empty_set(tx: Transaction, rebuild: Any) -> Any:
    """Empties the set and notes from which place on events must be caught up with."""
    # A reader of this set holds this up; the next readers must not queue behind it for long.
    await tx.execute("set local lock_timeout = '1s'")
    await tx.execute("truncate " + ", ".join(f"{table}_{rebuild['target']}" for table in tables.PROJECTIONS))
    return await tx.fetchrow(
        """update rebuilds set caught_up_place = state.message_count, order_count = (
               select count(distinct order_id) from messages
               where (order_version = 1 or topic = 'quality') and place <= state.message_count
           ) from stream_state as state where id = $1 returning rebuilds.*""",
        rebuild["id"],
    )


async def next_subjects(tx: Transaction, rebuild: Any, *, limit: int) -> list[str]:
    """The next subjects by their ids, of those that there were at the beginning."""
    rows = await tx.fetch(
        """select order_id from (
               (select order_id from messages where order_version = 1 and order_id > $1 and place <= $2
                order by order_id limit $3)
               union
               (select distinct order_id from messages where topic = 'quality' and order_id > $1 and place <= $2
                order by order_id limit $3)
           ) as subjects order by order_id limit $3""",
        rebuild["after_order_id"],
        rebuild["caught_up_place"],
        limit,
    )
    return [row["order_id"] for row in rows]


async def changed_subjects(tx: Transaction, rebuild: Any, upto: int) -> list[str]:
    """The subjects that had messages since the rebuild caught up last."""
    rows = await tx.fetch(
        """select distinct order_id from messages
           where place > $1 and place <= $2 and (order_version is not null or topic = 'quality')""",
        rebuild["caught_up_place"],
        upto,
    )
    return [row["order_id"] for row in rows]


async def note_built(tx: Transaction, rebuild: Any, subjects: Sequence[str]) -> None:
    await tx.execute(
        "update rebuilds set state = $2, after_order_id = $3, done_count = done_count + $4 where id = $1",
        rebuild["id"],
        "building" if subjects else "catching_up",
        subjects[-1] if subjects else rebuild["after_order_id"],
        len(subjects),
    )


async def note_caught_up(tx: Transaction, rebuild_id: int, upto: int) -> None:
    await tx.execute("update rebuilds set caught_up_place = $2 where id = $1", rebuild_id, upto)


async def note_comparing(tx: Transaction, rebuild_id: int) -> None:
    await tx.execute("update rebuilds set state = 'comparing' where id = $1", rebuild_id)


async def note_compared(tx: Transaction, rebuild_id: int, differences: Sequence[Any]) -> None:
    await tx.execute(
        """update rebuilds set state = 'ready', difference_count = $2, differences = $3, finished_at = now()
           where id = $1""",
        rebuild_id,
        differences[0]["difference_count"] if differences else 0,
        msgspec.json.encode([_difference(row) for row in differences]).decode(),
    )


async def note_switched(tx: Transaction, rebuild_id: int, *, by: str, at: datetime) -> Any:
    return await tx.fetchrow(
        "update rebuilds set state = 'switched', switched_by = $2, switched_at = $3 where id = $1 returning *",
        rebuild_id,
        by,
        at,
    )


async def note_failed(tx: Transaction, failure: str) -> None:
    await tx.execute(
        "update rebuilds set state = 'failed', failure = $2, finished_at = now() where state = any($1)",
        list(UNDER_WAY),
        failure[:2000],
    )


_DIFFERENT = """
    select '{table}' as "table", coalesce(shown.{subject}, rebuilt.{subject}) as order_id,
        to_jsonb(shown) as shown, to_jsonb(rebuilt) as rebuilt
    from {table}_{live} as shown full join {table}_{target} as rebuilt using ({key})
    where shown is distinct from rebuilt"""


async def differences(tx: Transaction, live: str, target: str) -> list[Any]:
    """The first rows that are not the same in both sets, each with the count of all of them.

    One statement sees one moment, and every batch goes into both sets.
    """
    different = " union all ".join(
        _DIFFERENT.format(table=table, subject=key[0], key=", ".join(key), live=live, target=target)
        for table, key in _KEYS.items()
    )
    await tx.execute("set local statement_timeout = 0")
    return await tx.fetch_patiently(
        f"""with different as materialized ({different})
            select *, (select count(*) from different) as difference_count
            from different order by 1, 2 limit {_DIFFERENCES_SHOWN}""",
        seconds=_COMPARED_WITHIN_SECONDS,
    )


def _difference(row: Any) -> dict[str, Any]:
    values = {name: msgspec.json.decode(row[name]) if row[name] else None for name in ("shown", "rebuilt")}
    return {"table": row["table"], "order_id": row["order_id"], **values}
