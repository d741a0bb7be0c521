"""How the tests of access ask: any route of any service, with made-up values, in worlds that differ in one area.

Everything is read from the table and from the OpenAPI documents: a route that is added is asked as well.
"""

import contextlib
import importlib
import json
import re
from collections.abc import AsyncIterator, Iterator, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from itertools import product
from typing import Any

import httpx
from fastapi import FastAPI

from chassis.testing import Databases, FixedClock, TestIssuer, client_of, opened_stream, settings_for
from contracts.access import Grants, Reach
from contracts.events import WorkOrderCompleted, WorkOrderCreated, WorkOrderDispatched
from contracts.lifecycle import Service, Status
from work_orders.testing import ServiceUnderTest, Stream, make_created, staff, work_area

NORTH, SOUTH = "north", "south"
_AREA_STATUSES = tuple(status for status in Status if status is not Status.CANCELLED)
_SUBSCRIBER = """insert into subscribers
    (id, version, subscriber_no, name, phones, address, kind, zone, territory, notes, created_at, changed_at)
    values ($1, 1, $2, $3, '{}', $3, 'household', 'urban', null, '', now(), now())"""
_HOW_FAR = {
    "/v1/figures": {"read_up_to"},
    "/v1/wallboard": {"id", "newest_event_at", "lag_seconds", "lag"},
}
"""What answers say about how far the stream was read, and not about any order."""
_BODIES = {
    "POST /v1/work-orders/{order_id}/amend": {"reason": "x", "content": "y"},
    "POST /v1/work-orders/{order_id}/amend-requests": {"reason": "x", "content": "y", "seen_version": 1},
    "POST /v1/work-orders/{order_id}/supervision-requests": {"reason": "x", "reply_by": "2030-01-01T00:00:00Z"},
    "POST /v1/work-orders/{order_id}/readings": {"quantity": "signal_level", "value": "1"},
    "POST /v1/work-orders/{order_id}/parts": {"part_no": "x", "count": "1"},
    "POST /v1/work-orders/{order_id}/links": {
        "kind": "duplicate",
        "other_order_id": f"south-{Status.DISPATCHED}",
        "reason": "x",
    },
}
"""Where what the schema requires is not enough to get as far as the order."""
METRICS = (
    "work_orders",
    "backlog",
    "backlog_age",
    "rejections_per_order",
    "first_dispatch_accuracy",
    "completion_time",
    "in_time",
    "over_limit",
    "calls_offered",
)
"""Some of each kind: a whole list would ask the same code a thousand times."""
_NOW = datetime(2026, 3, 3, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Route:
    service: Service
    row: str
    grants: Grants | None
    operation: dict[str, Any]
    document: dict[str, Any]

    @property
    def method(self) -> str:
        return self.row.split(" ")[0]

    @property
    def path(self) -> str:
        return self.row.split(" ")[1]

    @property
    def is_stream(self) -> bool:
        return any("text/event-stream" in answer.get("content", {}) for answer in self.operation["responses"].values())

    def reaches(self, *reaches: Reach) -> bool:
        return self.grants is not None and not set(self.grants.values()).isdisjoint(reaches)

    def body(self) -> Any:
        if self.row in _BODIES:
            return _BODIES[self.row]
        content = self.operation.get("requestBody", {}).get("content", {}).get("application/json")
        return example_of(content["schema"], self.document) if content else None

    def filled(self, **values: str) -> str:
        """The path with its parameters; what is not given is made up."""
        kinds = {one["name"]: one["schema"] for one in self.operation.get("parameters", []) if one["in"] == "path"}
        return re.sub(
            r"\{(\w+)\}", lambda found: str(values.get(found[1], example_of(kinds[found[1]], self.document))), self.path
        )


def every_route(service: Service) -> list[Route]:
    """The routes that a service documents, with their part of the table."""
    app = _app(service, "postgresql://nobody@nowhere/x")
    document = app.openapi()
    found = []
    for row, grants in app.state.access.items():
        method, path = row.split(" ")
        is_page = grants is None and path not in document["paths"]  # for people: public, and the same for everybody
        if path.startswith("/v1/") and not is_page:
            found.append(Route(service, row, grants, document["paths"][path][method.lower()], document))
    return found


def example_of(schema: dict[str, Any], document: dict[str, Any]) -> Any:
    """A value that the schema allows, with what is required and nothing else."""
    if "$ref" in schema:
        return example_of(document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], document)
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], document)
    for name in ("const", "default"):
        if name in schema:
            return schema[name]
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            wanted = schema.get("required", [])
            return {name: example_of(schema["properties"][name], document) for name in wanted}
        case "array":
            return [example_of(schema["items"], document)] * schema.get("minItems", 0)
        case "integer" | "number":
            return max(schema.get("minimum", 1), 1)
        case "boolean":
            return True
        case "string" if schema.get("format") == "date-time":
            return "2026-03-02T08:00:00Z"
    return "x" * max(1, schema.get("minLength", 1))


@dataclass
class World:
    """One service that has heard of some orders."""

    running: ServiceUnderTest
    orders: dict[str, list[str]]
    """The ids of its orders by area."""
    requests: dict[str, list[str]]

    async def ask(self, route: Route, path: str, headers: dict[str, str], **more: Any) -> httpx.Response:
        if not route.is_stream:
            return await self.running.client.request(route.method, path, headers=headers, **more)
        async with opened_stream(self.running.app, path, headers=headers, params=more.get("params")) as stream:
            return await stream.beginning()


