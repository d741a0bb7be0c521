"""A service that has heard of two areas, one of which has marks in every text, id, reference and name of its orders.

Whatever else the service has is tied to them: links, a follow-up and a recording of both, a finding, requests, reports,
an order that went from one area to the other. Where a mark comes out, something of the other area does.
"""

import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import product
from typing import Any

import httpx
from tests.access.asking import METRICS, NORTH, SOUTH, Route, running_at

from chassis.testing import Databases
from contracts import calls as c
from contracts import quality as q
from contracts.codec import new_message
from contracts.events import WorkOrderCreated, WorkOrderDispatched
from contracts.lifecycle import Service, Status
from contracts.links import LinkKind, WorkOrderLinked
from contracts.message import Actor, Message
from contracts.sealing import with_texts
from work_orders.testing import (
    BEGIN,
    ServiceUnderTest,
    Stream,
    give_key,
    make_created,
    make_dispatched,
    staff,
    work_area,
)

MARK = "9f3sOuTh"
PERSON = f"{MARK}-person"
WHO = "worker-1"
"""The subject of every caller: one person, whose token changes."""
STATUSES = tuple(status for status in Status if status is not Status.CANCELLED)
_SUBSCRIBER = """insert into subscribers
    (id, version, subscriber_no, name, phones, address, kind, zone, territory, notes, created_at, changed_at)
    values ($1, 1, $1, $1, '{}', $1, 'household', 'urban', null, '', now(), now())"""
_PROJECT = {
    "name": "callbacks",
    "start": (BEGIN - timedelta(days=30)).isoformat(),
    "end": (BEGIN + timedelta(days=365)).isoformat(),
    "cause": "completion",
    "questionnaire": "visit:1",
    "calendar": "cn",
    "calls_from": "00:00",
    "calls_until": "23:59",
}
_NAMES = {"en": "content", "zh": "满意"}
_QUESTIONS = [{"question": "content", "names": _NAMES, "kind": "scale", "highest": 5, "is_satisfaction": True}]


@dataclass
class Marked:
    """The service, and what is known of what it has: ids by the name of their parameter, and versions by id."""

    running: ServiceUnderTest
    ids: dict[str, set[str]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)

    async def ask(
        self, route: Route, path: str, role: str, areas: list[str] | None = None, **request: Any
    ) -> httpx.Response:
        headers = self.running.issuer.headers(role, areas, WHO) | request.pop("headers", {})
        return await self.running.client.request(route.method, path, headers=headers, **request)

    def learn(self, route: Route, value: Any, *, own: str = "id") -> None:
        """Notes every id in an answer: under its name, and `id` as what the route's answers are called in paths."""
        if isinstance(value, list):
            for one in value:
                self.learn(route, one, own=own)
        elif isinstance(value, dict):
            for name, one in value.items():
                if (name == "id" or name.endswith("_id")) and isinstance(one, str | int) and one != "":
                    self.ids.setdefault(name if name != "id" else f"id of {route.path}", set()).add(str(one))
                if name in ("order_ids",):
                    self.ids.setdefault("order_id", set()).update(one)
                self.learn(route, one)
            if isinstance(value.get("version"), int) and isinstance(value.get("id"), str):
                self.versions[value["id"]] = value["version"]

    def addresses(self, route: Route) -> Iterator[str]:
        """The route's path with everything in it that is known, the marked as well as the others."""
        names = [part[1:-1].removesuffix(":path") for part in route.path.split("/") if part.startswith("{")]
        choices = []
        for name in names:
            parent = route.path.split(f"/{{{name}")[0]
            known = set(self.ids.get(name, ())) | self.ids.get(f"id of {parent}", set())
            known |= set(METRICS) if name == "metric" else set()
            choices.append(sorted(known))
        for chosen in product(*choices):
            yield route.filled(**dict(zip(names, chosen, strict=True)))


