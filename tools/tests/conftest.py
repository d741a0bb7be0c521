"""A city in memory: the client's real code on one side, the lifecycle of the contracts on the other, no sockets."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
from typer.testing import CliRunner, Result

from contracts import events as e
from contracts.chain import GENESIS
from contracts.codec import new_message
from contracts.lifecycle import ActNotAllowed, Service
from contracts.message import Actor
from contracts.order import CannotApply, WorkOrder, apply
from linework.cli import app
from linework.client import Addresses, NotReached, ServiceClients

EVENTS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "dispatch": lambda body: e.WorkOrderDispatched(
        work_area_id=body["work_area_id"],
        staff_ids=tuple(body["staff_ids"]),
        remark=body.get("remark"),
        is_binding=body.get("is_binding", False),
    ),
    "start": lambda body: e.WorkOrderStarted(),
    "reject": lambda body: e.WorkOrderRejected(
        reason=e.RejectionReason(body["reason"]), explanation=body["explanation"]
    ),
    "send-to-redispatch": lambda body: e.WorkOrderRedispatchRequested(
        is_misdispatch_valid=body["is_misdispatch_valid"], remark=body["remark"]
    ),
    "complete": lambda body: e.WorkOrderCompleted(**{**body, "staff_ids": tuple(body["staff_ids"])}),
    "suspend": lambda body: e.WorkOrderSuspended(reason=body["reason"], until=datetime.fromisoformat(body["until"])),
    "resume": lambda body: e.WorkOrderResumed(),
    "notes": lambda body: e.WorkOrderNoteAdded(note=body["note"]),
    "arrive": lambda body: e.WorkOrderArrived(place=body["place"]),
    "submit-for-audit": lambda body: e.WorkOrderAuditRequested(),
    "audit": lambda body: e.WorkOrderAudited(verdict=e.AuditVerdict(body["verdict"]), remark=body["remark"]),
    "redispatch": lambda body: e.WorkOrderRedispatchRequested(reason=body["reason"]),
    "archive": lambda body: e.WorkOrderArchived(),
}


class Problem(Exception):
    def __init__(self, status: int, code: str, **context: Any) -> None:
        self.status = status
        self.document = {"code": code, "detail": code, **context}


@dataclass
class CityInMemory:
    """What the services would have; requests are answered at once, and hand-overs take no time."""

    orders: dict[str, WorkOrder] = field(default_factory=dict)
    subscribers: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    areas: dict[str, dict[str, Any]] = field(default_factory=dict)
    types: dict[str, dict[str, Any]] = field(default_factory=lambda: {"device": {}, "demand": {}})
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of everything that arrived."""
    queries: list[str] = field(default_factory=list)
    """What stood behind the question mark of each."""
    extra: Callable[[str, str, Any], Any] = lambda method, path, body: None
    """Answers what the city does not know: status and content, or None."""
    interfere: Callable[[str, str], None] = lambda method, path: None
    """Called before each request is done; may raise `NotReached` or `Problem`, or change an order."""
    lose: Callable[[str, str], bool] = lambda method, path: False
    """Whether the answer to a request that was done gets lost."""
    _answers: dict[str, httpx.Response] = field(default_factory=dict)

    @property
    def changes(self) -> int:
        """How many requests were to change something."""
        return sum(method != "GET" for method, _ in self.asked)

    def client(self, **more: Any) -> ServiceClients:
        roles = ("agent", "dispatcher", "technician", "auditor", "supervisor", "operator")
        addresses = {service.value: f"http://{service.value}.test" for service in Service}
        tokens = {role: role for role in roles}
        return ServiceClients(Addresses(addresses, None, tokens), transport=httpx.MockTransport(self.answer), **more)

    def act(self, order_id: str, event: Any, at: datetime | None = None) -> WorkOrder:
        order = self.orders[order_id]
        at = at or order.changed.at + timedelta(minutes=1)
        message = new_message(
            event,
            service=order.custodian or Service.QA,
            subject=order_id,
            actor=Actor("somebody", "agent"),
            occurred_at=at,
            recorded_at=at,
            order_version=order.version + 1,
            prev_hash=GENESIS,
        )
        self.orders[order_id] = apply(order, message)
        return self.orders[order_id]

    def answer(self, request: httpx.Request) -> httpx.Response:
        method, path, headers = request.method, request.url.path, request.headers
        if path == "/metrics":
            return httpx.Response(200)
        self.asked.append((method, path))
        self.queries.append(request.url.query.decode())
        known = self._answers.get(headers.get("idempotency-key", ""))
        if known is not None:
            return known
        try:
            self.interfere(method, path)
            service, body = request.url.host.removesuffix(".test"), json.loads(request.content or b"{}")
            status, content = self._done(service, method, path.split("/")[2:], headers, body)
        except Problem as problem:
            return httpx.Response(problem.status, json=problem.document)
        answer = httpx.Response(status, content=msgspec.json.encode(content))
        if "idempotency-key" in headers:
            self._answers[headers["idempotency-key"]] = answer
        if self.lose(method, path):
            raise NotReached("the connection broke")
        return answer

    def _done(self, service: str, method: str, path: list[str], headers: Mapping[str, str], body: Any) -> Any:
        match method, path:
            case "POST", ["subscribers"]:
                if body["subscriber_no"] in self.subscribers:
                    raise Problem(409, "subscriber_no_taken")
                self.subscribers[body["subscriber_no"]] = body
                return 201, body
            case "POST", ["work-orders"]:
                return 201, self._create(body)
            case "GET", ["work-orders", order_id]:
                return 200, self.orders[order_id]
            case "POST", [
                "work-orders",
                order_id,
                ("cancel-requests" | "urge-requests" | "extension-requests" | "amend-requests") as kind,
            ]:
                return 202, self._ask(order_id, kind.partition("-")[0], body)
            case "POST", ["work-orders", order_id, act]:
                return 200, self._act(service, order_id, act, int(headers["if-match"].strip('"')), body)
            case "GET", ["requests", request_id]:
                return 200, self.requests[request_id]
            case "GET", [("device-types" | "demand-types") as kind]:
                return 200, {"items": list(self.types[kind.partition("-")[0]].values())}
            case "PUT", [("device-types" | "demand-types") as kind, code]:
                self.types[kind.partition("-")[0]][code] = {"code": code, **body}
                return 200, {}
            case "GET", ["work-areas"]:
                return 200, {"items": list(self.areas.values()), "next_cursor": None}
            case "PUT", ["work-areas", area_id]:
                self.areas[area_id] = {"work_area_id": area_id, "is_open": True, "staff": [], **body}
                return 200, {}
            case "PUT", ["staff", staff_id]:
                self.areas[body["work_area_id"]]["staff"].append({"staff_id": staff_id, "is_active": True, **body})
                return 200, {}
        answer = self.extra(method, "/".join(path), body)
        assert answer is not None, f"nobody answers {method} {path}"
        return answer

    def _create(self, body: Mapping[str, Any]) -> WorkOrder:
        for order in self.orders.values():
            if body.get("external_reference") == order.external_reference is not None:
                raise Problem(409, "external_reference_taken", order_id=order.id)
        if body["subscriber_no"] not in self.subscribers:
            raise Problem(404, "subscriber_not_found")
        at = datetime.fromisoformat(body.get("occurred_at") or datetime.now(UTC).isoformat())
        window = body.get("appointment")
        created = e.WorkOrderCreated(
            order_no=f"no-{len(self.orders) + 1}",
            subscriber_id="s-1",
            subscriber_no=body["subscriber_no"],
            device_type=body["device_type"],
            demand_type=body["demand_type"],
            content=body["content"],
            channel=e.Channel(body.get("channel", "phone")),
            zone=e.Zone.URBAN,
            appointment=e.Appointment(*map(datetime.fromisoformat, window.values())) if window else None,
            external_reference=body.get("external_reference"),
        )
        order_id = f"o-{len(self.orders) + 1}"
        message = new_message(
            created,
            service=Service.INTAKE,
            subject=order_id,
            actor=Actor("agent-1", "agent"),
            occurred_at=at,
            recorded_at=at,
            order_version=1,
        )
        self.orders[order_id] = apply(None, message)
        return self.orders[order_id]

    def _act(self, service: str, order_id: str, act: str, expected: int, body: dict[str, Any]) -> WorkOrder:
        order = self.orders[order_id]
        if order.version != expected:
            raise Problem(412, "stale_version", present_version=order.version, expected_version=expected)
        at = body.pop("occurred_at", None)
        if service != order.custodian:
            raise Problem(409, "act_not_allowed")
        if at and datetime.fromisoformat(at) < order.changed.at:
            raise Problem(422, "before_the_last_act")
        try:
            return self.act(order_id, EVENTS[act](body), datetime.fromisoformat(at) if at else None)
        except CannotApply as error:
            raise Problem(409, "act_not_allowed") from error

    def _ask(self, order_id: str, kind: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        request_id = f"r-{len(self.requests) + 1}"
        said: dict[str, Any] = {"request_id": request_id, "reason": body["reason"]}
        if kind == "extension":
            said |= {"clock": e.SlaClock(body["clock"]), "minutes": body["minutes"]}
        if kind == "amend":
            said |= {"before": e.OrderDetails(content=self.orders[order_id].content), "content": body["content"]}
        granted = {
            "cancel": e.WorkOrderCancelled,
            "urge": e.WorkOrderUrged,
            "extension": e.WorkOrderExtended,
            "amend": e.WorkOrderAmended,
        }[kind]
        try:
            self.act(order_id, granted(**said))
            state = "granted"
        except (CannotApply, ActNotAllowed):
            state = "refused"
        self.requests[request_id] = {"id": request_id, "state": state}
        return {"id": request_id, "state": "pending"}


@pytest.fixture
def city() -> CityInMemory:
    return CityInMemory()


@pytest.fixture
def typed(city: CityInMemory, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """`typed("import", "myla311", file)`: a command as it is typed, in the city in memory."""
    monkeypatch.setattr("linework.client.find_addresses", lambda *_: Addresses(services={}, issuer=None))
    monkeypatch.setattr("linework.client.ServiceClients", lambda _, **more: city.client(**more))

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return run


@pytest.fixture
def problem() -> type[Problem]:
    """To be raised by `interfere`: `problem(status, code, **context)`."""
    return Problem
