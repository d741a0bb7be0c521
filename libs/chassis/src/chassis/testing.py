"""What tests of any service need: a migrated database, topics, tokens, a client, and a way to wait.

The root `conftest.py` imports the fixtures of `chassis.testing_fixtures`, so that every tests folder has them:

    from toy.main import app
    from chassis.testing import TestIssuer, client_of, settings_for

    async def test_an_unknown_toy_is_not_found(new_database):
        issuer = TestIssuer()
        async with client_of(app(settings_for(new_database("toy"))), issuer) as client:
            answer = await client.get("/v1/toys/none", headers=issuer.headers("operator"))
        assert answer.json()["code"] == "toy_not_found"

With Kafka: the fixture `topic_prefix` is new in each test and its topics exist; hand it on with
`settings_for(url, kafka_server.bootstrap_servers, topic_prefix)`, run `Worker(…).running()`, and read what was
published with `records_of`. Needs pytest, which is no dependency of the services.
"""

import asyncio
import base64
import contextlib
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx
import jwt
from aiokafka import ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI

from chassis.auth import TokenVerifier
from chassis.fetching import AIOKafkaConsumer, find_partitions
from chassis.settings import Settings
from chassis.testing_databases import Databases, PostgresServer  # noqa: F401

T = TypeVar("T")

ISSUER = "http://issuer.test"
AUDIENCE = "linework"
MASTER_KEYS = "test:" + base64.b64encode(bytes(range(32))).decode()
PARTITIONS = 4


async def create_topics(bootstrap_servers: str, names: Iterable[str], *, partitions: int = PARTITIONS) -> None:
    async with _admin(bootstrap_servers) as admin:
        # What is dated long ago stays as well: a broker's own retention would remove it in the middle of a test.
        await admin.create_topics(
            [NewTopic(name, partitions, 1, topic_configs={"retention.ms": "-1"}) for name in names]
        )


async def delete_topics(bootstrap_servers: str, names: Iterable[str]) -> None:
    async with _admin(bootstrap_servers) as admin:
        await admin.delete_topics(list(names))


