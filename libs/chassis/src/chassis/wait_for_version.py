"""Read-your-writes: waits for a version that the client has seen in another service."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from chassis.wakeup import Wakeup
from contracts.refusals import Unavailable

_LOOK_AGAIN_SECONDS = 0.25

T = TypeVar("T")


class NotCaughtUp(Unavailable):
    """Version {expected} of {subject} has not arrived at this service yet; retry."""

    zh = "{subject} 的版本 {expected} 尚未到达本服务，请稍后重试。"


async def caught_up(
    read: Callable[[], Awaitable[T]],
    is_there: Callable[[T], bool],
    *,
    wakeup: Wakeup,
    seconds: float,
    key: str | None = None,
) -> T:
    """What `read` gives, as soon as `is_there` agrees, and at the latest after so many seconds.

    Reads again when a consumer has committed a batch, with a key only one that has a record of it, and every quarter of
    a second in case the wake-up got lost.
    """
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + seconds
    while True:
        mark = wakeup.mark(key)
        found = await read()
        left = give_up_at - loop.time()
        if is_there(found) or left <= 0:
            return found
        await wakeup.wait(min(left, _LOOK_AGAIN_SECONDS), mark)
