"""The custodian's write: a decision becomes state, outbox row and stored reply in one statement.

The statement is guarded by the version that the decision was made on. The command that loses a race
changes nothing and gets the present version. The outbox row is fed by the guarded change, so that its number
is drawn after the row lock: numbers of one order grow in commit order.
"""

from datetime import datetime

import asyncpg

from chassis import outbox
from chassis.commands import (
    KEY_COLUMNS,
    CommandHeaders,
    Reply,
    raise_first_answer,
    raise_if_key_taken,
    raise_if_replied,
)
from chassis.database import Database, Statements, Transaction, parameters_of
from chassis.entity_tags import etag_of
from chassis.outbox import COLUMNS as OUTBOX_COLUMNS
from chassis.outbox import WRITTEN as OUTBOX_WRITTEN
from chassis.outbox import row_of
from chassis.unit_of_work import Command, UnitOfWork
from contracts.chain import event_hash
from contracts.events import WorkOrderEvent
from contracts.message import Message
from contracts.order import WorkOrder, apply
from contracts.refusals import Conflict, Invalid, NotFound, Stale
from work_orders.order_table import BODY, COLUMNS, StoredOrder, stored_order_of, to_json, values_of
from work_orders.sealing_keys import SealingKeys, SubscriberErased
from work_orders.sla_clocks import RuleSets
from work_orders.tables import WORK_ORDERS
from work_orders.time_limits import rule_sets


class WorkOrderNotFound(NotFound):
    """There is no work order {order_id} that you may see."""

    zh = "没有您可以查看的工单 {order_id}。"


class StaleVersion(Stale):
    """The order is at version {present_version} ({order_status:status}); the request is based on version
    {expected_version}."""

    zh = "工单当前版本为 {present_version}（{order_status:status}），您所依据的版本为 {expected_version}。"


class ExternalReferenceTaken(Conflict):
    """External reference {external_reference} belongs to work order {order_no}."""

    zh = "外部编号 {external_reference} 已属于工单 {order_no}。"


class BeforeTheLastAct(Invalid):
    """occurred_at {occurred_at:time} is before the latest decision about the order at {last_act_at:time}."""

    zh = "发生时间 {occurred_at:time}早于工单上一次决定的时间 {last_act_at:time}。"


_TYPED_CHANGE = parameters_of(WORK_ORDERS.c)
_ROW = len(WORK_ORDERS.c)
_DECIDED_ON = f"${_ROW + 1}"
_KEY = _ROW + 2 + len(OUTBOX_WRITTEN)
_STREAM_VERSION = f"${list(WORK_ORDERS.c.keys()).index('stream_version') + 1}"
# The parameters are the row, the version decided on, the outbox row, the idempotency key with the reply's status and
# tag, and of a new order the subscriber.
_SENT_AND_KEPT = f"""
sent as (
    insert into outbox ({OUTBOX_COLUMNS})
    select {parameters_of(OUTBOX_WRITTEN, first=_ROW + 2)} from changed
), kept as (
    insert into idempotency_keys ({KEY_COLUMNS}, status, etag, response)
    select ${_KEY}::text, ${_KEY + 1}::text, ${_KEY + 2}::text, ${_KEY + 3}::text, ${_KEY + 4}::text,
        ${_KEY + 5}::text[], ${_KEY + 6}::smallint, ${_KEY + 7}::text, convert_to(${BODY + 1}::text, 'UTF8')
    from changed where ${_KEY + 2}::text is not null
)
select count(*) from changed"""
_CHANGE_IN = f"""
update work_orders set ({COLUMNS}) = ({_TYPED_CHANGE.replace(f"{_STREAM_VERSION}::integer", "stream_version")})
where id = $1 and version = {_DECIDED_ON}::int and {_STREAM_VERSION}::int is not null"""
_CHANGE = f"with changed as ({_CHANGE_IN} returning 1), {_SENT_AND_KEPT}"
_CREATE = f"""
with changed as (
    insert into work_orders ({COLUMNS}) select {_TYPED_CHANGE} where {_DECIDED_ON}::int = 0
        -- Held until this is committed: an erasure that comes at the same moment sees the order, or is seen here.
        and exists (select from sealing_keys
            where subscriber_id = ${_KEY + 8}::text and wrapped is not null for share)
    returning 1
), {_SENT_AND_KEPT}"""


_INSERT = f"insert into work_orders ({COLUMNS}) values ({_TYPED_CHANGE}) on conflict do nothing"


# The order and the stored reply in one snapshot: a read that finds the order changed by this command finds its reply.
# The key that its texts are sealed with comes along, which saves a query of its own.
_READ = """
select body, stream_version, last_hash, fingerprint, first.status, etag, response,
    first.role as answered_role, first.areas as answered_areas,
    sealing.subscriber_id, sealing.master_key_id, sealing.wrapped
from (values ($1::text, $2::text, $3::text, $4::text)) as asked (id, caller, route, key)
left join work_orders using (id)
-- The release before kept a key with the quotes that it came in.
left join idempotency_keys as first
    on first.caller = asked.caller and first.route = asked.route and first.key in (asked.key, '"' || asked.key || '"')
left join sealing_keys as sealing on sealing.subscriber_id = body ->> 'subscriber_id'"""


