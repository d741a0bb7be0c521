"""What nobody has to be asked for: promises that come near or pass, calls of which no end was reported.

Each round finds what is due by now, so that after a time of standing still a warning is given once, late, and none is
lost. A row is claimed in the transaction that publishes; several workers take turns.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from chassis import outbox
from chassis.clock import SystemClock
from chassis.commands import CommandHeaders
from chassis.database import Database, Transaction
from chassis.recovery.fence import is_passing
from chassis.wakeup import PUBLISH, Wakeup
from contracts import calls as c
from contracts.message import Actor
from intake.calls import publishing, store
from intake.calls.domain.facts import close_open_leg
from intake.calls.use_cases import lock_call, tell
from intake.doing import Doing
from intake.reference import store as reference_store

log = logging.getLogger(__name__)

_LOOK_SECONDS = 5.0
_AT_ONCE = 100
_WATCH = Actor("intake", "service")
_NO_HEADERS = CommandHeaders(idempotency=None, if_match=None, correlation_id=None, traceparent=None)


async def watch(db: Database, wakeup: Wakeup) -> None:
    """Looks every few seconds for as long as the worker runs."""
    doing = Doing(_WATCH, _NO_HEADERS, db, SystemClock(), wakeup)
    while True:
        try:
            await look(doing)
        except Exception as error:
            if not is_passing(error):
                raise
            log.warning("watching waits: %s: %s", type(error).__name__, error)
        await asyncio.sleep(_LOOK_SECONDS)


async def look(doing: Doing) -> int:
    """One round over everything that is due; returns how much was."""
    done = 0
    rounds: tuple[Callable[[Transaction, Doing], Awaitable[bool]], ...] = (_warn, _breach, _close)
    for one in rounds:
        for _ in range(_AT_ONCE):
            async with doing.db.begin() as tx:
                found = await one(tx, doing)
            if not found:
                break
            done += 1
    if done:
        doing.wakeup.send(PUBLISH)
    return done


async def _warn(tx: Transaction, doing: Doing) -> bool:
    """A promised reply that is near; one that has passed meanwhile is only told as overdue."""
    rules = await reference_store.desk_rules(tx)
    case = await tx.fetchrow(
        """update cases set warned_at = $1 where id = (
               select id from cases where replied_at is null and warned_at is null and overdue_at is null
                 and reply_by > $1 and reply_by <= $1::timestamptz + make_interval(mins => $2)
               order by reply_by, id limit 1 for update skip locked
           ) returning *""",
        doing.clock.now(),
        rules.warn_before_minutes,
    )
    if case is None:
        return False
    call = await lock_call(tx, case["call_id"])
    await tell(tx, call, doing, c.ReplyWarned, agent_id=_whose(case), case_id=case["id"], reply_by=case["reply_by"])
    return True


def _whose(case: Mapping[str, Any]) -> str:
    """Whom it concerns: who gave the promise."""
    return case["promised_by"] or case["opened_by"]


async def _breach(tx: Transaction, doing: Doing) -> bool:
    case = await tx.fetchrow(
        """update cases set overdue_at = $1 where id = (
               select id from cases where replied_at is null and overdue_at is null and reply_by <= $1
               order by reply_by, id limit 1 for update skip locked
           ) returning *""",
        doing.clock.now(),
    )
    if case is None:
        return False
    call = await lock_call(tx, case["call_id"])
    await tell(tx, call, doing, c.ReplyOverdue, agent_id=_whose(case), case_id=case["id"], reply_by=case["reply_by"])
    return True


async def _close(tx: Transaction, doing: Doing) -> bool:
    """A call that has said nothing for so long has ended; should its own end still come, it is a revision."""
    rules, now = await reference_store.desk_rules(tx), doing.clock.now()
    call_id = await tx.fetchval(
        """select id from calls where state in ('offered', 'waiting', 'talking', 'held')
             and changed_at < $1::timestamptz - make_interval(hours => $2)
           order by changed_at, id limit 1 for update skip locked""",
        now,
        rules.call_closes_after_hours,
    )
    if call_id is None:
        return False
    call = (await store.lock_calls(tx, [call_id]))[call_id]
    assumed = close_open_leg(call.facts, call_id=call_id, now=now)
    if assumed is not None:
        call.put(assumed)
        await outbox.add(tx, await publishing.publish(tx, [call], now=now))
    return assumed is not None
