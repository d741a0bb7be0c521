"""Keycloak signs people in, and a service accepts its tokens, roles and areas, also while it changes its keys."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
import pytest
from tests.interop import keycloak as interop
from tests.interop.keycloak import Keycloak

from chassis.auth import TokenVerifier
from chassis.testing import client_of, eventually, settings_for
from dispatch.main import app as dispatch_app

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(not interop.home().exists(), reason="there is no Keycloak here; `make keycloak` fetches it"),
]

Dispatch = Callable[..., AbstractAsyncContextManager["Service"]]


class Clock:
    """Moved by hand: key sets are read again after seconds and minutes."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


class Service:
    """Dispatch with the settings of docs/oidc.md, as the holder of a token sees it."""

    def __init__(self, client: httpx.AsyncClient, clock: Clock) -> None:
        self.client = client
        self.clock = clock

    async def ask(self, tokens: dict[str, Any], path: str = "/v1/me") -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {tokens['access_token']}"}
        answer = await self.client.get(path, headers=headers)
        return answer.status_code, answer.json()

    async def code(self, tokens: dict[str, Any], path: str = "/v1/work-orders") -> tuple[int, str | None]:
        status, body = await self.ask(tokens, path)
        return status, body.get("code")


@pytest.fixture(scope="module")
def keycloak(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keycloak]:
    with interop.running(tmp_path_factory.mktemp("keycloak") / "log") as keycloak:
        yield keycloak


@pytest.fixture
def dispatch(keycloak: Keycloak, new_database: Callable[[str], str]) -> Dispatch:
    @asynccontextmanager
    async def started(**settings: Any) -> AsyncIterator[Service]:
        claims = {"oidc_roles_claim": "realm_access.roles", "oidc_issuer": keycloak.issuer} | settings
        chosen = settings_for(new_database("dispatch"), **claims)
        app, clock = dispatch_app(chosen), Clock()
        async with client_of(app) as client, httpx.AsyncClient() as http:
            app.state.verifier = TokenVerifier(chosen.oidc_issuer, "linework", http, clock, chosen.claims)
            yield Service(client, clock)

    return started


async def test_a_person_of_keycloak_has_their_roles_and_the_areas_of_their_group(
    keycloak: Keycloak, dispatch: Dispatch
) -> None:
    tokens = keycloak.sign_in("wang")
    async with dispatch(oidc_role_map={"dispatcher": "dispatcher", "technician": "technician"}) as service:
        status, me = await service.ask(tokens)
    assert status == 200
    assert (me["name"], me["roles"], me["areas"]) == ("建国 王", ["technician"], ["north"])


async def test_without_a_role_map_other_roles_of_keycloak_grant_nothing(keycloak: Keycloak, dispatch: Dispatch) -> None:
    async with dispatch() as service:
        assert await service.code(keycloak.sign_in("chen")) == (200, None)
        status, problem = await service.ask(keycloak.sign_in("guest"))
    assert (status, problem["code"]) == (403, "role_not_allowed")
    assert {"offline_access", "uma_authorization"} <= set(problem["roles"]), "Keycloak's own"


async def test_a_person_without_a_fitting_role_is_told_apart_from_a_client_without_the_claim(
    keycloak: Keycloak, dispatch: Dispatch
) -> None:
    async with dispatch() as service:
        assert await service.code(keycloak.sign_in("guest")) == (403, "role_not_allowed")
        assert await service.code(keycloak.sign_in("chen", "without-roles")) == (403, "roles_claim_missing")


async def test_keycloak_leaves_out_the_claim_of_areas_for_a_person_without_any(
    keycloak: Keycloak, dispatch: Dispatch
) -> None:
    tokens = keycloak.sign_in("chen")

    for claim in ("areas", "groups"):
        async with dispatch(oidc_areas_claim=claim) as service:
            assert (await service.ask(tokens))[1]["areas"] is None, "every area"
        async with dispatch(oidc_areas_claim=claim, oidc_areas_required=True) as service:
            assert (await service.ask(tokens))[1]["areas"] == []


async def test_the_names_of_groups_can_be_the_areas(keycloak: Keycloak, dispatch: Dispatch) -> None:
    async with dispatch(oidc_areas_claim="groups") as service:
        _, me = await service.ask(keycloak.sign_in("wang"))
    assert me["areas"] == ["north"]


async def test_an_id_token_and_a_token_of_another_realm_are_refused(keycloak: Keycloak, dispatch: Dispatch) -> None:
    tokens = keycloak.sign_in("chen")
    async with dispatch() as service:
        assert await service.code({"access_token": tokens["id_token"]}) == (401, "token_refused")
    async with dispatch(oidc_issuer=f"{keycloak.url}/realms/master") as service:
        assert (await service.code(tokens))[0] == 401


async def test_a_service_follows_keycloak_to_another_key_and_forgets_a_withdrawn_one(
    keycloak: Keycloak, dispatch: Dispatch
) -> None:
    before = keycloak.sign_in("chen")
    async with dispatch() as service:
        assert await service.code(before) == (200, None)
        keycloak.add_signing_key("second", priority=200)
        after = keycloak.sign_in("chen")
        service.clock.at += 11
        assert await service.code(after) == (200, None)
        assert await service.code(before) == (200, None), "the first key is still published"
        keycloak.withdraw_other_keys("second")
        service.clock.at += 301
        await service.code(after)  # has the set read again, and does not wait for it
        await eventually_refused(service, before)
        assert await service.code(after) == (200, None)


async def eventually_refused(service: Service, tokens: dict[str, Any]) -> None:
    async def status() -> int:
        return (await service.code(tokens))[0]

    await eventually(status, until=lambda status: status == 401, seconds=30)
