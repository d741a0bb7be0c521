"""Once a day, in the worker: what has been kept long enough goes, and what was erased is said again.

An erasure is said again on the days after it. Kafka compacts what is in closed segments of a log only, and a log
closes a segment when something is added: the record that takes the key's place, said again a day later, closes the
one that holds the key. It is also what is last in the log, should two relays ever have overtaken each other.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta

from chassis import outbox
from chassis.clock import Clock, SystemClock
from chassis.database import Database, Transaction
from chassis.recovery.fence import is_catching_up, is_passing
from chassis.sealing import MasterKeys
from chassis.settings import Settings
from chassis.wakeup import PUBLISH, Wakeup
from chassis.worker import Job
from contracts.message import Actor
from contracts.refusals import Refusal
from intake.privacy import activity_store, store
from intake.privacy.domain import DataClass, Ground, kept_since
from intake.privacy.erasure import destroyed, erase_subscriber
from intake.subscribers.sealing_keys import issue_missing, wrap_anew

log = logging.getLogger(__name__)

RETENTION = Actor("retention", "service")
_LOOK_SECONDS = 600.0
_SAID_AGAIN_FOR = timedelta(days=4)
_AT_ONCE = 200
HIGHEST_COUNT = 10_000
"""So many subscribers that are to be erased are counted at most."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a day's run has done."""

    subscribers_erased: int
    reveals_deleted: int
    keys_wrapped_anew: int
    callers_forgotten: int
    subscribers_due: int
    """Whom erasing by age was to erase, before it did; told also while it is off. Counted up to `HIGHEST_COUNT`."""
    is_erasing: bool


def retention_of(settings: Settings, clock: Clock | None = None) -> Job:
    """The worker's job: looks every ten minutes whether the day's run is still to be done."""
    the_clock = clock or SystemClock()

    async def retention(db: Database, wakeup: Wakeup) -> None:
        while True:
            try:
                await issue_all_missing(db, settings.master_keys, clock=the_clock, wakeup=wakeup)
                await run_if_due(db, settings.master_keys, clock=the_clock, wakeup=wakeup)
            except Exception as error:
                if not is_passing(error):
                    raise
                log.warning("retention waits for the database: %s", type(error).__name__)
            await asyncio.sleep(_LOOK_SECONDS)

    return retention


async def run_if_due(db: Database, masters: MasterKeys, *, clock: Clock, wakeup: Wakeup) -> Outcome | None:
    """Today's run, unless it was done. A run that is cut off, or done by two workers at once, does no harm.

    Not while a restored database reads what it missed: it does not know yet who was active since its backup.
    """
    today = clock.now().date()
    async with db.statements() as statements:
        if await store.was_run_on(statements, today) or await is_catching_up(statements):
            return None
    since, is_erasing = await _since(db, DataClass.SUBSCRIBERS, clock)
    async with db.statements() as statements:
        due = await activity_store.count_due_subscribers(statements, since, highest=HIGHEST_COUNT)
    outcome = Outcome(
        subscribers_erased=await _erase_old_subscribers(db, since, clock, wakeup) if is_erasing else 0,
        reveals_deleted=await _delete_old_reveals(db, clock),
        keys_wrapped_anew=await wrap_all_anew(db, masters, clock=clock),
        callers_forgotten=await _forget_unknown_callers(db, clock),
        subscribers_due=due,
        is_erasing=is_erasing,
    )
    await _say_again(db, clock)
    async with db.statements() as statements:
        await store.add_run(statements, today, astuple(outcome), at=clock.now())
    wakeup.send(PUBLISH)
    log.info("retention ran: %s", outcome)
    return outcome


async def _since(db: Database, data_class: DataClass, clock: Clock) -> tuple[datetime, bool]:
    """Before when it has been kept long enough, and whether it goes then."""
    async with db.statements() as statements:
        rule = await store.retention_rule(statements, data_class)
    return kept_since(clock.now(), rule.keep_days), rule.is_active


async def _erase_old_subscribers(db: Database, since: datetime, clock: Clock, wakeup: Wakeup) -> int:
    after, count = "", 0
    while True:
        async with db.statements() as statements:
            found = await activity_store.due_subscribers(statements, since, after=after, limit=_AT_ONCE)
        for row in found:
            try:
                await erase_subscriber(
                    row["id"],
                    Ground.RETENTION_ENDED,
                    RETENTION,
                    db=db,
                    clock=clock,
                    wakeup=wakeup,
                    inactive_since=since,
                )
                count += 1
            except Refusal as refusal:
                # Between the look and the lock they called, or a hold was set, or an order was created.
                log.info("retention leaves a subscriber: %s", refusal.code)
        if len(found) < _AT_ONCE:
            return count
        after = found[-1]["id"]


async def _delete_old_reveals(db: Database, clock: Clock) -> int:
    since, is_active = await _since(db, DataClass.REVEALS, clock)
    if not is_active:
        return 0
    return await _until_nothing_is_left(db, lambda tx: store.delete_reveals(tx, since, limit=_AT_ONCE))


async def _forget_unknown_callers(db: Database, clock: Clock) -> int:
    since, is_active = await _since(db, DataClass.UNKNOWN_CALLERS, clock)
    if not is_active:
        return 0
    return await _until_nothing_is_left(db, lambda tx: store.forget_callers(tx, since, limit=_AT_ONCE))


async def wrap_all_anew(db: Database, masters: MasterKeys, *, clock: Clock) -> int:
    """After a new master key was put first: every sealing key is wrapped with it, and everybody is told."""
    return await _until_nothing_is_left(db, lambda tx: wrap_anew(tx, masters, RETENTION, now=clock.now()))


async def issue_all_missing(db: Database, masters: MasterKeys, *, clock: Clock, wakeup: Wakeup) -> int:
    """After an upgrade from before everybody had a key: one for each subscriber without."""
    count = await _until_nothing_is_left(db, lambda tx: issue_missing(tx, masters, RETENTION, now=clock.now()))
    if count:
        wakeup.send(PUBLISH)
    return count


async def _until_nothing_is_left(db: Database, step: Callable[[Transaction], Awaitable[int]]) -> int:
    """Takes a step, each in a transaction of its own, until one has done nothing; how much all of them have done."""
    count = 0
    while True:
        async with db.begin() as tx:
            done = await step(tx)
        if not done:
            return count
        count += done


async def _say_again(db: Database, clock: Clock) -> None:
    now = clock.now()
    async with db.begin() as tx:
        rows = await store.erased_since(tx, now - _SAID_AGAIN_FOR)
        await outbox.add(tx, [destroyed(*row, RETENTION, now=now) for row in rows])
