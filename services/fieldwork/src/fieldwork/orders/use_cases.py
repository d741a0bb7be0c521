"""What fieldwork does: one function a command, each on a unit of work."""

from chassis.commands import Reply
from chassis.wait_for_version import caught_up
from contracts.directory import StaffDefined
from contracts.order import WorkOrder
from fieldwork.orders.domain import work
from fieldwork.orders.domain.work import CompleteWorkOrder, RejectWorkOrder, SuspendWorkOrder
from work_orders.directory import find_staff
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
        command.record(work.complete(command.order, completion, known), name="complete")
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


async def suspend_work_order(order_id: str, suspension: SuspendWorkOrder, *, uow: OrderUnitOfWork) -> Reply:
    async with uow.order(order_id) as command:
        command.record(work.suspend(command.order, suspension, now=uow.clock.now()), name="suspend")
    return command.reply


async def resume_work_order(order_id: str, *, uow: OrderUnitOfWork) -> Reply:
    async with uow.order(order_id) as command:
        command.record(work.resume(command.order), name="resume")
    return command.reply
