"""Who asks: OIDC bearer tokens, verified against the issuer's key set.

A verified token is remembered until it expires, because checking a signature costs more than the rest
of a request. The key set is fetched on first use and again, at most every ten seconds, when a token
names a key that is not in it.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import httpx
import jwt
from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from contracts.message import Actor
from contracts.refusals import Forbidden, Unauthenticated, Unavailable

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


class RoleNotAllowed(Forbidden):
    """This needs one of the roles {needed}; the token has {roles}."""

    zh = "此操作需要角色 {needed} 之一；令牌的角色为 {roles}。"


class KeySetUnavailable(Unavailable):
    """The issuer's key set cannot be read at this moment."""

    zh = "暂时无法读取签发方的密钥集。"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, as the token says. `areas` is the scope: None sees every work area, a tuple those only."""

    sub: str
    name: str
    roles: frozenset[str]
    areas: tuple[str, ...] | None
    token: str
    expires_at: float

    def has(self, *roles: str) -> bool:
        return not self.roles.isdisjoint(roles)

    def acting(self, *roles: str) -> Actor:
        """The person in the first of the roles that the token has."""
        role = next((role for role in roles if role in self.roles), next(iter(sorted(self.roles)), ""))
        return Actor(self.sub, role, self.name)


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


_bearer = HTTPBearer(auto_error=False, description="A token of the issuer; locally: `linework token ROLE`.")


async def authenticated(request: Request) -> Principal:
    """The caller; raises `TokenMissing` or `TokenRefused`."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenMissing()
    return await request.app.state.verifier.verify(token.strip())


def allow(*roles: str) -> Callable[..., Any]:
    """A dependency: the caller, who has one of the roles."""

    async def caller(
        principal: Annotated[Principal, Depends(authenticated)], _: Annotated[object, Depends(_bearer)]
    ) -> Principal:
        if not principal.has(*roles):
            raise RoleNotAllowed(needed=list(roles), roles=sorted(principal.roles))
        return principal

    caller.roles = roles
    return caller
