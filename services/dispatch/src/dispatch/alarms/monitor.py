"""The monitor of time limits: a job of the worker that fires the steps of the ladder as they come due.

It asks an index for the orders whose look is due, so an order that waits costs nothing. A chunk of them is looked at
in one transaction that records the alarms, publishes them and plans the next looks: a worker that dies in between has
done nothing. After a downtime every step that was missed is due at once, and each clock fires its highest.
"""

import logging
from datetime import timedelta

from chassis.clock import SystemClock
from chassis.database import Database
from chassis.identity import new_id
from chassis.recovery.fence import is_passing
from chassis.unit_of_work import Command, UnitOfWork
from chassis.wakeup import Wakeup
from contracts.escalation import AlarmCause
from contracts.lifecycle import Service
from contracts.message import Actor
from dispatch.alarms import store
from dispatch.alarms.ladder import Ladder, Look, alarm, look_at_order
from dispatch.alarms.store import Watched
from work_orders.sla_clocks import RuleSets
from work_orders.time_limits import KnownRuleSets

log = logging.getLogger(__name__)

_LONGEST_SLEEP_SECONDS = 1.0
"""A step that is planned meanwhile is at most so late."""
_ORDERS_A_CHUNK = 250
_LINKED_AWAY_LOOK = timedelta(minutes=1)
MONITOR = Actor("dispatch", "service")


async def watch_limits(db: Database, wakeup: Wakeup) -> None:
    """Fires what is due for as long as the worker runs."""
    uow = UnitOfWork(service=Service.DISPATCH, db=db, clock=SystemClock(), wakeup=wakeup, actor=MONITOR)
    limits = KnownRuleSets()
    while True:
        seconds = _LONGEST_SLEEP_SECONDS
        try:
            while await fire_due(uow, limits):
                pass
            seconds = await _seconds_until_next(uow)
        except Exception as error:
            if not is_passing(error):
                raise
            log.warning("alarms of time limits failed, retrying: %s: %s", type(error).__name__, error)
        await wakeup.wait(seconds)


async def _seconds_until_next(uow: UnitOfWork) -> float:
    async with uow.db.statements() as statements:
        look_at = await store.next_look_at(statements)
    if look_at is None:
        return _LONGEST_SLEEP_SECONDS
    return min(max((look_at - uow.clock.now()).total_seconds(), 0.01), _LONGEST_SLEEP_SECONDS)


async def fire_due(uow: UnitOfWork, limits: KnownRuleSets) -> int:
    """Looks at a chunk of the orders that are due; returns at how many."""
    sets = await limits.present(uow.db)
    async with uow.command() as command:
        now = command.now
        version = sets.newest.version
        watched = await store.claim_watched(command.tx, now=now, limits_version=version, limit=_ORDERS_A_CHUNK)
        if watched:
            await _look_at(command, watched, sets)
    return len(watched)


async def _look_at(command: Command, watched: list[Watched], sets: RuleSets) -> None:
    rules = await store.ESCALATION.newest(command.tx)
    fired = await store.fired(command.tx, [one.order.id for one in watched])
    looks: dict[str, Look] = {}
    for one in watched:
        look = look_at_order(one.order, sets, rules.ladder, fired[one.order.id], now=command.now)
        if one.is_linked_away:
            look = Look((), look.standing, command.now + _LINKED_AWAY_LOOK if look.standing else None)
        looks[one.order.id] = look
        _publish(command, one, look, rules.ladder)
    new = await store.add_alarms(command.tx, command.messages)
    command.messages[:] = [message for message in command.messages if message.body.alarm_id in new]
    await store.end_alarms(command.tx, {one: look.standing for one, look in looks.items()}, now=command.now)
    await store.plan_looks(command.tx, [(one, look.look_at) for one, look in looks.items()])


def _publish(command: Command, watched: Watched, look: Look, ladder: Ladder) -> None:
    cause = AlarmCause.LIMITS_CHANGED if watched.is_by_limits else AlarmCause.TIME
    for firing in look.firing:
        event = alarm(watched.order, firing, alarm_id=new_id(), escalation_version=ladder.version, cause=cause)
        command.publish(event, subject=watched.order.id)
