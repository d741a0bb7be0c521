"""What the local issuer refuses: stolen codes and tokens, foreign addresses, requests that a page elsewhere made up."""

import time
from pathlib import Path

import httpx
import jwt
import pytest

from linework.issuer import SigningKey, grants
from linework.issuer.accounts import ACCOUNTS
from linework.issuer.grants import MOST_CODES, MOST_SIGN_INS

from .issuer_clients import ASKED, CALLBACK, Clock, LocalIssuer, answered


@pytest.fixture
def issuer(tmp_path: Path) -> LocalIssuer:
    return LocalIssuer(SigningKey(tmp_path / "key.pem"), Clock(time.time()))


def refused(answer: httpx.Response, code: str, status: int = 400) -> bool:
    assert (answer.status_code, answer.json()["error"]) == (status, code), answer.text
    return True


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": "é" * 43}, "invalid_request"),
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"prompt": "none"}, "login_required"),
        ({"request": "x.y.z"}, "request_not_supported"),
        ({"request_uri": "http://127.0.0.1/x"}, "request_uri_not_supported"),
    ],
)
async def test_a_request_that_cannot_be_granted_is_sent_back_with_its_state(
    issuer: LocalIssuer, changes: dict[str, str | None], error: str
) -> None:
    answer = await issuer.authorize(**changes)
    assert answer.headers["location"].startswith(f"{CALLBACK}?")
    said = answered(answer)
    assert (said["error"], said["state"], said["iss"]) == (error, "s-1", "http://127.0.0.1:8000")


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "http://evil.test/callback"},
        {"redirect_uri": "http://127.0.0.1:8009/callback/"},
        {"redirect_uri": "http://127.0.0.1:8009/callback?next=x"},
        {"redirect_uri": "http://127.0.0.1:8010/callback"},
        {"redirect_uri": "http://127.0.0.1:8009@evil.test/callback"},
        {"redirect_uri": None},
        {"client_id": "another"},
        {"client_id": None},
        {"client_id": "linework-native", "redirect_uri": "http://localhost:7000/callback"},
        {"client_id": "linework-native", "redirect_uri": "http://127.0.0.1:7000/other"},
        {"client_id": "linework-native", "redirect_uri": "http://127.0.0.1:7000/callback\nX: y"},
        {"client_id": "linework-native", "redirect_uri": "http://127.0.0.1:7000@evil.test/callback"},
        {"state": "x" * 3000},
        {"state": "a\0b"},
    ],
)
async def test_nobody_is_sent_to_an_address_that_the_client_has_not_registered(
    issuer: LocalIssuer, changes: dict[str, str | None]
) -> None:
    answer = await issuer.authorize(**changes)
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "仅供本机试用" in answer.text
    form = {name: value for name, value in (ASKED | changes).items() if value is not None}
    chosen = await issuer.http.post("/sign-in", data={**form, "person": "north-1"})
    assert (chosen.status_code, "location" in chosen.headers) == (400, False)


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "x" * 43},
        {"code_verifier": "short"},
        {"client_id": "linework-native"},
        {"redirect_uri": "http://localhost:8009/callback"},
    ],
)
async def test_a_code_is_good_for_its_client_address_and_challenge_only_and_is_gone_after_a_wrong_try(
    issuer: LocalIssuer, changes: dict[str, str]
) -> None:
    code = await issuer.code()
    assert refused(await issuer.redeem(code, **changes), "invalid_grant")
    assert refused(await issuer.redeem(code), "invalid_grant")


async def test_a_code_that_is_used_twice_ends_the_sign_in_of_the_first(issuer: LocalIssuer) -> None:
    code = await issuer.code()
    token = (await issuer.redeem(code)).json()["refresh_token"]
    assert refused(await issuer.redeem(code), "invalid_grant")
    assert refused(await issuer.refresh(token), "invalid_grant")


async def test_a_code_is_good_for_a_minute(issuer: LocalIssuer) -> None:
    early, late = await issuer.code(), await issuer.code()
    issuer.clock.at += 59
    assert (await issuer.redeem(early)).status_code == 200
    issuer.clock.at += 1
    assert refused(await issuer.redeem(late), "invalid_grant")


async def test_a_refresh_token_that_is_used_again_ends_the_sign_in_for_the_thief_and_for_the_owner(
    issuer: LocalIssuer,
) -> None:
    first = (await issuer.redeem(await issuer.code())).json()["refresh_token"]
    other = (await issuer.redeem(await issuer.code())).json()["refresh_token"]
    second = (await issuer.refresh(first)).json()["refresh_token"]
    assert refused(await issuer.refresh(first), "invalid_grant")
    assert refused(await issuer.refresh(second), "invalid_grant")
    assert (await issuer.refresh(other)).status_code == 200, "another sign-in goes on"


async def test_a_refresh_token_is_its_clients_and_ends_after_twelve_hours(issuer: LocalIssuer) -> None:
    token = (await issuer.redeem(await issuer.code())).json()["refresh_token"]
    assert refused(await issuer.refresh(token, "linework-native"), "invalid_grant")
    issuer.clock.at += 12 * 3600 - 1
    token = (await issuer.refresh(token)).json()["refresh_token"]
    issuer.clock.at += 1
    assert refused(await issuer.refresh(token), "invalid_grant")


