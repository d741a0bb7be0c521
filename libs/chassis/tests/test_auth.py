"""Who asks: what a token must be, and what happens when the issuer turns its key or is away."""

import base64
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from chassis import auth
from chassis.auth import TokenRefused, TokenVerifier
from chassis.testing import TestIssuer


@pytest.fixture
def issuer() -> TestIssuer:
    return TestIssuer()


@pytest.fixture
def verifier(issuer: TestIssuer) -> TokenVerifier:
    return issuer.verifier()


async def test_a_good_token_says_who_asks(issuer: TestIssuer, verifier: TokenVerifier) -> None:
    principal = await verifier.verify(issuer.token("technician", areas=["north"], sub="t-7", name="王强"))
    assert (principal.sub, principal.name, principal.areas) == ("t-7", "王强", ("north",))
    assert principal.roles == {"technician"}


async def test_a_token_without_areas_sees_every_area(issuer: TestIssuer, verifier: TokenVerifier) -> None:
    assert (await verifier.verify(issuer.token("dispatcher"))).areas is None


async def test_an_empty_list_of_areas_permits_no_area(issuer: TestIssuer, verifier: TokenVerifier) -> None:
    assert (await verifier.verify(issuer.token("dispatcher", areas=[]))).areas == ()
    assert (await verifier.verify(issuer.token("dispatcher", areas=["a", "b", "a"]))).areas == ("a", "b")


def test_the_issuer_of_tests_gives_a_caller_the_same_token_until_its_key_changes(issuer: TestIssuer) -> None:
    headers = issuer.headers("agent", ["north"])
    assert issuer.headers("agent", ["north"]) == headers
    assert issuer.headers("agent", ["south"]) != headers
    assert issuer.headers("agent", ["north"], exp=1) != headers
    issuer.rotate(issuer.key_id)
    assert issuer.headers("agent", ["north"]) != headers


CLAIMS_REFUSED: dict[str, tuple[str, Any]] = {
    "areas that are null": ("areas", None),
    "areas that are one text": ("areas", "north"),
    "areas that are a number": ("areas", 7),
    "areas that are true": ("areas", True),
    "areas that are an object": ("areas", {"north": True}),
    "areas that are numbers": ("areas", [1, 2]),
    "areas with a null among them": ("areas", ["north", None]),
    "areas that are nested": ("areas", [["north"]]),
    "an area without a name": ("areas", [""]),
    "an area of spaces": ("areas", ["north", " "]),
    "an area with a control character": ("areas", ["north\x00"]),
    "an area that is over-long": ("areas", ["x" * 201]),
    "more areas than anybody has": ("areas", [f"a{number}" for number in range(1001)]),
    "roles that are null": ("roles", None),
    "roles that are one text": ("roles", "operator"),
    "roles that are an object": ("roles", {"operator": True}),
    "roles that are numbers": ("roles", [1]),
    "roles that are nested": ("roles", [["operator"]]),
    "a role with a control character": ("roles", ["operator\x00"]),
    "an empty subject": ("sub", ""),
    "a subject of spaces": ("sub", "   "),
    "a subject that is a number": ("sub", 7),
    "a subject that is a list": ("sub", ["t-1"]),
    "a subject with a control character": ("sub", "a\x00b"),
    "a subject with a line feed": ("sub", "a\nb"),
    "a subject that is over-long": ("sub", "x" * 201),
    "a name that is null": ("name", None),
    "a name that is an object": ("name", {}),
    "a name with a control character": ("name", "a\x1bb"),
    "a name that is over-long": ("name", "x" * 201),
}


@pytest.mark.parametrize("name", CLAIMS_REFUSED)
async def test_a_claim_of_a_wrong_kind_is_refused_and_named(
    issuer: TestIssuer, verifier: TokenVerifier, name: str
) -> None:
    claim, value = CLAIMS_REFUSED[name]
    with pytest.raises(TokenRefused) as refused:
        await verifier.verify(issuer.sign(issuer.claims("operator") | {claim: value}))
    assert refused.value.context == {"reason": claim}
    assert claim in refused.value.message("zh")
    assert ("subject" if claim == "sub" else claim) in refused.value.message("en")


