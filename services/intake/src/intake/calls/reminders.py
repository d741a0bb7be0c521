"""Reminders of promised replies that come near or pass, and the end of calls of which none was reported.

Each round finds what is due by now, so that after an outage of the worker a reminder is sent once, late, and none is
lost. A row is claimed in the transaction that publishes; several workers take turns.
"""

from collections.abc import Awaitable, Callable

from chassis.clock import SystemClock
from chassis.database import Database
from chassis.identity import new_id
from chassis.jobs import repeat
from chassis.unit_of_work import Command, UnitOfWork
from chassis.wakeup import Wakeup
from contracts import calls as c
from contracts.lifecycle import Service
from contracts.message import Actor
from intake.calls import store
from intake.calls.domain.call import Author
from intake.calls.domain.settlement import Case
from intake.calls.publishing import publish
from intake.reference.store import desk_rules

_LOOK_SECONDS = 5.0
_AT_ONCE = 100
REMINDERS = Actor("intake", "service")


async def watch(db: Database, wakeup: Wakeup) -> None:
    """Looks every few seconds for as long as the worker runs."""
    uow = UnitOfWork(service=Service.INTAKE, db=db, clock=SystemClock(), wakeup=wakeup, actor=REMINDERS)
    await repeat("reminders", lambda: look(uow), seconds=_LOOK_SECONDS)


async def look(uow: UnitOfWork) -> int:
    """One round over everything that is due; returns how much was."""
    done = 0
    rounds: tuple[Callable[[Command], Awaitable[bool]], ...] = (_warn, _breach, _close)
    for due in rounds:
        for _ in range(_AT_ONCE):
            async with uow.command() as command:
                found = await due(command)
            if not found:
                break
            done += 1
    return done


async def _warn(command: Command) -> bool:
    rules = await desk_rules(command.tx)
    case = await store.claim_case_to_warn(command.tx, now=command.now, minutes=rules.warn_before_minutes)
    return await _remind(command, case, c.ReplyWarned)


async def _breach(command: Command) -> bool:
    case = await store.claim_overdue_case(command.tx, now=command.now)
    return await _remind(command, case, c.ReplyOverdue)


async def _remind(command: Command, case: Case | None, kind: type[c.ReplyWarned | c.ReplyOverdue]) -> bool:
    if case is None:
        return False
    call = await store.lock_call(command.tx, case.call_id)
    agents = await store.agents_by_id(command.tx, [case.promising_agent])
    author = Author(agents[case.promising_agent], command.now, new_id)
    call.note(kind, author, case_id=case.id, reply_by=case.reply_by)
    command.messages += await publish(command.tx, [call], now=command.now, actor=REMINDERS)
    return True


async def _close(command: Command) -> bool:
    """A call of which nothing was reported for so long has ended; should its end still come, it is a revision."""
    rules = await desk_rules(command.tx)
    call = await store.claim_silent_call(command.tx, now=command.now, hours=rules.call_closes_after_hours)
    if call is None:
        return False
    call.close(command.now)
    command.messages += await publish(command.tx, [call], now=command.now)
    return bool(command.messages)
