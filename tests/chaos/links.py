"""The network between two parties, as a TCP proxy that can be cut and slowed.

A link that is cut loses nothing that TCP would keep: `silent` holds every byte until it is mended, as packets
that are sent again and again; `refused` closes what is open and refuses new connections; `lost` swallows what is
sent on connections that were open, for ever and without a word, as a machine that vanished or a firewall that
forgot, while new connections are made as ever. A slowed link hands each piece on after a pause, in order.
"""

import asyncio
from enum import StrEnum

from linework.ports import LOOPBACK, free_port

_KEEP_ALIVE_SECONDS = 25.0
"""What `chassis.database` asks of PostgreSQL: ten seconds, and three times five."""


class State(StrEnum):
    OPEN = "open"
    SILENT = "silent"
    REFUSED = "refused"
    LOST = "lost"


class Link:
    """From the clients of `port` to the server behind it."""

    def __init__(self, name: str, target_port: int) -> None:
        self.name = name
        self.port = free_port()
        self.target_port = target_port
        self.state = State.OPEN
        self.pause_seconds = 0.0
        self._is_heard = asyncio.Event()
        self._is_heard.set()
        self._pipes: set[_Pipe] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Pipe(self), LOOPBACK, self.port)

    def cut(self, state: State) -> None:
        self.state = state
        if state is State.SILENT:
            self._is_heard.clear()
        for pipe in tuple(self._pipes):
            pipe.cut(state)

    async def until_heard(self) -> None:
        """Until it is not silent."""
        await self._is_heard.wait()

    def slow(self, seconds: float) -> None:
        self.pause_seconds = seconds

    def mend(self) -> None:
        self.state, self.pause_seconds = State.OPEN, 0.0
        self._is_heard.set()
        for pipe in tuple(self._pipes):
            pipe.go_on()

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for pipe in tuple(self._pipes):
            pipe.abort()


class _Pipe(asyncio.Protocol):
    """One end of a connection; `other` is the end towards whom it was not made by."""

    def __init__(self, link: Link, other: "_Pipe | None" = None) -> None:
        self._link = link
        self.other = other
        self._transport: asyncio.Transport | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._due_at = 0.0
        self._is_ended = False
        self._is_lost = False
        self._is_servers_end = other is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._link._pipes.add(self)
        if self._link.state is State.REFUSED:
            self.abort()
        elif self.other is None:
            # Nothing is read before the other end is connected.
            transport.pause_reading()
            self._connecting = asyncio.get_running_loop().create_task(self._connect())
        elif self._link.state is State.SILENT:
            transport.pause_reading()

    async def _connect(self) -> None:
        await self._link.until_heard()
        try:
            _, other = await asyncio.get_running_loop().create_connection(
                lambda: _Pipe(self._link, self), LOOPBACK, self._link.target_port
            )
        except OSError:
            self.abort()
            return
        self.other = other
        if self._is_ended:
            other.abort()
        else:
            self.go_on()

    def data_received(self, data: bytes) -> None:
        if self.other is None or self._is_lost:
            return
        loop = asyncio.get_running_loop()
        # Never before what was handed on earlier, also when the pause has become shorter meanwhile.
        self._due_at = max(self._due_at, loop.time() + self._link.pause_seconds)
        if self._due_at <= loop.time():
            self.other.write(data)
        else:
            loop.call_at(self._due_at, self.other.write, data)

    def write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    # Backpressure: who cannot be written to stops the other end from reading.

    def pause_writing(self) -> None:
        if self.other is not None:
            self.other.hold()

    def resume_writing(self) -> None:
        if self.other is not None and self._link.state is State.OPEN:
            self.other.go_on()

    def hold(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def cut(self, state: State) -> None:
        if state is State.REFUSED:
            self.abort()
        elif state is State.SILENT:
            self.hold()
        else:
            self._is_lost = True
            # Behind a proxy no keep-alive would ever fail: the connection is aborted when the server's would have.
            if self._is_servers_end:
                asyncio.get_running_loop().call_later(_KEEP_ALIVE_SECONDS, self.abort)

    def go_on(self) -> None:
        if self._transport is not None and not self._transport.is_closing() and self.other is not None:
            self._transport.resume_reading()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._is_ended = True
        self._link._pipes.discard(self)
        if self.other is not None and not self._is_lost:
            self._finish(self.other)

    def _finish(self, other: "_Pipe") -> None:
        # What is still on its way arrives before the end does.
        loop = asyncio.get_running_loop()
        loop.call_at(max(self._due_at, loop.time()), other._close)

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()
