"""The issuer's public keys: fetched on demand, once for all waiting requests, and kept while the issuer is unavailable.

Any client can send tokens with unknown key ids. So an unknown id triggers at most one fetch in ten seconds, shared
by all waiting requests, and a request with a known key never waits for it. The set is also refreshed every five
minutes in the background: a withdrawn key is accepted no longer than that.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import jwt

from contracts.refusals import Unavailable

T = TypeVar("T")

log = logging.getLogger(__name__)

_LOOKS_FOR_UNKNOWN_EVERY_SECONDS = 10.0
_READS_AGAIN_AFTER_SECONDS = 300.0
_TRIES_AGAIN_AFTER_SECONDS = 1.0
_FETCH_SECONDS = 5.0
_DOCUMENT_BYTES_LIMIT = 262_144
"""A key takes 400 bytes (RSA, 2048 bits), or up to 4 KiB with its certificates."""

# What the issuer answers is not ours: a document may be nested without end, and hold anything where we expect a text.
_NOT_READ = (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError, LookupError, TypeError, RecursionError)


class KeySetUnavailable(Unavailable):
    """The issuer's key set is temporarily unavailable; retry later."""

    zh = "暂时无法读取签发方的密钥集，请稍后重试。"


class KeySet:
    def __init__(self, issuer: str, client: httpx.AsyncClient, now: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._client = client
        self._now = now
        self._keys: dict[str, jwt.PyJWK] = {}
        self._published: dict[str, Any] = {}
        self._is_away = False
        self._may_look_at = self._is_stale_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None
        self.generation = 0
        """Grows whenever the set is not the one that it was."""

    async def find(self, key_id: str) -> jwt.PyJWK | None:
        """The key of that id; raises `KeySetUnavailable` when it may be one that cannot be read now."""
        if key_id not in self._keys:
            await self._look()
        if key_id not in self._keys and self._is_away:
            raise KeySetUnavailable()
        return self._keys.get(key_id)

    def keep_fresh(self) -> None:
        """Refreshes the set in the background if it is old."""
        if self._now() >= self._is_stale_at and self._keys and self._fetching is None:
            self._begin()

    async def _look(self) -> None:
        if self._fetching is None and self._now() < self._may_look_at:
            return
        # The request that started the fetch may be cancelled while others still wait for it.
        await asyncio.shield(self._fetching or self._begin())

    def _begin(self) -> asyncio.Task[None]:
        self._fetching = asyncio.create_task(self._fetch(), name="key set")
        return self._fetching

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(_FETCH_SECONDS):
                published = await self._read()
        except _NOT_READ as error:
            log.warning("the key set of %s cannot be read: %s", self._issuer, type(error).__name__)
            self._is_away = True
            wait = _LOOKS_FOR_UNKNOWN_EVERY_SECONDS if self._keys else _TRIES_AGAIN_AFTER_SECONDS
            self._may_look_at = self._is_stale_at = self._now() + wait
        else:
            self._take(published)
        finally:
            self._fetching = None

    async def _read(self) -> dict[str, Any]:
        # OpenID Connect Discovery 1.0 §4: the issuer without its last slash. `issuer` itself is compared whole.
        described = await self._fetched(f"{self._issuer.removesuffix('/')}/.well-known/openid-configuration")
        if described["issuer"] != self._issuer:
            raise ValueError("the configuration is that of another issuer")
        jwks_uri = _of_type(str, described["jwks_uri"])
        if urlsplit(self._issuer).scheme == "https" != urlsplit(jwks_uri).scheme:
            raise ValueError("the key set is not read over TLS, and the issuer is")
        published = await self._fetched(jwks_uri)
        return {key["kid"]: key for key in _of_type(list, published["keys"]) if _is_for_signatures(key)}

    async def _fetched(self, url: str) -> Any:
        """A JSON document of the issuer; raises `ValueError` for one that is larger than any key set has to be."""
        async with self._client.stream("GET", url) as answer:
            answer.raise_for_status()
            document = bytearray()
            async for part in answer.aiter_bytes():
                document += part
                if len(document) > _DOCUMENT_BYTES_LIMIT:
                    raise ValueError(f"a document of the issuer is larger than {_DOCUMENT_BYTES_LIMIT} bytes")
        return json.loads(document)

    def _take(self, published: dict[str, Any]) -> None:
        self._is_away = False
        self._may_look_at = self._now() + _LOOKS_FOR_UNKNOWN_EVERY_SECONDS
        self._is_stale_at = self._now() + _READS_AGAIN_AFTER_SECONDS
        if published != self._published:
            self._published = published
            self._keys = {key_id: key for key_id, one in published.items() if (key := _usable(one)) is not None}
            self.generation += 1


def _of_type(kind: type[T], value: Any) -> T:
    if not isinstance(value, kind):
        raise TypeError(f"not a {kind.__name__}")
    return value


def _is_for_signatures(key: Any) -> bool:
    return isinstance(key, dict) and isinstance(key.get("kid"), str) and key.get("use", "sig") == "sig"


def _usable(key: dict[str, Any]) -> jwt.PyJWK | None:
    try:
        return jwt.PyJWK(key)
    except (jwt.PyJWTError, TypeError):
        # A key of an unknown kind is skipped, or one with a list for a name; the others are used.
        return None
