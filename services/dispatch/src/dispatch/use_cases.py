"""What dispatch does: one function a command, each on a unit of work."""

from dataclasses import replace

from chassis.commands import Reply
from chassis.unit_of_work import UnitOfWork
from contracts.directory import StaffDefined, WorkAreaDefined
from contracts.limits import SUBJECT, TimeLimitsDefined
from dispatch import store
from dispatch.domain import assignment, limits
from dispatch.domain.assignment import DispatchWorkOrder, SendToRedispatch
from dispatch.store import NumberRule, Put
from work_orders import time_limits
from work_orders.unit_of_work import OrderUnitOfWork

SUPERVISOR = "supervisor"


async def dispatch_work_order(order_id: str, dispatch: DispatchWorkOrder, *, uow: OrderUnitOfWork) -> Reply:
    async with uow.order(order_id) as command:
        async with uow.db.statements() as statements:
            known = await store.circumstances(statements, dispatch)
        is_supervisor = uow.actor.role == SUPERVISOR
        event = assignment.dispatch(command.order, dispatch, known, is_supervisor=is_supervisor)
        command.record(event, name="dispatch")
    return command.reply


async def send_to_redispatch(order_id: str, ruling: SendToRedispatch, *, uow: OrderUnitOfWork) -> Reply:
    async with uow.order(order_id) as command:
        command.record(assignment.send_to_redispatch(command.order, ruling), name="send_to_redispatch")
    return command.reply


async def define_work_area(area: WorkAreaDefined, *, uow: UnitOfWork) -> Put:
    """Defines a work area; an unchanged definition makes no version and no event."""
    async with uow.command() as command:
        put = await store.put_work_area(command.tx, area)
        if put.is_changed:
            command.publish(area, subject=f"work_area:{area.work_area_id}", entity_version=put.version)
    return put


async def define_staff(member: StaffDefined, *, uow: UnitOfWork) -> Put:
    """Defines a staff member; an unchanged definition makes no version and no event. Raises `WorkAreaUnknown`."""
    async with uow.command() as command:
        put = await store.put_staff(command.tx, member)
        if put.is_changed:
            command.publish(member, subject=f"staff:{member.staff_id}", entity_version=put.version)
    return put


async def set_rejection_budget(budget: int, *, uow: UnitOfWork) -> NumberRule:
    async with uow.command() as command:
        return await store.put_rule(command.tx, store.REJECTION_BUDGET, budget, by=command.actor.sub, at=command.now)


async def set_time_limits(rules: TimeLimitsDefined, *, is_dated: bool, uow: UnitOfWork) -> None:
    """Defines the next set of limits; an unchanged set makes no version unless it is dated."""
    limits.check(rules)
    async with uow.command() as command:
        await store.lock_time_limits(command.tx)
        present = (await time_limits.rule_sets(command.tx)).newest
        if not is_dated and replace(rules, applies_from=present.rules.applies_from) == present.rules:
            return
        version = present.version + 1
        message = command.publish(rules, subject=SUBJECT, entity_version=version)
        await time_limits.add(command.tx, version, message)
