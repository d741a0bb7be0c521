"""Who lives in the stories, and how they speak to the system: through its public APIs, like everybody else."""

import contextlib
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

Json = dict[str, Any]
_APPOINTMENT = {"start": "2026-12-01T01:00:00Z", "end": "2026-12-01T04:00:00Z"}
COMPLETION = {
    "handling": "更换分线盒，信号正常",
    "is_resolved": True,
    "is_petitioned": False,
    "is_called_back": True,
}

NAMES = {"en": "Service", "zh": "服务"}
_QUESTIONS = [
    {"question": "content", "names": NAMES, "kind": "scale", "highest": 5, "is_satisfaction": True}
    | {"opens": "dissatisfaction", "opens_up_to": 2},
    {"question": "wish", "names": NAMES, "kind": "text", "is_required": False},
]


class Answered(Exception):
    """The system said no; `problem` is its document."""

    def __init__(self, answer: httpx.Response) -> None:
        self.status = answer.status_code
        self.problem = answer.json()
        super().__init__(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text}")


@dataclass
class Person:
    """Somebody with a token."""

    client: httpx.AsyncClient
    addresses: Mapping[str, str]
    token: str
    language: str = "en"

    async def ask(self, method: str, service: str, path: str, **more: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}", "accept-language": self.language} | more.pop("headers", {})
        return await self.client.request(method, f"{self.addresses[service]}/v1{path}", headers=headers, **more)

    async def get(self, service: str, path: str, **params: Any) -> Any:
        return _good(await self.ask("GET", service, path, params=params)).json()

    async def put(self, service: str, path: str, body: Json) -> Json:
        return _good(await self.ask("PUT", service, path, json=body)).json()

    async def post(self, service: str, path: str, body: Json, **headers: str) -> Json:
        return _good(await self.ask("POST", service, path, json=body, headers=headers)).json()

    async def act(self, service: str, order: Json, act: str, **body: Any) -> Json:
        """An act on the order as this person last saw it."""
        return await self.post(
            service,
            f"/work-orders/{order['id']}/{act}",
            body,
            **{"if-match": f'"{order["version"]}"', "idempotency-key": str(uuid.uuid4())},
        )

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


def _good(answer: httpx.Response) -> httpx.Response:
    if not answer.is_success:
        raise Answered(answer)
    return answer


@dataclass
class City:
    client: httpx.AsyncClient
    addresses: Mapping[str, str]
    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    people: dict[str, Person] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Person:
        """`city.agent`, `city.dispatcher`, `city.north`, `city.south`, `city.auditor`, `city.supervisor`, …"""
        try:
            return self.people[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def subscriber_no(self) -> str:
        return f"111-{self.mark}"

    @property
    def phone(self) -> str:
        """The subscriber's, and nobody else's: on an installation that has seen other stories too."""
        return f"138{int(self.mark, 16) % 10**8:08d}"

    def area(self, name: str) -> str:
        return f"{name}-{self.mark}"

    def staff(self, area: str) -> str:
        return f"staff-{area}-{self.mark}"

    async def person(self, role: str, *areas: str, sub: str | None = None) -> Person:
        asked = {"role": role, "areas": list(areas), "sub": sub or f"{role}-{self.mark}"}
        answer = await self.client.post(f"{self.addresses['issuer']}/token", json=asked)
        return Person(self.client, self.addresses, _good(answer).json()["access_token"])

    async def create(self, **given: Any) -> Json:
        body = {
            "subscriber_no": self.subscriber_no,
            "device_type": "digital",
            "demand_type": "test",
            "appointment": _APPOINTMENT,
            "content": "测试",
        }
        return await self.agent.post("intake", "/work-orders", body | given)

    async def dispatched(self, order: Json | None = None, area: str = "north", **given: Any) -> Json:
        order = order or await self.create()
        return await self.dispatcher.act(
            "dispatch", order, "dispatch", work_area_id=self.area(area), staff_ids=[self.staff(area)], **given
        )

    async def processing(self, order: Json | None = None, area: str = "north") -> Json:
        return await self.people[area].act("fieldwork", order or await self.dispatched(area=area), "start")

    async def completed(self, order: Json | None = None) -> Json:
        order = order or await self.processing()
        return await self.north.act("fieldwork", order, "complete", staff_ids=[self.staff("north")], **COMPLETION)

    async def audited(self, order: Json | None = None, verdict: str = "passed") -> Json:
        order = await self.auditor.act("qa", order or await self.completed(), "submit-for-audit")
        return await self.auditor.act("qa", order, "audit", verdict=verdict, remark="处理及时")

    async def looked_up(self, order: Json) -> Json:
        """The order as the look-up by its subscriber shows it, once it has the version that is known here."""
        await self.agent.see("intake", order)
        found = await self.agent.list_of("intake", subscriber_no=self.subscriber_no)
        return next(one for one in found if one["id"] == order["id"])


@contextlib.asynccontextmanager
async def open_city(addresses: Mapping[str, str]) -> AsyncIterator[City]:
    async with httpx.AsyncClient(timeout=30) as client:
        city = City(client, addresses)
        for name in ("agent", "dispatcher", "auditor", "supervisor", "operator"):
            city.people[name] = await city.person(name)
        for name in ("north", "south"):
            city.people[name] = await city.person("technician", city.area(name), sub=city.staff(name))
        await _found(city)
        yield city


async def _found(city: City) -> None:
    operator = city.operator
    await operator.put("intake", "/device-types/digital", {"name_en": "digital", "name_zh": "数字"})
    await operator.put("intake", "/demand-types/test", {"name_en": "test", "name_zh": "测试"})
    for name, zh in (("north", "北区"), ("south", "南区")):
        area = {"name_en": name, "name_zh": zh}
        await operator.put("dispatch", f"/work-areas/{city.area(name)}", area)
        staff = {"name": f"{name} staff", "work_area_id": city.area(name)}
        await operator.put("dispatch", f"/staff/{city.staff(name)}", staff)
    await city.agent.post(
        "intake",
        "/subscribers",
        {
            "subscriber_no": city.subscriber_no,
            "name": "王小明",
            "phones": [city.phone],
            "address": "徐汇区漕溪路 251 弄 3 号",
        },
    )


async def opened_project(city: City, area: str) -> str:
    """A project that follows up what an area completes; at an hour that is no quiet one."""
    now = datetime.now(UTC)
    calendar, questionnaire = f"calendar-{city.mark}", f"visit-{city.mark}"
    zone = "Asia/Shanghai" if now.hour == 23 else "UTC"  # calls end a minute before midnight
    await city.supervisor.put("qa", f"/calendars/{calendar}", {"time_zone": zone})
    questions = {"names": NAMES, "questions": _QUESTIONS}
    await city.supervisor.post("qa", f"/questionnaires/{questionnaire}/versions", questions)
    project = {
        "name": "完成后回访",
        "start": (now - timedelta(hours=1)).isoformat(),
        "end": (now + timedelta(days=1)).isoformat(),
        "cause": "completion",
        "questionnaire": f"{questionnaire}:1",
        "calendar": calendar,
        "calls_from": "00:00",
        "calls_until": "23:59",
        "work_area_ids": [city.area(area)],
    }
    await city.supervisor.put("qa", f"/follow-up-projects/after-{city.mark}", project)
    return f"after-{city.mark}"
