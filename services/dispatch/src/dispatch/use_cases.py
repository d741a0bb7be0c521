"""What dispatch does: one function a command, each on a unit of work."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chassis.commands import Reply
from chassis.identity import new_id
from chassis.one_statement import execute_together
from chassis.unit_of_work import Command, UnitOfWork
from chassis.wakeup import JOBS
from contracts.amendment import AmendWorkOrder, amend, amendment_requested, check_amendment
from contracts.directory import CalendarDefined, StaffDefined, WorkAreaDefined
from contracts.handling import SUBJECT as HANDLING_RULES
from contracts.handling import check_urgency
from contracts.lifecycle import Service
from contracts.limits import SUBJECT, TimeLimitsDefined
from dispatch import store
from dispatch.domain import assignment
from dispatch.domain.assignment import DispatchWorkOrder, SendToRedispatch
from dispatch.domain.calendars import calendars_named_by, check_calendar, check_working_time, counted_in
from dispatch.domain.handling_rules import check_handling_rules
from dispatch.store import NumberRule, Put
from work_orders import time_limits
from work_orders.asking import ask_custodian
from work_orders.directory import find_types_in_use
from work_orders.handling_rules import HANDLING
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


async def amend_work_order(order_id: str, wanted: AmendWorkOrder, *, uow: OrderUnitOfWork) -> Reply:
    """At once where dispatch holds the order; otherwise it is asked of the custodian, and the reply is the request."""
    check_amendment(wanted)
    async with uow.order(order_id) as command:
        order, details = command.order, wanted.details
        async with uow.db.statements() as statements:
            types = await find_types_in_use(statements, details.device_type, details.demand_type)
            rules = (await HANDLING.newest(statements)).rules
        types.check(details.device_type, details.demand_type)
        check_urgency(details.urgency, uow.actor.role, rules)
        if order.custodian in (Service.DISPATCH, None):
            command.record(amend(order, wanted), name="amend")
    if command.event is not None:
        return command.reply
    request = amendment_requested(wanted, request_id=new_id(), seen_version=order.version)
    return await ask_custodian(order, request, uow=uow)


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


async def define_calendar(calendar: CalendarDefined, *, uow: UnitOfWork) -> Put:
    """Defines a calendar. Time limits that are counted in it are defined once more with it, as of the same moment.

    An unchanged definition makes no version and no event. Raises what `check_calendar` raises.
    """
    check_calendar(calendar)
    async with uow.command() as command:
        await time_limits.LIMITS.lock(command.tx)
        put = await store.put_calendar(command.tx, calendar)
        if put.is_changed:
            command.publish(calendar, subject=f"calendar:{calendar.calendar_id}", entity_version=put.version)
            present = (await time_limits.rule_sets(command.tx)).newest
            if calendar.calendar_id in calendars_named_by(present.rules):
                rules = counted_in(present.rules, {calendar.calendar_id: calendar})
                await _publish_limits(command, rules, present.version)
    return put


async def set_time_limits(rules: TimeLimitsDefined, *, is_dated: bool, uow: UnitOfWork) -> None:
    """Defines the next set of limits; an unchanged set makes no version unless it is dated.

    Limits that name a calendar are counted in that calendar as it is. Raises `CalendarNotFound`.
    """
    async with uow.command() as command:
        await time_limits.LIMITS.lock(command.tx)
        named = {one: (await store.get_calendar(command.tx, one))[1] for one in sorted(calendars_named_by(rules))}
        rules = counted_in(rules, named)
        check_working_time(rules.calendar)
        present = (await time_limits.rule_sets(command.tx)).newest
        if not is_dated and replace(rules, applies_from=present.rules.applies_from) == present.rules:
            return
        await _publish_limits(command, rules, present.version)
    uow.wakeup.send(JOBS)


async def set_handling_rules(changes: Mapping[str, Any], *, uow: UnitOfWork) -> None:
    """Defines the next version of the rules; an unchanged definition makes none.

    Raises what `check_handling_rules` raises.
    """
    async with uow.command() as command:
        await HANDLING.lock(command.tx)
        present = await HANDLING.newest(command.tx)
        rules = replace(present.rules, **changes)
        check_handling_rules(rules, present.rules)
        if rules != present.rules:
            message = command.publish(rules, subject=HANDLING_RULES, entity_version=present.version + 1)
            await execute_together(command.tx, HANDLING.added([message]))


async def _publish_limits(command: Command, rules: TimeLimitsDefined, present_version: int) -> None:
    message = command.publish(rules, subject=SUBJECT, entity_version=present_version + 1)
    await execute_together(command.tx, time_limits.LIMITS.added([message]))
