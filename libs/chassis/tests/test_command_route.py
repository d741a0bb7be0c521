"""A command's route answers every request as FastAPI would, and reads one that is right without it."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import fastapi.routing
import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Path, Request, Response
from fastapi.routing import APIRoute
from pydantic import Field

from chassis import problems
from chassis.command_route import CommandRoute, shape_of
from chassis.field_types import Body, Moment
from chassis.http_limits import HttpLimits
from chassis.problems import MalformedRequest
from chassis.testing import settings_for

JSON = {"content-type": "application/json"}


class Paint(Body):
    colour: str = Field(max_length=5)
    coats: int = 1
    dry_at: Moment | None = None


async def _context(request: Request) -> str:
    if "x-broken" in request.headers:
        raise MalformedRequest(reason="X-Broken")
    return request.headers.get("x-who", "")


ToyId = Annotated[str, Path(max_length=4)]
Who = Annotated[str, Depends(_context)]


async def paint(toy_id: ToyId, body: Paint, who: Who) -> Response:
    return Response(f"{toy_id} {body!r} {who}", status_code=201)


def client_of(route_class: type[APIRoute]) -> httpx.AsyncClient:
    router, app = APIRouter(route_class=route_class), FastAPI()
    app.state.settings = settings_for("postgresql://user@127.0.0.1:1/none")
    router.post("/toys/{toy_id}/paint")(paint)
    app.router.routes.extend(router.routes)
    problems.install(app)
    app.add_middleware(HttpLimits, limit=200)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app.test")


@pytest.fixture
async def ours() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(CommandRoute) as client:
        yield client


@pytest.fixture
async def of_fastapi() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(APIRoute) as client:
        yield client


@pytest.mark.parametrize(
    ("status", "path", "headers", "body"),
    [
        (201, "t1", JSON, b'{"colour": "red"}'),
        (201, "t1", JSON, b'{"colour": "red", "coats": "2", "dry_at": "2026-03-02T08:00:00+08:00"}'),
        (201, "t1", {"content-type": "application/json; charset=utf-8", "x-who": "me"}, b'{"colour": "red"}'),
        (201, "t1", {"content-type": "application/merge+json"}, b'{"colour": "red"}'),
        (422, "t1", {"content-type": "text/merge+json"}, b'{"colour": "red"}'),
        (422, "t1", {"content-type": "text/plain"}, b'{"colour": "red"}'),
        (422, "t1", {}, b'{"colour": "red"}'),
        (422, "t1", [("content-type", "text/plain"), ("content-type", "application/json")], b'{"colour": "red"}'),
        (422, "too-long", JSON, b'{"colour": "red"}'),
        (422, "too-long", JSON, b'{"colour": "purple", "more": 1}'),
        (422, "t1", JSON, b""),
        (422, "t1", JSON, b"null"),
        (422, "t1", JSON, b'"red"'),
        (422, "t1", JSON, b'[{"colour": "red"}]'),
        (400, "t1", JSON, b'{"colour": "red", "colour": "blue"}'),
        (400, "t1", JSON, b'{"colour": "red"'),
        (400, "t1", JSON, b'{"colour": "\xff"}'),
        (400, "too-long", {**JSON, "x-broken": "1"}, b'{"colour": "purple"}'),
        (400, "t1", {**JSON, "x-broken": "1"}, b"{"),
        (413, "t1", JSON, b'{"colour": "' + b"r" * 200 + b'"}'),
    ],
)
async def test_every_request_is_answered_as_fastapi_answers_it(
    ours: httpx.AsyncClient, of_fastapi: httpx.AsyncClient, status: int, path: str, headers: Any, body: bytes
) -> None:
    answers = []
    for client in (ours, of_fastapi):
        client.headers["x-request-id"] = "r-1"
        answers.append(await client.post(f"/toys/{path}/paint", headers=headers, content=body))
    assert [answer.content for answer in answers] == [answers[0].content] * 2
    assert [answer.headers for answer in answers] == [answers[0].headers] * 2
    assert [answer.status_code for answer in answers] == [status] * 2


async def test_a_request_that_is_right_is_read_without_fastapi(
    ours: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unexpected(**_: Any) -> None:
        raise AssertionError("FastAPI solves the dependencies")

    monkeypatch.setattr(fastapi.routing, "solve_dependencies", unexpected)
    answer = await ours.post("/toys/t1/paint", headers=JSON, content=b'{"colour": "red"}')
    assert answer.status_code == 201
    with pytest.raises(AssertionError):
        await ours.post("/toys/t1/paint", headers=JSON, content=b"{}")


async def test_a_client_that_left_before_its_body_arrived_is_no_error_of_ours() -> None:
    answers = []
    for route_class in (CommandRoute, APIRoute):
        client = client_of(route_class)
        sent: list[Any] = []

        async def gone() -> dict[str, str]:
            return {"type": "http.disconnect"}

        async def send(message: Any, sent: list[Any] = sent) -> None:
            sent.append(message)

        request = client.build_request("POST", "/toys/t1/paint", headers=JSON)
        scope = {"type": "http", "method": "POST", "path": request.url.path, "query_string": b"", "http_version": "1.1"}
        headers = [(b"x-request-id", b"r-1"), *((name.lower(), value) for name, value in request.headers.raw)]
        await client._transport.app({**scope, "headers": headers}, gone, send)  # type: ignore[attr-defined]
        answers.append(sent)
    assert answers[0] == answers[1]
    assert answers[0][0]["status"] == 400


def test_a_route_of_another_shape_stays_one_of_fastapi() -> None:
    async def with_query(toy_id: ToyId, body: Paint, who: Who, quick: bool = False) -> Response: ...

    async def without_body(toy_id: ToyId, who: Who) -> Response: ...

    async def with_model(toy_id: ToyId, body: Paint, who: Who) -> Paint: ...

    def in_a_thread(toy_id: ToyId, body: Paint, who: Who) -> Response: ...

    async def of_two(toy_id: ToyId, body: Paint, who: Who, other: Who) -> Response: ...

    assert shape_of(paint) is not None
    for endpoint in (with_query, without_body, with_model, in_a_thread, of_two):
        assert shape_of(endpoint) is None
