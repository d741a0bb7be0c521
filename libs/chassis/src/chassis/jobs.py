"""Jobs of the worker that work in rounds."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from chassis.recovery.fence import is_passing

log = logging.getLogger(__name__)


async def repeat(
    name: str,
    one_round: Callable[[], Awaitable[object]],
    *,
    seconds: float,
    rest: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Works in rounds for as long as the worker runs, with a rest of so many seconds after each.

    A round that fails for a passing reason, such as a database that is away, is logged and tried again after the rest;
    any other failure is raised. `rest` may be `Wakeup.wait`, which others can end.
    """
    while True:
        try:
            await one_round()
        except Exception as error:
            if not is_passing(error):
                raise
            log.warning("%s failed, retrying: %s: %s", name, type(error).__name__, error)
        await rest(seconds)