async def test_only_the_first_id_token_has_the_nonce(issuer: LocalIssuer) -> None:
    def claims(answer: httpx.Response) -> dict[str, object]:
        return jwt.decode(answer.json()["id_token"], options={"verify_signature": False})

    first = await issuer.redeem(await issuer.code())
    second = await issuer.refresh(first.json()["refresh_token"])
    assert claims(first)["nonce"] == "n-1"
    assert "nonce" not in claims(second)
    assert claims(first)["sid"] == claims(second)["sid"]


async def test_memory_is_bounded_and_the_oldest_go_first(issuer: LocalIssuer) -> None:
    kept = grants.Grants(issuer.clock)
    wanted = grants.AuthorizationRequest("c", "r", "openid", "x", None)
    account = ACCOUNTS["agent-1"]
    codes = [kept.issue_code(wanted, account) for _ in range(MOST_CODES + 5)]
    assert len(kept._codes) == MOST_CODES
    assert list(kept._codes) == codes[5:]
    for _ in range(MOST_SIGN_INS + 5):
        kept._begin(wanted, account)
    assert len(kept._sign_ins) == MOST_SIGN_INS


@pytest.mark.parametrize(
    ("form", "error", "status"),
    [
        ({"grant_type": "password", "client_id": "linework-console"}, "unsupported_grant_type", 400),
        ({"grant_type": "client_credentials", "client_id": "linework-console"}, "unsupported_grant_type", 400),
        ({"grant_type": "authorization_code", "client_id": "another"}, "invalid_client", 401),
        ({"grant_type": "refresh_token", "client_id": "linework-console", "client_secret": "x"}, "invalid_client", 401),
        ({"grant_type": "authorization_code", "client_id": "linework-console"}, "invalid_request", 400),
        ({"client_id": "linework-console"}, "invalid_request", 400),
        ({'{"role": "agent"}': ""}, "invalid_request", 400),
        ({"grant_type": ["refresh_token", "refresh_token"]}, "invalid_request", 400),
        ({f"p{number}": "x" for number in range(60)}, "invalid_request", 400),
        ({"grant_type": "x" * 40_000}, "invalid_request", 413),
    ],
)
async def test_a_token_request_that_is_wrong_is_told_so_in_the_words_of_oauth(
    issuer: LocalIssuer, form: dict[str, object], error: str, status: int
) -> None:
    answer = await issuer.http.post("/token", data=form)
    assert refused(answer, error, status)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("body", [b"\xff=1", b"a=%ff", b"grant_type=refresh_token&client_id=%00"])
async def test_bytes_that_are_no_form_are_refused(issuer: LocalIssuer, body: bytes) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert refused(await issuer.http.post("/token", content=body, headers=headers), "invalid_request")
    assert (await issuer.http.post("/sign-in", content=body, headers=headers)).status_code == 400


async def test_no_page_may_ask_for_a_token_of_a_role(issuer: LocalIssuer) -> None:
    body = {"role": "operator"}
    for origin in ("http://evil.test", "http://127.0.0.1:8009", "null"):
        answer = await issuer.http.post("/token", json=body, headers={"origin": origin})
        assert answer.status_code == 403
    plain = await issuer.http.post("/token", content='{"role": "operator"}', headers={"content-type": "text/plain"})
    assert plain.status_code == 415
    assert (await issuer.http.post("/token", json=body)).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
async def test_no_page_elsewhere_chooses_a_person(issuer: LocalIssuer, site: str) -> None:
    answer = await issuer.http.post("/sign-in", data={**ASKED, "person": "north-1"}, headers={"sec-fetch-site": site})
    assert (answer.status_code, "location" in answer.headers) == (403, False)


async def test_a_browser_that_tells_only_the_origin_of_a_foreign_page_is_refused(issuer: LocalIssuer) -> None:
    chosen = {**ASKED, "person": "north-1"}
    foreign = await issuer.http.post("/sign-in", data=chosen, headers={"origin": "http://evil.test"})
    assert (foreign.status_code, "location" in foreign.headers) == (403, False)
    own = await issuer.http.post("/sign-in", data=chosen, headers={"origin": "http://127.0.0.1:8000"})
    assert "code" in answered(own)


async def test_a_choice_of_nobody_is_access_denied(issuer: LocalIssuer) -> None:
    for choice in ({}, {"person": "root"}):
        answer = await issuer.http.post("/sign-in", data={**ASKED, **choice})
        assert answered(answer)["error"] == "access_denied"


async def test_markup_in_a_parameter_stays_text(issuer: LocalIssuer) -> None:
    markup = "\"><script>alert(1)</script><form action='http://evil.test'>"
    page = await issuer.authorize(state=markup, nonce=markup, person="operator-1", **{markup: markup})
    assert page.status_code == 200
    assert "<script" not in page.text
    assert "evil.test'" not in page.text
    assert page.text.count('name="person" value="operator-1"') == 1, "what is not known is not carried on"
    assert answered(await issuer.choose(str(page.request.url), "north-1"))["state"] == markup


async def test_every_page_says_that_it_is_for_one_machine_and_runs_no_script(issuer: LocalIssuer) -> None:
    for page in (
        await issuer.authorize(),
        await issuer.authorize(client_id="another"),
        await issuer.http.get("/end-session"),
    ):
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "仅供本机试用" in page.text