@pytest.mark.parametrize("claims", [{"sub": "x" * 200}, {"name": ""}, {"roles": []}, {"areas": ["n" * 200] * 1000}])
async def test_claims_at_the_edge_of_what_is_allowed_are_taken(
    issuer: TestIssuer, verifier: TokenVerifier, claims: dict[str, Any]
) -> None:
    await verifier.verify(issuer.sign(issuer.claims("operator") | claims))


async def test_a_token_without_a_claim_of_roles_differs_from_one_with_no_role(
    issuer: TestIssuer, verifier: TokenVerifier
) -> None:
    assert (await verifier.verify(issuer.token("operator", roles=...))).roles is None
    assert (await verifier.verify(issuer.token("operator", roles=[]))).roles == frozenset()


def unsigned(claims: dict[str, Any], **header: Any) -> str:
    parts = [json.dumps({"typ": "JWT", **header}), json.dumps(claims)]
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts) + "."


def signed_with_the_public_key(issuer: TestIssuer) -> str:
    """The classic forgery: HS256 with the public key, which everybody has, as the secret."""
    public = issuer.key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    text = unsigned(issuer.claims("operator"), alg="HS256", kid=issuer.key_id)
    signature = hmac.digest(public, text.rstrip(".").encode(), "sha256")
    return text + base64.urlsafe_b64encode(signature).decode().rstrip("=")


def signed_by_somebody_else(issuer: TestIssuer) -> str:
    other = ec.generate_private_key(ec.SECP256R1())
    return jwt.encode(issuer.claims("operator"), other, "ES256", headers={"kid": issuer.key_id})


def with_another_payload(issuer: TestIssuer) -> str:
    header, _, signature = issuer.token("agent").split(".")
    payload = base64.urlsafe_b64encode(json.dumps(issuer.claims("operator")).encode()).decode().rstrip("=")
    return f"{header}.{payload}.{signature}"


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def signed_text(issuer: TestIssuer, claims: dict[str, Any], *, more: str) -> str:
    """A token with a right signature whose payload has something twice."""
    payload = json.dumps(claims)[:-1] + f", {more}}}"
    return jwt.api_jws.encode(payload.encode(), issuer.key, "ES256", headers={"kid": issuer.key_id})


def with_header(issuer: TestIssuer, header: str) -> str:
    return f"{encoded(header)}.{issuer.token('operator').split('.', 1)[1]}"


def with_its_own_key(issuer: TestIssuer) -> str:
    """Signed by a stranger, who says in every way that there is where to find the key."""
    stranger = TestIssuer()
    jwk = jwt.algorithms.ECAlgorithm.to_jwk(stranger.key.public_key(), as_dict=True)
    places = {"jku": "http://stranger.test/jwks.json", "x5u": "http://stranger.test/x5u.pem", "jwk": jwk, "x5c": ["x"]}
    return stranger.sign(issuer.claims("operator"), headers={"kid": issuer.key_id, **places})