@contextlib.asynccontextmanager
async def marked(service: Service, databases: Databases) -> AsyncIterator[Marked]:
    async with running_at(BEGIN + timedelta(hours=2), service, databases) as running:
        made = Marked(running)
        await _settle(made, service)
        yield made


async def _settle(made: Marked, service: Service) -> None:
    running = made.running
    if service is Service.INTAKE:
        for subscriber in (PERSON, "north-person"):
            await running.rows(_SUBSCRIBER, subscriber)
    else:
        async with running.db.statements() as statements:
            for subscriber in (PERSON, "north-person"):
                await give_key(statements, subscriber)
    if service is Service.DISPATCH:
        await _define_areas(made)
    if service is Service.QA:
        await _begin_follow_up(made)
    await running.receive(*_directory(), *_messages())
    made.ids["order_id"] = {message.subject for message in _messages() if message.order_version == 1}
    if service is Service.QA:
        await running.receive(*_recorded())
    if service is Service.REPORTING:
        await running.receive(*_followed_up())
        await _report(made)


def _directory() -> list[Message]:
    return [message for area in (NORTH, SOUTH) for message in (work_area(area), staff(f"{area}-1", area))]


def _messages() -> list[Message]:
    """Orders of both areas in every status, each of the north linked to one of the south, and one that moved."""
    south, north = [_of_south(status) for status in STATUSES], [_of_north(status) for status in STATUSES]
    links = [_linked(of.order_id, to.order_id) for of, to in zip(north, south, strict=True)]
    outage = [_in_an_outage(of.order_id) for of in (*south, *north)]
    return [*(one for of in (*south, *north, _moved()) for one in of.messages), *links, *outage]


def _of_south(status: Status) -> Stream:
    """Every text of it, every id, reference and name is marked."""
    stream, made = Stream(f"{MARK}-{status}"), Stream().until(status)
    for message in made.messages:
        body = message.body
        if isinstance(body, WorkOrderCreated):
            marks = ("order_no", "external_reference", "territory", "device_type", "demand_type")
            body = replace(
                body,
                subscriber_id=PERSON,
                subscriber_no=PERSON,
                **{name: f"{MARK}-{name}" if "type" in name else f"{MARK}-{name}-{status}" for name in marks},
            )
        if isinstance(body, WorkOrderDispatched):
            body = replace(body, work_area_id=SOUTH, remark="x")
        if hasattr(body, "staff_ids"):
            body = replace(body, staff_ids=(f"{MARK}-staff",))
        stream.add(with_texts(body, lambda text: f"{MARK}-text-{text}"), sub=f"{MARK}-actor")
    return stream


def _of_north(status: Status) -> Stream:
    stream = Stream(f"north-{status}")
    for message in Stream().until(status).messages:
        body = message.body
        if isinstance(body, WorkOrderCreated):
            body = make_created(
                subscriber_id="north-person", subscriber_no="north-person", order_no=f"n-{status}", territory="t"
            )
        stream.add(body)
    return stream


def _moved() -> Stream:
    """An order that the north sent back and the south has; what the south does with it is marked."""
    stream = Stream("moved")
    for message in Stream().until(Status.REDISPATCHING).messages:
        body = message.body
        if isinstance(body, WorkOrderCreated):
            body = make_created(subscriber_id="north-person", subscriber_no="north-person", order_no="moved")
        stream.add(body)
    stream.add(make_dispatched(work_area_id=SOUTH, staff_ids=(f"{MARK}-staff",), remark=f"{MARK}-remark"))
    for message in Stream().until(Status.ARCHIVED).messages[2:]:
        body = message.body
        if hasattr(body, "staff_ids"):
            body = replace(body, staff_ids=(f"{MARK}-staff",))
        stream.add(with_texts(body, lambda text: f"{MARK}-{text}"), sub=f"{MARK}-actor")
    return stream


def _told(order_id: str, body: Any) -> Message:
    actor = Actor("agent-1", "agent")
    return new_message(
        body, service=Service.INTAKE, subject=order_id, actor=actor, occurred_at=BEGIN, recorded_at=BEGIN
    )


