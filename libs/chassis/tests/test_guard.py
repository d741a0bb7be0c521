"""Nobody gets past the table: who asks is known before anything of the request is read."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from pydantic import BaseModel
from starlette.routing import Mount

from chassis.claims import Principal
from chassis.guard import AreasNotEnough, RoleNotAllowed, RouteNotInTable, admitted
from chassis.http import create_app
from chassis.request_context import Context
from chassis.testing import TestIssuer, client_of, settings_for
from contracts.access import EVERY_AREA, OWN_AREAS, PUBLIC, WHOLE, Role

from .toy import INI

router = APIRouter(prefix="/v1")
TABLE = {
    "GET /v1/things": {Role.TECHNICIAN: OWN_AREAS, Role.SUPERVISOR: EVERY_AREA},
    "POST /v1/things": {Role.AGENT: EVERY_AREA},
    "GET /v1/forgetful": {Role.OPERATOR: WHOLE},
    "GET /v1/nobody": {},
    "GET /v1/open": PUBLIC,
}


class Thing(BaseModel):
    name: str


@router.get("/things")
async def list_things(context: Context) -> list[Any]:
    return [context.caller.sub, context.caller.role, context.caller.areas, context.may("POST /v1/things")]


@router.post("/things")
async def make_thing(thing: Thing) -> str:
    return thing.name


@router.get("/forgetful")
@router.get("/nobody", name="nobody")
@router.get("/open", name="open")
async def forgetful() -> str:
    """A route that asks for nobody: it is guarded all the same."""
    return "yes"


def make_app(url: str = "postgresql://a@b/c", table: Any = TABLE) -> FastAPI:
    return create_app("toy", settings_for(url), [router], description="Toys.", access=table)


@pytest.fixture
def issuer() -> TestIssuer:
    return TestIssuer()


@pytest.fixture(scope="module")
def url(databases: Any) -> str:
    return databases.create(INI)


@pytest.fixture
async def client(url: str, issuer: TestIssuer) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(make_app(url), issuer) as client:
        yield client


def said(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json() if answer.is_success else answer.json()["code"]


@pytest.mark.parametrize("missing", TABLE)
def test_a_service_with_a_route_that_the_table_does_not_name_does_not_start(missing: str) -> None:
    with pytest.raises(RouteNotInTable) as refused:
        make_app(table={row: grants for row, grants in TABLE.items() if row != missing})
    assert f'"{missing}": {{' in str(refused.value), "the message is the line to add"
    assert "Add a row to its ROUTES" in str(refused.value)
    assert "toy/access.py" in str(refused.value)


def test_what_nothing_can_stand_in_front_of_is_not_served() -> None:
    hidden = APIRouter(routes=[Mount("/files", app=make_app())])
    with pytest.raises(TypeError):
        create_app("toy", settings_for("postgresql://a@b/c"), [hidden], description="Toys.", access=TABLE)


async def test_a_route_answers_those_only_whom_the_table_names(client: httpx.AsyncClient, issuer: TestIssuer) -> None:
    async def ask(path: str = "things", *args: Any, **claims: Any) -> tuple[int, Any]:
        return said(await client.get(f"/v1/{path}", headers=issuer.headers(*args, **claims)))

    assert await ask("things", "supervisor") == (200, ["supervisor-1", "supervisor", None, False])
    assert await ask("things", "technician", ["north"]) == (200, ["technician-1", "technician", ["north"], False])
    assert await ask("things", "agent") == (403, "role_not_allowed")
    assert await ask("things", "agent", roles=[]) == (403, "role_not_allowed")
    assert await ask("things", "agent", roles=...) == (403, "roles_claim_missing")
    assert await ask("things", "agent", roles=["Supervisor", "root", ""]) == (403, "role_not_allowed")
    assert await ask("things", "x", roles=["agent", "supervisor"]) == (200, ["x-1", "supervisor", None, True])
    assert await ask("forgetful", "operator") == (200, "yes")
    assert await ask("forgetful", "supervisor") == (403, "role_not_allowed")
    assert await ask("forgetful", "operator", ["north"]) == (403, "areas_not_enough")
    assert await ask("nobody", "operator", roles=[*Role]) == (403, "role_not_allowed")
    assert said(await client.get("/v1/open")) == (200, "yes")


async def test_the_permissions_of_a_caller_are_those_that_the_guard_applies(
    client: httpx.AsyncClient, issuer: TestIssuer
) -> None:
    async def ask(*args: Any, **claims: Any) -> dict[str, Any]:
        answer = await client.get("/v1/me", headers=issuer.headers(*args, **claims))
        assert answer.status_code == 200
        return answer.json()

    def rows(me: dict[str, Any]) -> dict[str, tuple[str, str]]:
        return {f"{may['method']} {may['path']}": (may["role"], may["reach"]) for may in me["may"]}

    both = await ask("x", name="王强", roles=["supervisor", "agent", "gardener"])
    assert (both["sub"], both["name"], both["roles"]) == ("x-1", "王强", ["agent", "gardener", "supervisor"])
    assert both["areas"] is None
    assert rows(both) == {
        "GET /v1/things": ("supervisor", "every area"),
        "POST /v1/things": ("agent", "every area"),
        "GET /v1/me": ("agent", "no area"),
    }
    assert "GET /v1/forgetful" in rows(await ask("operator"))
    narrowed = await ask("operator", ["north"])
    assert narrowed["areas"] == ["north"]
    assert list(rows(narrowed)) == ["GET /v1/me"], "what concerns all areas at once is not offered to some"
    assert (await client.get("/v1/me")).status_code == 401


async def test_without_exactly_one_token_a_request_is_refused(client: httpx.AsyncClient, issuer: TestIssuer) -> None:
    token = issuer.token("supervisor")

    async def ask(*values: str) -> tuple[int, Any]:
        return said(await client.get("/v1/things", headers=[("authorization", value) for value in values]))

    assert await ask() == (401, "token_missing")
    assert await ask("") == (401, "token_missing")
    assert await ask("Bearer ") == (401, "token_missing")
    assert await ask("Basic YTpi") == (401, "token_missing")
    assert await ask(token) == (401, "token_missing")
    assert await ask("Bearer nonsense") == (401, "token_refused")
    assert await ask(f"Bearer {token}", f"Bearer {token}") == (401, "token_refused")
    assert (await ask(f"bearer {token}"))[0] == 200
    assert said(await client.get("/v1/things", params={"access_token": token})) == (401, "token_missing")


async def test_a_caller_without_permission_is_refused_before_the_body_is_read(
    client: httpx.AsyncClient, issuer: TestIssuer
) -> None:
    broken = {"content": b"{", "headers": {"content-type": "application/json"}}
    assert said(await client.post("/v1/things", **broken)) == (401, "token_missing")
    broken["headers"] |= issuer.headers("auditor")
    assert said(await client.post("/v1/things", **broken)) == (403, "role_not_allowed")
    broken["headers"] |= issuer.headers("agent")
    assert said(await client.post("/v1/things", **broken)) == (400, "malformed_request")


async def test_while_the_key_set_cannot_be_read_the_answer_is_to_try_again(url: str) -> None:
    away = TestIssuer()
    away.is_away = True
    async with client_of(make_app(url), away) as client:
        answer = await client.get("/v1/things", headers=away.headers("supervisor"))
    assert said(answer) == (503, "key_set_unavailable")
    assert answer.headers["retry-after"]


def test_the_openapi_document_names_the_roles_and_the_authentication() -> None:
    document = make_app().openapi()
    asked = document["paths"]["/v1/things"]["get"]
    assert asked["security"] == [{"bearer": []}]
    assert "technician (own areas), supervisor (every area)" in asked["description"]
    assert "security" not in document["paths"]["/v1/open"]["get"]
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert make_app().openapi() == document, "making the app again adds nothing"


def who(*roles: str, areas: tuple[str, ...] | None = None) -> Principal:
    return Principal("x", "X", frozenset(roles), areas, "token", 0.0)


def test_areas_narrow_any_role_and_repair_staff_reach_nothing_without_one() -> None:
    grants = TABLE["GET /v1/things"]
    assert admitted(who("supervisor"), grants).areas is None
    assert admitted(who("supervisor", areas=("north",)), grants).areas == ("north",)
    assert admitted(who("technician", areas=("north",)), grants).areas == ("north",)
    assert admitted(who("technician"), grants).areas == ()
    assert admitted(who("technician", "supervisor"), grants).role == "supervisor", "the role that reaches something"
    assert admitted(who("technician", "supervisor", areas=("north",)), grants).role == "technician"
    with pytest.raises(RoleNotAllowed):
        admitted(who(), grants)
    with pytest.raises(AreasNotEnough):
        admitted(who("operator", areas=("north",)), TABLE["GET /v1/forgetful"])
