"""The custodian's side: a decision becomes state, outbox row and remembered answer in one statement.

The statement is guarded by the version that the decision was made on. Whoever loses the race changes
nothing and is told the present version. The outbox row is fed by the guarded change, so that its number
is drawn after the row lock: numbers of one order grow in commit order.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import asyncpg

from chassis import outbox
from chassis.catching_up import IS_CATCHING_UP, CatchingUp, is_catching_up
from chassis.clock import Clock
from chassis.commands import (
    KEY_COLUMNS,
    CommandHeaders,
    Reply,
    etag_of,
    raise_first_answer,
    raise_if_key_taken,
    raise_if_replied,
)
from chassis.database import Database, Statements, Transaction
from chassis.outbox import COLUMNS as OUTBOX_COLUMNS
from chassis.outbox import row_of
from chassis.telemetry import METRICS
from chassis.wait_for_version import caught_up
from chassis.wakeup import PUBLISH, Wakeup
from contracts.chain import event_hash
from contracts.codec import new_message
from contracts.events import WorkOrderCreated, WorkOrderEvent
from contracts.lifecycle import Service
from contracts.message import Actor, Message
from contracts.order import WorkOrder, apply
from contracts.refusals import Conflict, Invalid, NotFound, Stale
from work_orders.order_table import COLUMNS, TYPES, StoredOrder, stored_order_of, values_of
from work_orders.sealing import Opening, sealed
from work_orders.sealing_keys import SealingKeys, SubscriberErased

E = TypeVar("E", bound=WorkOrderEvent)

log = logging.getLogger(__name__)


class WorkOrderNotFound(NotFound):
    """There is no work order {order_id} that you may see."""

    zh = "没有您可以查看的工单 {order_id}。"


class StaleVersion(Stale):
    """The order is at version {present_version}, {order_status}; you decided on version {expected_version}."""

    zh = "工单当前版本为 {present_version}（{order_status}），您所依据的版本为 {expected_version}。"


class ExternalReferenceTaken(Conflict):
    """External reference {external_reference} belongs to work order {order_no}."""

    zh = "外部编号 {external_reference} 已属于工单 {order_no}。"


class BeforeTheLastAct(Invalid):
    """It cannot have happened at {occurred_at}: the order's last act was at {last_act_at}."""

    zh = "发生时间 {occurred_at} 早于工单上一次操作的时间 {last_act_at}。"


@dataclass(frozen=True, slots=True)
class OrderCommand:
    """One command on one order: who, on which version, when, and how to know it again."""

    order_id: str
    actor: Actor
    headers: CommandHeaders
    areas: tuple[str, ...] | None = None
    """The work areas that the actor may see; None for all."""
    occurred_at: datetime | None = None
    """When it was done, if not at this moment."""


_TYPED_CHANGE = ", ".join(f"${place}::{kind}" for place, kind in enumerate(TYPES, start=1))
_SENT_AND_KEPT = f"""
sent as (
    insert into outbox ({OUTBOX_COLUMNS})
    select $18::smallint, $19::text, $20::text, $21::int, $22::text, $23::bytea, $24::jsonb from changed
), kept as (
    insert into idempotency_keys ({KEY_COLUMNS}, status, etag, response)
    select $25::text, $26::text, $27::text, $28::text, $29::text, $30::text[], $31::smallint, $32::text,
        convert_to($16::text, 'UTF8')
    from changed where $27::text is not null
)
select count(*) from changed"""
# $1..$16 are the row, $17 the version decided on, $18..$24 the outbox row, $25..$32 the idempotency key,
# $33 of a new order the subscriber.
_CHANGE = f"""
with changed as (
    update work_orders set ({COLUMNS}) = ({_TYPED_CHANGE.replace("$3::int", "stream_version")})
    where id = $1 and version = $17::int and $3::int is not null and not {IS_CATCHING_UP} returning 1
), {_SENT_AND_KEPT}"""
_CREATE = f"""
with changed as (
    insert into work_orders ({COLUMNS}) select {_TYPED_CHANGE} where $17::int = 0 and not {IS_CATCHING_UP}
        -- Held until this is committed: an erasure that comes at the same moment sees the order, or is seen here.
        and exists (select from sealing_keys where subscriber_id = $33::text and wrapped is not null for share)
    returning 1
), {_SENT_AND_KEPT}"""


