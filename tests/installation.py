"""An installation under test: people with tokens, the acts of an order, and what a test waits for.

Its programs may run under `linework up` or elsewhere (`tests/running.py`), in the process of the test
(`tests/operators/in_process.py`), or behind links that can be cut (`tests/chaos/breakable.py`). People use the public
APIs. What uses `rows` is for tests that look inside; an installation that runs elsewhere has no `database_urls`.
"""

import contextlib
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from chassis.fetching import find_partitions
from chassis.testing import eventually, records_of
from contracts.topics import WORK_ORDERS
from linework.client_addresses import Addresses

Json = dict[str, Any]
_APPOINTMENT = {"start": "2026-12-01T01:00:00Z", "end": "2026-12-01T04:00:00Z"}
COMPLETION = {
    "handling": "更换分线盒，信号正常",
    "is_resolved": True,
    "is_petitioned": False,
    "is_called_back": True,
}
_TECHNICIAN = None
_ACTORS = {
    **dict.fromkeys(("dispatch", "send-to-redispatch"), ("dispatch", "dispatcher")),
    **dict.fromkeys(("start", "reject", "complete"), ("fieldwork", _TECHNICIAN)),
    **dict.fromkeys(("submit-for-audit", "audit", "archive"), ("qa", "auditor")),
}
"""By act: where and by whom."""


class Refused(Exception):
    """A service refused; `problem` is its document."""

    def __init__(self, answer: httpx.Response) -> None:
        self.status = answer.status_code
        self.problem = answer.json()
        super().__init__(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text}")


def _accepted(answer: httpx.Response) -> Json:
    if not answer.is_success:
        raise Refused(answer)
    return answer.json()


