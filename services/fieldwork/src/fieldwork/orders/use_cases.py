"""What fieldwork does: one function a command, each on a unit of work."""

from chassis.commands import Reply
from chassis.database import Statements
from chassis.wait_for_version import caught_up
from contracts.directory import StaffDefined
from contracts.order import WorkOrder
from fieldwork.orders.domain import staffing, suspension, work
from fieldwork.orders.domain.staffing import ActingPerson, ReassignWorkOrder
from fieldwork.orders.domain.suspension import SuspendWorkOrder
from fieldwork.orders.domain.work import CompleteWorkOrder, RejectWorkOrder
from work_orders.directory import find_staff, find_staff_of_person
from work_orders.handling_rules import HANDLING
from work_orders.unit_of_work import OrderUnitOfWork


async def start_work_order(order_id: str, *, uow: OrderUnitOfWork) -> Reply:
    async with uow.order(order_id) as command:
        command.record(work.start(command.order), name="start")
    return command.reply


async def reject_work_order(order_id: str, rejection: RejectWorkOrder, *, uow: OrderUnitOfWork) -> Reply:
    async with uow.order(order_id) as command:
        command.record(work.reject(command.order, rejection), name="reject")
    return command.reply


async def complete_work_order(order_id: str, completion: CompleteWorkOrder, *, uow: OrderUnitOfWork) -> Reply:
    async with uow.order(order_id) as command:
        known = await _known_staff(command.order, completion, uow)
        event = work.complete(command.order, completion, known)
        await _check_completer(command.order, uow)
        command.record(event, name="complete")
    return command.reply


async def _check_completer(order: WorkOrder, uow: OrderUnitOfWork) -> None:
    async with uow.db.statements() as statements:
        rules = (await HANDLING.newest(statements)).rules
        by = await _person(statements, uow)
        assigned = await find_staff(statements, order.assignment.staff_ids if order.assignment else ())
    staffing.check_completer(order, by, rules.completers, assigned.values())


async def _person(statements: Statements, uow: OrderUnitOfWork) -> ActingPerson:
    return ActingPerson(role=uow.actor.role, members=await find_staff_of_person(statements, uow.actor.sub))


async def reassign_work_order(order_id: str, reassignment: ReassignWorkOrder, *, uow: OrderUnitOfWork) -> Reply:
    async with uow.order(order_id) as command:
        async with uow.db.statements() as statements:
            known = await find_staff(statements, reassignment.staff_ids)
            by = await _person(statements, uow)
        command.record(staffing.reassign(command.order, reassignment, by, known), name="reassign")
    return command.reply


async def _known_staff(
    order: WorkOrder, completion: CompleteWorkOrder, uow: OrderUnitOfWork
) -> dict[str, StaffDefined]:
    """The staff named in the command; waits for those whom dispatch knows and this service does not yet."""
    awaited = work.awaited_staff(order, completion)

    async def read() -> dict[str, StaffDefined]:
        async with uow.db.statements() as statements:
            return await find_staff(statements, completion.staff_ids)

    return await caught_up(
        read, lambda known: known.keys() >= set(awaited), wakeup=uow.wakeup, seconds=uow.catch_up_seconds
    )


async def suspend_work_order(order_id: str, wanted: SuspendWorkOrder, *, uow: OrderUnitOfWork) -> Reply:
    now = uow.clock.now()
    async with uow.order(order_id) as command:
        async with uow.db.statements() as statements:
            rules = (await HANDLING.newest(statements)).rules
        event = suspension.suspend(command.order, wanted, rules, at=uow.occurred_at or now, now=now)
        command.record(event, name="suspend")
    return command.reply


async def resume_work_order(order_id: str, *, uow: OrderUnitOfWork) -> Reply:
    async with uow.order(order_id) as command:
        at = uow.occurred_at or uow.clock.now()
        command.record(suspension.resume(command.order, at=at), name="resume")
    return command.reply