_INSERT = f"insert into work_orders ({COLUMNS}) values ({_TYPED_CHANGE}) on conflict do nothing"


# The order and the first answer as of one moment: whoever sees the order moved on by this very command sees its answer.
# The key that its texts are sealed with comes along, which saves a query of its own.
_READ = """
select body, stream_version, last_hash, fingerprint, first.status, etag, response,
    first.role as answered_role, first.areas as answered_areas,
    sealing.subscriber_id, sealing.master_key_id, sealing.wrapped
from (values ($1::text, $2::text, $3::text, $4::text)) as asked (id, caller, route, key)
left join work_orders using (id) left join idempotency_keys as first using (caller, route, key)
left join sealing_keys as sealing on sealing.subscriber_id = body ->> 'subscriber_id'"""


class Orders:
    """The orders of one service, as its use cases see them."""

    def __init__(
        self,
        service: Service,
        db: Database,
        wakeup: Wakeup,
        clock: Clock,
        sealing_keys: SealingKeys,
        *,
        catch_up_seconds: float,
    ) -> None:
        self._service = service
        self._db = db
        self._wakeup = wakeup
        self._clock = clock
        self._sealing_keys = sealing_keys
        self._catch_up_seconds = catch_up_seconds

    async def get_for(self, act: OrderCommand) -> StoredOrder:
        """The order that the act is about, at the version it was decided on.

        Raises `AlreadyReplied`, `WorkOrderNotFound` (also for an order of a foreign area) or `StaleVersion`.
        An expected version that has not arrived here yet is waited for.
        """
        expected = act.headers.expected_version

        async def read() -> StoredOrder | None:
            async with self._db.statements() as statements:
                return await _find_unless_answered(statements, act, self._sealing_keys)

        def is_there(stored: StoredOrder | None) -> bool:
            # A foreign order is waited for like one that is not there: how long it takes tells nothing.
            return stored is not None and stored.order.version >= expected and may_see(stored.order, act.areas)

        stored = await caught_up(read, is_there, wakeup=self._wakeup, seconds=self._catch_up_seconds)
        if stored is None or not may_see(stored.order, act.areas):
            raise WorkOrderNotFound(order_id=act.order_id)
        if stored.order.version != expected:
            raise _stale(stored.order, expected)
        return stored

    async def record(self, stored: StoredOrder, event: WorkOrderEvent, act: OrderCommand, *, name: str) -> Reply:
        """Commits the event; the answer is the order as it now is.

        Raises `StaleVersion` or `AlreadyReplied`, and of an event with free text what `sealed` raises.
        """
        message = self._message(await self._sealed(event, act, stored.order.subscriber_id), act, stored)
        changed = StoredOrder(apply(stored.order, message), stored.stream_version, event_hash(message))
        return await self._commit(_CHANGE, changed, message, act, decided_on=stored.order.version, name=name)

    async def create(self, event: WorkOrderCreated, act: OrderCommand, *, name: str) -> Reply:
        """Commits the first event of an order."""
        message = self._message(await self._sealed(event, act, event.subscriber_id), act, None)
        created = StoredOrder(apply(None, message), 0, event_hash(message))
        return await self._commit(_CREATE, created, message, act, decided_on=0, name=name)

    async def _sealed(self, event: E, act: OrderCommand, subscriber_id: str) -> E:
        return await sealed(event, self._sealing_keys, subject=act.order_id, subscriber_id=subscriber_id)

    def _message(self, event: WorkOrderEvent, act: OrderCommand, stored: StoredOrder | None) -> Message:
        now = self._clock.now()
        occurred_at = act.occurred_at or now
        if stored is not None and act.occurred_at is not None and occurred_at < stored.order.changed.at:
            raise BeforeTheLastAct(occurred_at=occurred_at, last_act_at=stored.order.changed.at)
        return new_message(
            event,
            service=self._service,
            subject=act.order_id,
            actor=act.actor,
            occurred_at=occurred_at,
            recorded_at=now,
            order_version=stored.order.version + 1 if stored else 1,
            prev_hash=stored.last_hash if stored else None,
            correlation_id=act.headers.correlation_id,
            traceparent=act.headers.traceparent,
        )

    async def _commit(
        self, sql: str, stored: StoredOrder, message: Message, act: OrderCommand, *, decided_on: int, name: str
    ) -> Reply:
        values = values_of(stored)
        answer = Reply(201 if decided_on == 0 else 200, values[-1].encode(), etag_of(stored.order.version))
        key = act.headers.idempotency
        remembered = (*key.values, answer.status, answer.etag) if key else (None,) * 8
        async with self._db.statements() as statements:
            try:
                whose = () if decided_on else (stored.order.subscriber_id,)
                changed = await statements.fetchval(sql, *values, decided_on, *row_of(message), *remembered, *whose)
            except asyncpg.UniqueViolationError:
                # The same command ran twice at once, and the other one was first.
                await raise_if_key_taken(statements, key)
                await _raise_if_taken(statements, stored.order.external_reference)
                raise
            if changed == 0:
                await self._raise_stale(statements, act, decided_on)
        self._wakeup.send(PUBLISH)
        METRICS.commands.labels(name).inc()
        _log_act(name, stored.order, message)
        opening = Opening(self._sealing_keys, language=act.headers.language)
        return Reply(answer.status, await opening.object(act.order_id, answer.body), answer.etag)

    async def _raise_stale(self, statements: Statements, act: OrderCommand, decided_on: int) -> None:
        await raise_if_replied(statements, act.headers.idempotency)
        if await is_catching_up(statements):
            raise CatchingUp()
        if decided_on == 0:
            raise SubscriberErased()
        present = await find_stored_order(statements, act.order_id)
        if present is None:
            raise WorkOrderNotFound(order_id=act.order_id)
        raise _stale(present.order, decided_on)


