"""A service's app on a port of its own, in a thread: for clients that speak real HTTP."""

import contextlib
import threading
import time
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from chassis.testing import TestIssuer
from linework.ports import free_port


class _InThread(uvicorn.Server):
    """A server that leaves the signals to pytest."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.contextmanager
def served(app: FastAPI, issuer: TestIssuer) -> Iterator[str]:
    """Its address; tokens of this issuer are taken."""
    port = free_port()
    server = _InThread(uvicorn.Config(app, port=port, log_level="error", loop="asyncio"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    give_up_at = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < give_up_at, "the service did not start"
        thread.join(0.05)
    app.state.verifier = issuer.verifier()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)
