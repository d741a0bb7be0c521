"""Suspensions end by themselves at their time: a job of the worker.

Each round looks for what is over by now, so that after an outage of the worker a suspension ends late and once, as of
the moment at which it was over. Of two workers one loses the race for the order's version and does nothing.
"""

import logging

from chassis.clock import Clock, SystemClock
from chassis.commands import CommandHeaders
from chassis.database import Database
from chassis.entity_tags import versions_of
from chassis.jobs import repeat
from chassis.settings import Settings
from chassis.wakeup import Wakeup
from chassis.worker import Job
from contracts.lifecycle import Service
from contracts.message import Actor
from contracts.refusals import Refusal
from fieldwork.orders import suspension_store as store
from fieldwork.orders.domain import suspension
from work_orders.sealing_keys import SealingKeys
from work_orders.time_limits import KnownRuleSets
from work_orders.unit_of_work import OrderUnitOfWork

log = logging.getLogger(__name__)

_LOOK_SECONDS = 2.0
_AT_ONCE = 200
_CLOCK = Actor(Service.FIELDWORK.value, "service")
_AT_ANY_VERSION = CommandHeaders(idempotency=None, if_match=versions_of("*"), correlation_id=None, traceparent=None)


def ending_suspensions(settings: Settings, clock: Clock | None = None) -> Job:
    """The worker's job: looks every two seconds for suspensions that are over."""

    async def end_suspensions(db: Database, wakeup: Wakeup) -> None:
        uow = unit_of_work(settings, db, wakeup, clock or SystemClock())
        is_complete = False

        async def one_round() -> None:
            nonlocal is_complete
            if not is_complete:
                async with db.statements() as statements:
                    await store.add_missing(statements)
                is_complete = True
            await look(uow)

        await repeat("ending suspensions", one_round, seconds=_LOOK_SECONDS)

    return end_suspensions


def unit_of_work(settings: Settings, db: Database, wakeup: Wakeup, clock: Clock) -> OrderUnitOfWork:
    keys = SealingKeys(db, settings.master_keys, wakeup, catch_up_seconds=0)
    return OrderUnitOfWork(
        service=Service.FIELDWORK.value,
        db=db,
        clock=clock,
        wakeup=wakeup,
        actor=_CLOCK,
        headers=_AT_ANY_VERSION,
        sealing_keys=keys,
        catch_up_seconds=0,
        time_limits=KnownRuleSets(),
    )


async def look(uow: OrderUnitOfWork) -> int:
    """One round over the suspensions that are over; returns how many it ended."""
    async with uow.db.statements() as statements:
        due = await store.due(statements, uow.clock.now(), limit=_AT_ONCE)
    return sum([await _end(order_id, uow) for order_id in due])


async def _end(order_id: str, uow: OrderUnitOfWork) -> bool:
    try:
        async with uow.order(order_id) as command:
            event = suspension.end(command.order, now=uow.clock.now())
            if event is not None:
                command.record(event, name="end_suspension")
    except Refusal as refusal:
        # Somebody was faster, or the database catches up: the next round looks again.
        log.info("suspension of %s not ended: %s", order_id, refusal.code)
        return False
    if event is None:
        async with uow.db.statements() as statements:
            await store.forget(statements, order_id, command.order.version)
    return event is not None
