"""All five services in the process of the test: for tests that look inside, stop a worker or replace a database.

Each service has its HTTP app, and its worker, which a test starts and stops. What a story needs only from outside
belongs to `tests/e2e`.
"""

import asyncio
import contextlib
import importlib
from collections.abc import AsyncIterator
from typing import Any, Self

import httpx
from tests.installation import Installation, Json

from chassis.database import Database
from chassis.relay import Relay
from chassis.settings import Settings
from chassis.testing import Databases, TestIssuer, client_of, eventually, settings_for
from chassis.worker import Worker
from linework.client_addresses import Addresses
from linework.ports import SERVICES
from linework.recount import Recount
from linework.verify.facts import Facts
from linework.verify.laws import Findings, Ledger
from linework.verify.stream import TopicSource


class InProcess(Installation):
    """In its block the HTTP apps run; `started` runs workers."""

    def __init__(self, databases: Databases, bootstrap_servers: str, prefix: str) -> None:
        addresses = Addresses({}, None, bootstrap_servers=bootstrap_servers, topic_prefix=prefix)
        super().__init__(addresses, {service: databases.create(service) for service in SERVICES})
        self.workers: dict[str, Worker] = {}
        self._databases = databases
        self._issuer = TestIssuer()
        self._apps: dict[str, Any] = {}
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._stacks: dict[str, contextlib.AsyncExitStack] = {}

    async def __aenter__(self) -> Self:
        for service in SERVICES:
            await self.open(service)
        return await super().__aenter__()

    async def __aexit__(self, *error: object) -> None:
        await super().__aexit__(*error)
        for service in list(self._stacks):
            await self.close(service)
        for url in self.database_urls.values():
            self._databases.drop(url)

    def settings(self, service: str) -> Settings:
        prefix = self.addresses.topic_prefix
        return settings_for(self.database_urls[service], self.bootstrap_servers, prefix, catch_up_seconds=10)

    def db(self, service: str) -> Database:
        return self._apps[service].state.db

    async def token(self, role: str, areas: list[str], sub: str) -> str:
        return self._issuer.token(role, areas or None, sub)

    async def send(self, method: str, service: str, path: str, **more: Any) -> httpx.Response:
        return await self._clients[service].request(method, path, **more)

    async def open(self, service: str) -> None:
        """Its HTTP process."""
        app = importlib.import_module(f"{service}.main").app(self.settings(service))
        stack = self._stacks[service] = contextlib.AsyncExitStack()
        self._clients[service] = await stack.enter_async_context(client_of(app, self._issuer))
        self._apps[service] = app

    async def close(self, service: str) -> None:
        await self._stacks.pop(service).aclose()

    @contextlib.asynccontextmanager
    async def started(self, *services: str) -> AsyncIterator[None]:
        """The workers of these services, or of all, have their partitions and run until the block ends."""
        async with contextlib.AsyncExitStack() as stack:
            for service in services or SERVICES:
                module = importlib.import_module(f"{service}.consumers")
                worker = self.workers[service] = Worker(service, self.settings(service), module.SUBSCRIPTIONS)
                await stack.enter_async_context(worker.running())
            for service in services or SERVICES:
                await eventually(self.workers[service].unready, until=lambda fault: fault is None, seconds=30)
            yield

    async def publish(self, service: str) -> None:
        """Its relay alone runs, until the outbox is empty."""
        relay = Relay(self.database_urls[service], self.bootstrap_servers, topic_prefix=self.addresses.topic_prefix)
        task = asyncio.create_task(relay.run())
        await self.published(service)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def request(self, order: Json, kind: str) -> Json:
        """A request to the order's custodian, once it is on Kafka."""
        request = await super().request(order, kind)
        await self.published("intake")
        return request

    async def lawful(self) -> Ledger:
        """Waits until the topic breaks no law (by the code of `linework verify`), nothing is parked, and all four
        services have each order at the stream's version; returns the stream, folded."""

        async def faults() -> list[str]:
            nonlocal ledger
            ledger = Ledger(Findings())
            stream = TopicSource(self.bootstrap_servers, self.addresses.topic_prefix)
            await stream.read_on(ledger, Facts(ledger.findings, Recount()))
            ledger.check_requests()
            found = [f"{one.where}: {one.what}" for one in ledger.findings.kept]
            expected = {order_id: thread.version for order_id, thread in ledger.threads.items()}
            for service in ("intake", "dispatch", "fieldwork", "qa"):
                rows = await self.rows(service, "select id, version from work_orders")
                parked = await self.rows(service, "select key, reason from parked")
                versions = {row["id"]: row["version"] for row in rows}
                found += [f"{service} has {versions}, the stream {expected}"] * (versions != expected)
                found += [f"{service} has parked {tuple(row)}" for row in parked]
            return found

        ledger = Ledger(Findings())
        await eventually(faults, until=lambda found: not found, seconds=30)
        return ledger
