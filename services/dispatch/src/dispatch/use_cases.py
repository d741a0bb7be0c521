"""What dispatch does. One function a command; each says where it commits."""

from dataclasses import replace

from chassis import outbox
from chassis.clock import Clock
from chassis.commands import Reply
from chassis.database import Database
from chassis.telemetry import traceparent
from chassis.wakeup import PUBLISH, Wakeup
from contracts.codec import new_message
from contracts.directory import StaffDefined, WorkAreaDefined
from contracts.lifecycle import Service
from contracts.limits import SUBJECT, TimeLimitsDefined
from contracts.message import Actor, Message
from dispatch import store
from dispatch.domain import assignment, limits
from dispatch.domain.assignment import DispatchWorkOrder, SendToRedispatch
from dispatch.store import Put, Rule
from work_orders import time_limits as known_limits
from work_orders.commit import OrderCommand, Orders

SUPERVISOR = "supervisor"


async def dispatch_work_order(command: DispatchWorkOrder, act: OrderCommand, *, orders: Orders, db: Database) -> Reply:
    stored = await orders.get_for(act)
    async with db.statements() as statements:
        known = await store.circumstances(statements, command)
    event = assignment.dispatch(stored.order, command, known, is_supervisor=act.actor.role == SUPERVISOR)
    return await orders.record(stored, event, act, name="dispatch")  # the only commit on this path


async def send_to_redispatch(command: SendToRedispatch, act: OrderCommand, *, orders: Orders) -> Reply:
    stored = await orders.get_for(act)
    event = assignment.send_to_redispatch(stored.order, command)
    return await orders.record(stored, event, act, name="send_to_redispatch")  # the only commit on this path


async def define_work_area(area: WorkAreaDefined, actor: Actor, *, db: Database, clock: Clock, wakeup: Wakeup) -> Put:
    """Defines a work area and tells everybody; what is so already makes no version and no event."""
    async with db.begin() as tx:
        put = await store.put_work_area(tx, area)
        if put.is_changed:
            await outbox.add(tx, [_entity(area, f"work_area:{area.work_area_id}", put.version, actor, clock)])
    if put.is_changed:
        wakeup.send(PUBLISH)
    return put


async def define_staff(member: StaffDefined, actor: Actor, *, db: Database, clock: Clock, wakeup: Wakeup) -> Put:
    """Defines a staff member and tells everybody; raises `WorkAreaUnknown`."""
    async with db.begin() as tx:
        put = await store.put_staff(tx, member)
        if put.is_changed:
            await outbox.add(tx, [_entity(member, f"staff:{member.staff_id}", put.version, actor, clock)])
    if put.is_changed:
        wakeup.send(PUBLISH)
    return put


def _entity(
    body: WorkAreaDefined | StaffDefined | TimeLimitsDefined, subject: str, version: int, actor: Actor, clock: Clock
) -> Message:
    now = clock.now()
    return new_message(
        body,
        service=Service.DISPATCH,
        subject=subject,
        actor=actor,
        occurred_at=now,
        recorded_at=now,
        entity_version=version,
        traceparent=traceparent(),
    )


async def set_rejection_budget(budget: int, actor: Actor, *, db: Database, clock: Clock) -> Rule:
    async with db.begin() as tx:
        return await store.put_rule(tx, store.REJECTION_BUDGET, budget, by=actor.sub, at=clock.now())


async def set_time_limits(
    rules: TimeLimitsDefined, actor: Actor, *, is_dated: bool, db: Database, clock: Clock, wakeup: Wakeup
) -> None:
    """Defines the next set of limits and tells everybody; what is so already makes no version unless it is dated."""
    limits.check(rules)
    async with db.begin() as tx:
        # Two operators at once make two versions, one after the other.
        await tx.execute("select pg_advisory_xact_lock(hashtextextended('time_limits', 4))")
        present = (await known_limits.rule_sets(tx)).newest
        if not is_dated and replace(rules, applies_from=present.rules.applies_from) == present.rules:
            return
        message = _entity(rules, SUBJECT, present.version + 1, actor, clock)
        await known_limits.add(tx, present.version + 1, message)
        await outbox.add(tx, [message])
    wakeup.send(PUBLISH)
