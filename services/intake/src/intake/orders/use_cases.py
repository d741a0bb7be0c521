"""Creating a work order, and asking its custodian. Each function says where it commits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from chassis.commands import CommandHeaders, Reply
from chassis.database import Transaction
from chassis.identity import new_id
from chassis.sealing import MasterKeys
from contracts.codec import new_message
from contracts.lifecycle import Service
from contracts.message import Actor, Message
from contracts.order import WorkOrder
from contracts.requests import WorkOrderCancelRequested, WorkOrderExtensionRequested, WorkOrderUrgeRequested
from intake.orders import references, store
from intake.orders.domain.creation import CreateWorkOrder, create
from intake.scope_store import Scope
from intake.subscribers.sealing_keys import ensure_key, key_in
from work_orders.commit import (
    ExternalReferenceTaken,
    WorkOrderNotFound,
    may_see,
)
from work_orders.sealing import seal
from work_orders.unit_of_work import OrderUnitOfWork


async def create_work_order(wanted: CreateWorkOrder, *, uow: OrderUnitOfWork) -> Reply:
    async with uow.db.statements() as statements:
        await uow.raise_if_replied(statements)
        now = uow.occurred_at or uow.clock.now()
        known = await store.circumstances(statements, wanted, uow.sealing_keys, now=now)
    event = create(wanted, known)
    keys = uow.sealing_keys
    await ensure_key(known.subscriber_id, uow.actor, keys=keys, db=uow.db, clock=uow.clock, wakeup=uow.wakeup)
    try:
        async with uow.new_order(new_id()) as command:
            command.record(event, name="create")
    except ExternalReferenceTaken as taken:
        async with uow.db.statements() as statements:
            raise await references.as_seen(taken, statements, Scope(uow.actor.sub, uow.areas)) from taken
    return command.reply


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to the custodian of an order: `cancel`, `urge` or `extend`."""

    kind: str
    reason: str
    more: Mapping[str, Any] = field(default_factory=dict)
    """What the request says besides, by its fields."""


_REQUESTS = {
    "cancel": WorkOrderCancelRequested,
    "urge": WorkOrderUrgeRequested,
    "extend": WorkOrderExtensionRequested,
}


async def ask_custodian(order_id: str, ask: Ask, *, uow: OrderUnitOfWork) -> Reply:
    """Puts the request behind everything this service has published of the order."""
    async with uow.command() as command:
        tx = command.tx
        # The row lock keeps the request behind the creation in the outbox.
        stored = await store.lock_order(tx, order_id)
        if stored is None or not may_see(stored.order, uow.areas):
            raise WorkOrderNotFound(order_id=order_id)
        masters = uow.sealing_keys.masters
        message, shown = await asked(
            tx, ask, stored.order, uow.actor, uow.headers, masters=masters, now=command.now, at=uow.occurred_at
        )
        command.messages.append(message)
        command.reply_as(Reply(202, msgspec.json.encode(shown)))
    return Reply(202, msgspec.json.encode(shown | {"reason": ask.reason}))


async def asked(
    tx: Transaction,
    ask: Ask,
    order: WorkOrder,
    actor: Actor,
    headers: CommandHeaders,
    *,
    masters: MasterKeys,
    now: datetime,
    at: datetime | None = None,
) -> tuple[Message, dict[str, object]]:
    """Notes a request; returns the message that carries it, and the request as it is kept: with its reason sealed."""
    order_id = order.id
    key = await key_in(tx, order.subscriber_id, actor, masters=masters, now=now)
    reason = seal(ask.reason, key, subject=order_id, subscriber_id=order.subscriber_id)
    request_id = new_id()
    await tx.execute(
        """insert into requests (id, order_id, kind, reason, state, asked_by, asked_at)
           values ($1, $2, $3, $4, 'pending', $5, $6)""",
        request_id,
        order_id,
        ask.kind,
        reason,
        actor.sub,
        now,
    )
    message = new_message(
        _REQUESTS[ask.kind](request_id=request_id, reason=reason, **ask.more),
        service=Service.INTAKE,
        subject=order_id,
        actor=actor,
        occurred_at=at or now,
        recorded_at=now,
        correlation_id=headers.correlation_id,
        traceparent=headers.traceparent,
    )
    shown = {"id": request_id, "order_id": order_id, "kind": ask.kind, "reason": reason, "state": "pending"}
    return message, shown | {"asked_by": actor.sub, "asked_at": now, "answered_at": None, "refusal": None}
