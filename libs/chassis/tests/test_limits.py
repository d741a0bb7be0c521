"""One caller takes a share and not the whole; what is too long, too large or too slow is turned away."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import APIRouter, FastAPI
from fastapi.responses import StreamingResponse

from chassis import http_limits
from chassis.docs_page import policy_of
from chassis.http import create_app
from chassis.http_limits import LARGEST_HEADERS, LONGEST_ADDRESS, Impatient
from chassis.problems import HEADERS_OF_EVERY_ANSWER
from chassis.rate_limits import RequestRate, StreamSeats, TooManyRequests, TooManyStreams
from chassis.request_context import Context
from chassis.testing import TestIssuer, client_of, eventually, opened_stream, settings_for
from contracts.access import NO_AREA, Role
from linework.ports import free_port

from .toy import INI

router = APIRouter(prefix="/v1")
ACCESS = {f"{row}": {Role.AGENT: NO_AREA} for row in ("GET /v1/ticks", "GET /v1/hello", "POST /v1/hello")}


@router.get("/ticks")
async def ticks(context: Context) -> StreamingResponse:
    context.hold_stream()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"data: tick\n\n"
            await asyncio.sleep(0.01)

    return StreamingResponse(endless(), media_type="text/event-stream")


@router.get("/hello")
async def hello() -> str:
    return "hello"


@router.post("/hello")
async def greet(name: dict[str, str]) -> str:
    return "hello"


@pytest.fixture(scope="module")
def url(databases: Any) -> str:
    return databases.create(INI)


@pytest.fixture
def issuer() -> TestIssuer:
    return TestIssuer()


def make_app(url: str, **settings: Any) -> FastAPI:
    return create_app("toy", settings_for(url, **settings), [router], description="Toys.", access=ACCESS)


def code_of(answer: httpx.Response) -> tuple[int, str | None]:
    return answer.status_code, None if answer.is_success else answer.json()["code"]


def refused(rate: RequestRate, times: int, caller: str = "a") -> int:
    """How many of so many requests at once are refused."""
    count = 0
    for _ in range(times):
        try:
            rate.take(caller)
        except TooManyRequests:
            count += 1
    return count


def test_a_caller_gets_two_seconds_worth_at_once_and_then_so_many_a_second() -> None:
    moment = 100.0
    rate = RequestRate(10, lambda: moment)
    assert refused(rate, 25) == 5
    moment += 1
    assert refused(rate, 15) == 5, "what was refused has cost nothing"
    assert refused(rate, 20, "b") == 0, "another caller has a share of their own"
    moment += 1000
    assert refused(rate, 25) == 5, "nobody saves up more than two seconds' worth"


def test_callers_who_have_not_come_for_a_while_are_forgotten() -> None:
    moment = 100.0
    rate = RequestRate(10, lambda: moment)
    for number in range(10_000):
        rate.take(f"caller-{number}")
    assert len(rate._full_at) == 10_000
    moment += 5
    rate.take("one more")
    assert len(rate._full_at) == 1


def test_a_caller_has_so_many_seats_and_gets_them_back() -> None:
    seats = StreamSeats(2)
    first, _ = seats.take("a"), seats.take("a")
    with pytest.raises(TooManyStreams):
        seats.take("a")
    seats.take("b")
    first()
    seats.take("a")


async def test_the_refusal_at_a_rate_limit_has_retry_after(url: str, issuer: TestIssuer) -> None:
    async with client_of(make_app(url, requests_per_second_limit=1), issuer) as client:
        mine, yours = issuer.headers("agent"), issuer.headers("agent", sub="other")
        answers = [code_of(await client.get("/v1/hello", headers=mine)) for _ in range(4)]
        assert answers[:2] == [(200, None), (200, None)]
        assert (429, "too_many_requests") in answers
        answer = await client.get("/v1/hello", headers=mine)
        assert int(answer.headers["retry-after"]) == answer.json()["retry_after_seconds"] >= 1
        assert code_of(await client.get("/v1/hello", headers=yours)) == (200, None)
        assert (await client.get("/livez")).status_code == 200


async def test_a_caller_gets_so_many_streams_and_a_seat_is_free_when_the_client_has_gone(
    url: str, issuer: TestIssuer
) -> None:
    app = make_app(url, streams_limit=1)
    async with client_of(app, issuer) as client:
        mine = issuer.headers("agent")
        async with opened_stream(app, "/v1/ticks", headers=mine) as stream:
            await eventually(lambda: stream.body)
            assert code_of(await client.get("/v1/ticks", headers=mine)) == (429, "too_many_streams")
            async with opened_stream(app, "/v1/ticks", headers=issuer.headers("agent", sub="other")) as other:
                await eventually(lambda: other.body)
        async with opened_stream(app, "/v1/ticks", headers=mine) as stream:
            await eventually(lambda: stream.body)
            assert stream.status == 200


async def test_what_is_too_long_or_too_large_is_a_problem_like_any_other(url: str, issuer: TestIssuer) -> None:
    async with client_of(make_app(url), issuer) as client:
        mine = issuer.headers("agent")
        assert code_of(await client.get("/v1/hello?" + "x" * LONGEST_ADDRESS, headers=mine)) == (
            414,
            "address_too_long",
        )
        assert code_of(await client.get("/" + "x" * LONGEST_ADDRESS, headers=mine)) == (414, "address_too_long")
        large = mine | {f"x-{number}": "y" * 1000 for number in range(LARGEST_HEADERS // 1000 + 1)}
        assert code_of(await client.get("/v1/hello", headers=large)) == (431, "headers_too_large")
        answer = await client.get("/v1/hello", headers=large | {"accept-language": "zh-CN"})
        assert "请求头" in answer.json()["detail"]
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_every_answer_has_the_security_headers_and_the_docs_page_a_policy_of_its_own(
    url: str, issuer: TestIssuer
) -> None:
    async with client_of(make_app(url), issuer) as client:
        for path in ("/v1/hello", "/livez", "/metrics", "/openapi.json", "/nowhere", "/docs"):
            for headers in ({}, issuer.headers("agent")):
                answer = await client.get(path, headers=headers)
                for name, value in HEADERS_OF_EVERY_ANSWER.items():
                    found = answer.headers.get_list(name)
                    assert found == [value] or (path == "/docs" and name == "content-security-policy"), (path, name)
        page = await client.get("/docs")
    assert page.headers.get_list("content-security-policy") == [policy_of(page.text)]
    policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert "unsafe" not in policy["script-src"]
    assert "'sha256-" in policy["script-src"]
    assert "http" not in page.headers["content-security-policy"]
    assert policy["script-src"].startswith("'self' ")
    assert page.text.count("<script>") == policy["script-src"].count("'sha256-")


class _Quiet(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@pytest.fixture
async def served(url: str, issuer: TestIssuer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """The port of a process with little patience."""
    monkeypatch.setattr(http_limits, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(http_limits, "BODY_SECONDS", 0.3)
    app, port = make_app(url), free_port()
    server = _Quiet(uvicorn.Config(app, port=port, http=Impatient, log_level="error", access_log=False))
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    app.state.verifier = issuer.verifier()
    yield port
    server.should_exit = True
    await serving


async def _told(port: int, *parts: bytes) -> bytes:
    """What the process says to somebody who sends these parts and then nothing more, until it hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        return await asyncio.wait_for(reader.read(), 20)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_who_does_not_say_what_they_want_is_hung_up_on(served: int) -> None:
    assert await _told(served) == b""
    assert await _told(served, b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow:") == b""


async def test_a_head_without_end_is_refused_while_it_comes(served: int) -> None:
    lines = [b"GET /livez HTTP/1.1\r\nHost: x\r\n", *[b"X-More: " + b"y" * 1000 + b"\r\n"] * 80]
    assert (await _told(served, *lines)).startswith(b"HTTP/1.1 400")


async def test_a_body_that_does_not_come_is_not_waited_for(served: int, issuer: TestIssuer) -> None:
    head = f"POST /v1/hello HTTP/1.1\r\nHost: x\r\nAuthorization: {issuer.headers('agent')['authorization']}\r\n"
    head += "Content-Type: application/json\r\nConnection: close\r\nContent-Length: 20\r\n\r\n"
    answer = await _told(served, head.encode(), b'{"na')
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"request_too_slow" in answer


async def test_a_connection_that_is_used_again_and_again_is_left_alone(served: int) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{served}") as client:
        for _ in range(4):
            assert (await client.get("/livez")).text == "ok"
            await asyncio.sleep(0.15)
