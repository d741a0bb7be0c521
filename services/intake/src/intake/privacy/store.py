"""Rows about people's data: reveals, legal holds, erasures, and how long things are kept."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from chassis.database import Statements, Transaction
from contracts.message import Actor
from intake.calls.texts import BLANKED
from intake.privacy.domain import DEFAULT_DAYS, SHIPPED_IS_ACTIVE, DataClass, Purpose, RetentionRule, Standing

_THEIR_CALLS = """select id from calls where subscriber_id = $1 or (subscriber_id is null
    and caller in (select unnest(same_number(phone)) from subscribers, unnest(phones) as phone where id = $1))"""
"""Calls of theirs, and from their numbers; the call of another subscriber from the same telephone stays."""

_FORGET = (
    # Sealed or, where nobody knew yet who called, in plain. Before the calls' numbers, by which they are found.
    *(f"update {table} set {blanked} where call_id in ({_THEIR_CALLS})" for table, blanked in BLANKED.items()),
    f"update call_facts set said = (said::jsonb - 'caller')::json where call_id in ({_THEIR_CALLS})",
    f"update calls set caller = null where id in ({_THEIR_CALLS})",
    """update links set reason = '' where order_id in (
            select work_orders.id from work_orders join subscribers using (subscriber_no) where subscribers.id = $1)""",
    """delete from follow_up_activity using subscribers
       where id = $1 and follow_up_activity.subscriber_no in (subscribers.subscriber_no,
                                                              plain_reference(subscribers.subscriber_no))""",
    # What a command about them was answered with is their data too.
    "delete from idempotency_keys where about = $1",
    "delete from subscribers where id = $1",
)
"""Everything that intake keeps of a subscriber in plain, by their id. A table that comes to hold more has its line."""


async def forget(tx: Transaction, subscriber_id: str) -> None:
    for sql in _FORGET:
        await tx.execute(sql, subscriber_id)


async def forget_callers(tx: Transaction, since: datetime, *, limit: int) -> int:
    """Blanks numbers and words of some calls from before a moment whose subscriber nobody knows; how many."""
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


async def destroy_key(tx: Transaction, subscriber_id: str) -> int:
    """Destroys the subscriber's sealing key, or sees to it that none is issued; its new version.

    Waits for orders that are being created with the key. Whoever asks afterwards sees them.
    """
    return await tx.fetchval(
        """insert into sealing_keys (subscriber_id, entity_version, master_key_id, wrapped) values ($1, 1, null, null)
           on conflict (subscriber_id) do update set entity_version = sealing_keys.entity_version + 1,
               master_key_id = null, wrapped = null
           returning entity_version""",
        subscriber_id,
    )


async def standing(tx: Transaction, subscriber_id: str, subscriber_no: str) -> Standing:
    rows = await tx.fetch(
        """select order_no from work_orders
           where subscriber_no = $1 and status not in ('archived', 'cancelled') order by order_no limit 20""",
        subscriber_no,
    )
    return Standing(await is_held(tx, subscriber_id), tuple(row["order_no"] for row in rows))


async def is_held(statements: Statements, subscriber_id: str) -> bool:
    return await statements.fetchval(
        "select exists (select from legal_holds where subscriber_id = $1 and lifted_at is null)", subscriber_id
    )


async def add_erasure(
    tx: Transaction, subscriber_id: str, subscriber_no: str, ground: str, actor: Actor, *, at: datetime, version: int
) -> Any:
    return await tx.fetchrow(
        """insert into erasures (subscriber_id, ground, erased_by, role, erased_at, order_count, key_version)
           select $1, $2, $3, $4, $5, count(*), $6 from work_orders where subscriber_no = $7
           returning *""",
        subscriber_id,
        ground,
        actor.sub,
        actor.role,
        at,
        version,
        subscriber_no,
    )


async def find_erasure(statements: Statements, subscriber_id: str) -> Any:
    return await statements.fetchrow("select * from erasures where subscriber_id = $1", subscriber_id)


async def erasures(statements: Statements, *, before: str | None, limit: int) -> list[Any]:
    return await statements.fetch(
        """select * from erasures where $1::text is null or subscriber_id < $1
           order by subscriber_id desc limit $2""",
        before,
        limit,
    )


async def erased_since(statements: Statements, moment: datetime) -> list[Any]:
    return await statements.fetch(
        "select subscriber_id, ground, key_version from erasures where erased_at >= $1 order by subscriber_id", moment
    )


async def add_reveal(
    tx: Transaction,
    reveal_id: str,
    subscriber_id: str,
    work_order_id: str | None,
    purpose: Purpose,
    reason: str | None,
    actor: Actor,
    *,
    at: datetime,
) -> None:
    await tx.execute(
        """insert into reveals (id, subscriber_id, work_order_id, purpose, reason, revealed_by, revealed_by_name, role,
                                revealed_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
        reveal_id,
        subscriber_id,
        work_order_id,
        purpose.value,
        reason,
        actor.sub,
        actor.name,
        actor.role,
        at,
    )


