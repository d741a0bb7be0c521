"""Wake-ups between the processes of one database, over PostgreSQL's NOTIFY.

A wake-up triggers a query and carries no data: a lost wake-up costs a poll interval. NOTIFY takes a lock for
which all commits of the server queue, so it is sent on a separate connection, outside any business
transaction, and at most once in 20 ms.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

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


class Wakeup:
    """Sends and hears wake-ups of one database on one connection of its own."""

    def __init__(self, url: str, *, hears: str | None = None) -> None:
        self._url = driver_url(url)
        self._hears = hears
        self._pending: set[str] = set()
        self._to_send = asyncio.Event()
        self._heard = asyncio.Event()

    def send(self, channel: str) -> None:
        """Asks for a wake-up on the channel; returns at once."""
        self._pending.add(channel)
        self._to_send.set()

    def mark(self) -> asyncio.Event:
        """Taken before a query: `wait` then ends also with a wake-up that came while the query ran."""
        return self._heard

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
                    await self._notify(connection, self._pending.pop())
                await asyncio.sleep(_AT_MOST_EVERY_SECONDS)
        finally:
            connection.terminate()
        raise ConnectionError("the server closed the connection")

    async def _notify(self, connection: asyncpg.Connection, channel: str) -> None:
        try:
            await connection.execute(f'notify "{channel}"', timeout=5)
        except BaseException:
            self._pending.add(channel)
            raise

    def _on_notification(self, *_: object) -> None:
        # Whoever waits now is woken; whoever waits from here on waits for the next one.
        self._heard.set()
        self._heard = asyncio.Event()