def _log_act(name: str, order: WorkOrder, message: Message) -> None:
    if log.isEnabledFor(logging.INFO):
        order_and_event = {"order_id": order.id, "order_no": order.order_no, "event_id": message.id}
        log.info("carried out", extra={"act": name, "order_version": order.version, **order_and_event})


async def _raise_if_taken(statements: Statements, external_reference: str | None) -> None:
    row = await statements.fetchrow(
        "select id, order_no from work_orders where external_reference = $1", external_reference
    )
    if row is not None:
        raise ExternalReferenceTaken(
            external_reference=external_reference, order_id=row["id"], order_no=row["order_no"]
        )


async def _find_unless_answered(statements: Statements, act: OrderCommand, keys: SealingKeys) -> StoredOrder | None:
    """The order; raises `AlreadyReplied` or `IdempotencyKeyReused`, but not to a token that may see neither.

    The answer to an act shows the order as it then was. It is for a token like the one of then, also when the order
    has been dispatched elsewhere since: the client that repeats an act may never have got its answer. And it is for
    a token that sees the order at present, which shows what became of it.
    """
    key = act.headers.idempotency
    if key is None:
        return await find_stored_order(statements, act.order_id)
    row = await statements.fetchrow(_READ, act.order_id, key.caller, key.route, key.key)
    stored = stored_order_of(row) if row["body"] is not None else None
    if row["fingerprint"] is not None and (
        key.may_have(row["answered_role"], row["answered_areas"])
        or (stored is not None and may_see(stored.order, act.areas))
    ):
        raise_first_answer(key, row["fingerprint"], Reply(row["status"], row["response"], row["etag"]))
    if row["subscriber_id"] is not None:
        keys.learn(row["subscriber_id"], row["master_key_id"], row["wrapped"])
    return stored


async def create_in(tx: Transaction, message: Message) -> WorkOrder:
    """An order from its first event, within a transaction that does more; raises `ExternalReferenceTaken`."""
    created = StoredOrder(apply(None, message), 0, event_hash(message))
    if await tx.execute(_INSERT, *values_of(created)) == "INSERT 0 0":
        reference = created.order.external_reference
        await _raise_if_taken(tx, reference)
        raise ExternalReferenceTaken(external_reference=reference, order_id=None, order_no=None)
    await outbox.add(tx, [message])
    return created.order


async def find_stored_order(statements: Statements, order_id: str) -> StoredOrder | None:
    row = await statements.fetchrow("select body, stream_version, last_hash from work_orders where id = $1", order_id)
    return stored_order_of(row) if row else None


def may_see(order: WorkOrder, areas: tuple[str, ...] | None) -> bool:
    """Whether a person with this area scope may see the order."""
    return areas is None or order.work_area_id in areas


def _stale(order: WorkOrder, expected: int) -> StaleVersion:
    return StaleVersion(present_version=order.version, order_status=order.status.value, expected_version=expected)
