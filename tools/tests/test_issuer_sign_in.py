"""A client library signs people in to the local issuer, renews their tokens and signs them out."""

import time
from pathlib import Path
from typing import Any

import pytest
from authlib.oidc.core import CodeIDToken
from joserfc import jwt as jose
from joserfc.jwk import KeySet

from chassis.auth import TokenVerifier
from linework.issuer import SigningKey
from linework.issuer.accounts import ACCOUNTS
from linework.issuer.clients import NATIVE, registered
from linework.reference_data import WORK_AREAS
from linework.stopped import Stopped

from .issuer_clients import CALLBACK, ISSUER, VERIFIER, Clock, LocalIssuer, answered


@pytest.fixture
def issuer(tmp_path: Path) -> LocalIssuer:
    return LocalIssuer(SigningKey(tmp_path / "key.pem"), Clock(time.time()))


async def signed_in(issuer: LocalIssuer, person: str) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """Authlib's client with a token, the token, and the configuration it was found by."""
    found = (await issuer.http.get("/.well-known/openid-configuration")).json()
    client = issuer.authlib()
    address, state = client.create_authorization_url(
        found["authorization_endpoint"], nonce="n-1", code_verifier=VERIFIER
    )
    back = await issuer.choose(address, person)
    assert answered(back)["iss"] == found["issuer"]
    token = await client.fetch_token(
        found["token_endpoint"],
        authorization_response=back.headers["location"],
        state=state,
        code_verifier=VERIFIER,
    )
    return client, token, found


async def test_a_client_library_signs_a_person_in_and_the_services_accept_the_token(issuer: LocalIssuer) -> None:
    client, token, found = await signed_in(issuer, "north-1")
    keys = KeySet.import_key_set((await issuer.http.get(found["jwks_uri"])).json())
    claims = jose.decode(token["id_token"], keys, algorithms=found["id_token_signing_alg_values_supported"]).claims
    identity = CodeIDToken(
        claims, {}, {"iss": {"value": ISSUER}, "aud": {"value": "linework-console"}}, {"nonce": "n-1"}
    )
    identity.validate()
    assert (identity["sub"], identity["name"]) == ("north-1", "王建国")
    who = (await client.get(found["userinfo_endpoint"])).json()
    assert who == {
        "sub": "north-1",
        "name": "王建国",
        "preferred_username": "north-1",
        "roles": ["technician"],
        "areas": ["north"],
    }
    principal = await TokenVerifier(ISSUER, "linework", issuer.http).verify(token["access_token"])
    assert (principal.sub, principal.name, principal.roles) == ("north-1", "王建国", {"technician"})
    assert principal.areas == ("north",)


async def test_the_id_token_opens_no_service_and_tells_nothing_at_userinfo(issuer: LocalIssuer) -> None:
    _, token, _ = await signed_in(issuer, "agent-1")
    with pytest.raises(Exception, match="audience"):
        await TokenVerifier(ISSUER, "linework", issuer.http).verify(token["id_token"])
    for wrong in (token["id_token"], "x", ""):
        answer = await issuer.http.get("/userinfo", headers={"authorization": f"Bearer {wrong}"})
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    script = (await issuer.http.post("/token", json={"role": "agent"})).json()["access_token"]
    answer = await issuer.http.get("/userinfo", headers={"authorization": f"Bearer {script}"})
    assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")


async def test_a_client_library_renews_a_token_and_gets_another_refresh_token(issuer: LocalIssuer) -> None:
    client, token, found = await signed_in(issuer, "dispatcher-1")
    first = token["refresh_token"]
    renewed = await client.refresh_token(found["token_endpoint"])
    assert renewed["refresh_token"] != first
    principal = await TokenVerifier(ISSUER, "linework", issuer.http).verify(renewed["access_token"])
    assert (principal.sub, principal.areas) == ("dispatcher-1", None)


async def test_signing_out_ends_the_sign_in_and_sends_the_person_back(issuer: LocalIssuer) -> None:
    _, token, found = await signed_in(issuer, "agent-1")
    params = {"id_token_hint": token["id_token"], "post_logout_redirect_uri": "http://127.0.0.1:8009/", "state": "s"}
    issuer.clock.at += 10_000  # the ID token has expired
    back = await issuer.http.get(found["end_session_endpoint"], params=params)
    assert (back.status_code, back.headers["location"]) == (303, "http://127.0.0.1:8009/?state=s")
    assert (await issuer.refresh(token["refresh_token"])).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "params",
    [
        {"post_logout_redirect_uri": "http://evil.test/", "client_id": "linework-console"},
        {"post_logout_redirect_uri": "http://127.0.0.1:8009/callback", "client_id": "linework-console"},
        {"post_logout_redirect_uri": "http://127.0.0.1:8009/"},
        {"id_token_hint": "x.y.z"},
    ],
)
async def test_signing_out_sends_nobody_to_an_address_that_is_not_registered(
    issuer: LocalIssuer, params: dict[str, str]
) -> None:
    answer = await issuer.http.get("/end-session", params=params)
    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_a_native_app_signs_in_on_whatever_port_it_has(issuer: LocalIssuer) -> None:
    native = {"client_id": "linework-native", "redirect_uri": "http://127.0.0.1:49152/callback"}
    tokens = await issuer.redeem(await issuer.code(**native), **native)
    assert tokens.status_code == 200


