"""Graceful shutdown of an HTTP process: /readyz fails first, requests are still answered for a while, then it ends.

A load balancer notices the shutdown some seconds after the process. A process that closed its port at once
would refuse requests meanwhile, and keep-alive connections would be cut when it ends.
"""

import signal
import time
from types import FrameType

import uvicorn
from fastapi import FastAPI


class GracefulServer(uvicorn.Server):
    """A server that after SIGTERM still answers for `drain_seconds`; a second signal ends that time."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, drain_seconds: float) -> None:
        super().__init__(config)
        self._app = app
        self._drain_seconds = drain_seconds
        self._leaves_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if sig == signal.SIGTERM and self._leaves_at is None:
            self._leaves_at = time.monotonic() + self._drain_seconds
            self._app.state.is_leaving = True
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        if self._leaves_at is not None and not self.should_exit and time.monotonic() >= self._leaves_at:
            super().handle_exit(signal.SIGTERM, None)
        return await super().on_tick(counter)


def is_leaving(app: FastAPI) -> bool:
    """Whether the process has received a signal to stop."""
    return getattr(app.state, "is_leaving", False)
