"""Who asks: OIDC bearer tokens, verified against the issuer's key set.

A verified token is remembered until it expires, because checking a signature costs more than the rest
of a request. The key set is fetched on first use and again, at most every ten seconds, when a token
names a key that is not in it.
"""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import httpx
import jwt

from contracts.refusals import Unauthenticated, Unavailable

ALGORITHMS = ("RS256", "ES256", "EdDSA")
_REMEMBERED_TOKENS = 10_000
_FETCH_AT_MOST_EVERY_SECONDS = 10.0
_LONGEST_TEXT = 200


class TokenMissing(Unauthenticated):
    """Send a bearer token in the Authorization header."""

    zh = "请在 Authorization 头中提供 bearer 令牌。"


class TokenRefused(Unauthenticated):
    """The bearer token is not accepted: {reason}."""

    zh = "令牌未被接受：{reason}。"


class KeySetUnavailable(Unavailable):
    """The issuer's key set cannot be read at this moment."""

    zh = "暂时无法读取签发方的密钥集。"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, as the token says. `areas` are the work areas that it names; None when it names none."""

    sub: str
    name: str
    roles: frozenset[str]
    areas: tuple[str, ...] | None
    token: str
    expires_at: float


class TokenVerifier:
    def __init__(self, issuer: str, audience: str, client: httpx.AsyncClient) -> None:
        self._issuer = issuer
        self._audience = audience
        self._client = client
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = -_FETCH_AT_MOST_EVERY_SECONDS
        self._fetching = asyncio.Lock()
        self._remembered: OrderedDict[str, Principal] = OrderedDict()

    async def verify(self, token: str) -> Principal:
        """The principal of a token; raises `TokenRefused` or `KeySetUnavailable`."""
        known = self._remembered.get(token)
        if known is not None and known.expires_at > time.time():
            return known
        claims = self._claims(token, await self._key_of(token))
        principal = _principal(token, claims)
        self._remembered[token] = principal
        if len(self._remembered) > _REMEMBERED_TOKENS:
            self._remembered.popitem(last=False)
        return principal

    def _claims(self, token: str, key: jwt.PyJWK) -> dict[str, Any]:
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name] if key.algorithm_name in ALGORITHMS else list(ALGORITHMS),
                audience=self._audience,
                issuer=self._issuer,
                leeway=5,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except (jwt.InvalidTokenError, jwt.InvalidKeyError, ValueError) as error:
            raise TokenRefused(reason=str(error).lower().rstrip(".")) from error

    async def _key_of(self, token: str) -> jwt.PyJWK:
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError as error:
            raise TokenRefused(reason="it is not a JSON web token") from error
        if header.get("alg") not in ALGORITHMS:
            raise TokenRefused(reason="its algorithm is not one of " + ", ".join(ALGORITHMS))
        key_id = header.get("kid")
        if not isinstance(key_id, str):
            raise TokenRefused(reason="it names no key")
        if key_id not in self._keys:
            await self._fetch_keys()
        if key_id not in self._keys:
            raise TokenRefused(reason="its key is not in the issuer's key set")
        return self._keys[key_id]

    async def _fetch_keys(self) -> None:
        async with self._fetching:
            if time.monotonic() - self._fetched_at < _FETCH_AT_MOST_EVERY_SECONDS and self._keys:
                return
            try:
                found = await self._client.get(f"{self._issuer}/.well-known/openid-configuration", timeout=5)
                key_set = await self._client.get(found.raise_for_status().json()["jwks_uri"], timeout=5)
                keys = jwt.PyJWKSet.from_dict(key_set.raise_for_status().json())
            except (httpx.HTTPError, ValueError, KeyError, jwt.PyJWTError) as error:
                raise KeySetUnavailable() from error
            self._keys = {key.key_id: key for key in keys.keys if key.key_id}
            self._fetched_at = time.monotonic()


def _principal(token: str, claims: dict[str, Any]) -> Principal:
    roles, areas, name = claims.get("roles", []), claims.get("areas"), claims.get("name", "")
    if not _are_texts(roles) or not (areas is None or _are_texts(areas)) or not _is_text(name):
        raise TokenRefused(reason="its claims roles, areas or name are not texts")
    if not _is_text(claims["sub"]):
        raise TokenRefused(reason="its subject is not a short text")
    return Principal(
        sub=claims["sub"],
        name=name,
        roles=frozenset(roles),
        areas=tuple(areas) if areas else None,
        token=token,
        expires_at=float(claims["exp"]),
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_TEXT and value.isprintable()


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and len(value) <= _LONGEST_TEXT and all(_is_text(item) for item in value)
