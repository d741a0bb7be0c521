"""Graceful shutdown of an HTTP process: /readyz fails first, requests are still answered for a while, then it ends.

A load balancer notices the shutdown some seconds after the process. A process that closed its port at once
would refuse requests meanwhile, and keep-alive connections would be cut when it ends.
"""

import asyncio
import contextlib
import signal
import time
from types import FrameType

import uvicorn
from fastapi import FastAPI

_TICK_SECONDS = 1.0
"""How old the date may be that responses carry."""
_TICKS_COUNTED = 10
"""The library makes ten ticks a second and renews the date with every tenth."""


class GracefulServer(uvicorn.Server):
    """A server that after SIGTERM still answers for `drain_seconds`; a second signal ends that time."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, drain_seconds: float) -> None:
        super().__init__(config)
        self._app = app
        self._drain_seconds = drain_seconds
        self._leaves_at: float | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = asyncio.Event()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if sig == signal.SIGTERM and self._leaves_at is None:
            self._leaves_at = time.monotonic() + self._drain_seconds
            self._app.state.is_leaving = True
        else:
            super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._told.set)

    async def main_loop(self) -> None:
        """Ends when a signal says so. Ten processes that look ten times a second cost more than the work of an idle
        installation, so this one is woken."""
        self._loop = asyncio.get_running_loop()
        counter = 0
        while not await self.on_tick(counter):
            counter += _TICKS_COUNTED
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._until_next_tick()):
                    await self._told.wait()
            self._told.clear()

    def _until_next_tick(self) -> float:
        if self._leaves_at is None:
            return _TICK_SECONDS
        return min(_TICK_SECONDS, max(0.0, self._leaves_at - time.monotonic()))

    async def on_tick(self, counter: int) -> bool:
        if self._leaves_at is not None and not self.should_exit and time.monotonic() >= self._leaves_at:
            super().handle_exit(signal.SIGTERM, None)
        return await super().on_tick(counter)


def is_leaving(app: FastAPI) -> bool:
    """Whether the process has received a signal to stop."""
    return getattr(app.state, "is_leaving", False)