@contextlib.asynccontextmanager
async def running_at(now: datetime, service: Service, databases: Databases) -> AsyncIterator[ServiceUnderTest]:
    """The service on a database of its own, at this moment."""
    subscriptions = importlib.import_module(f"{service}.consumers").SUBSCRIPTIONS
    issuer, app = TestIssuer(), _app(service, databases.create(service))
    app.state.clock = FixedClock(now)
    async with client_of(app, issuer) as client:
        yield ServiceUnderTest(app, client, issuer, subscriptions)


def _app(service: Service, database_url: str) -> FastAPI:
    return importlib.import_module(f"{service}.main").app(settings_for(database_url))


@contextlib.asynccontextmanager
async def world(service: Service, databases: Databases, *areas: str) -> AsyncIterator[World]:
    """The service with orders of every status in each of these areas."""
    async with running_at(_NOW, service, databases) as running:
        made = World(running, {}, {})
        for area in areas:
            await _settle(made, area)
        yield made


async def _settle(made: World, area: str) -> None:
    await made.running.receive(work_area(area), staff(f"{area}-1", area))
    streams = [_order(area, status) for status in _AREA_STATUSES]
    for stream in streams:
        await made.running.receive(*stream.messages)
    made.orders[area] = [stream.order_id for stream in streams]
    made.requests[area] = []
    if made.running.app.state.service == Service.INTAKE:
        await made.running.rows(_SUBSCRIBER, f"{area}-subscriber_id", f"{area}-subscriber_no", f"secret of {area}")
        for order_id in made.orders[area]:
            headers = made.running.issuer.headers("supervisor")
            path = f"/v1/work-orders/{order_id}/urge-requests"
            answer = await made.running.client.post(path, json={"reason": f"secret of {area}"}, headers=headers)
            made.requests[area] += [answer.json()["id"]] if answer.is_success else []


@cache
def _order(area: str, status: Status) -> Stream:
    """An order of an area on its way to a status, the same in every world; before its dispatch it has no area."""
    stream = Stream(f"{area}-{status}")
    marks = {name: f"{area}-{name}" for name in ("subscriber_id", "subscriber_no", "order_no", "external_reference")}
    marks |= {"order_no": f"{area}-{status}", "external_reference": f"{area}-{status}"}
    for message in Stream(stream.order_id).until(status).messages:
        match message.body:
            case WorkOrderCreated():
                stream.add(make_created(content=f"secret of {area}", **marks))
            case WorkOrderDispatched() | WorkOrderCompleted() as event:
                area_of = {"work_area_id": area} if isinstance(event, WorkOrderDispatched) else {}
                stream.add(replace(event, staff_ids=(f"{area}-1",), **area_of))
            case event:
                stream.add(event)
    return stream


def questions(route: Route, made: World) -> Iterator[tuple[str, dict[str, Any]]]:
    """Paths and query parameters to ask a reading route with: about every order, one by one and in lists."""
    all_orders = [order for area in (NORTH, SOUTH) for order in made.orders.get(area, [])]
    # A request has another id in each world: those of the other area are in one world only, as they should be.
    places = {"order_id": all_orders, "request_id": made.requests.get(NORTH, [])}
    values = [(name, values) for name, values in places.items() if f"{{{name}}}" in route.path]
    if "{metric}" in route.path:
        values.append(("metric", list(METRICS)))
    for chosen in product(*(one for _, one in values)):
        path = route.filled(**dict(zip((name for name, _ in values), chosen, strict=True)))
        yield path, {}
        if values and chosen != (METRICS[0],):
            continue
        for name, options in _FILTERS.items():
            if any(one["name"] == name for one in route.operation.get("parameters", [])):
                yield from ((path, {name: option}) for option in options)


_FILTERS: dict[str, list[Any]] = {
    "status": [[status.value for status in Status], *Status],
    "limit": [1, 200],
    "work_area_id": [NORTH, SOUTH],
    "subscriber_no": [f"{NORTH}-subscriber_no", f"{SOUTH}-subscriber_no"],
    "order_no": [f"{NORTH}-{Status.DISPATCHED}"],
    "external_reference": [f"{NORTH}-{Status.DISPATCHED}"],
    "group_by": [["work_area"], ["staff"], ["status"]],
    "grain": ["day"],
}


def compared(route: Route, answer: httpx.Response) -> Any:
    """An answer without what says nothing about orders."""
    unsaid = next((names for path, names in _HOW_FAR.items() if route.path.startswith(path)), frozenset[str]())
    body = answer.content.decode()
    if route.is_stream and answer.is_success:
        events = [line.removeprefix("data:") for line in body.splitlines() if line.startswith("data:")]
        return answer.status_code, [_without(unsaid, json.loads(event)) for event in events][:1]
    if "json" not in answer.headers.get("content-type", ""):
        return answer.status_code, body
    value = json.loads(body)
    if answer.is_error:  # the fragment is the request's own id
        value["instance"] = value["instance"].partition("#")[0]
    return answer.status_code, _without(unsaid, value)


def _without(names: Set[str], value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without(names, one) for name, one in value.items() if name not in names}
    return [_without(names, one) for one in value] if isinstance(value, list) else value
