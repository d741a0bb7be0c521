"""The issuer turns its key, withdraws one, is slow or away; strangers send keys that never were."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from chassis.auth import TokenRefused, TokenVerifier
from chassis.key_set import KeySet, KeySetUnavailable
from chassis.testing import TestIssuer, eventually


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def issuer() -> TestIssuer:
    return TestIssuer()


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def verifier(issuer: TestIssuer, hands: Hands) -> TokenVerifier:
    return issuer.verifier(hands)


def never(issuer: TestIssuer, number: int = 0) -> str:
    return issuer.sign(issuer.claims("agent"), headers={"kid": f"never-{number}"})


async def test_a_new_key_counts_as_soon_as_the_set_may_be_read_again(
    issuer: TestIssuer, verifier: TokenVerifier, hands: Hands
) -> None:
    await verifier.verify(issuer.token("agent"))
    issuer.rotate("key-2")
    for _ in range(3):
        with pytest.raises(TokenRefused):
            await verifier.verify(issuer.token("agent"))
    assert issuer.fetches == 1, "an unknown key asks again only after a while"
    hands.at += 10.1
    assert (await verifier.verify(issuer.token("agent"))).sub == "agent-1"
    assert issuer.fetches == 2


async def test_a_flood_of_unknown_keys_makes_one_fetch_and_delays_no_known_key(
    issuer: TestIssuer, verifier: TokenVerifier, hands: Hands
) -> None:
    await verifier.verify(issuer.token("agent"))
    hands.at += 11
    issuer.is_slow = asyncio.Event()
    flood = [asyncio.create_task(verifier.verify(never(issuer, number))) for number in range(200)]
    await eventually(lambda: len(issuer.asked_for) == 3)
    # The fetch hangs. A key that is known needs none, whether its token was seen before or not.
    assert (await verifier.verify(issuer.token("agent"))).sub == "agent-1"
    assert (await verifier.verify(issuer.token("dispatcher"))).sub == "dispatcher-1"
    issuer.is_slow.set()
    refused = await asyncio.gather(*flood, return_exceptions=True)
    assert {type(one) for one in refused} == {TokenRefused}
    assert issuer.fetches == 2
    for number in range(200):
        with pytest.raises(TokenRefused):
            await verifier.verify(never(issuer, number))
    assert issuer.fetches == 2


async def test_a_cancelled_caller_does_not_cancel_the_shared_fetch(issuer: TestIssuer, verifier: TokenVerifier) -> None:
    issuer.is_slow = asyncio.Event()
    first = asyncio.create_task(verifier.verify(issuer.token("agent")))
    await eventually(lambda: issuer.asked_for)
    second = asyncio.create_task(verifier.verify(issuer.token("agent")))
    await asyncio.sleep(0)
    first.cancel()
    issuer.is_slow.set()
    assert (await second).sub == "agent-1"
    assert issuer.fetches == 1


async def test_while_the_issuer_is_away_known_keys_count_and_unknown_ones_can_be_tried_later(
    issuer: TestIssuer, verifier: TokenVerifier, hands: Hands
) -> None:
    issuer.is_away = True
    with pytest.raises(KeySetUnavailable):
        await verifier.verify(issuer.token("agent"))
    issuer.is_away = False
    hands.at += 1.1
    await verifier.verify(issuer.token("agent"))
    issuer.is_away = True
    for later in (0, 60, 86_400):
        hands.at += later
        assert (await verifier.verify(issuer.token("dispatcher", sub=f"d-{later}"))).sub == f"d-{later}"
    with pytest.raises(KeySetUnavailable):
        await verifier.verify(never(issuer))


async def test_an_issuer_that_is_away_is_not_asked_at_every_request(
    issuer: TestIssuer, verifier: TokenVerifier, hands: Hands
) -> None:
    issuer.is_away = True
    for _ in range(50):
        with pytest.raises(KeySetUnavailable):
            await verifier.verify(issuer.token("agent"))
    assert len(issuer.asked_for) == 1
    hands.at += 1.1
    with pytest.raises(KeySetUnavailable):
        await verifier.verify(issuer.token("agent"))
    assert len(issuer.asked_for) == 2


async def test_a_withdrawn_key_counts_no_longer_than_five_minutes_not_even_for_tokens_that_were_seen(
    issuer: TestIssuer, verifier: TokenVerifier, hands: Hands
) -> None:
    token = issuer.token("agent")
    await verifier.verify(token)
    issuer.rotate("key-2")
    hands.at += 299
    assert (await verifier.verify(token)).sub == "agent-1"
    hands.at += 2
    await verifier.verify(token)  # has the set read again, and does not wait for it

    async def is_refused() -> bool:
        try:
            await verifier.verify(token)
        except TokenRefused:
            return True
        return False

    await eventually(is_refused)
    assert issuer.fetches == 2


async def _found(published: object, *, of: str = "https://issuer.test", **configuration: str) -> KeySet:
    described = {"issuer": of, "jwks_uri": "https://issuer.test/keys", **configuration}

    def answer(request: httpx.Request) -> httpx.Response:
        assert "//" not in request.url.path
        return httpx.Response(200, json=described if "openid" in request.url.path else published)

    return KeySet(of, httpx.AsyncClient(transport=httpx.MockTransport(answer)))


EC = {"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}
EC["y"] = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"


RSA = {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "list", "alg": ["RS256"]}


async def test_unknown_keys_of_a_key_set_are_ignored() -> None:
    keys = await _found(
        {"keys": [EC | {"kid": "good"}, {"kty": "XX", "kid": "odd"}, EC | {"kid": "enc", "use": "enc"}, EC, 7, RSA]}
    )
    assert await keys.find("good") is not None
    for other in ("odd", "enc", "list"):
        assert await keys.find(other) is None


@pytest.mark.parametrize(
    "configuration", [{"issuer": "https://another.test"}, {"jwks_uri": "http://issuer.test/keys"}, {"jwks_uri": "::"}]
)
async def test_a_configuration_that_is_not_the_issuers_own_is_not_believed(configuration: dict[str, str]) -> None:
    keys = await _found({"keys": [EC | {"kid": "good"}]}, **configuration)
    with pytest.raises(KeySetUnavailable):
        await keys.find("good")


@pytest.mark.parametrize("published", [[], {}, {"keys": 1}, {"keys": None}, "keys"])
async def test_an_answer_that_is_no_key_set_is_an_issuer_that_is_away(published: object) -> None:
    with pytest.raises(KeySetUnavailable):
        await (await _found(published)).find("good")


class Endless(httpx.AsyncByteStream):
    """A document that never ends; how much of it was read."""

    def __init__(self) -> None:
        self.sent = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self.sent += 65_536
            yield b"[" * 65_536


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys"])
@pytest.mark.parametrize(
    "answer",
    [
        {"content": b"<html>Sign in</html>"},
        {"content": b""},
        {"content": b"\xff\xfe"},
        {"content": b"[" * 200_000},
        {"content": b"not gzip", "headers": {"content-encoding": "gzip"}},
        {"json": []},
        {"json": {"issuer": ["https://issuer.test"], "jwks_uri": 7, "keys": {}}},
        {"json": {"issuer": "https://issuer.test", "jwks_uri": 7}},
        {"json": {"issuer": "https://issuer.test", "jwks_uri": "https://issuer.test:99999999/keys"}},
        {"status_code": 302, "headers": {"location": "http://169.254.169.254/"}},
        {"status_code": 500},
    ],
)
async def test_whatever_else_an_issuer_answers_it_is_away_and_nothing_breaks(path: str, answer: dict[str, Any]) -> None:
    keys, asked = _answering(path, lambda: httpx.Response(**{"status_code": 200} | answer))
    with pytest.raises(KeySetUnavailable):
        await keys.find("good")
    assert {url.host for url in asked} == {"issuer.test"}, "no redirect is followed"


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys"])
async def test_a_document_without_an_end_is_not_read_to_it(path: str) -> None:
    endless = Endless()
    keys, _ = _answering(path, lambda: httpx.Response(200, stream=endless))
    with pytest.raises(KeySetUnavailable):
        await keys.find("good")
    assert endless.sent < 1_000_000


def _answering(path: str, answer: Callable[[], httpx.Response]) -> tuple[KeySet, list[httpx.URL]]:
    """A key set whose issuer gives this answer at the path, and right ones elsewhere; and what was asked for."""
    described = {"issuer": "https://issuer.test", "jwks_uri": "https://issuer.test/keys"}
    asked: list[httpx.URL] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return answer() if request.url.path == path else httpx.Response(200, json=described)

    return KeySet("https://issuer.test", httpx.AsyncClient(transport=httpx.MockTransport(respond))), asked


async def test_an_issuer_that_ends_in_a_slash_is_discovered_without_it_and_compared_whole() -> None:
    keys = await _found({"keys": [EC | {"kid": "good"}]}, of="https://issuer.test/realm/")
    assert await keys.find("good") is not None
    without_slash = await _found({"keys": []}, of="https://issuer.test/realm/", issuer="https://issuer.test/realm")
    with pytest.raises(KeySetUnavailable):
        await without_slash.find("good")


async def test_a_key_set_of_ten_thousand_keys_is_not_read_to_its_end() -> None:
    keys = await _found({"keys": [EC | {"kid": f"key-{number}"} for number in range(10_000)]})
    with pytest.raises(KeySetUnavailable):
        await keys.find("key-1")
