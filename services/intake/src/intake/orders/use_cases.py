"""Creating a work order, and asking its custodian. Each function says where it commits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from chassis import outbox
from chassis.clock import Clock
from chassis.commands import CommandHeaders, Reply, raise_if_replied, remember
from chassis.database import Database, Transaction
from chassis.identity import new_id
from chassis.sealing import MasterKeys
from chassis.wakeup import PUBLISH, Wakeup
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
    OrderCommand,
    Orders,
    WorkOrderNotFound,
    find_stored_order,
    may_see,
)
from work_orders.sealing import seal
from work_orders.sealing_keys import SealingKeys


async def create_work_order(
    command: CreateWorkOrder,
    act: OrderCommand,
    *,
    orders: Orders,
    keys: SealingKeys,
    db: Database,
    clock: Clock,
    wakeup: Wakeup,
) -> Reply:
    async with db.statements() as statements:
        await raise_if_replied(statements, act.headers.idempotency)
        known = await store.circumstances(statements, command, keys, now=act.occurred_at or clock.now())
    event = create(command, known)
    await ensure_key(known.subscriber_id, act.actor, keys=keys, db=db, clock=clock, wakeup=wakeup)
    try:
        return await orders.create(event, act, name="create")  # the commit of the order
    except ExternalReferenceTaken as taken:
        async with db.statements() as statements:
            raise await references.as_seen(taken, statements, Scope(act.actor.sub, act.areas)) from taken


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


async def ask_custodian(
    ask: Ask, act: OrderCommand, *, keys: SealingKeys, db: Database, clock: Clock, wakeup: Wakeup
) -> Reply:
    """Puts the request behind everything this service has published of the order."""
    now = clock.now()
    async with db.begin() as tx:
        # The row lock keeps the request behind the creation in the outbox.
        await tx.execute("select from work_orders where id = $1 for update", act.order_id)
        # Before the check: a token like the one of then gets its answer also when the order has been sent on since.
        await raise_if_replied(tx, act.headers.idempotency)
        stored = await find_stored_order(tx, act.order_id)
        if stored is None or not may_see(stored.order, act.areas):
            raise WorkOrderNotFound(order_id=act.order_id)
        message, shown = await asked(
            tx, ask, stored.order, act.actor, act.headers, masters=keys.masters, now=now, at=act.occurred_at
        )
        await outbox.add(tx, [message])
        await remember(tx, act.headers.idempotency, Reply(202, msgspec.json.encode(shown)))
    wakeup.send(PUBLISH)
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