@contextlib.asynccontextmanager
async def _admin(bootstrap_servers: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def records_of(bootstrap_servers: str, topic: str) -> list[ConsumerRecord]:
    """Everything in a topic at this moment; in order within each partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = await find_partitions(consumer, topic)
        if not partitions:
            return []
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        found: list[ConsumerRecord] = []
        while any([await consumer.position(partition) < ends[partition] for partition in partitions]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found.extend(records)
        return found
    finally:
        await consumer.stop()


class TestIssuer:
    """An issuer of bearer tokens whose key set is read without a network."""

    __test__ = False

    def __init__(self, url: str = ISSUER, audience: str = AUDIENCE) -> None:
        self.url = url
        self.audience = audience
        self.fetches = 0
        """How often its key set was asked for."""
        self.is_away = False
        self.is_slow: asyncio.Event | None = None
        """Responses wait until it is set."""
        self.asked_for: list[str] = []
        self._keys: dict[str, ec.EllipticCurvePrivateKey] = {}
        self._headers: dict[str, dict[str, str]] = {}
        self.rotate("key-1")

    def rotate(self, key_id: str) -> None:
        """A new key takes the place of all earlier ones."""
        self._keys = {key_id: ec.generate_private_key(ec.SECP256R1())}
        self._headers = {}

    @property
    def key_id(self) -> str:
        return next(iter(self._keys))

    @property
    def key(self) -> ec.EllipticCurvePrivateKey:
        return self._keys[self.key_id]

    def claims(
        self, role: str, *, areas: list[str] | None = None, sub: str | None = None, **more: Any
    ) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": self.audience,
            "sub": sub or f"{role}-1",
            "name": f"Some {role}",
            "roles": [role],
            "iat": now,
            "exp": now + 3600,
            **({"areas": areas} if areas is not None else {}),
            **more,
        }
        return {name: value for name, value in claims.items() if value is not ...}

    def token(self, role: str, areas: list[str] | None = None, sub: str | None = None, **claims: Any) -> str:
        """A token of one role; a claim of `...` is left out."""
        return self.sign(self.claims(role, areas=areas, sub=sub, **claims))

    def sign(self, claims: dict[str, Any], *, headers: dict[str, Any] | None = None) -> str:
        return jwt.encode(claims, self.key, "ES256", headers={"kid": self.key_id, **(headers or {})})

    def headers(
        self, role: str, areas: list[str] | None = None, sub: str | None = None, **claims: Any
    ) -> dict[str, str]:
        """The Authorization header of a token: the same token within a minute, as a client uses one more than once.

        A service verifies a token once; signatures were a quarter of the processor time of a refused request.
        """
        asked = repr((int(time.time() // 60), role, areas, sub, sorted(claims.items(), key=lambda claim: claim[0])))
        if asked not in self._headers:
            self._headers[asked] = {"authorization": f"Bearer {self.token(role, areas, sub, **claims)}"}
        return dict(self._headers[asked])

    def verifier(self, now: Callable[[], float] = time.monotonic) -> TokenVerifier:
        client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        return TokenVerifier(self.url, self.audience, client, now)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked_for.append(str(request.url))
        if self.is_slow is not None:
            await self.is_slow.wait()
        if self.is_away:
            raise httpx.ConnectError("the issuer is away", request=request)
        if request.url.path == "/.well-known/openid-configuration":
            return httpx.Response(200, json={"issuer": self.url, "jwks_uri": f"{self.url}/jwks.json"})
        self.fetches += 1
        keys = [
            jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": key_id, "alg": "ES256"}
            for key_id, key in self._keys.items()
        ]
        return httpx.Response(200, json={"keys": keys})


def settings_for(
    database_url: str, bootstrap_servers: str = "127.0.0.1:1", topic_prefix: str = "", **more: Any
) -> Settings:
    """The settings of a process under test; waits are short unless a test specifies otherwise."""
    values = {
        "environment": "local",
        "oidc_issuer": ISSUER,
        "oidc_audience": AUDIENCE,
        "sealing_master_keys": MASTER_KEYS,
        "catch_up_seconds": 0.0,
        **more,
    }
    return Settings(
        database_url=database_url, kafka_bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix, **values
    )


@contextlib.asynccontextmanager
async def client_of(
    app: FastAPI, issuer: TestIssuer | None = None, *, raises: bool = True, headers: dict[str, str] | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app whose lifespan runs. With `raises`, an error inside the app fails the test."""
    async with app.router.lifespan_context(app):
        if issuer is not None:
            app.state.verifier = issuer.verifier()
        transport = httpx.ASGITransport(app, raise_app_exceptions=raises)
        async with httpx.AsyncClient(transport=transport, base_url="http://app.test", headers=headers) as client:
            yield client


class OpenStream:
    """An answer that does not end by itself, as a connected client sees it."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.has_ended = False
        self._changed = asyncio.Event()
        self._leaves = asyncio.Event()
        self._is_sent = False

    async def receive(self) -> dict[str, Any]:
        if not self._is_sent:
            self._is_sent = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._leaves.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.body += message.get("body", b"")
            self.has_ended = not message.get("more_body", False)
        self._changed.set()

    async def more(self, seconds: float) -> bool:
        """Whether something was sent within so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        is_more = self._changed.is_set()
        self._changed.clear()
        return is_more

    async def beginning(self, quiet_seconds: float = 0.3) -> httpx.Response:
        """What it sends until it ends or is quiet for a moment."""
        while not self.has_ended and (await self.more(quiet_seconds) or not self.status):
            pass
        return httpx.Response(self.status, headers=self.headers, content=self.body)

    async def events(self, seconds: float = 20) -> AsyncIterator[str]:
        """Each server-sent event, until the answer ends; a failure when none comes for so long."""
        read = 0
        while True:
            while (end := self.body.find(b"\n\n", read)) >= 0:
                yield self.body[read:end].decode()
                read = end + 2
            if self.has_ended:
                return
            if not await self.more(seconds):
                raise AssertionError(f"no event within {seconds} s, after {self.body[-500:]!r}")

    def leave(self) -> None:
        self._leaves.set()


@contextlib.asynccontextmanager
async def opened_stream(
    app: FastAPI, path: str, *, headers: dict[str, str], params: Any = None
) -> AsyncIterator[OpenStream]:
    """A GET whose answer goes on, such as server-sent events: httpx's ASGI transport would wait for its end."""
    request = httpx.Request("GET", f"http://app.test{path}", headers=headers, params=params)
    stream = OpenStream()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": request.url.path,
        "raw_path": request.url.raw_path,
        "query_string": request.url.query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 1),
        "server": ("app.test", 80),
    }
    answering = asyncio.create_task(app(scope, stream.receive, stream.send))
    try:
        yield stream
    finally:
        stream.leave()
        await asyncio.wait_for(answering, 10)


async def eventually(
    read: Callable[[], Awaitable[T] | T], *, until: Callable[[T], Any] = bool, seconds: float = 15.0
) -> T:
    """What `read` gives as soon as `until` agrees; fails with the last value seen."""
    give_up_at = time.monotonic() + seconds
    while True:
        found = read()
        value: T = await found if inspect.isawaitable(found) else found
        if until(value):
            return value
        assert time.monotonic() < give_up_at, f"not within {seconds} s; the last value was {value!r}"
        await asyncio.sleep(0.02)


class FixedClock:
    """A clock that stands until it is moved."""

    def __init__(self, moment: datetime = datetime(2026, 3, 2, 8, tzinfo=UTC)) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    def advance(self, **step: float) -> datetime:
        """`advance(minutes=5)`; returns the new time."""
        self.moment += timedelta(**step)
        return self.moment
