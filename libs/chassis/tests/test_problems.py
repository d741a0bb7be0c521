"""Every way in which a request can fail is a problem document, in the caller's language."""

from collections.abc import AsyncIterator
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any, Literal

import httpx
import pytest
from fastapi import APIRouter, Body, Query
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from chassis.field_types import Line, PastMoment, Prose
from chassis.http import create_app
from chassis.problems import PROBLEM_JSON, TITLES, language_of, status_of
from chassis.testing import TestIssuer, client_of, settings_for
from contracts import refusals

from .toy import INI, all_public

router = APIRouter(prefix="/toys")
LIMIT = 2000


class Broken(refusals.Invalid):
    """{what} is broken."""

    zh = "{what} 坏了。"


class Late(refusals.Conflict):
    """It is {order_status:status} since {since:time}."""

    zh = "自 {since:time}起{order_status:status}。"


class Toy(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Line
    story: Prose = "none"
    made_at: PastMoment | None = None
    count: int = Field(1, ge=1, le=10)


class Round(BaseModel):
    model_config = ConfigDict(extra="forbid")

    form: Literal["round"]
    radius: int


class Long(BaseModel):
    form: Literal["long"]
    edges: list[int] | dict[str, int]


class Size(StrEnum):
    ALL = "all"


class Shape(BaseModel):
    label: Line | Literal[""] = ""
    piece: Annotated[Round | Long, Field(discriminator="form")] | None = None


FAMILIES = {
    "invalid": (refusals.Invalid, 422),
    "unauthenticated": (refusals.Unauthenticated, 401),
    "forbidden": (refusals.Forbidden, 403),
    "not_found": (refusals.NotFound, 404),
    "conflict": (refusals.Conflict, 409),
    "stale": (refusals.Stale, 412),
    "unavailable": (refusals.Unavailable, 503),
}


@router.get("/family/{name}")
async def refuse(name: str) -> None:
    raise FAMILIES[name][0]()


@router.get("/broken")
async def broken() -> None:
    raise Broken(what="the bell")


@router.get("/late")
async def late() -> None:
    raise Late(order_status="redispatching", since="2026-11-30T18:05:00+00:00")


@router.get("/fault")
async def fault() -> None:
    raise RuntimeError("with a secret inside")


@router.get("/away")
async def away() -> None:
    raise ConnectionRefusedError("the database is away")


@router.post("")
async def make(toy: Toy) -> Toy:
    return toy


@router.post("/shapes")
async def shape(shape: Annotated[Round | Long, Body(discriminator="form")]) -> None:
    pass


@router.post("/labels")
async def label(shape: Shape, sizes: Annotated[list[int] | None, Query()] = None, size: int | Size = 1) -> None:
    pass


@pytest.fixture(scope="module")
def database_url(databases: Any) -> str:
    return databases.create(INI)


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    settings = settings_for(database_url, request_bytes_limit=LIMIT)
    app = create_app("toy", settings, [router], description="Toys.", access=all_public(router))
    async with client_of(app, TestIssuer(), raises=False) as client:
        yield client


def assert_problem(answer: httpx.Response, status: int, code: str, language: str = "en") -> dict[str, Any]:
    document = answer.json()
    assert (answer.status_code, document["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == PROBLEM_JSON
    assert answer.headers["content-language"] == language
    assert document["status"] == status
    assert document["type"] == f"/v1/errors#{code}"
    assert document["instance"].split("#")[1] == answer.headers["x-request-id"]
    assert document["title"] == TITLES[HTTPStatus(status)][language == "zh"]
    assert document["detail"]
    return document


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("family", FAMILIES)
async def test_each_family_of_refusals_has_its_status(client: httpx.AsyncClient, family: str, language: str) -> None:
    answer = await client.get(f"/toys/family/{family}", headers={"accept-language": language})
    document = assert_problem(answer, FAMILIES[family][1], family, language)
    assert document["detail"] == FAMILIES[family][0]().message(language)
    assert document["instance"].split("#")[0] == f"/toys/family/{family}"


async def test_retryable_refusals_have_retry_after_and_unauthenticated_ones_www_authenticate(
    client: httpx.AsyncClient,
) -> None:
    assert (await client.get("/toys/family/unavailable")).headers["retry-after"] == "1"
    assert (await client.get("/toys/family/unauthenticated")).headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(("language", "detail"), [("en", "the bell is broken."), ("zh-CN", "the bell 坏了。")])
async def test_the_context_of_a_refusal_is_in_the_document(
    client: httpx.AsyncClient, language: str, detail: str
) -> None:
    answer = await client.get("/toys/broken", headers={"accept-language": language})
    document = assert_problem(answer, 422, "broken", language[:2])
    assert (document["what"], document["detail"]) == ("the bell", detail)


@pytest.mark.parametrize(
    ("language", "path", "detail"),
    [
        ("en", "/toys/late", "It is waiting to be dispatched again since 2026-12-01 02:05 (Asia/Shanghai)."),
        ("zh", "/toys/late", "自 2026-12-01 02:05（北京时间）起重复派单。"),
        ("en", "/toys/late?time_zone=Europe/Berlin", "It is waiting to be dispatched again since 2026-11-30 19:05"),
        ("zh", "/toys/late?time_zone=Nowhere", "自 2026-12-01 02:05（北京时间）起重复派单。"),
    ],
)
async def test_people_read_names_and_local_times_where_programs_read_codes_and_utc(
    client: httpx.AsyncClient, language: str, path: str, detail: str
) -> None:
    answer = await client.get(path, headers={"accept-language": language})
    document = assert_problem(answer, 409, "late", language)
    assert document["detail"].startswith(detail)
    assert (document["order_status"], document["since"]) == ("redispatching", "2026-11-30T18:05:00+00:00")


async def test_the_zone_of_the_installation_is_a_setting(database_url: str) -> None:
    settings = settings_for(database_url, time_zone="America/New_York")
    app = create_app("toy", settings, [router], description="Toys.", access=all_public(router))
    async with client_of(app, TestIssuer(), raises=False) as client:
        assert "13:05 (America/New York)" in (await client.get("/toys/late")).json()["detail"]
    with pytest.raises(ValueError, match="not the name of a time zone"):
        settings_for(database_url, time_zone="Asia/Nowhere")


@pytest.mark.parametrize(
    ("language", "reason"), [("en", "malformed: the body is not JSON"), ("zh", "请求正文不是 JSON")]
)
async def test_the_mistakes_of_a_malformed_request_are_in_the_readers_language(
    client: httpx.AsyncClient, language: str, reason: str
) -> None:
    headers = {"accept-language": language, "content-type": "application/json"}
    answer = await client.post("/toys", content=b'{"name":', headers=headers)
    document = assert_problem(answer, 400, "malformed_request", language)
    assert reason in document["detail"]
    assert document["reason"] == "the body is not JSON"


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/nowhere", None, 404, "route_not_found"),
        ("GET", "/toys/", None, 404, "route_not_found"),
        ("DELETE", "/toys", None, 405, "method_not_allowed"),
        ("POST", "/toys", b'{"name":', 400, "malformed_request"),
        ("POST", "/toys", b'{"name": "\xff"}', 400, "body_not_utf8"),
        ("POST", "/toys", b"\xff\xfe", 400, "body_not_utf8"),
        ("POST", "/toys", '{"name": "bell"}'.encode("utf-16"), 400, "body_not_utf8"),
        ("POST", "/toys", '{"name": "bell"}'.encode("utf-32-le"), 400, "body_not_utf8"),
        ("POST", "/toys", '{"name": "bell"}'.encode("utf-8-sig"), 400, "body_not_utf8"),
        ("POST", "/toys", b'{"name": "bell", "name": "car"}', 400, "duplicate_json_key"),
        ("POST", "/toys", b"[" * 900, 400, "malformed_request"),
        ("POST", "/toys", b'"' + b"x" * LIMIT + b'"', 413, "request_too_large"),
        ("POST", "/toys", b"", 422, "invalid_request"),
        ("POST", "/toys", b"[]", 422, "invalid_request"),
        ("POST", "/toys", b"null", 422, "invalid_request"),
        ("GET", "/toys/fault", None, 500, "internal_error"),
        ("GET", "/toys/away", None, 503, "database_unavailable"),
    ],
)
async def test_every_failure_is_a_problem_document_in_both_languages(
    client: httpx.AsyncClient, method: str, path: str, body: bytes | None, status: int, code: str, language: str
) -> None:
    headers = {"accept-language": language, "content-type": "application/json"}
    answer = await client.request(method, path, content=body, headers=headers)
    document = assert_problem(answer, status, code, language)
    assert "secret" not in answer.text
    assert document["instance"].split("#")[0] == path


async def test_the_refusal_of_a_method_names_the_allowed_ones(client: httpx.AsyncClient) -> None:
    assert (await client.delete("/toys")).headers["allow"] == "POST"


async def test_a_body_without_a_length_is_refused_while_it_arrives(client: httpx.AsyncClient) -> None:
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100 * LIMIT:
            sent += 500
            yield b"x" * 500

    answer = await client.post("/toys", content=chunks(), headers={"content-type": "application/json"})
    assert_problem(answer, 413, "request_too_large")
    assert sent <= 2 * LIMIT, "the rest was never read"


async def test_a_body_of_exactly_the_limit_is_read(client: httpx.AsyncClient) -> None:
    body = b'{"name": "a"' + b" " * (LIMIT - 13) + b"}"
    assert len(body) == LIMIT
    answer = await client.post("/toys", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("body", "pointer", "wrong_zh", "detail_zh"),
    [
        ({}, "/name", "缺少必填项", "缺少必填项"),
        ({"name": "a", "colour": "red"}, "/colour", "未知字段", "未知字段"),
        ({"name": 7}, "/name", "应为文字", "应为文字"),
        ({"name": ""}, "/name", "文字过短", "文字过短：至少 1"),
        ({"name": "  "}, "/name", "文字过短", "文字过短：至少 1"),
        ({"name": "a" * 201}, "/name", "文字过长", "文字过长：最多 200"),
        ({"name": "a", "count": 0}, "/count", "数值过小", "数值过小：不小于 1"),
        ({"name": "a", "count": 11}, "/count", "数值过大", "数值过大：不大于 10"),
        ({"name": "a", "count": "many"}, "/count", "应为整数", "应为整数"),
        ({"name": "a", "made_at": "yesterday"}, "/made_at", "不是有效的时间", "不是有效的时间"),
        ({"name": "a", "made_at": "2026-01-01T00:00:00"}, "/made_at", "时间缺少时区", "时间缺少时区"),
        ({"name": "a\nb"}, "/name", "内容不正确", "此处不允许换行符和制表符"),
    ],
)
async def test_a_wrong_value_is_pointed_at_in_both_languages(
    client: httpx.AsyncClient, body: dict, pointer: str, wrong_zh: str, detail_zh: str
) -> None:
    document = assert_problem(await client.post("/toys", json=body), 422, "invalid_request")
    (error,) = document["errors"]
    assert (error["in"], error["pointer"], error["detail"]) == ("body", f"#{pointer}", error["wrong"])
    answer = await client.post("/toys", json=body, headers={"accept-language": "zh"})
    (error,) = assert_problem(answer, 422, "invalid_request", "zh")["errors"]
    assert (error["wrong"], error["detail"]) == (wrong_zh, detail_zh)


@pytest.mark.parametrize(
    ("path", "body", "pointers"),
    [
        ("/shapes", {"form": "round", "radius": 1, "zz": 1}, {"/zz"}),
        ("/shapes", {"form": "round"}, {"/radius"}),
        ("/shapes", {"form": "square"}, {""}),
        ("/shapes", [], {""}),
        ("/shapes", {"form": "long", "edges": [1, "b"]}, {"/edges/1", "/edges"}),
        ("/shapes", {"form": "long", "edges": {"a/b~c": "d"}}, {"/edges/a~1b~0c", "/edges"}),
        ("/labels", {"label": 7}, {"/label"}),
        ("/labels", {"piece": {"form": "round", "radius": "?"}}, {"/piece/radius"}),
        ("/labels", {"piece": {"form": "round"}}, {"/piece/radius"}),
        ("/labels?sizes=1&sizes=x", {}, {"/sizes/1"}),
        ("/labels?size=x", {}, {"/size"}),
        ("/shapes", {"form": "round", "radius": 1, "半 %": 1}, {"/%E5%8D%8A%20%25"}),
    ],
)
async def test_a_pointer_names_places_of_the_request_only(
    client: httpx.AsyncClient, path: str, body: Any, pointers: set[str]
) -> None:
    document = assert_problem(await client.post(f"/toys{path}", json=body), 422, "invalid_request")
    assert {error["pointer"] for error in document["errors"]} == {f"#{pointer}" for pointer in pointers}


async def test_of_very_many_wrong_values_a_hundred_are_described(client: httpx.AsyncClient) -> None:
    body = {f"z{number}": 0 for number in range(150)} | {"name": "a"}
    document = assert_problem(await client.post("/toys", json=body), 422, "invalid_request")
    assert (document["count"], len(document["errors"])) == (150, 100)


async def test_every_answer_has_the_headers_that_keep_browsers_from_guessing(client: httpx.AsyncClient) -> None:
    for path in ("/livez", "/nowhere", "/toys/fault", "/toys/away"):
        headers = (await client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["cache-control"] == "no-store", path
        assert headers["referrer-policy"] == "no-referrer", path


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("zh", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("ZH-Hant-TW", "zh"),
        ("en-GB, zh;q=0.9", "en"),
        ("en;q=0.2, zh;q=0.7", "zh"),
        ("zh;q=0", "en"),
        ("fr, de", "en"),
        ("fr, zh;q=0.1", "zh"),
        ("zh;q=many", "en"),
        ("*", "en"),
        ("zhuang", "en"),
    ],
)
def test_the_language_is_the_one_that_the_caller_prefers(header: str | None, language: str) -> None:
    assert language_of(header) == language


@given(st.text())
def test_no_accept_language_header_is_too_strange(header: str) -> None:
    assert language_of(header) in ("zh", "en")


def _all(family: type[refusals.Refusal]) -> set[type[refusals.Refusal]]:
    return {family, *(deeper for child in family.__subclasses__() for deeper in _all(child))}


def test_every_refusal_that_is_loaded_has_a_status() -> None:
    assert all(status_of(refusal) in TITLES for refusal in _all(refusals.Refusal) - {refusals.Refusal})
