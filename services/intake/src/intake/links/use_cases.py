"""Links between orders, or between an order and an outage; each can be undone."""

from dataclasses import dataclass
from typing import Any

import msgspec

from chassis import outbox
from chassis.commands import Reply, raise_if_replied, store_reply
from chassis.database import Transaction
from chassis.identity import new_id
from chassis.wakeup import PUBLISH
from contracts.codec import new_message
from contracts.lifecycle import Service
from contracts.links import LinkKind, WorkOrderLinked, WorkOrderUnlinked
from contracts.message import Message
from intake.doing import Doing
from intake.links.domain.links import LinkedToNothing, LinkKnown, LinkNotFound, LinkToItself, LinkUndone
from intake.outages.store import get_cause
from intake.subscribers.sealing_keys import sealer_in
from work_orders.commit import WorkOrderNotFound, find_stored_order, may_see


@dataclass(frozen=True, slots=True)
class NewLink:
    order_id: str
    kind: LinkKind
    other_order_id: str | None
    outage_id: str | None
    reason: str
    areas: tuple[str, ...] | None


async def link(new: NewLink, doing: Doing) -> Reply:
    """Says that an order belongs together with another or with an outage; nothing else of either changes."""
    if (new.kind is LinkKind.SAME_OUTAGE) != (new.outage_id is not None) or (
        new.outage_id or new.other_order_id
    ) is None:
        raise LinkedToNothing()
    if new.other_order_id == new.order_id:
        raise LinkToItself()
    async with doing.db.begin() as tx:
        await _require_orders(tx, (new.order_id, new.other_order_id), new.areas)
        await raise_if_replied(tx, doing.headers.idempotency)
        await _refuse_known(tx, new)
        if new.outage_id is not None:
            await get_cause(tx, new.outage_id)
        shown = await add_link(tx, new, doing)
        answer = Reply(201, msgspec.json.encode(shown))
        await store_reply(tx, doing.headers.idempotency, answer)
    doing.wakeup.send(PUBLISH)
    return answer


async def _refuse_known(tx: Transaction, new: NewLink) -> None:
    """Of one kind there is one link between two: once it is undone, they are no longer tied."""
    known = await tx.fetchval(
        """select id from links where undone_at is null and kind = $1 and (
               order_id = $2 and other_order_id is not distinct from $3 and outage_id is not distinct from $4
               or order_id = $3 and other_order_id = $2)""",
        new.kind.value,
        new.order_id,
        new.other_order_id,
        new.outage_id,
    )
    if known is not None:
        raise LinkKnown(kind=new.kind.value, link_id=known)


async def link_to_outage(tx: Transaction, order_id: str, outage_id: str, doing: Doing) -> None:
    """Ties an order that was just created to the outage that its caller is inside; raises `OutageNotFound`."""
    cause = await get_cause(tx, outage_id)
    await add_link(tx, NewLink(order_id, LinkKind.SAME_OUTAGE, None, outage_id, cause, None), doing)


async def add_link(tx: Transaction, new: NewLink, doing: Doing) -> dict[str, Any]:
    link_id, now = new_id(), doing.clock.now()
    stored = await find_stored_order(tx, new.order_id)
    assert stored is not None
    assert doing.masters is not None
    seal = await sealer_in(tx, stored.order.subscriber_id, doing.actor, masters=doing.masters, now=now)
    row = await tx.fetchrow(
        """insert into links (id, order_id, kind, other_order_id, outage_id, reason, linked_by, linked_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8) returning *""",
        link_id,
        new.order_id,
        new.kind.value,
        new.other_order_id,
        new.outage_id,
        seal(new.reason, new.order_id),
        doing.actor.sub,
        now,
    )
    assert row is not None
    body = WorkOrderLinked(link_id=link_id, kind=new.kind, other_order_id=new.other_order_id, outage_id=new.outage_id)
    await outbox.add(tx, [_notice(body, new.order_id, doing)])
    return dict(row)


async def undo_link(link_id: str, areas: tuple[str, ...] | None, doing: Doing) -> Reply:
    """Takes a link back; that there was one stays on record."""
    async with doing.db.begin() as tx:
        row = await _lock_link(tx, link_id, areas)
        await raise_if_replied(tx, doing.headers.idempotency)
        if row["undone_at"] is not None:
            raise LinkUndone(link_id=link_id, undone_at=row["undone_at"].isoformat())
        changed = {"undone_by": doing.actor.sub, "undone_at": doing.clock.now()}
        await tx.execute("update links set undone_by = $2, undone_at = $3 where id = $1", link_id, *changed.values())
        await outbox.add(tx, [_notice(WorkOrderUnlinked(link_id=link_id), row["order_id"], doing)])
        answer = Reply(200, msgspec.json.encode(dict(row) | changed))
        await store_reply(tx, doing.headers.idempotency, answer)
    doing.wakeup.send(PUBLISH)
    return answer


async def _lock_link(tx: Transaction, link_id: str, areas: tuple[str, ...] | None) -> Any:
    """The row of a link between orders that the caller may see; of any other, raises `LinkNotFound`."""
    row = await tx.fetchrow("select * from links where id = $1 for update", link_id)
    if row is None:
        raise LinkNotFound(link_id=link_id)
    try:
        await _require_orders(tx, (row["order_id"], row["other_order_id"]), areas)
    except WorkOrderNotFound as error:
        raise LinkNotFound(link_id=link_id) from error
    return row


async def _require_orders(tx: Transaction, ids: tuple[str | None, ...], areas: tuple[str, ...] | None) -> None:
    # In the order of ids: two that are linked to each other at once do not wait in a circle.
    for order_id in sorted(filter(None, ids)):
        await _require_order(tx, order_id, areas)


async def _require_order(tx: Transaction, order_id: str, areas: tuple[str, ...] | None) -> None:
    # The row lock keeps what is published here behind the order's creation.
    await tx.execute("select from work_orders where id = $1 for update", order_id)
    stored = await find_stored_order(tx, order_id)
    if stored is None or not may_see(stored.order, areas):
        raise WorkOrderNotFound(order_id=order_id)


def _notice(body: object, order_id: str, doing: Doing) -> Message:
    now = doing.clock.now()
    return new_message(
        body,
        service=Service.INTAKE,
        subject=order_id,
        actor=doing.actor,
        occurred_at=now,
        recorded_at=now,
        correlation_id=doing.headers.correlation_id,
        traceparent=doing.headers.traceparent,
    )