NOW = int(time.time())
FORGED: dict[str, Any] = {
    "no algorithm": lambda issuer: unsigned(issuer.claims("operator"), alg="none", kid=issuer.key_id),
    "no algorithm, in capitals": lambda issuer: unsigned(issuer.claims("operator"), alg="NONE", kid=issuer.key_id),
    "HS256 with the public key": signed_with_the_public_key,
    "another key": signed_by_somebody_else,
    "another payload": with_another_payload,
    "an algorithm that its key is not for": lambda issuer: issuer.token("operator").replace(
        issuer.token("operator").split(".")[0],
        base64.urlsafe_b64encode(json.dumps({"alg": "RS256", "kid": issuer.key_id}).encode()).decode().rstrip("="),
    ),
    "another issuer": lambda issuer: issuer.token("operator", iss="http://elsewhere.test"),
    "another audience": lambda issuer: issuer.token("operator", aud="shop"),
    "expired": lambda issuer: issuer.token("operator", exp=NOW - 60),
    "not yet valid": lambda issuer: issuer.token("operator", nbf=NOW + 3600),
    "issued in the future": lambda issuer: issuer.token("operator", iat=NOW + 3600),
    "without an expiry": lambda issuer: issuer.token("operator", exp=...),
    "without an issuer": lambda issuer: issuer.token("operator", iss=...),
    "without an audience": lambda issuer: issuer.token("operator", aud=...),
    "without a subject": lambda issuer: issuer.sign(
        {name: value for name, value in issuer.claims("operator").items() if name != "sub"}
    ),
    "a subject that is null": lambda issuer: issuer.sign(issuer.claims("operator") | {"sub": None}),
    "an expiry that is text": lambda issuer: issuer.token("operator", exp="soon"),
    "no key id": lambda issuer: jwt.encode(issuer.claims("operator"), issuer.key, "ES256"),
    "a key id that is a number": lambda issuer: unsigned(issuer.claims("operator"), alg="ES256", kid=7),
    "an unknown key id": lambda issuer: issuer.sign(issuer.claims("operator"), headers={"kid": "other"}),
    "no token at all": lambda _: "word",
    "dots": lambda _: "..",
    "not ASCII": lambda _: "é.é.é",
    "too many parts": lambda issuer: issuer.token("operator") + ".x",
    "an expiry that is text with a number": lambda issuer: issuer.token("operator", exp=str(NOW + 60)),
    "an expiry without an end": lambda issuer: issuer.token("operator", exp=10**400),
    "an expiry that is infinite": lambda issuer: issuer.token("operator", exp=float("inf")),
    "roles said twice": lambda issuer: signed_text(issuer, issuer.claims("agent"), more='"roles": ["operator"]'),
    "areas said twice": lambda issuer: signed_text(issuer, issuer.claims("agent", areas=["north"]), more='"areas": []'),
    "a key of its own": lambda issuer: with_its_own_key(issuer),
    "a header that says twice what it is": lambda issuer: with_header(
        issuer, f'{{"alg": "none", "alg": "ES256", "kid": "{issuer.key_id}"}}'
    ),
    "a header that nests without end": lambda issuer: with_header(issuer, '{"alg":' + "[" * 20_000),
    "a header that is a list": lambda issuer: with_header(issuer, "[]"),
    "a payload that is not in it": lambda issuer: issuer.sign(
        issuer.claims("operator"), headers={"b64": False, "crit": ["b64"]}
    ),
    "a critical extension": lambda issuer: issuer.sign(issuer.claims("operator"), headers={"crit": ["x"], "x": 1}),
}


@pytest.mark.parametrize("name", FORGED)
async def test_a_token_that_is_not_right_is_refused(issuer: TestIssuer, verifier: TokenVerifier, name: str) -> None:
    await verifier.verify(issuer.token("agent"))
    token = FORGED[name](issuer)
    with pytest.raises(TokenRefused) as refused:
        await verifier.verify(token)
    said = refused.value.message("en") + refused.value.message("zh") + str(refused.value.context)
    assert not any(part in said for part in token.split(".") if len(part) > 4), "no part of a token is said again"
    assert "{" not in refused.value.message("zh")
    assert not any("stranger" in url for url in issuer.asked_for)


async def test_a_remembered_token_is_refused_once_it_has_expired(
    issuer: TestIssuer, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = issuer.token("agent")
    await verifier.verify(token)
    later = time.time() + 3700

    class LaterDatetime(jwt.api_jwt.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls.fromtimestamp(later, tz)

    monkeypatch.setattr(auth.time, "time", lambda: later)
    monkeypatch.setattr(jwt.api_jwt, "datetime", LaterDatetime)
    with pytest.raises(TokenRefused):
        await verifier.verify(token)
