"""What fieldwork does. One function a command; `orders.record` is the only commit on each path."""

from chassis.acts import Answer
from chassis.catch_up import caught_up
from chassis.clock import Clock
from chassis.database import Database
from chassis.wakeup import Wakeup
from contracts.directory import StaffDefined
from contracts.order import WorkOrder
from custody.directory import find_staff
from custody.record import Act, Orders
from fieldwork.domain import work
from fieldwork.domain.work import CompleteWorkOrder, RejectWorkOrder, SuspendWorkOrder


async def start_work_order(act: Act, *, orders: Orders) -> Answer:
    tracked = await orders.get_for(act)
    return await orders.record(tracked, work.start(tracked.order), act, name="start")


async def arrive_at_work(place: str | None, act: Act, *, orders: Orders) -> Answer:
    tracked = await orders.get_for(act)
    return await orders.record(tracked, work.arrive(tracked.order, place), act, name="arrive")


async def reject_work_order(command: RejectWorkOrder, act: Act, *, orders: Orders) -> Answer:
    tracked = await orders.get_for(act)
    return await orders.record(tracked, work.reject(tracked.order, command), act, name="reject")


async def complete_work_order(
    command: CompleteWorkOrder, act: Act, *, orders: Orders, db: Database, wakeup: Wakeup, catch_up_seconds: float
) -> Answer:
    tracked = await orders.get_for(act)
    known = await _known_staff(tracked.order, command, db=db, wakeup=wakeup, seconds=catch_up_seconds)
    return await orders.record(tracked, work.complete(tracked.order, command, known), act, name="complete")


async def _known_staff(
    order: WorkOrder, command: CompleteWorkOrder, *, db: Database, wakeup: Wakeup, seconds: float
) -> dict[str, StaffDefined]:
    """The staff named in the command; waits for those whom dispatch knows and this service does not yet."""
    awaited = work.awaited_staff(order, command)

    async def read() -> dict[str, StaffDefined]:
        async with db.statements() as statements:
            return await find_staff(statements, command.staff_ids)

    return await caught_up(read, lambda known: known.keys() >= set(awaited), wakeup=wakeup, seconds=seconds)


async def suspend_work_order(command: SuspendWorkOrder, act: Act, *, orders: Orders, clock: Clock) -> Answer:
    tracked = await orders.get_for(act)
    event = work.suspend(tracked.order, command, now=clock.now())
    return await orders.record(tracked, event, act, name="suspend")


async def resume_work_order(act: Act, *, orders: Orders) -> Answer:
    tracked = await orders.get_for(act)
    return await orders.record(tracked, work.resume(tracked.order), act, name="resume")


async def add_note(note: str, act: Act, *, orders: Orders) -> Answer:
    tracked = await orders.get_for(act)
    return await orders.record(tracked, work.add_note(tracked.order, note), act, name="note")
