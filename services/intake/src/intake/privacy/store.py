"""Rows about people's data: reveals, legal holds, erasures, and how long things are kept."""

from dataclasses import astuple, replace
from datetime import date, datetime
from typing import Any

from chassis.database import Statements, Transaction, columns_of
from chassis.row_store import RowStore
from intake import tables
from intake.calls.text_store import BLANKED
from intake.privacy.domain import (
    SHIPPED,
    DataClass,
    ErasureEvidence,
    ErasureObstacles,
    Hold,
    RetentionOutcome,
    RetentionSetting,
    RevealRecord,
)

REVEALS = RowStore(tables.REVEALS, RevealRecord)
HOLDS = RowStore(tables.LEGAL_HOLDS, Hold)
ERASURES = RowStore(tables.ERASURES, ErasureEvidence)

_THEIR_CALLS = """select id from calls where subscriber_id = $1 or (subscriber_id is null
    and caller in (select unnest(same_number(phone)) from subscribers, unnest(phones) as phone where id = $1))"""
"""Calls of theirs, and from their numbers; the call of another subscriber from the same telephone stays."""

_FORGET = (
    # Sealed or, where the subscriber was not known yet, in plain. Before the calls' numbers, by which they are found.
    *(f"update {table} set {blanked} where call_id in ({_THEIR_CALLS})" for table, blanked in BLANKED.items()),
    f"update call_facts set said = (said::jsonb - 'caller')::json where call_id in ({_THEIR_CALLS})",
    f"update calls set caller = null where id in ({_THEIR_CALLS})",
    """update links set reason = '' where order_id in (
            select work_orders.id from work_orders join subscribers using (subscriber_no) where subscribers.id = $1)""",
    """delete from follow_up_activity using subscribers
       where id = $1 and follow_up_activity.subscriber_no in (subscribers.subscriber_no,
                                                              plain_reference(subscribers.subscriber_no))""",
    """update partner_messages set payload = (payload::jsonb - 'appointment' - 'reply_by')::text where order_id in (
            select work_orders.id from work_orders join subscribers using (subscriber_no) where subscribers.id = $1)""",
    # What a command about them was answered with is their data too.
    "delete from idempotency_keys where about = $1",
    "delete from tied_callers where caller_id = $1 or subscriber_id = $1",
    "delete from order_contacts where subscriber_id = $1",
    "delete from subscribers where id = $1",
)
"""Everything that intake keeps of a subscriber in plain, by their id. A table that comes to hold more has its line."""


async def forget(tx: Transaction, subscriber_id: str) -> None:
    for sql in _FORGET:
        await tx.execute(sql, subscriber_id)


async def forget_callers(tx: Transaction, since: datetime, *, limit: int) -> int:
    """Blanks numbers and words of some calls from before a moment whose subscriber is unknown; how many."""
    rows = await tx.fetch(
        """update calls set caller = null, is_forgotten = true where id in (
               select id from calls where subscriber_id is null and not is_forgotten and started_at < $1
               order by started_at limit $2 for update skip locked) returning id""",
        since,
        limit,
    )
    ids = [row["id"] for row in rows]
    await tx.execute("update call_facts set said = (said::jsonb - 'caller')::json where call_id = any($1)", ids)
    for table, blanked in BLANKED.items():
        await tx.execute(f"update {table} set {blanked} where call_id = any($1)", ids)
    return len(ids)


async def lock_subscriber(tx: Transaction, subscriber_id: str) -> str | None:
    """The subscriber's number; None when there is no such subscriber. Holds and erasure take turns at this lock."""
    return await tx.fetchval("select subscriber_no from subscribers where id = $1 for update", subscriber_id)


async def lock_calls(tx: Transaction, subscriber_id: str) -> None:
    await tx.execute(f"select from calls where id in ({_THEIR_CALLS}) order by id for update", subscriber_id)


async def standing(tx: Transaction, subscriber_id: str, subscriber_no: str) -> ErasureObstacles:
    rows = await tx.fetch(
        """select order_no from work_orders
           where subscriber_no = $1 and status not in ('archived', 'cancelled') order by order_no limit 20""",
        subscriber_no,
    )
    return ErasureObstacles(await is_held(tx, subscriber_id), tuple(row["order_no"] for row in rows))


async def is_held(statements: Statements, subscriber_id: str) -> bool:
    return await statements.fetchval(
        "select exists (select from legal_holds where subscriber_id = $1 and lifted_at is null)", subscriber_id
    )


async def add_erasure(tx: Transaction, erased: ErasureEvidence, subscriber_no: str) -> ErasureEvidence:
    """Keeps the evidence, with the number of the subscriber's orders."""
    order_count = await tx.fetchval("select count(*) from work_orders where subscriber_no = $1", subscriber_no)
    return await ERASURES.save(tx, replace(erased, order_count=order_count))