def test_only_a_native_app_has_any_port() -> None:
    console = registered("http://127.0.0.1/callback")["linework-console"]
    assert console.may_redirect_to("http://127.0.0.1/callback")
    assert not console.may_redirect_to("http://127.0.0.1:7000/callback")


@pytest.mark.parametrize("port", ["0", "00080", "65536", "99999", "٥", "", "80@evil.test"])
def test_a_native_app_has_a_port_that_there_is(port: str) -> None:
    assert NATIVE.may_redirect_to("http://127.0.0.1:65535/callback")
    assert not NATIVE.may_redirect_to(f"http://127.0.0.1:{port}/callback")


async def test_the_configuration_promises_nothing_that_the_issuer_does_not_do(issuer: LocalIssuer) -> None:
    found = (await issuer.http.get("/.well-known/openid-configuration")).json()
    assert found["issuer"] == ISSUER
    for name in ("authorization", "token", "userinfo", "end_session"):
        answer = await issuer.http.request("POST", found[f"{name}_endpoint"])
        assert answer.status_code not in (404, 405), name
    for grant in found["grant_types_supported"]:
        form = {"grant_type": grant, "client_id": "linework-console"}
        assert (await issuer.http.post("/token", data=form)).json()["error"] == "invalid_request"
    others = {"response_type": "token", "response_mode": "form_post", "code_challenge_method": "plain"}
    assert found["response_types_supported"] == ["code"]
    for name, value in others.items():
        assert "error" in answered(await issuer.authorize(**{name: value}))


async def test_a_request_may_be_posted_and_asks_for_a_language(issuer: LocalIssuer) -> None:
    chinese = await issuer.authorize()
    english = await issuer.authorize(ui_locales="fr en-GB zh-CN")
    assert '<html lang="zh-CN">' in chinese.text
    assert "城北工区" in chinese.text
    assert '<html lang="en">' in english.text
    assert "<small>North</small>" in english.text
    posted = await issuer.http.post("/authorize", data=dict(chinese.request.url.params))
    assert posted.text == chinese.text


@pytest.mark.parametrize(
    ("origin", "may"),
    [("http://127.0.0.1:8009", True), ("http://localhost:5173", True), ("http://evil.test", False), ("null", False)],
)
async def test_pages_of_this_machine_may_read_what_a_client_library_reads(
    issuer: LocalIssuer, origin: str, may: bool
) -> None:
    headers = {"origin": origin}
    form = {"grant_type": "refresh_token"}
    for answer in (
        await issuer.http.get("/.well-known/openid-configuration", headers=headers),
        await issuer.http.get("/jwks", headers=headers),
        await issuer.http.post("/token", headers=headers, data=form),
        await issuer.http.get("/userinfo", headers=headers),
    ):
        assert (answer.headers.get("access-control-allow-origin") == origin) is may, answer.request.url
    page = await issuer.http.get("/authorize", headers=headers)
    assert "access-control-allow-origin" not in page.headers


def test_the_people_are_those_of_the_reference_data() -> None:
    staff = {sub: account.name for sub, account in ACCOUNTS.items() if account.role == "technician"}
    expected = {
        f"{area_id}-{number}": name
        for area_id, area in WORK_AREAS.items()
        for number, name in enumerate(area.staff, start=1)
    }
    assert staff == expected


@pytest.mark.parametrize(
    "address", ["http://console.example/callback", "http://127.0.0.1@evil.test/", "http://[", "http://localhost/?a=b"]
)
def test_a_redirect_address_that_is_not_on_loopback_stops_the_start(address: str) -> None:
    with pytest.raises(Stopped, match="LINEWORK_CONSOLE_REDIRECTS"):
        registered(f"{CALLBACK} {address}")


async def test_another_name_of_this_address_is_not_answered(issuer: LocalIssuer) -> None:
    answer = await issuer.http.get("/jwks", headers={"host": "rebound.test"})
    assert answer.status_code == 400