async def reveals(
    statements: Statements, *, subscriber_id: str | None, revealed_by: str | None, before: str | None, limit: int
) -> list[Any]:
    """Latest first."""
    return await statements.fetch(
        """select * from reveals
           where ($1::text is null or subscriber_id = $1) and ($2::text is null or revealed_by = $2)
             and ($3::text is null or id < $3)
           order by id desc limit $4""",
        subscriber_id,
        revealed_by,
        before,
        limit,
    )


async def add_hold(tx: Transaction, hold_id: str, subscriber_id: str, reason: str, *, by: str, at: datetime) -> Any:
    return await tx.fetchrow(
        """insert into legal_holds (id, subscriber_id, reason, set_by, set_at) values ($1, $2, $3, $4, $5)
           returning *""",
        hold_id,
        subscriber_id,
        reason,
        by,
        at,
    )


async def lock_hold(tx: Transaction, hold_id: str) -> Any:
    return await tx.fetchrow("select * from legal_holds where id = $1 for update", hold_id)


async def lift_hold(tx: Transaction, hold_id: str, reason: str, *, by: str, at: datetime) -> Any:
    return await tx.fetchrow(
        "update legal_holds set lift_reason = $2, lifted_by = $3, lifted_at = $4 where id = $1 returning *",
        hold_id,
        reason,
        by,
        at,
    )


async def holds(
    statements: Statements, *, subscriber_id: str | None, is_standing: bool | None, before: str | None, limit: int
) -> list[Any]:
    """Latest first."""
    return await statements.fetch(
        """select * from legal_holds
           where ($1::text is null or subscriber_id = $1) and ($2::bool is null or (lifted_at is null) = $2)
             and ($3::text is null or id < $3)
           order by id desc limit $4""",
        subscriber_id,
        is_standing,
        before,
        limit,
    )


async def retention_rule(statements: Statements, data_class: DataClass) -> RetentionRule:
    row = await statements.fetchrow(
        "select keep_days, is_active from retention_rules where data_class = $1", data_class.value
    )
    shipped = SHIPPED_IS_ACTIVE[data_class]
    if row is None:
        return RetentionRule(DEFAULT_DAYS[data_class], shipped)
    return RetentionRule(row["keep_days"], shipped if row["is_active"] is None else row["is_active"])


async def retention_rules(statements: Statements) -> list[Any]:
    return await statements.fetch(
        "select data_class, keep_days, is_active, changed_by, changed_at from retention_rules"
    )


async def put_retention_rule(
    statements: Statements, data_class: DataClass, days: int, is_active: bool | None, *, by: str, at: datetime
) -> bool:
    """Sets a rule; `is_active` None leaves that as it is. Whether it is active now."""
    found = await statements.fetchval(
        """insert into retention_rules (data_class, keep_days, is_active, changed_by, changed_at)
           values ($1, $2, $3, $4, $5)
           on conflict (data_class) do update set keep_days = excluded.keep_days,
               is_active = coalesce(excluded.is_active, retention_rules.is_active),
               changed_by = excluded.changed_by, changed_at = excluded.changed_at
           returning is_active""",
        data_class.value,
        days,
        is_active,
        by,
        at,
    )
    return SHIPPED_IS_ACTIVE[data_class] if found is None else found


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


async def add_run(statements: Statements, day: date, counts: Sequence[int], *, at: datetime) -> None:
    await statements.execute(
        """insert into retention_runs (run_on, finished_at, subscribers_erased, reveals_deleted, keys_wrapped_anew,
               callers_forgotten, subscribers_due, is_erasing)
           values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (run_on) do nothing""",
        day,
        at,
        *counts,
    )


async def retention_runs(statements: Statements, *, before: date | None, limit: int) -> list[Any]:
    """What each day's run has done, latest first."""
    return await statements.fetch(
        """select run_on, finished_at, is_erasing, subscribers_due, subscribers_erased, reveals_deleted,
                  callers_forgotten, keys_wrapped_anew
           from retention_runs where $1::date is null or run_on < $1 order by run_on desc limit $2""",
        before,
        limit,
    )