@dataclass
class Person:
    """The holder of a token."""

    installation: "Installation"
    token: str
    language: str = "en"

    async def ask(self, method: str, service: str, path: str, **more: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}", "accept-language": self.language}
        headers |= more.pop("headers", None) or {}
        return await self.installation.send(method, service, f"/v1{path}", headers=headers, **more)

    async def get(self, service: str, path: str, **params: Any) -> Any:
        return _accepted(await self.ask("GET", service, path, params=params))

    async def put(self, service: str, path: str, body: Json) -> Json:
        return _accepted(await self.ask("PUT", service, path, json=body))

    async def post(self, service: str, path: str, body: Json, **headers: str) -> Json:
        return _accepted(await self.ask("POST", service, path, json=body, headers=headers))

    async def ask_act(
        self, service: str, order: Json, act: str, body: Json, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """The answer to an act on the order as this person last saw it."""
        headers = {"if-match": f'"{order["version"]}"', "idempotency-key": str(uuid.uuid4())} | dict(headers or {})
        return await self.ask("POST", service, f"/work-orders/{order['id']}/{act}", json=body, headers=headers)

    async def act(self, service: str, order: Json, act: str, **body: Any) -> Json:
        return _accepted(await self.ask_act(service, order, act, body))

    async def see(self, service: str, order: Json) -> Json:
        """The order at the service, at least as new as this person knows it."""
        return await self.get(service, f"/work-orders/{order['id']}", at_least=order["version"])

    async def list_of(self, service: str, **search: Any) -> list[Json]:
        """All pages of a list."""
        items, cursor = [], None
        while True:
            page = await self.get(service, "/work-orders", **search, **({"cursor": cursor} if cursor else {}))
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return items


class Installation:
    """In its block it has two work areas with staff, a person in every role, and a subscriber of this test's own."""

    def __init__(self, addresses: Addresses, database_urls: Mapping[str, str] | None = None) -> None:
        self.addresses = addresses
        self.database_urls = dict(database_urls or {})
        self.mark = uuid.uuid4().hex[:8]
        """Part of every name of this test, because others may have used the installation."""
        self.people: dict[str, Person] = {}
        self.client = httpx.AsyncClient(timeout=30)

    async def __aenter__(self) -> Self:
        for role in ("agent", "dispatcher", "auditor", "supervisor", "operator"):
            self.people[role] = await self.person(role)
        for area in ("north", "south"):
            self.people[area] = await self.person("technician", self.area(area), sub=self.staff(area))
        await self._define()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()

    async def _define(self) -> None:
        await self.operator.put("intake", "/device-types/digital", {"name_en": "digital", "name_zh": "数字"})
        await self.operator.put("intake", "/demand-types/test", {"name_en": "test", "name_zh": "测试"})
        for name, zh in (("north", "北区"), ("south", "南区")):
            await self.define_area(name, zh)
        subscriber = {"subscriber_no": self.subscriber_no, "name": "王小明", "phones": [self.phone]}
        await self.agent.post("intake", "/subscribers", subscriber | {"address": "徐汇区漕溪路 251 弄 3 号"})

    async def define_area(self, name: str, zh: str) -> None:
        """A work area and a member of its staff."""
        area = {"name_en": name, "name_zh": zh}
        await self.operator.put("dispatch", f"/work-areas/{self.area(name)}", area)
        staff = {"name": f"{name} staff", "work_area_id": self.area(name)}
        await self.operator.put("dispatch", f"/staff/{self.staff(name)}", staff)

    def __getattr__(self, name: str) -> Person:
        """`installation.agent`, `.dispatcher`, `.north`, `.south`, `.auditor`, `.supervisor`, `.operator`."""
        try:
            return self.__dict__["people"][name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def subscriber_no(self) -> str:
        return f"111-{self.mark}"

    @property
    def phone(self) -> str:
        """The subscriber's, and no one else's, as it is stored."""
        return f"+86138{int(self.mark, 16) % 10**8:08d}"

    def area(self, name: str) -> str:
        return f"{name}-{self.mark}"

    def staff(self, area: str) -> str:
        return f"staff-{area}-{self.mark}"

    async def person(self, role: str, *areas: str, sub: str | None = None) -> Person:
        return Person(self, await self.token(role, list(areas), sub or f"{role}-{self.mark}"))

    async def token(self, role: str, areas: list[str], sub: str) -> str:
        asked = {"role": role, "areas": areas, "sub": sub}
        return _accepted(await self.client.post(f"{self.addresses.issuer}/token", json=asked))["access_token"]

    async def send(self, method: str, service: str, path: str, **more: Any) -> httpx.Response:
        return await self.client.request(method, f"{self.addresses.services[service]}{path}", **more)

    async def create(self, *, headers: Mapping[str, str] | None = None, **given: Any) -> Json:
        body = {
            "subscriber_no": self.subscriber_no,
            "device_type": "digital",
            "demand_type": "test",
            "appointment": _APPOINTMENT,
            "content": "测试",
        }
        return await self.agent.post("intake", "/work-orders", body | given, **(headers or {}))

    async def ask_act(
        self, order: Json, act: str, *, area: str = "north", headers: Mapping[str, str] | None = None, **given: Any
    ) -> httpx.Response:
        """The answer to an act on the order as it is known here."""
        service, person = _ACTORS[act]
        return await self.people[person or area].ask_act(service, order, act, self._body(act, area) | given, headers)

    def _body(self, act: str, area: str) -> Json:
        staff = {"staff_ids": [self.staff(area)]}
        bodies = {
            "dispatch": {"work_area_id": self.area(area), **staff},
            "reject": {"reason": "outside_area", "explanation": "不在本工区，属于南区"},
            "complete": COMPLETION | staff,
            "send-to-redispatch": {"is_misdispatch_valid": True, "remark": "误派属实"},
            "audit": {"verdict": "passed", "remark": "处理及时"},
        }
        return bodies.get(act, {})

    async def act(self, order: Json, *acts: str, **more: Any) -> Json:
        """These acts, one after the other, each on the version before; `more` as for `ask_act`."""
        for act in acts:
            order = _accepted(await self.ask_act(order, act, **more))
        return order

    async def dispatched(self, order: Json | None = None, area: str = "north", **given: Any) -> Json:
        return await self.act(order or await self.create(), "dispatch", area=area, **given)

    async def processing(self, order: Json | None = None, area: str = "north") -> Json:
        return await self.act(order or await self.dispatched(area=area), "start", area=area)

    async def completed(self, order: Json | None = None) -> Json:
        return await self.act(order or await self.processing(), "complete")

    async def audited(self, order: Json | None = None) -> Json:
        return await self.act(order or await self.completed(), "submit-for-audit", "audit")

    async def rejected(self) -> Json:
        return await self.act(await self.dispatched(), "reject")

    async def looked_up(self, order: Json) -> Json:
        """The order as the look-up by its subscriber shows it, once it has the version that is known here."""
        await self.agent.see("intake", order)
        found = await self.agent.list_of("intake", subscriber_no=self.subscriber_no)
        return next(listed for listed in found if listed["id"] == order["id"])

    async def request(self, order: Json, kind: str, **more: Any) -> Json:
        """A request to the order's custodian: `cancel`, `urge` or `amend`."""
        path = f"/work-orders/{order['id']}/{kind}-requests"
        request = await self.agent.post("intake", path, {"reason": "用户来电要求", **more})
        assert request["state"] == "pending"
        return request

    async def answered(self, request: Json) -> Json:
        """The request with its answer."""
        return await eventually(
            lambda: self.agent.get("intake", f"/requests/{request['id']}", wait_seconds=5),
            until=lambda found: found["state"] != "pending",
            seconds=30,
        )

    @contextlib.asynccontextmanager
    async def connection(self, service: str) -> AsyncIterator[asyncpg.Connection]:
        """To a service's database."""
        connection = await asyncpg.connect(self.database_urls[service], timeout=10)
        try:
            yield connection
        finally:
            connection.terminate()

    async def rows(self, service: str, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        async with self.connection(service) as connection:
            return await connection.fetch(sql, *arguments)

    @property
    def bootstrap_servers(self) -> str:
        assert self.addresses.bootstrap_servers, "the broker of this installation is not known"
        return self.addresses.bootstrap_servers

    def topic(self, name: str) -> str:
        return self.addresses.topic_prefix + name

    async def records(self, topic: str = WORK_ORDERS.name) -> list[ConsumerRecord]:
        return await records_of(self.bootstrap_servers, self.topic(topic))

    async def is_published(self, service: str) -> bool:
        return not await self.rows(service, "select 1 from outbox limit 1")

    async def published(self, *services: str, seconds: float = 30) -> None:
        """Waits until the outboxes of these services, or of all, are empty; their workers run."""
        for service in services or self.database_urls:
            await eventually(lambda service=service: self.is_published(service), seconds=seconds)

    async def has(self, service: str, order: Json) -> None:
        """Waits until a service has the order at this version."""
        sql = "select 1 from work_orders where id = $1 and version >= $2"
        await eventually(lambda: self.rows(service, sql, order["id"], order["version"]), seconds=30)

    async def at_rest(self, *, seconds: float = 60) -> None:
        """Waits until every outbox is empty and every service has read `work-orders` to its end."""
        ends: Mapping[int, int] = {}
        # What a service reads may make it publish: only when that has added nothing more is everything read.
        while (found := await self._published_ends(seconds)) != ends:
            ends = found
            for service in self.database_urls:
                await eventually(lambda service=service: self._has_read(service, found), seconds=seconds)

    async def _published_ends(self, seconds: float) -> Mapping[int, int]:
        """By partition of `work-orders`, once every outbox is empty."""
        await self.published(seconds=seconds)
        async with AIOKafkaConsumer(bootstrap_servers=self.bootstrap_servers) as consumer:
            partitions = await find_partitions(consumer, self.topic(WORK_ORDERS.name))
            consumer.assign(partitions)
            return {part.partition: end for part, end in (await consumer.end_offsets(partitions)).items()}

    async def _has_read(self, service: str, ends: Mapping[int, int]) -> bool:
        sql = "select partition, next_offset from positions where topic = $1"
        read = {row["partition"]: row["next_offset"] for row in await self.rows(service, sql, WORK_ORDERS.name)}
        return all(read.get(partition, 0) >= end for partition, end in ends.items())
