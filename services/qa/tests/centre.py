"""What tests of quality need: calls as intake publishes them, and people who ask qa for something."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from contracts import calls as c
from contracts.codec import new_message
from contracts.lifecycle import Service
from contracts.message import Actor, Message
from work_orders.testing import BEGIN, ServiceUnderTest

NAMES = {"en": "Service", "zh": "服务"}
YES_NO_FORM = {
    "names": NAMES,
    "sections": [
        {
            "section": "opening",
            "names": NAMES,
            "weight": 40,
            "items": [
                {"item": "prompt", "names": NAMES, "weight": 50, "fact": "answered_within", "fact_seconds": 20},
                {"item": "greeting", "names": NAMES, "weight": 50, "may_be_not_applicable": True},
            ],
        },
        {
            "section": "handling",
            "names": NAMES,
            "weight": 60,
            "items": [
                {"item": "solved", "names": NAMES, "weight": 100, "kind": "points", "highest": 4},
                {"item": "privacy", "names": NAMES, "weight": 0, "is_fatal": True},
            ],
        },
    ],
    "rules": {"blind_tolerance_hundredths": 1000, "appeal_within_hours": 48, "decide_within_hours": 24},
}
GOOD = [
    {"item": "greeting", "option": "yes"},
    {"item": "solved", "points": 4},
    {"item": "privacy", "option": "yes"},
]


def changed(answers: list[dict[str, Any]], **to: Any) -> list[dict[str, Any]]:
    """The answers with other points or options of some items: `changed(GOOD, solved=1, privacy="no")`."""
    made = []
    for answer in answers:
        value = to.get(answer["item"])
        if value is not None:
            answer = {"item": answer["item"], "points" if isinstance(value, int) else "option": value}
        made.append(answer)
    return made


@dataclass
class Call:
    """One call as its facts become known; each message has the next version of the call."""

    call_id: str
    agent_id: str = "agent-1"
    at: datetime = BEGIN
    version: int = 0

    def says(self, shape: type, **facts: Any) -> Message:
        self.version += 1
        fact_id = facts.pop("fact_id", f"{self.call_id}:{self.version}")
        values = {"agent_id": self.agent_id, "queue": "support", "fact_id": fact_id} | facts
        return new_message(
            shape(**values),
            service=Service.INTAKE,
            subject=self.call_id,
            actor=Actor("pbx", "partner"),
            occurred_at=self.at,
            recorded_at=self.at,
            entity_version=self.version,
        )


def recorded_call(
    number: int,
    *,
    agent_id: str = "agent-1",
    demand_type: str = "fault_repair",
    at: datetime = BEGIN,
    seconds: int = 60,
    wait: int = 5,
    order_id: str | None = None,
    subscriber_id: str | None = None,
) -> list[Message]:
    """A call `call-n` with its recording `rec-n`, answered, classified and settled."""
    call = Call(f"call-{number}", agent_id, at)
    outcome = c.CallOutcome.WORK_ORDER if order_id else c.CallOutcome.ANSWERED
    return [
        call.says(c.CallAnswered, wait_milliseconds=wait * 1000),
        call.says(c.CallEnded, talk_milliseconds=seconds * 1000),
        call.says(
            c.RecordingAvailable, recording_id=f"rec-{number}", length_milliseconds=seconds * 1000, started_at=at
        ),
        call.says(c.CallClassified, demand_type=demand_type, subscriber_id=subscriber_id),
        call.says(c.CallSettled, outcome=outcome, order_id=order_id),
    ]


@dataclass
class Person:
    """Somebody with a token who asks qa."""

    qa: ServiceUnderTest
    role: str
    sub: str | None = None
    areas: list[str] | None = None

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        version: int | None = None,
        key: str | None = None,
        **query: Any,
    ) -> httpx.Response:
        headers = self.qa.issuer.headers(self.role, self.areas, self.sub)
        headers |= {"if-match": f'"{version}"'} if version else {}
        headers |= {"idempotency-key": key} if key else {}
        return await self.qa.client.request(method, f"/v1{path}", json=body, headers=headers, params=query)

    async def get(self, path: str, **query: Any) -> Any:
        answer = await self.ask("GET", path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None, *, version: int | None = None, key: str | None = None) -> Any:
        answer = await self.ask("POST", path, body if body is not None else {}, version=version, key=key)
        assert answer.is_success, answer.text
        return answer.json()

    async def put(self, path: str, body: Any, *, version: int | None = None) -> Any:
        answer = await self.ask("PUT", path, body, version=version)
        assert answer.is_success, answer.text
        return answer.json()

    async def refused(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, str]:
        """Status and code of a no."""
        answer = await self.ask(method, path, body if body is not None or method == "GET" else {}, **more)
        assert not answer.is_success, answer.text
        return answer.status_code, answer.json()["code"]


def supervisor(qa: ServiceUnderTest) -> Person:
    return Person(qa, "supervisor")


def auditor(qa: ServiceUnderTest, sub: str = "auditor-1") -> Person:
    return Person(qa, "auditor", sub)


def agent(qa: ServiceUnderTest, sub: str = "agent-1") -> Person:
    return Person(qa, "agent", sub)


def plan_body(clock_now: datetime, **overrides: Any) -> dict[str, Any]:
    values = {
        "name": "第十周",
        "period_start": BEGIN.isoformat(),
        "period_end": (clock_now + timedelta(hours=1)).isoformat(),
        "strata": [{"stratum": "all", "quota_per_agent": 2}],
    }
    return values | overrides