def _linked(order_id: str, other: str) -> Message:
    body = WorkOrderLinked(link_id=f"link-{order_id}-{other}", kind=LinkKind.DUPLICATE, other_order_id=other)
    return _told(order_id, body)


def _in_an_outage(order_id: str) -> Message:
    body = WorkOrderLinked(link_id=f"outage-{order_id}", kind=LinkKind.SAME_OUTAGE, outage_id="outage-1")
    return _told(order_id, body)


async def _define_areas(made: Marked) -> None:
    for area in (NORTH, SOUTH):
        await _do(made, "PUT", f"/v1/work-areas/{area}", {"name_en": area, "name_zh": area})
        await _do(made, "PUT", f"/v1/staff/{area}-1", {"name": f"of {area}", "work_area_id": area})


async def _begin_follow_up(made: Marked) -> None:
    await _do(made, "PUT", "/v1/calendars/cn", {})
    await _do(made, "POST", "/v1/questionnaires/visit/versions", {"names": _NAMES, "questions": _QUESTIONS})
    await _do(made, "PUT", "/v1/follow-up-projects/p-1", _PROJECT)


async def _do(made: Marked, method: str, path: str, body: Any) -> httpx.Response:
    """The commands of a caller without limits."""
    headers = made.running.issuer.headers("supervisor", None, WHO)
    answer = await made.running.client.request(method, path, json=body, headers=headers)
    assert answer.is_success, answer.text
    return answer


def _recorded() -> list[Message]:
    """Two recordings: of a call that led to orders of both areas, and of one that led to the south only."""
    found = []
    for number, orders in enumerate(((f"{MARK}-{Status.COMPLETED}", "north-completed"), (f"{MARK}-{Status.CREATED}",))):
        call_id = f"call-{number}" if len(orders) > 1 else f"{MARK}-call"
        recording = f"rec-{number}" if len(orders) > 1 else f"{MARK}-recording"
        facts = [
            c.CallAnswered(fact_id="1", agent_id=WHO, queue="q", wait_milliseconds=1),
            c.RecordingAvailable(
                fact_id="2", agent_id=WHO, queue="q", recording_id=recording, length_milliseconds=9, started_at=BEGIN
            ),
            *(
                c.CallSettled(fact_id=f"s-{one}", agent_id=WHO, outcome=c.CallOutcome.WORK_ORDER, order_id=one)
                for one in orders
            ),
        ]
        found += [
            new_message(
                fact,
                service=Service.INTAKE,
                subject=call_id,
                actor=Actor("pbx", "partner"),
                occurred_at=BEGIN,
                recorded_at=BEGIN,
                entity_version=version,
            )
            for version, fact in enumerate(facts, start=1)
        ]
    return found


def _followed_up() -> list[Message]:
    """A follow-up of one order of each area, told under that of the south."""
    orders = (f"{MARK}-{Status.COMPLETED}", f"north-{Status.COMPLETED}")
    planned = q.FollowUpPlanned(
        follow_up_id="f-1",
        project_id="p",
        cause=q.FollowUpCause.COMPLETION,
        subscriber_no=PERSON,
        due_by=BEGIN,
        order_ids=orders,
        work_area_id=SOUTH,
    )
    return [
        new_message(
            planned,
            service=Service.QA,
            subject=orders[0],
            actor=Actor("qa", "system"),
            occurred_at=BEGIN,
            recorded_at=BEGIN,
        )
    ]


async def _report(made: Marked) -> None:
    """A report of everything, built for the same person's token of the whole."""
    from reporting.reports import building

    body = {"kind": "daily", "day": BEGIN.date().isoformat(), "format": "csv"}
    answer = await _do(made, "POST", "/v1/reports", body)
    while await building.take_step(made.running.db):
        pass
    made.ids["report_id"] = {str(answer.json()["id"])}
