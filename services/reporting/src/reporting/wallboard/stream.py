"""Snapshots as server-sent events. Each is complete, so that a broken stream loses nothing when it resumes.

A client that reconnects sends the id of its snapshot as `Last-Event-ID` and gets the next one when something
has changed, or when waits and ages have to be updated.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
from fastapi.sse import format_sse_event

from chassis.wakeup import Wakeup

_AT_MOST_EVERY_SECONDS = 1.0
_AT_LEAST_EVERY_SECONDS = 5.0
_COME_BACK_MILLISECONDS = 2_000


async def events(
    read: Callable[[], Awaitable[dict[str, Any]]],
    *,
    after: str | None,
    wakeup: Wakeup,
    may_go_on: Callable[[], Awaitable[bool]],
) -> AsyncIterator[bytes]:
    """A snapshot at each change, at most one a second, and one every five seconds anyhow.

    `may_go_on` is asked before each one: a stream ends with its token, and when the process leaves.
    """
    yield format_sse_event(retry=_COME_BACK_MILLISECONDS)
    while await may_go_on():
        found = await read()
        if found["id"] != after:
            yield format_sse_event(id=found["id"], event="snapshot", data_str=msgspec.json.encode(found).decode())
            await asyncio.sleep(_AT_MOST_EVERY_SECONDS)
        after = None
        await wakeup.wait(_AT_LEAST_EVERY_SECONDS - _AT_MOST_EVERY_SECONDS)
