"""How the client maps the errors of httpx."""

import asyncio
from collections.abc import Callable

import httpx
import pytest

from linework.client_http import NotReached, new_http, send

ADDRESS = "http://intake.test"


async def test_a_port_without_a_listener_is_named() -> None:
    async with new_http() as http:
        with pytest.raises(NotReached, match=r"http://127\.0\.0\.1:1 cannot be reached"):
            await send(http, "GET", "http://127.0.0.1:1", "/readyz")


@pytest.mark.parametrize("address", ["127.0.0.1:8000", "ftp://host", "http://", "http://host:port"])
async def test_an_invalid_address_cannot_be_reached(address: str) -> None:
    async with new_http() as http:
        with pytest.raises(NotReached, match="cannot be reached"):
            await send(http, "GET", address, "/")


@pytest.mark.parametrize(
    "response", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", b"\x16\x03\x01 no HTTP\r\n"]
)
async def test_an_incomplete_response_is_no_answer(response: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(response)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server, new_http() as http:
        with pytest.raises(NotReached, match="cannot be reached"):
            await send(http, "GET", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "/")


async def test_a_late_response_is_no_answer() -> None:
    async with new_http(httpx.MockTransport(failing(httpx.ReadTimeout))) as http:
        with pytest.raises(NotReached, match=r"http://intake\.test did not answer in time \(ReadTimeout\)"):
            await send(http, "GET", ADDRESS, "/")


def failing(error: type[httpx.TransportError]) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error("", request=request)

    return answer


async def test_the_base_path_of_an_address_is_kept() -> None:
    async with new_http(httpx.MockTransport(lambda request: httpx.Response(200, text=str(request.url)))) as http:
        answer = await send(http, "GET", f"{ADDRESS}/api/intake/", "/v1/x%2Fy", params={"status": ["a", "b"]})
    assert answer.text == "http://intake.test/api/intake/v1/x%2Fy?status=a&status=b"