async def find_for_command(
    statements: Statements, order_id: str, caller: UnitOfWork, keys: SealingKeys
) -> StoredOrder | None:
    """The order; raises `AlreadyReplied` or `IdempotencyKeyReused`, but not to a token that may see neither.

    A stored reply shows the order as it then was. It is for a token like the one of then, also when the order has been
    dispatched elsewhere since: the client that repeats a command may never have got its reply. And it is for a token
    that sees the order at present, which shows what became of it.
    """
    key = caller.headers.idempotency
    if key is None:
        return await find_stored_order(statements, order_id)
    row = await statements.fetchrow(_READ, order_id, key.caller, key.route, key.key)
    assert row is not None  # what is asked is a row, whatever is joined to it
    stored = stored_order_of(row) if row["body"] is not None else None
    if row["fingerprint"] is not None and (
        key.may_have(row["answered_role"], row["answered_areas"])
        or (stored is not None and may_see(stored.order, caller.areas))
    ):
        raise_first_answer(key, row["fingerprint"], Reply(row["status"], row["response"], row["etag"]))
    if row["subscriber_id"] is not None:
        keys.learn(row["subscriber_id"], row["master_key_id"], row["wrapped"])
    return stored


async def write_order(
    db: Database, stored: StoredOrder, message: Message, headers: CommandHeaders, sets: RuleSets
) -> Reply:
    """Writes the order as the message left it, with the message and the reply; the reply's texts are sealed.

    Raises `StaleVersion`, `AlreadyReplied` or `IdempotencyKeyReused` where another command was faster, `CatchingUp`,
    and of a new order `ExternalReferenceTaken` or `SubscriberErased`.
    """
    decided_on = stored.order.version - 1
    is_new = decided_on == 0
    values = values_of(stored, sets)
    reply = Reply(201 if is_new else 200, values[BODY].encode(), etag_of(stored.order.version))
    key = headers.idempotency
    kept = (*key.values, reply.status, reply.etag) if key else (None,) * 8
    whose = (stored.order.subscriber_id,) if is_new else ()
    async with db.statements() as statements:
        try:
            changed = await statements.fetchval(
                _CREATE if is_new else _CHANGE, *values, decided_on, *row_of(message), *kept, *whose
            )
        except asyncpg.UniqueViolationError:
            # The same command ran twice at once, and the other one was first.
            await raise_if_key_taken(statements, key)
            await _raise_if_taken(statements, stored.order.external_reference)
            raise
        if changed == 0:
            await _raise_stale(statements, message.subject, headers, decided_on)
    return reply


async def _raise_stale(statements: Statements, order_id: str, headers: CommandHeaders, decided_on: int) -> None:
    await raise_if_replied(statements, headers.idempotency)
    if decided_on == 0:
        raise SubscriberErased()
    present = await find_stored_order(statements, order_id)
    if present is None:
        raise WorkOrderNotFound(order_id=order_id)
    raise stale_version(present.order, decided_on)


async def _raise_if_taken(statements: Statements, external_reference: str | None) -> None:
    row = await statements.fetchrow(
        "select id, order_no from work_orders where external_reference = $1", external_reference
    )
    if row is not None:
        raise ExternalReferenceTaken(
            external_reference=external_reference, order_id=row["id"], order_no=row["order_no"]
        )


async def create_in(tx: Transaction, message: Message) -> WorkOrder:
    """An order from its first event, within a transaction that does more; raises `ExternalReferenceTaken`."""
    created = StoredOrder(apply(None, message), 0, event_hash(message))
    if await tx.execute(_INSERT, *values_of(created, await rule_sets(tx))) == "INSERT 0 0":
        reference = created.order.external_reference
        await _raise_if_taken(tx, reference)
        raise ExternalReferenceTaken(external_reference=reference, order_id=None, order_no=None)
    await outbox.add(tx, [message])
    return created.order


async def change_in(
    command: Command,
    stored: StoredOrder,
    event: WorkOrderEvent,
    sets: RuleSets,
    *,
    occurred_at: datetime | None = None,
) -> None:
    """The order's next event within a command that holds the order's row; the reply is the order after it."""
    order = stored.order
    message = command.origin.message(
        event,
        subject=order.id,
        order_version=order.version + 1,
        prev_hash=stored.last_hash,
        occurred_at=occurred_at,
    )
    changed = StoredOrder(apply(order, message), stored.stream_version, event_hash(message))
    await command.tx.execute(_CHANGE_IN, *values_of(changed, sets), order.version)
    command.messages.append(message)
    command.reply_as(Reply(200, to_json(changed.order), etag_of(changed.order.version)))


_FIND = "select body, stream_version, last_hash from work_orders where id = $1"


async def find_stored_order(statements: Statements, order_id: str) -> StoredOrder | None:
    row = await statements.fetchrow(_FIND, order_id)
    return stored_order_of(row) if row else None


async def lock_order(tx: Transaction, order_id: str) -> StoredOrder | None:
    """The order, held until the commit: what is published of it then stands behind what was published before."""
    row = await tx.fetchrow(f"{_FIND} for update", order_id)
    return stored_order_of(row) if row else None


def may_see(order: WorkOrder, areas: tuple[str, ...] | None) -> bool:
    """Whether a person with this area scope may see the order."""
    return areas is None or order.work_area_id in areas


def stale_version(order: WorkOrder, expected: int) -> StaleVersion:
    return StaleVersion(present_version=order.version, order_status=order.status.value, expected_version=expected)
