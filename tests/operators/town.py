"""All five services in one process, on a real PostgreSQL and a real Kafka: for tests that look inside, or break things.

Each service has its HTTP app, and its worker, which a test starts and stops. What a story needs only from outside
belongs to `tests/e2e`.
"""

import asyncio
import contextlib
import importlib
import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx

from chassis.database import Database
from chassis.relay import Relay
from chassis.settings import Settings
from chassis.testing import Databases, TestIssuer, client_of, eventually, settings_for
from chassis.worker import Worker
from linework.ports import SERVICES
from linework.recount import Recount
from linework.verify.facts import Facts
from linework.verify.laws import Findings, Ledger
from linework.verify.stream import Topic

Json = dict[str, Any]
DONE = {"staff_ids": ["north-1"], "handling": "更换分线盒", "is_resolved": True, "is_petitioned": False}
_WORK = {
    "dispatch": ("dispatch", "dispatcher", {"work_area_id": "north", "staff_ids": ["north-1"]}),
    "start": ("fieldwork", "technician", {}),
    "complete": ("fieldwork", "technician", {**DONE, "is_called_back": True}),
    "reject": ("fieldwork", "technician", {"reason": "wrong_trade", "explanation": "需要光纤班"}),
    "archive": ("qa", "auditor", {}),
}
"""By act: where, by whom, with what."""


class Town:
    """`act` and `call` go through the APIs; `started` runs workers; `db` is a service's database."""

    def __init__(self, databases: Databases, bootstrap_servers: str, prefix: str) -> None:
        self.issuer = TestIssuer()
        self.prefix = prefix
        self.bootstrap_servers = bootstrap_servers
        self.urls = {service: databases.create(service) for service in SERVICES}
        self.clients: dict[str, httpx.AsyncClient] = {}
        self.workers: dict[str, Worker] = {}
        self._apps: dict[str, Any] = {}
        self._stacks: dict[str, contextlib.AsyncExitStack] = {}

    def settings(self, service: str) -> Settings:
        return settings_for(self.urls[service], self.bootstrap_servers, self.prefix, catch_up_seconds=10)

    def db(self, service: str) -> Database:
        return self._apps[service].state.db

    async def open(self, service: str) -> None:
        """Its HTTP process."""
        app = importlib.import_module(f"{service}.main").app(self.settings(service))
        stack = self._stacks[service] = contextlib.AsyncExitStack()
        self.clients[service] = await stack.enter_async_context(client_of(app, self.issuer))
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

    async def ask(
        self,
        service: str,
        method: str,
        path: str,
        role: str,
        body: Any = None,
        headers: Json | None = None,
        **query: Any,
    ) -> httpx.Response:
        sub = "north-1" if role == "technician" else None
        headers = {**self.issuer.headers(role, ["north"] if role == "technician" else None, sub), **(headers or {})}
        return await self.clients[service].request(method, f"/v1{path}", json=body, headers=headers, params=query)

    async def call(self, service: str, method: str, path: str, role: str, body: Any = None, **more: Any) -> Json:
        answer = await self.ask(service, method, path, role, body, **more)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def create(self, headers: Json | None = None) -> Json:
        body = {"subscriber_no": "111", "device_type": "digital", "demand_type": "test", "content": "没有信号"}
        return await self.call("intake", "POST", "/work-orders", "agent", body, headers=headers)

    async def ask_act(self, order: Json, act: str, headers: Json | None = None) -> httpx.Response:
        service, role, body = _WORK[act]
        headers = {"if-match": f'"{order["version"]}"', "idempotency-key": str(uuid.uuid4()), **(headers or {})}
        return await self.ask(service, "POST", f"/work-orders/{order['id']}/{act}", role, body, headers)

    async def act(self, order: Json, *acts: str, headers: Json | None = None) -> Json:
        """These acts, one after the other, each on the version before."""
        for act in acts:
            answer = await self.ask_act(order, act, headers)
            assert answer.is_success, f"{act}: {answer.status_code} {answer.text}"
            order = answer.json()
        return order

    async def request(self, order: Json, kind: str) -> str:
        """Asks the order's custodian to cancel or urge; returns once the request is on Kafka."""
        path = f"/work-orders/{order['id']}/{kind}-requests"
        asked = await self.call("intake", "POST", path, "agent", {"reason": "用户来电"})
        await self.settle("intake")
        return asked["id"]

    async def settled(self, request_id: str) -> Json:
        """The request, once it is answered."""
        return await eventually(
            lambda: self.call("intake", "GET", f"/requests/{request_id}", "agent"),
            until=lambda request: request["state"] != "pending",
            seconds=30,
        )

    async def settle(self, service: str) -> None:
        """Waits until a service's outbox is empty; its worker runs."""

        async def rows() -> int:
            async with self.db(service).statements() as statements:
                return await statements.fetchval("select count(*) from outbox")

        await eventually(rows, until=lambda count: count == 0, seconds=30)

    async def publish(self, service: str) -> None:
        """Its relay alone runs, until the outbox is empty."""
        relay = Relay(self.urls[service], self.bootstrap_servers, topic_prefix=self.prefix)
        task = asyncio.create_task(relay.run())
        await self.settle(service)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def has(self, service: str, order: Json) -> None:
        """Waits until a service has the order at this version."""

        async def version() -> int:
            async with self.db(service).statements() as statements:
                return await statements.fetchval("select version from work_orders where id = $1", order["id"]) or 0

        await eventually(version, until=lambda found: found >= order["version"], seconds=30)

    async def has_read(self, service: str) -> int:
        """How many records of `work-orders` a service has read."""
        async with self.db(service).statements() as statements:
            return await statements.fetchval(
                "select coalesce(sum(next_offset), 0)::bigint from positions where topic = 'work-orders'"
            )

    async def timeline(self, order_id: str) -> Sequence[Json]:
        answer = await self.ask("reporting", "GET", f"/work-orders/{order_id}/timeline", "supervisor")
        return answer.json()["items"] if answer.is_success else []

    async def found(self) -> None:
        """A subscriber, types, a work area and its staff."""
        await self.call("intake", "PUT", "/device-types/digital", "operator", {"name_en": "digital", "name_zh": "数字"})
        await self.call("intake", "PUT", "/demand-types/test", "operator", {"name_en": "test", "name_zh": "测试"})
        await self.call("dispatch", "PUT", "/work-areas/north", "operator", {"name_en": "north", "name_zh": "北区"})
        staff = {"name": "north staff", "work_area_id": "north"}
        await self.call("dispatch", "PUT", "/staff/north-1", "operator", staff)
        subscriber = {"subscriber_no": "111", "name": "王小明", "phones": ["13800001111"], "address": "漕溪路 251 号"}
        await self.call("intake", "POST", "/subscribers", "agent", subscriber)


