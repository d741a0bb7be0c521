"""What intake does. One function a command; each says where it commits."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec

from chassis import outbox
from chassis.clock import Clock
from chassis.commands import CommandHeaders, Reply, etag_of, raise_if_replied, remember
from chassis.database import Database, Transaction
from chassis.identity import new_id
from chassis.sealing import MasterKeys
from chassis.wakeup import PUBLISH, Wakeup
from contracts.codec import new_message
from contracts.directory import DemandTypeDefined, DeviceTypeDefined, Names
from contracts.lifecycle import Service
from contracts.look_alikes import LookAlike, look_alikes
from contracts.message import Actor, Message
from contracts.order import WorkOrder
from contracts.refusals import Conflict, NotFound, Stale
from contracts.requests import WorkOrderCancelRequested, WorkOrderExtensionRequested, WorkOrderUrgeRequested
from intake import references, store
from intake.domain.creation import CreateWorkOrder, create
from intake.domain.privacy import Subscriber
from intake.issuing import ensure_key, key_in
from intake.scope_store import Scope
from intake.store import OrderType
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


class SubscriberNoTaken(Conflict):
    """Subscriber number {subscriber_no} belongs to another subscriber."""

    zh = "用户证号 {subscriber_no} 已被使用。"


class SubscriberIdNotFound(NotFound):
    """There is no subscriber with id {subscriber_id}."""

    zh = "没有编号为 {subscriber_id} 的用户。"


class SubscriberChanged(Stale):
    """The subscriber is at version {present_version}; you decided on version {expected_version}."""

    zh = "用户资料当前版本为 {present_version}，您所依据的版本为 {expected_version}。"


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


async def create_subscriber(
    subscriber: Subscriber,
    actor: Actor,
    headers: CommandHeaders,
    *,
    db: Database,
    masters: MasterKeys,
    clock: Clock,
    wakeup: Wakeup,
) -> Reply:
    """With a sealing key from the beginning: any service may be the first to write about them."""
    now = clock.now()
    async with db.begin() as tx:
        await raise_if_replied(tx, headers.idempotency)
        if not await store.insert_subscriber(tx, subscriber, now=now):
            raise SubscriberNoTaken(subscriber_no=subscriber.subscriber_no)
        await key_in(tx, subscriber.id, actor, masters=masters, now=now)
        similar = await store.similar_numbers(tx, subscriber.subscriber_no)
        warnings = look_alikes("subscriber_no", subscriber.subscriber_no, similar)
        answer = _subscriber_answer(201, subscriber, warnings)
        await remember(tx, headers.idempotency, answer, about=subscriber.id)
    wakeup.send(PUBLISH)
    return answer


def _subscriber_answer(status: int, subscriber: Subscriber, warnings: list[LookAlike]) -> Reply:
    """With what people may take for something else: the number, and scripts mixed in the name."""
    warnings = [*warnings, *look_alikes("name", subscriber.name, ())]
    body = {**msgspec.to_builtins(subscriber), "look_alikes": msgspec.to_builtins(warnings)}
    return Reply(status, msgspec.json.encode(body), etag_of(subscriber.version))


async def change_subscriber(
    subscriber_id: str, changes: dict[str, object], headers: CommandHeaders, *, db: Database, clock: Clock
) -> Reply:
    async with db.begin() as tx:
        await raise_if_replied(tx, headers.idempotency)
        present = await store.find_subscriber(tx, subscriber_id)
        if present is None:
            raise SubscriberIdNotFound(subscriber_id=subscriber_id)
        changed = replace(present, version=headers.expected_version + 1, **changes)
        if not await store.update_subscriber(tx, changed, now=clock.now()):
            raise SubscriberChanged(present_version=present.version, expected_version=headers.expected_version)
        answer = _subscriber_answer(200, changed, [])
        await remember(tx, headers.idempotency, answer, about=subscriber_id)
    return answer


async def define_order_type(
    kind: str, order_type: OrderType, actor: Actor, *, db: Database, clock: Clock, wakeup: Wakeup
) -> OrderType:
    """Defines a device or demand type and tells everybody."""
    async with db.begin() as tx:
        defined = await store.put_order_type(tx, kind, order_type)
        names = Names(en=defined.name_en, zh=defined.name_zh)
        entity = (
            DeviceTypeDefined(device_type=defined.code, names=names, is_active=defined.is_active)
            if kind == store.DEVICE
            else DemandTypeDefined(demand_type=defined.code, names=names, is_active=defined.is_active)
        )
        message = new_message(
            entity,
            service=Service.INTAKE,
            subject=f"{kind}_type:{defined.code}",
            actor=actor,
            occurred_at=clock.now(),
            recorded_at=clock.now(),
            entity_version=defined.version,
        )
        await outbox.add(tx, [message])
    wakeup.send(PUBLISH)
    return defined
