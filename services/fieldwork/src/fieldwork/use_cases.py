"""What fieldwork does. One function a command; `orders.record` is the only commit on each path."""

from chassis.clock import Clock
from chassis.commands import Reply
from chassis.database import Database
from chassis.wait_for_version import caught_up
from chassis.wakeup import Wakeup
from contracts.directory import StaffDefined
from contracts.order import WorkOrder
from fieldwork.domain import work
from fieldwork.domain.work import CompleteWorkOrder, RejectWorkOrder, SuspendWorkOrder
from work_orders.commit import OrderCommand, Orders
from work_orders.directory import find_staff


async def start_work_order(act: OrderCommand, *, orders: Orders) -> Reply:
    stored = await orders.get_for(act)
    return await orders.record(stored, work.start(stored.order), act, name="start")


async def arrive_at_work(place: str | None, act: OrderCommand, *, orders: Orders) -> Reply:
    stored = await orders.get_for(act)
    return await orders.record(stored, work.arrive(stored.order, place), act, name="arrive")


async def reject_work_order(command: RejectWorkOrder, act: OrderCommand, *, orders: Orders) -> Reply:
    stored = await orders.get_for(act)
    return await orders.record(stored, work.reject(stored.order, command), act, name="reject")


async def complete_work_order(
    command: CompleteWorkOrder,
    act: OrderCommand,
    *,
    orders: Orders,
    db: Database,
    wakeup: Wakeup,
    catch_up_seconds: float,
) -> Reply:
    stored = await orders.get_for(act)
    known = await _known_staff(stored.order, command, db=db, wakeup=wakeup, seconds=catch_up_seconds)
    return await orders.record(stored, work.complete(stored.order, command, known), act, name="complete")


async def _known_staff(
    order: WorkOrder, command: CompleteWorkOrder, *, db: Database, wakeup: Wakeup, seconds: float
) -> dict[str, StaffDefined]:
    """The staff named in the command; waits for those whom dispatch knows and this service does not yet."""
    awaited = work.awaited_staff(order, command)

    async def read() -> dict[str, StaffDefined]:
        async with db.statements() as statements:
            return await find_staff(statements, command.staff_ids)

    return await caught_up(read, lambda known: known.keys() >= set(awaited), wakeup=wakeup, seconds=seconds)


async def suspend_work_order(command: SuspendWorkOrder, act: OrderCommand, *, orders: Orders, clock: Clock) -> Reply:
    stored = await orders.get_for(act)
    event = work.suspend(stored.order, command, now=clock.now())
    return await orders.record(stored, event, act, name="suspend")


async def resume_work_order(act: OrderCommand, *, orders: Orders) -> Reply:
    stored = await orders.get_for(act)
    return await orders.record(stored, work.resume(stored.order), act, name="resume")


async def add_note(note: str, act: OrderCommand, *, orders: Orders) -> Reply:
    stored = await orders.get_for(act)
    return await orders.record(stored, work.add_note(stored.order, note), act, name="note")
