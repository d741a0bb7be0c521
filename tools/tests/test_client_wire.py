"""HTTP/1.1 against a server that answers whatever a test wants, in whatever pieces."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from linework.client_wire import NotReached, Wire

Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
OK = b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nETag: "3"\r\n\r\n{}'


class Server:
    """Answers each request by the next of `answers`."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.requests: list[bytes] = []
        self.connection_count = 0
        self.ended = asyncio.Event()
        """Set when a connection has come to its end."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connection_count += 1
        try:
            while self.answers:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                await self.answers.pop(0)(self.requests[-1], writer)
                await writer.drain()
                if writer.is_closing():
                    return
            await reader.read()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            self.ended.set()


def whole(content: bytes) -> Answer:
    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(content)

    return answer


def in_pieces(content: bytes) -> Answer:
    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        for byte in content:
            writer.write(bytes([byte]))
            await writer.drain()

    return answer


def and_close(content: bytes) -> Answer:
    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()
        writer.close()

    return answer


def when(moment: asyncio.Event, content: bytes) -> Answer:
    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        await moment.wait()
        writer.write(content)

    return answer


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.address = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    made.wire = Wire(made.address)
    yield made
    made.wire.close()
    listening.close()


async def test_requests_share_a_connection_that_is_kept(server: Server) -> None:
    server.answers = [whole(OK), in_pieces(OK)]
    for _ in range(2):
        answer = await server.wire.request("POST", "/v1/x?a=1", {"if-match": '"2"'}, b"body")
        assert (answer.status, answer.headers["etag"], answer.body) == (200, '"3"', b"{}")
    assert server.connection_count == 1
    assert server.requests[0].startswith(b"POST /v1/x?a=1 HTTP/1.1\r\nhost: 127.0.0.1:")
    assert server.requests[0].endswith(b'if-match: "2"\r\n\r\nbody')


async def test_requests_at_the_same_time_have_a_connection_each(server: Server) -> None:
    server.answers = [whole(OK), whole(OK)]
    await asyncio.gather(*(server.wire.request("GET", "/", {}) for _ in range(2)))
    assert server.connection_count == 2


async def test_a_chunked_answer_is_put_together(server: Server) -> None:
    server.answers = [
        in_pieces(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    ]
    assert (await server.wire.request("GET", "/", {})).body == b"abcde"


async def test_a_connection_that_the_server_ends_is_not_used_again(server: Server) -> None:
    server.answers = [and_close(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"), whole(OK)]
    await server.wire.request("GET", "/", {})
    assert (await server.wire.request("GET", "/", {})).body == b"{}"
    assert server.connection_count == 2


@pytest.mark.parametrize(
    "broken", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", b"\x16\x03\x01 no HTTP\r\n"]
)
async def test_an_answer_that_does_not_come_whole_is_no_answer(server: Server, broken: bytes) -> None:
    server.answers = [and_close(broken), whole(OK)]
    with pytest.raises(NotReached, match="cannot be reached"):
        await server.wire.request("GET", "/", {})
    assert (await server.wire.request("GET", "/", {})).status == 200


async def test_a_late_answer_meets_nobody_else(server: Server) -> None:
    moment = asyncio.Event()
    server.answers = [when(moment, OK)]
    with pytest.raises(NotReached, match="did not answer within"):
        await server.wire.request("GET", "/", {}, seconds=0.05)
    moment.set()
    # The connection was closed with the request, or the server would still wait for the next one.
    await asyncio.wait_for(server.ended.wait(), 5)
    server.answers = [whole(OK)]
    await server.wire.request("GET", "/", {})
    assert server.connection_count == 2


async def test_a_port_where_nobody_listens_is_named() -> None:
    with pytest.raises(NotReached, match=r"http://127\.0\.0\.1:1 cannot be reached"):
        await Wire("http://127.0.0.1:1").request("GET", "/", {})


@pytest.mark.parametrize("address", ["127.0.0.1:8000", "ftp://host", "http://"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="is not an address"):
        Wire(address)
