"""Wake-ups between the processes of one database, over PostgreSQL's NOTIFY.

A wake-up triggers a query and carries no data: a lost wake-up costs a poll interval. It may name keys; then only the
waiters for these keys query again. NOTIFY takes a lock for which all commits of the server queue, so it is sent on a
separate connection, outside any business transaction, and at most once in 20 ms.
"""

import asyncio
import contextlib
import logging
import zlib
from collections.abc import AsyncIterator, Iterable
from weakref import WeakValueDictionary

import asyncpg

from chassis.database import TRANSIENT, driver_url

log = logging.getLogger(__name__)

PUBLISH = "linework_publish"
"""Rows wait in the outbox."""
APPLIED = "linework_applied"
"""A consumer has committed a batch."""
JOBS = "linework_jobs"
"""A job of the worker has something to do."""

_AT_MOST_EVERY_SECONDS = 0.02
_RECONNECT_SECONDS = 1.0
_MOST_KEYS = 800
"""PostgreSQL takes 8,000 bytes with a notification; of more keys none is named."""


def _digest(key: str) -> str:
    return f"{zlib.crc32(key.encode()):08x}"


class Wakeup:
    """Sends and hears wake-ups of one database on one connection of its own."""

    def __init__(self, url: str, *, hears: str | None = None) -> None:
        self._url = driver_url(url)
        self._hears = hears
        self._pending: dict[str, set[str] | None] = {}
        """By channel, the digests of the keys; None when it may be about any key."""
        self._to_send = asyncio.Event()
        self._heard = asyncio.Event()
        self._heard_of: WeakValueDictionary[str, asyncio.Event] = WeakValueDictionary()
        """By digest of a key, as long as a caller holds the mark."""

    def send(self, channel: str, keys: Iterable[str] | None = None) -> None:
        """Asks for a wake-up on the channel, about these keys or any; returns at once."""
        self._add(channel, None if keys is None else {_digest(key) for key in keys})
        self._to_send.set()

    def _add(self, channel: str, digests: set[str] | None) -> None:
        waiting = self._pending.get(channel, set())
        self._pending[channel] = None if waiting is None or digests is None else waiting | digests

    def mark(self, key: str | None = None) -> asyncio.Event:
        """Taken before a query: `wait` then ends also with a wake-up that came while the query ran.

        With a key only by a wake-up that may be about it.
        """
        return self._heard if key is None else self._heard_of.setdefault(_digest(key), asyncio.Event())

    async def wait(self, seconds: float, since: asyncio.Event | None = None) -> bool:
        """Until the next wake-up, since now or since a mark, or for so many seconds; says whether one came."""
        heard = since or self._heard
        try:
            async with asyncio.timeout(seconds):
                await heard.wait()
        except TimeoutError:
            return False
        return True

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Wakeup"]:
        task = asyncio.create_task(self._run(), name="wakeup")
        try:
            yield self
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        while True:
            try:
                await self._serve()
            except TRANSIENT as error:
                log.warning("wake-up connection lost, polling until it is back: %s", error)
                await asyncio.sleep(_RECONNECT_SECONDS)

    async def _serve(self) -> None:
        connection = await asyncpg.connect(self._url, timeout=5)
        lost = asyncio.Event()

        def on_loss(_: asyncpg.Connection) -> None:
            lost.set()
            self._to_send.set()

        connection.add_termination_listener(on_loss)
        try:
            if self._pending:
                self._to_send.set()  # by the connection before, on which they did not go out
            if self._hears:
                await connection.add_listener(self._hears, self._on_notification)
            while not lost.is_set():
                await self._to_send.wait()
                self._to_send.clear()
                while self._pending:
                    await self._notify(connection, *self._pending.popitem())
                await asyncio.sleep(_AT_MOST_EVERY_SECONDS)
        finally:
            connection.terminate()
        raise ConnectionError("the server closed the connection")

    async def _notify(self, connection: asyncpg.Connection, channel: str, digests: set[str] | None) -> None:
        named = ",".join(sorted(digests)) if digests and len(digests) <= _MOST_KEYS else ""
        try:
            await connection.execute(f"notify \"{channel}\", '{named}'", timeout=5)
        except BaseException:
            self._add(channel, digests)
            raise

    def _on_notification(self, _: object, __: object, ___: object, named: str) -> None:
        # Whoever waits now is woken; whoever waits from here on waits for the next one.
        self._heard.set()
        self._heard = asyncio.Event()
        for digest in named.split(",") if named else list(self._heard_of):
            heard = self._heard_of.pop(digest, None)
            if heard is not None:
                heard.set()
