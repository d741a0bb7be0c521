"""Authentication: OIDC bearer tokens, verified against the issuer's key set.

A verified token is cached until it expires or the key set changes, because checking a signature costs more than
the rest of a request. Key hints in a token (`jku`, `x5u`, `jwk`) are ignored. Error messages never quote a token, so
that no part of it reaches a response or a log.
"""

import json
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, tzinfo
from typing import Any

import httpx
import jwt
from jwt.exceptions import InvalidJTIError, InvalidSubjectError
from jwt.utils import base64url_decode

from chassis.claims import LONGEST_TEXT, STANDARD_CLAIMS, ClaimInvalid, Claims, Principal
from chassis.key_set import KeySet
from contracts.refusals import Unauthenticated

ALGORITHMS = ("RS256", "ES256", "EdDSA")
_REMEMBERED_TOKENS = 10_000
_LONGEST_REMEMBERED_TOKEN = 4096
_LEEWAY_SECONDS = 5

_REASONS = {
    "unreadable": ("it is not a JSON web token", "不是 JSON Web Token"),
    "repeated": ("a header or claim occurs twice", "头部或声明重复"),
    "algorithm": (f"its algorithm is not one of {', '.join(ALGORITHMS)}", f"签名算法不是 {'、'.join(ALGORITHMS)} 之一"),
    "no_key": ("it names no key", "未指明密钥"),
    "unknown_key": ("its key is not in the issuer's key set", "其密钥不在签发方的密钥集中"),
    "signature": ("its signature is invalid", "签名无效"),
    "expired": ("it has expired", "已过期"),
    "too_early": ("it is not valid yet", "尚未生效"),
    "issuer": ("it has another issuer", "签发方不符"),
    "audience": ("it has another audience", "受众不符"),
    "incomplete": ("a claim is missing", "缺少声明"),
    "claims": ("its claims are invalid", "声明不符合要求"),
    "sub": (
        f"its subject (sub) is not a text of 1 to {LONGEST_TEXT} printable characters",
        f"sub 声明应为 1 至 {LONGEST_TEXT} 个可打印字符",
    ),
    "name": (f"its name is not a text of at most {LONGEST_TEXT} printable characters", "name 声明应为可打印的文字"),
    "roles": ("its roles are not a list of texts", "roles 声明应为角色名称的列表"),
    "areas": (
        "its areas are not a list of texts; omit the claim for all areas",
        "areas 声明应为工区名称的列表；不限工区时请省略该声明",
    ),
    "ambiguous": ("there is more than one Authorization header", "Authorization 请求头多于一个"),
}
_REASON_OF: dict[type[jwt.PyJWTError], str] = {
    jwt.InvalidSignatureError: "signature",
    jwt.ExpiredSignatureError: "expired",
    jwt.ImmatureSignatureError: "too_early",
    jwt.InvalidIssuerError: "issuer",
    jwt.InvalidAudienceError: "audience",
    jwt.MissingRequiredClaimError: "incomplete",
    jwt.InvalidAlgorithmError: "algorithm",
    jwt.InvalidIssuedAtError: "claims",
    InvalidSubjectError: "sub",
    InvalidJTIError: "claims",
}


class TokenMissing(Unauthenticated):
    """Send a bearer token in the Authorization header."""

    zh = "请在 Authorization 请求头中提供 bearer 令牌。"


class TokenRefused(Unauthenticated):
    """The bearer token is not accepted: {reason}."""

    zh = "令牌未被接受：{reason}。"

    def message(self, language: str, zone: tzinfo = UTC) -> str:
        return self.template(language).format(reason=_REASONS[self.context["reason"]][language == "zh"])


class _Tokens(jwt.PyJWT):
    """Tokens that say everything once: of two `roles`, one reader would believe the first and another the last."""

    def _decode_payload(self, decoded: dict[str, Any]) -> dict[str, Any]:
        payload = super()._decode_payload(decoded)
        json.loads(decoded["payload"], object_pairs_hook=_said_once)
        return payload


class TokenVerifier:
    def __init__(
        self,
        issuer: str,
        audience: str,
        client: httpx.AsyncClient,
        now: Callable[[], float] = time.monotonic,
        claims: Claims = STANDARD_CLAIMS,
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._named = claims
        self._keys = KeySet(issuer, client, now)
        self._tokens = _Tokens()
        self._remembered: OrderedDict[str, Principal] = OrderedDict()
        self._remembered_with = 0

    async def verify(self, token: str) -> Principal:
        """The principal of a token; raises `TokenRefused` or `KeySetUnavailable`."""
        self._keys.keep_fresh()
        if self._remembered_with != self._keys.generation:
            self._remembered.clear()
            self._remembered_with = self._keys.generation
        known = self._remembered.get(token)
        if known is not None and known.expires_at > time.time():
            return known
        principal = self._principal(token, self._claims(token, await self._key_of(token)))
        if len(token) <= _LONGEST_REMEMBERED_TOKEN:
            self._remembered[token] = principal
        if len(self._remembered) > _REMEMBERED_TOKENS:
            self._remembered.popitem(last=False)
        return principal

    def _claims(self, token: str, key: jwt.PyJWK) -> dict[str, Any]:
        try:
            return self._tokens.decode(
                token,
                key,
                # Of a key set the key says what it is for; the token's own word is only compared with it.
                algorithms=[key.algorithm_name] if key.algorithm_name in ALGORITHMS else [],
                audience=self._audience,
                issuer=self._issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, ValueError, OverflowError) as error:
            raise TokenRefused(reason=_reason_of(error)) from error

    def _principal(self, token: str, claims: dict[str, Any]) -> Principal:
        try:
            return self._named.principal(token, claims)
        except ClaimInvalid as error:
            raise TokenRefused(reason=error.reason) from error

    async def _key_of(self, token: str) -> jwt.PyJWK:
        header = _header_of(token)
        if header.get("alg") not in ALGORITHMS:
            raise TokenRefused(reason="algorithm")
        key_id = header.get("kid")
        if not isinstance(key_id, str):
            raise TokenRefused(reason="no_key")
        key = await self._keys.find(key_id)
        if key is None:
            raise TokenRefused(reason="unknown_key")
        return key


class _SaidTwice(ValueError):
    """An object has a name twice."""


def _said_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _SaidTwice()
    return found


def _reason_of(error: Exception) -> str:
    if isinstance(error, _SaidTwice):
        return "repeated"
    return next((reason for kind, reason in _REASON_OF.items() if isinstance(error, kind)), "unreadable")


def _header_of(token: str) -> dict[str, Any]:
    try:
        header = json.loads(base64url_decode(token.partition(".")[0]), object_pairs_hook=_said_once)
    except (ValueError, RecursionError) as error:
        raise TokenRefused(reason=_reason_of(error)) from error
    if not isinstance(header, dict):
        raise TokenRefused(reason="unreadable")
    return header
