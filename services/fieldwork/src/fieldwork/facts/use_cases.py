"""What the field reports: one function for every report, on a unit of work."""

from dataclasses import replace
from datetime import datetime, timedelta

from chassis.commands import Reply
from chassis.unit_of_work import Command
from contracts.order import WorkOrder
from fieldwork.facts.domain import reports
from fieldwork.facts.domain.reports import FieldReport
from work_orders import facts_store
from work_orders.commit import WorkOrderNotFound, change_in, lock_order
from work_orders.facts_views import fact_of
from work_orders.handling_rules import HANDLING
from work_orders.sealing import sealed
from work_orders.unit_of_work import OrderUnitOfWork


async def report(order_id: str, said: FieldReport, *, uow: OrderUnitOfWork) -> Reply:
    """Takes a report, as an event of the order where that can be, else as a fact beside it.

    Its reply is the order with status 200, or the fact with 201; the texts in it are sealed.
    """
    order = (await uow.get_visible(order_id, lambda order: reports.has_had(order, uow.areas))).order
    said, sets = await _sealed(order, said, uow), await uow.time_limits.present(uow.db)
    async with uow.command() as command:
        # Nothing overtakes it under the lock, so it needs no version and loses no race.
        stored = await lock_order(command.tx, order_id)
        if stored is None or not reports.has_had(stored.order, uow.areas):
            raise WorkOrderNotFound(order_id=order_id)
        said, occurred_at = _dated(stored.order, said, uow, command)
        if reports.takes_event(stored.order, said, areas=uow.areas, occurred_at=occurred_at):
            assert said.event is not None
            await change_in(command, stored, said.event, sets, occurred_at=occurred_at)
        else:
            rules = (await HANDLING.newest(command.tx)).rules
            grace = timedelta(minutes=rules.late_report_minutes)
            reports.check_reportable(stored.order, areas=uow.areas, occurred_at=occurred_at, grace=grace)
            message = command.origin.message(said.fact, subject=order_id, occurred_at=occurred_at)
            await facts_store.keep(command, message)
            command.reply_with(fact_of(message), status=201)
    return command.reply


def _dated(order: WorkOrder, said: FieldReport, uow: OrderUnitOfWork, command: Command) -> tuple[FieldReport, datetime]:
    """The report, and when it happened: now, at the time that came with it, or by what a phone says of it."""
    if uow.device is None:
        return said, uow.occurred_at or command.now
    occurred_at, device = uow.device.judged(not_before=order.created.at)
    return said.on(device), reports.since_dispatch(order, occurred_at, tolerance=uow.device.tolerance)


async def _sealed(order: WorkOrder, said: FieldReport, uow: OrderUnitOfWork) -> FieldReport:
    """The report with its texts sealed, before a transaction: nothing is locked while a key is waited for."""
    about = {"subject": order.id, "subscriber_id": order.subscriber_id}
    event = await sealed(said.event, uow.sealing_keys, **about) if said.event is not None else None
    return replace(said, fact=await sealed(said.fact, uow.sealing_keys, **about), event=event)
