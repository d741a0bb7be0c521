"""Once a day, in the worker: what has been kept long enough goes, and what was erased is published again.

An erasure is published again on the days after it. Kafka compacts what is in closed segments of a log only, and a log
closes a segment when something is added: the record that takes the key's place, sent again a day later, closes the
one that holds the key. It is also what is last in the log, should two relays ever have overtaken each other.
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from chassis.clock import Clock, SystemClock
from chassis.database import Database
from chassis.jobs import repeat
from chassis.recovery.fence import is_catching_up
from chassis.sealing import MasterKeys
from chassis.settings import Settings
from chassis.unit_of_work import Command, UnitOfWork
from chassis.wakeup import Wakeup
from chassis.worker import Job
from contracts.lifecycle import Service
from contracts.message import Actor
from contracts.refusals import Refusal
from intake.privacy import activity_store, store
from intake.privacy.domain import HIGHEST_COUNT, DataClass, Ground, RetentionOutcome, RetentionSetting
from intake.privacy.erasure import destroyed, erase_subscriber
from intake.subscribers.sealing_keys import issue_missing, wrap_anew

log = logging.getLogger(__name__)

RETENTION = Actor("retention", "service")
_LOOK_SECONDS = 600.0
_PUBLISHED_AGAIN_FOR = timedelta(days=4)
_AT_ONCE = 200


def unit_of_work(db: Database, wakeup: Wakeup, clock: Clock) -> UnitOfWork:
    """What retention works on, in the worker and on a command line."""
    return UnitOfWork(service=Service.INTAKE.value, db=db, clock=clock, wakeup=wakeup, actor=RETENTION)


def retention_of(settings: Settings, clock: Clock | None = None) -> Job:
    """The worker's job: looks every ten minutes whether the day's run is still to be done."""
    the_clock = clock or SystemClock()

    async def retention(db: Database, wakeup: Wakeup) -> None:
        uow = unit_of_work(db, wakeup, the_clock)

        async def one_round() -> None:
            await issue_all_missing(settings.master_keys, uow=uow)
            await run_if_due(settings.master_keys, uow=uow)

        await repeat("retention", one_round, seconds=_LOOK_SECONDS)

    return retention


async def set_retention(
    data_class: DataClass, keep_days: int, is_active: bool | None, *, uow: UnitOfWork
) -> RetentionSetting:
    """Sets how long a class of data is kept; `is_active` None leaves as it is whether the daily run goes by it."""
    async with uow.command() as command:
        return await store.put_retention_setting(
            command.tx, data_class, keep_days, is_active, by=command.actor.sub, at=command.now
        )


async def run_if_due(masters: MasterKeys, *, uow: UnitOfWork) -> RetentionOutcome | None:
    """Today's run, unless it was done. A run that is cut off, or done by two workers at once, does no harm.

    Not while a restored database reads what it missed: it does not know yet who was active since its backup.
    """
    now = uow.clock.now()
    async with uow.db.statements() as statements:
        if await store.was_run_on(statements, now.date()) or await is_catching_up(statements):
            return None
        settings = await store.retention_settings(statements)
        subscribers = settings[DataClass.SUBSCRIBERS]
        since = subscribers.kept_since(now)
        due = await activity_store.count_due_subscribers(statements, since, highest=HIGHEST_COUNT)
    outcome = RetentionOutcome(
        subscribers_erased=await _erase_old_subscribers(since, uow) if subscribers.is_active else 0,
        reveals_deleted=await _delete(settings[DataClass.REVEALS], store.delete_reveals, uow),
        keys_wrapped_anew=await wrap_all_anew(masters, uow=uow),
        callers_forgotten=await _delete(settings[DataClass.UNKNOWN_CALLERS], store.forget_callers, uow),
        subscribers_due=due,
        is_erasing=subscribers.is_active,
    )
    await _publish_erasures_again(uow)
    async with uow.db.statements() as statements:
        await store.add_run(statements, now.date(), outcome, at=uow.clock.now())
    log.info("retention finished: %s", outcome)
    return outcome


async def _erase_old_subscribers(since: datetime, uow: UnitOfWork) -> int:
    after, count = "", 0
    while True:
        async with uow.db.statements() as statements:
            due = await activity_store.due_subscribers(statements, since, after=after, limit=_AT_ONCE)
        for row in due:
            try:
                await erase_subscriber(row["id"], Ground.RETENTION_ENDED, uow=uow, inactive_since=since)
                count += 1
            except Refusal as refusal:
                # Between the look and the lock they called, or a hold was set, or an order was created.
                log.info("retention skipped a subscriber: %s", refusal.code)
        if len(due) < _AT_ONCE:
            return count
        after = due[-1]["id"]


Delete = Callable[..., Awaitable[int]]
"""Deletes some of the rows from before a moment, up to `limit` of them; how many."""


async def _delete(setting: RetentionSetting, delete: Delete, uow: UnitOfWork) -> int:
    if not setting.is_active:
        return 0
    since = setting.kept_since(uow.clock.now())
    return await _until_nothing_is_left(lambda command: delete(command.tx, since, limit=_AT_ONCE), uow)


async def wrap_all_anew(masters: MasterKeys, *, uow: UnitOfWork) -> int:
    """After a new master key was put first: every sealing key is wrapped with it and published; how many."""
    return await _until_nothing_is_left(lambda command: wrap_anew(command, masters), uow)


async def issue_all_missing(masters: MasterKeys, *, uow: UnitOfWork) -> int:
    """After an upgrade from a release without keys for everyone: a key for each subscriber without one; how many."""
    return await _until_nothing_is_left(lambda command: issue_missing(command, masters), uow)


async def _until_nothing_is_left(step: Callable[[Command], Awaitable[int]], uow: UnitOfWork) -> int:
    """Takes a step, each in a transaction of its own, until one has done nothing; how much all of them have done."""
    count = 0
    while True:
        async with uow.command() as command:
            done = await step(command)
        if not done:
            return count
        count += done


async def _publish_erasures_again(uow: UnitOfWork) -> None:
    async with uow.command() as command:
        for erased in await store.erased_since(command.tx, command.now - _PUBLISHED_AGAIN_FOR):
            command.messages.append(
                destroyed(erased.subscriber_id, erased.ground, erased.key_version, RETENTION, now=command.now)
            )