async def erasures(statements: Statements, *, before: str | None, limit: int) -> list[ErasureEvidence]:
    rows = await statements.fetch(
        """select * from erasures where $1::text is null or subscriber_id < $1
           order by subscriber_id desc limit $2""",
        before,
        limit,
    )
    return [ERASURES.row_of(row) for row in rows]


async def erased_since(statements: Statements, moment: datetime) -> list[ErasureEvidence]:
    rows = await statements.fetch("select * from erasures where erased_at >= $1 order by subscriber_id", moment)
    return [ERASURES.row_of(row) for row in rows]


async def reveals(
    statements: Statements, *, subscriber_id: str | None, revealed_by: str | None, before: str | None, limit: int
) -> list[RevealRecord]:
    """Latest first."""
    rows = await statements.fetch(
        """select * from reveals
           where ($1::text is null or subscriber_id = $1) and ($2::text is null or revealed_by = $2)
             and ($3::text is null or id < $3)
           order by id desc limit $4""",
        subscriber_id,
        revealed_by,
        before,
        limit,
    )
    return [REVEALS.row_of(row) for row in rows]


async def holds(
    statements: Statements, *, subscriber_id: str | None, is_standing: bool | None, before: str | None, limit: int
) -> list[Hold]:
    """Latest first."""
    rows = await statements.fetch(
        """select * from legal_holds
           where ($1::text is null or subscriber_id = $1) and ($2::bool is null or (lifted_at is null) = $2)
             and ($3::text is null or id < $3)
           order by id desc limit $4""",
        subscriber_id,
        is_standing,
        before,
        limit,
    )
    return [HOLDS.row_of(row) for row in rows]


async def retention_settings(statements: Statements) -> dict[DataClass, RetentionSetting]:
    """Of every class of data, also where an operator has changed nothing."""
    rows = await statements.fetch(f"select {columns_of(tables.RETENTION_RULES.c)} from retention_rules")
    changed = [_setting(row) for row in rows]
    return {**SHIPPED, **{setting.data_class: setting for setting in changed}}


def _setting(row: Any) -> RetentionSetting:
    data_class = DataClass(row["data_class"])
    is_active = SHIPPED[data_class].is_active if row["is_active"] is None else row["is_active"]
    return RetentionSetting(**{**row, "data_class": data_class, "is_active": is_active})


async def put_retention_setting(
    statements: Statements, data_class: DataClass, days: int, is_active: bool | None, *, by: str, at: datetime
) -> RetentionSetting:
    """Changes a setting; `is_active` None leaves that as it is."""
    row = await statements.fetchrow(
        f"""insert into retention_rules (data_class, keep_days, is_active, changed_by, changed_at)
            values ($1, $2, $3, $4, $5)
            on conflict (data_class) do update set keep_days = excluded.keep_days,
                is_active = coalesce(excluded.is_active, retention_rules.is_active),
                changed_by = excluded.changed_by, changed_at = excluded.changed_at
            returning {columns_of(tables.RETENTION_RULES.c)}""",
        data_class.value,
        days,
        is_active,
        by,
        at,
    )
    return _setting(row)


async def delete_reveals(statements: Statements, since: datetime, *, limit: int) -> int:
    """Deletes some of the reveals from before a moment; how many. Those of subscribers on hold stay."""
    return await statements.fetchval(
        """with old as (
               select id from reveals where revealed_at < $1 and not exists (
                   select from legal_holds where legal_holds.subscriber_id = reveals.subscriber_id
                   and lifted_at is null) limit $2
           ), gone as (delete from reveals using old where reveals.id = old.id returning 1)
           select count(*) from gone""",
        since,
        limit,
    )


async def was_run_on(statements: Statements, day: date) -> bool:
    return await statements.fetchval("select exists (select from retention_runs where run_on = $1)", day)


async def add_run(statements: Statements, day: date, outcome: RetentionOutcome, *, at: datetime) -> None:
    """Of two workers that run at once, the first one's outcome is kept."""
    await statements.execute(
        """insert into retention_runs (run_on, finished_at, subscribers_erased, reveals_deleted, keys_wrapped_anew,
               callers_forgotten, subscribers_due, is_erasing)
           values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (run_on) do nothing""",
        day,
        at,
        *astuple(outcome),
    )


async def retention_runs(statements: Statements, *, before: date | None, limit: int) -> list[Any]:
    """What each day's run has done, latest first."""
    return await statements.fetch(
        f"""select {columns_of(tables.RETENTION_RUNS.c)} from retention_runs
            where $1::date is null or run_on < $1 order by run_on desc limit $2""",
        before,
        limit,
    )
