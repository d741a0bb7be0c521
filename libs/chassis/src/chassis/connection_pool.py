"""A pool of connections to one database.

asyncpg's own pool starts a task to acquire a connection and another to release it, and the caller waits for both. Here
both are plain calls while a connection is free: two turns of the event loop less for each statement.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

import asyncpg

_TURN_SECONDS = 10
_IDLE_SECONDS = 300.0


class ConnectionPool:
    """At most `size` connections. Each is opened when it is needed, and ended when it was idle for five minutes."""

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]], *, size: int) -> None:
        self._connect = connect
        self._size = size
        self._turns = asyncio.Semaphore(size)
        self._idle: deque[tuple[float, asyncpg.Connection]] = deque()
        """Since when each is idle; the last one is used next."""
        self._is_closed = False

    async def acquire(self) -> asyncpg.Connection:
        """A connection for this caller alone, until `release`.

        Raises `TimeoutError` when none becomes free in time, `InterfaceError` when the pool is closed, and what
        connecting raises.
        """
        self._check_open()
        if self._turns.locked():
            async with asyncio.timeout(_TURN_SECONDS):
                await self._turns.acquire()
        else:
            await self._turns.acquire()
        try:
            self._check_open()
            return self._find_idle() or await self._connect()
        except BaseException:
            self._turns.release()
            raise

    def release(self, connection: asyncpg.Connection) -> None:
        """Gives it back as it is: nothing that a caller does outlives its transaction, so nothing is reset."""
        now = time.monotonic()
        if not connection.is_closed():
            self._idle.append((now, connection))
        self._turns.release()
        while self._idle and self._idle[0][0] < now - _IDLE_SECONDS:
            self._idle.popleft()[1].terminate()

    def end_idle(self) -> None:
        """Ends the idle connections without waiting for the server."""
        while self._idle:
            self._idle.pop()[1].terminate()

    async def close(self) -> None:
        """Waits for the connections in use and ends all."""
        self._is_closed = True
        for _ in range(self._size):
            await self._turns.acquire()
        while self._idle:
            await self._idle.pop()[1].close()

    def _check_open(self) -> None:
        if self._is_closed:
            raise asyncpg.InterfaceError("the pool is closed")

    def _find_idle(self) -> asyncpg.Connection | None:
        while self._idle:
            _, connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return None