@contextlib.asynccontextmanager
async def open_town(databases: Databases, bootstrap_servers: str, prefix: str) -> AsyncIterator[Town]:
    town = Town(databases, bootstrap_servers, prefix)
    try:
        for service in SERVICES:
            await town.open(service)
        await town.found()
        yield town
    finally:
        for service in list(town._stacks):
            await town.close(service)
        for url in town.urls.values():
            databases.drop(url)


async def is_lawful_everywhere(town: Town) -> Ledger:
    """Waits until the topic breaks no law (by the code of `linework verify`), nobody has parked anything, and all
    four services have each order at the stream's version; returns the stream, folded."""

    async def faults() -> list[str]:
        nonlocal ledger
        ledger = Ledger(Findings())
        await Topic(town.bootstrap_servers, town.prefix).read_on(ledger, Facts(ledger.findings, Recount()))
        ledger.check_requests()
        found = [f"{one.where}: {one.what}" for one in ledger.findings.kept]
        expected = {order_id: thread.version for order_id, thread in ledger.threads.items()}
        for service in ("intake", "dispatch", "fieldwork", "qa"):
            async with town.db(service).statements() as statements:
                rows = await statements.fetch("select id, version from work_orders")
                parked = await statements.fetch("select key, reason from parked")
            versions = {row["id"]: row["version"] for row in rows}
            found += [f"{service} has {versions}, the stream {expected}"] * (versions != expected)
            found += [f"{service} has parked {tuple(row)}" for row in parked]
        return found

    ledger = Ledger(Findings())
    await eventually(faults, until=lambda found: not found, seconds=30)
    return ledger
