"""What a client and a gateway do with an answer: keep it, ask whether it has changed, go on to the next page."""

import logging
from collections.abc import Iterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from chassis.commands import Reply
from chassis.entity_tags import etag_of
from chassis.http import create_app
from chassis.paging import from_cursor, page_of
from chassis.problems import Responses
from chassis.request_context import CommandContext
from chassis.telemetry import _JsonLines
from chassis.testing import TestIssuer, settings_for
from contracts.access import NO_AREA, Role

router = APIRouter(prefix="/v1")
ROWS = (
    "GET /v1/toys",
    "GET /v1/toys/{toy_id}",
    "GET /v1/toys/{toy_id}/form",
    "GET /v1/toys/{toy_id}/parts/{part}",
    "POST /v1/toys/{toy_id}/act",
)
ACCESS = {row: {Role.AGENT: NO_AREA} for row in ROWS}
ISSUER = TestIssuer()


class Toys(BaseModel):
    items: list[int]
    next_cursor: str | None


class Wanted(BaseModel):
    colour: str | None = None
    cursor: str | None = None
    begin: int = Query(0, alias="from")


@router.get("/toys")
async def list_toys(wanted: Annotated[Wanted, Query()], limit: int = 2) -> Toys:
    last = from_cursor("toys", wanted.cursor, int)[0] if wanted.cursor else 0
    items, following = page_of("toys", range(last + 1, 6)[: limit + 1], limit, lambda number: (number,))
    return Toys(items=list(items), next_cursor=following)


@router.get("/toys/{toy_id}")
async def get_toy(toy_id: str) -> Response:
    return Reply(200, b'{"version":3}', etag_of(3)).response()


@router.get("/toys/{toy_id}/parts/{part}")
async def get_part(toy_id: str, part: str) -> Response:
    return Reply(200, b'{"version":3}', etag_of(3, is_whole=part == "whole")).response()


@router.get("/toys/{toy_id}/form")
async def get_form(toy_id: str) -> Response:
    return Reply(200, b'{"version":3,"staff":["north-1"]}', etag_of(3)).response()


class Act(BaseModel):
    pass


@router.post("/toys/{toy_id}/act", responses=Responses.of(()))
async def act(toy_id: str, body: Act, context: CommandContext) -> dict[str, Any]:
    logging.getLogger("toy").warning("acted")
    headers = context.headers
    key = headers.idempotency.key if headers.idempotency else None
    return {"decided_on": headers.decided_on(3), "fits": headers.versions.fits(3), "key": key}


def client_of(**settings: Any) -> httpx.AsyncClient:
    """No route here asks the database."""
    settings_of_test = settings_for("postgresql://user@127.0.0.1:1/none", **settings)
    app = create_app("toy", settings_of_test, [router], description="Toys.", access=ACCESS)
    app.state.verifier = ISSUER.verifier()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://app.test", headers=ISSUER.headers("agent"))


@pytest.fixture
def client() -> httpx.AsyncClient:
    return client_of()


@pytest.fixture
def log_lines() -> Iterator[list[str]]:
    """What the process writes while a test runs."""
    root, handler = logging.getLogger(), logging.Handler()
    level = root.level
    handler.setFormatter(_JsonLines("toy"))
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    lines: list[str] = []
    handler.emit = lambda record: lines.append(handler.format(record))  # type: ignore[method-assign]
    yield lines
    root.removeHandler(handler)
    root.setLevel(level)


async def test_what_has_an_etag_may_not_be_changed_on_its_way(client: httpx.AsyncClient) -> None:
    for path in ("/v1/toys/1", "/v1/toys/1/form"):
        assert (await client.get(path)).headers.get_list("cache-control") == ["no-store, no-transform"]
    assert (await client.get("/v1/toys")).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("tags", ['"3"', 'W/"3"', '"3-gzip"', '"2", W/"3"', "*"])
