"""Measures until when the calendars that a service counts in are covered: missing days off would go unnoticed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from chassis.database import Database, Statements, is_transient
from chassis.telemetry import METRICS
from chassis.wakeup import Wakeup
from chassis.worker import Job
from contracts.calendar import WorkingDays

log = logging.getLogger(__name__)

_LOOK_EVERY_SECONDS = 60.0
CalendarsInUse = Callable[[Statements], Awaitable[Iterable[WorkingDays]]]


def watching(user: str, in_use: CalendarsInUse) -> Job:
    """A job of the worker: measures, for as long as it runs, the calendars that one `user` counts in."""

    async def watch_calendars(db: Database, _: Wakeup) -> None:
        while True:
            try:
                async with db.statements() as statements:
                    measure(user, await in_use(statements))
            except Exception as error:
                level = logging.WARNING if is_transient(error) else logging.ERROR
                log.log(level, "watching the calendars waits: %s: %s", type(error).__name__, error)
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    return watch_calendars


def measure(user: str, calendars: Iterable[WorkingDays]) -> None:
    """Sets the metric to the first end of their coverage; to 0 if one has no announced days."""
    ends = [one.end_of(one.covered_until).timestamp() if one.covered_until else 0.0 for one in calendars]
    if ends:
        METRICS.calendars_covered_until.labels(user).set(min(ends))
    else:
        METRICS.calendars_covered_until.remove(user)
