"""Links between orders, or between an order and an outage. A link changes neither, and can be undone."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from chassis.commands import Reply
from chassis.database import Statements
from chassis.identity import new_id
from chassis.unit_of_work import Command
from contracts.links import LinkKind
from contracts.order import WorkOrder
from intake.links import store
from intake.links.domain.links import Link, LinkNotFound
from intake.outages.store import get_outage
from intake.subscribers.sealing_keys import sealer_in
from work_orders.commit import WorkOrderNotFound
from work_orders.unit_of_work import OrderUnitOfWork


async def link_work_order(link: Link, *, uow: OrderUnitOfWork) -> Reply:
    """Links an order to another order or to an outage."""
    link.check_ends()

    async def replay(statements: Statements, first: Reply) -> Reply:
        await store.require_orders(statements, link.order_ids, uow.areas)
        return first

    async with uow.command(replay=replay) as command:
        stored = await store.lock_orders(command.tx, link.order_ids, uow.areas)
        known = await store.standing_links(command.tx, link)
        event = link.linked(known)
        if link.outage_id is not None:
            await get_outage(command.tx, link.outage_id)
        (order,) = (one.order for one in stored if one.order.id == link.order_id)
        sealed = await _save(command, link, order, uow)
        command.publish(event, subject=link.order_id)
        command.reply_with(sealed, status=201)
    return command.reply


async def link_to_outage(command: Command, order: WorkOrder, outage_id: str, *, uow: OrderUnitOfWork) -> None:
    """Links an order that this command creates to the outage that its caller is inside; raises `OutageNotFound`."""
    outage = await get_outage(command.tx, outage_id)
    link = Link(
        id=new_id(),
        order_id=order.id,
        kind=LinkKind.SAME_OUTAGE,
        outage_id=outage_id,
        reason=outage.cause,
        linked_by=uow.actor.sub,
        linked_at=command.now,
    )
    await _save(command, link, order, uow)
    command.publish(link.linked(()), subject=order.id)


async def _save(command: Command, link: Link, order: WorkOrder, uow: OrderUnitOfWork) -> Link:
    seal = await sealer_in(command, order.subscriber_id, uow.sealing_keys.masters)
    sealed = replace(link, reason=seal(link.reason, order.id), linked_at=command.now)
    await store.links.save(command.tx, sealed)
    return sealed


async def undo_link(link_id: str, *, uow: OrderUnitOfWork) -> Reply:
    """Undoes a link; it stays on record."""

    async def replay(statements: Statements, first: Reply) -> Reply:
        with _refusing(link_id):
            link = _known(link_id, await store.links.find(statements, link_id))
            await store.require_orders(statements, link.order_ids, uow.areas)
        return first

    async with uow.command(replay=replay) as command:
        with _refusing(link_id):
            link = _known(link_id, await store.links.lock(command.tx, link_id))
            await store.lock_orders(command.tx, link.order_ids, uow.areas)
        undone, event = link.undo(by=uow.actor.sub, now=command.now)
        await store.links.save(command.tx, undone)
        command.publish(event, subject=link.order_id)
        command.reply_with(undone)
    return command.reply


def _known(link_id: str, link: Link | None) -> Link:
    if link is None:
        raise LinkNotFound(link_id=link_id)
    return link


@contextlib.contextmanager
def _refusing(link_id: str) -> Iterator[None]:
    """A link between orders that the caller may not see is refused like an unknown link."""
    try:
        yield
    except WorkOrderNotFound as error:
        raise LinkNotFound(link_id=link_id) from error