async def test_who_has_the_version_is_told_that_it_has_not_changed(client: httpx.AsyncClient, tags: str) -> None:
    answer = await client.get("/v1/toys/1", headers={"if-none-match": tags})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"3"')
    assert answer.headers["cache-control"] == "no-store, no-transform"
    assert {"content-type", "content-length"}.isdisjoint(answer.headers)


@pytest.mark.parametrize("tags", ['"2"', '"3-beta"', "3", "", '"3'])
async def test_who_has_another_version_or_none_gets_it(client: httpx.AsyncClient, tags: str) -> None:
    answer = await client.get("/v1/toys/1", headers={"if-none-match": tags})
    assert (answer.status_code, answer.json()) == (200, {"version": 3})


async def test_who_has_a_part_of_a_version_gets_the_whole_and_who_had_the_whole_the_part(
    client: httpx.AsyncClient,
) -> None:
    for shown, had, status in (("whole", '"3-part"', 200), ("part", '"3"', 200), ("part", 'W/"3-part-gzip"', 304)):
        answer = await client.get(f"/v1/toys/1/parts/{shown}", headers={"if-none-match": had})
        assert answer.status_code == status, (shown, had)


async def test_a_form_is_sent_again_because_it_shows_more_than_what_has_the_version(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/toys/1/form", headers={"if-none-match": '"3"'})).status_code == 200


async def test_whether_it_has_changed_is_told_to_those_who_may_see_it(client: httpx.AsyncClient) -> None:
    headers = ISSUER.headers("auditor") | {"if-none-match": "*"}
    assert (await client.get("/v1/toys/1", headers=headers)).status_code == 403


@pytest.mark.parametrize(
    ("tags", "decided_on", "fits"),
    [
        (['"3"'], 3, True),
        (['W/"3"'], 3, True),
        (['"3-gzip"'], 3, True),
        (["*"], 3, True),
        (['"1", "3"'], 3, True),
        (['"1"', '"3"'], 3, True),
        (['"1", "2"'], 2, False),
        ([", ".join(f'"{number}"' for number in range(4, 4004))], 4003, False),
    ],
)
async def test_an_act_is_decided_on_a_version_that_its_tags_name(
    client: httpx.AsyncClient, tags: list[str], decided_on: int, fits: bool
) -> None:
    headers = [("if-match", tag) for tag in tags]
    said = (await client.post("/v1/toys/1/act", json={}, headers=headers)).json()
    assert (said["decided_on"], said["fits"]) == (decided_on, fits)


async def test_tags_that_name_no_version_fit_none_and_what_is_no_tag_is_told_what_would_be(
    client: httpx.AsyncClient,
) -> None:
    foreign = await client.post("/v1/toys/1/act", json={}, headers={"if-match": '"abc", W/"x"'})
    assert (foreign.status_code, foreign.json()["code"]) == (412, "no_version_named")
    broken = await client.post("/v1/toys/1/act", json={}, headers={"if-match": "3"})
    assert (broken.status_code, broken.json()["code"]) == (400, "malformed_request")
    assert '"3"' in broken.json()["detail"]
    headers = {"if-match": "3", "accept-language": "zh"}
    assert "实体标签" in (await client.post("/v1/toys/1/act", json={}, headers=headers)).json()["detail"]
    missing = await client.post("/v1/toys/1/act", json={})
    assert (missing.status_code, missing.json()["code"]) == (428, "version_required")


@pytest.mark.parametrize("key", ["k-1", '"k-1"'])
async def test_a_key_is_the_same_quoted_or_bare(client: httpx.AsyncClient, key: str) -> None:
    headers = {"if-match": '"3"', "idempotency-key": key}
    assert (await client.post("/v1/toys/1/act", json={}, headers=headers)).json()["key"] == "k-1"


@pytest.mark.parametrize(("key", "kept"), [('"a\\"b"', 'a"b'), ('a"b', 'a"b'), ("'a'", "'a'"), ("a;b=1", "a;b=1")])
async def test_what_is_no_quoted_string_is_a_key_as_it_is(client: httpx.AsyncClient, key: str, kept: str) -> None:
    headers = {"if-match": '"3"', "idempotency-key": key}
    assert (await client.post("/v1/toys/1/act", json={}, headers=headers)).json()["key"] == kept


@pytest.mark.parametrize("key", ['""', '"a', 'a"', '"a"b"', '"a";q=1"', '"', '"a", "b"'])
async def test_an_empty_or_torn_key_is_refused(client: httpx.AsyncClient, key: str) -> None:
    answer = await client.post("/v1/toys/1/act", json={}, headers={"if-match": '"3"', "idempotency-key": key})
    assert answer.json()["code"] == "idempotency_key_broken"


async def test_two_keys_are_refused(client: httpx.AsyncClient) -> None:
    headers = [("if-match", '"3"'), ("idempotency-key", "a"), ("idempotency-key", "a")]
    answer = await client.post("/v1/toys/1/act", json={}, headers=headers)
    assert answer.json()["code"] == "idempotency_key_broken"


async def test_a_wrong_method_is_answered_with_every_method_of_the_path(client: httpx.AsyncClient) -> None:
    answer = await client.request("DELETE", "/v1/toys/1")
    assert (answer.status_code, answer.headers.get_list("allow")) == (405, ["GET"])


async def test_a_list_is_read_to_its_end_by_following_its_links(client: httpx.AsyncClient) -> None:
    found, address = [], "/v1/toys?colour=%E7%BA%A2&limit=2"
    while address:
        page = await client.get(address)
        assert page.status_code == 200, page.text
        found += page.json()["items"]
        following = page.links.get("next", {}).get("url")
        assert (following is None) == (page.json()["next_cursor"] is None)
        if following:
            query = httpx.URL(following).params
            assert (query["colour"], query["limit"]) == ("红", "2")
            assert query.get_list("cursor") == [page.json()["next_cursor"]]
        address = following
    assert found == [1, 2, 3, 4, 5]


async def test_a_link_has_the_prefix_of_the_gateway_whether_that_takes_it_away_or_leaves_it() -> None:
    client = client_of(root_path="/toys-of/north")
    for prefix in ("", "/toys-of/north"):
        page = await client.get(f"{prefix}/v1/toys", params={"colour": "a>b"})
        (link,) = page.headers.get_list("link")
        cursor = page.json()["next_cursor"]
        assert link == f'</toys-of/north/v1/toys?colour=a%3Eb&cursor={cursor}>; rel="next"'
        problem = (await client.get(f"{prefix}/v1/toys", params={"limit": "x"})).json()
        assert problem["type"] == "/toys-of/north/v1/errors#invalid_request"
        assert problem["instance"].startswith("/toys-of/north/v1/toys#")
    assert (await client.get("/openapi.json")).json()["servers"] == [{"url": "/toys-of/north"}]


async def test_a_parameter_that_the_route_does_not_know_is_refused_with_those_it_knows(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/v1/toys", params={"color": "red", "limit": 2, "from": 1, "time_zone": "Asia/Shanghai"})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "unknown_parameters")
    assert (problem["unknown"], problem["known"]) == (["color"], ["colour", "cursor", "from", "limit", "time_zone"])
    answer = await client.post("/v1/toys/1/act?dry_run=true", json={}, headers={"accept-language": "zh"})
    assert (answer.status_code, "dry_run" in answer.json()["detail"]) == (422, True)
    assert (await client.get("/v1/toys?begin=1")).json()["unknown"] == ["begin"], "the name in the query counts"
    many = "&".join(f"z{number}" for number in range(1500))
    assert len((await client.get(f"/v1/toys?{many}")).json()["unknown"]) == 20


async def test_a_parameter_is_given_once_where_the_route_takes_one_value(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/toys?limit=2&colour=red&limit=3&colour=")
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "repeated_parameters")
    assert problem["repeated"] == ["colour", "limit"]
    assert (await client.get("/v1/toys?from=1&from=1")).json()["code"] == "repeated_parameters"


async def test_who_may_not_use_a_route_does_not_learn_its_parameters(client: httpx.AsyncClient) -> None:
    headers = ISSUER.headers("auditor")
    assert (await client.get("/v1/toys?color=red", headers=headers)).status_code == 403


async def test_probes_may_be_asked_with_any_query(client: httpx.AsyncClient) -> None:
    assert (await client.get("/livez?once=more")).status_code == 200


@pytest.mark.parametrize("path", ["/v1/toys", "/nowhere", "/livez", "/v1/toys?color=red", "/v1/toys?limit=x"])
async def test_the_id_of_a_request_is_taken_and_given_back(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path, headers={"x-request-id": "gw-7/a.b:c=="})
    assert answer.headers.get_list("x-request-id") == ["gw-7/a.b:c=="]
    if not answer.is_success:
        assert answer.json()["instance"].endswith("#gw-7/a.b:c==")


@pytest.mark.parametrize("given", [None, "", "a b", "<script>", "x" * 129, '"quoted"', "编号".encode()])
async def test_a_request_without_an_id_that_a_log_can_hold_gets_one(client: httpx.AsyncClient, given: Any) -> None:
    headers = {} if given is None else {"x-request-id": given}
    ids = [(await client.get("/v1/toys", headers=headers)).headers["x-request-id"] for _ in range(2)]
    assert all(len(one) == 36 for one in ids)
    assert ids[0] != ids[1]


async def test_every_log_line_of_a_request_has_its_id_and_a_refusal_has_a_line(
    client: httpx.AsyncClient, log_lines: list[str]
) -> None:
    await client.post("/v1/toys/1/act", json={}, headers={"if-match": '"3"', "x-request-id": "r-1"})
    await client.get("/v1/toys/13800001111?color=red", headers={"x-request-id": "r-2"})
    acted, refused = ([line for line in log_lines if word in line] for word in ('"acted"', '"refused"'))
    assert ['"request_id":"r-1"' in line for line in acted] == [True]
    assert ['"request_id":"r-2"' in line and '"code":"unknown_parameters"' in line for line in refused] == [True]
    assert "13800001111" not in refused[0]


async def test_a_type_opens_the_page_of_its_code_in_the_readers_language(client: httpx.AsyncClient) -> None:
    kind = (await client.get("/v1/toys?limit=x")).json()["type"]
    address, code = kind.split("#")
    for language, words in (("en", "see errors."), ("zh", "详见 errors。")):
        page = await client.get(address, headers={"accept-language": language, "authorization": ""})
        assert (page.status_code, page.headers["content-language"]) == (200, language)
        entry = page.text.split(f'<dt id="{code}">')[1].split("<dt")[0]
        assert words in entry
    configured = client_of(errors_url="https://docs.example/errors")
    assert (await configured.get("/v1/toys?limit=x")).json()["type"] == "https://docs.example/errors#invalid_request"


async def test_the_language_of_who_names_none_is_a_setting() -> None:
    client = client_of(default_language="zh")
    for accepted, language in (("", "zh"), ("fr", "zh"), ("en", "en")):
        answer = await client.get("/nowhere", headers={"accept-language": accepted})
        assert answer.headers["content-language"] == language


async def test_the_documentation_loads_nothing_from_elsewhere_and_what_it_loads_is_there() -> None:
    client = client_of(root_path="/toys-of")
    page = await client.get("/docs")
    policy = page.headers["content-security-policy"]
    assert "http" not in policy
    assert "script-src 'self' 'sha256-" in policy
    names = {"docs/swagger-ui-bundle.js": "text/javascript", "docs/swagger-ui.css": "text/css"}
    for name, kind in {**names, "docs/favicon.png": "image/png"}.items():
        assert f'"{name}"' in page.text, "an address that is right behind any prefix"
        answer = await client.get(f"/{name}")
        assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, kind)
        assert len(answer.content) > 1000
    assert (await client.get("/docs/../secret")).status_code == 404
    assert (await client.get("/docs/other.js")).status_code == 404
