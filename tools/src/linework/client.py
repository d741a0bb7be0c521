"""A client of an installation, for the commands, the end-to-end tests and Python scripts.

    async with ServiceClients(find_addresses()) as clients:
        order = await clients.intake.create_work_order(
            subscriber_no="111", device_type="digital", demand_type="test", content="no picture"
        )
        order = await clients.dispatch.dispatch(order, work_area_id="north", staff_ids=["north-1"])
        order = await clients.fieldwork.start(order)

A command is based on the version of the order that is passed in, carries its own `Idempotency-Key`, and returns the
updated order. A refusal raises `Refused`, a missing response `NotReached`. `Patience` defines what is retried.
"""

from collections.abc import Sequence
from typing import Any, Self

import httpx

from contracts.order import WorkOrder
from linework.client_addresses import Addresses, find_addresses
from linework.client_http import NotReached, new_http
from linework.client_service import (
    NONE,
    Json,
    KeptAsFact,
    OrderService,
    Patience,
    Refused,
    ServiceClient,
    given,
    new_key,
    order_of,
    part,
)
from linework.client_tokens import AGENT, AUDITOR, DISPATCHER, DISPLAY, OPERATOR, SUPERVISOR, Person, Tokens, technician
from linework.ports import SERVICES
from linework.stopped import Stopped

__all__ = [
    "AGENT",
    "AUDITOR",
    "DISPATCHER",
    "DISPLAY",
    "OPERATOR",
    "SUPERVISOR",
    "Addresses",
    "KeptAsFact",
    "NotReached",
    "Patience",
    "Person",
    "Refused",
    "ServiceClients",
    "WorkOrder",
    "find_addresses",
    "new_key",
    "technician",
]


class Intake(OrderService):
    role = "agent"

    async def create_subscriber(
        self,
        *,
        subscriber_no: str,
        name: str,
        address: str,
        phones: Sequence[str] = (),
        by: Person | None = None,
        key: str | None = None,
        patience: Patience | None = None,
        **more: Any,
    ) -> Json:
        body = {"subscriber_no": subscriber_no, "name": name, "address": address, "phones": list(phones)}
        return await self.call_json(
            "POST", "/v1/subscribers", body | given(more), by=by, key=key or new_key(), patience=patience
        )

    async def create_work_order(
        self,
        *,
        subscriber_no: str,
        device_type: str,
        demand_type: str,
        content: str,
        by: Person | None = None,
        key: str | None = None,
        patience: Patience | None = None,
        **more: Any,
    ) -> WorkOrder:
        """Also `channel`, `appointment`, `external_reference`, `zone`, `territory`, `occurred_at`."""
        body = {
            "subscriber_no": subscriber_no,
            "device_type": device_type,
            "demand_type": demand_type,
            "content": content,
        }
        answer = await self.call(
            "POST", "/v1/work-orders", body | given(more), by=by, key=key or new_key(), patience=patience
        )
        return order_of(answer)

    async def history(self, order: WorkOrder, *, by: Person | None = None) -> Json:
        return await self.read(f"/v1/work-orders/{part(order.id)}/history", by=by, at_least=order.version)

    async def subscriber_of(self, order: WorkOrder, *, by: Person | None = None) -> Json:
        return await self.read(f"/v1/work-orders/{part(order.id)}/subscriber", by=by)

    async def ask(
        self,
        kind: str,
        order_id: str,
        *,
        reason: str,
        occurred_at: Any = None,
        by: Person | None = None,
        key: str | None = None,
        patience: Patience | None = None,
        **more: Any,
    ) -> Json:
        """Asks the order's custodian to `cancel`, `urge`, `extend` or `amend`; the answer comes at `request`.

        An extension also says its `clock` and `minutes`, an amendment its `seen_version` and what is to change.
        """
        path = f"/v1/work-orders/{part(order_id)}/{'extension' if kind == 'extend' else kind}-requests"
        body = given({"reason": reason, "occurred_at": occurred_at, **more})
        return await self.call_json("POST", path, body, by=by, key=key or new_key(), patience=patience)

    async def request(self, request_id: str, *, wait_seconds: float = 0, by: Person | None = None) -> Json:
        """A request to a custodian: `pending`, `granted` or `refused`."""
        return await self.read(f"/v1/requests/{part(request_id)}", by=by, wait_seconds=wait_seconds)

    async def define_type(self, kind: str, code: str, *, en: str, zh: str, by: Person | None = None) -> Json:
        """Defines a `device` or `demand` type with its names."""
        body = {"name_en": en, "name_zh": zh}
        return await self.call_json("PUT", f"/v1/{kind}-types/{part(code)}", body, by=by or OPERATOR)

    async def define_partner(self, partner_id: str, *, en: str, zh: str, by: Person | None = None, **more: Any) -> Json:
        """Registers a system that may send events; also `is_active`, `events_per_second`."""
        body = {"name_en": en, "name_zh": zh, **more}
        return await self.call_json("PUT", f"/v1/partners/{part(partner_id)}", body, by=by or OPERATOR)

    async def unregistered_agents(self, partner_id: str, *, by: Person | None = None) -> list[Json]:
        """A partner's names for agents who are not registered."""
        path = f"/v1/partners/{part(partner_id)}/unregistered-agents"
        return [agent async for agent in self.items(path, by=by or OPERATOR)]

    async def define_agent(self, agent_id: str, *, name: str, by: Person | None = None, **more: Any) -> Json:
        """Registers an agent; also `team`, `is_active`, and `names` that partners have for them."""
        body = {"name": name, **more}
        return await self.call_json("PUT", f"/v1/agents/{part(agent_id)}", body, by=by or OPERATOR)

    async def get_partner(self, partner_id: str, *, by: Person | None = None) -> Json:
        return await self.read(f"/v1/partners/{part(partner_id)}", by=by or OPERATOR)

    async def types(self, kind: str) -> list[Json]:
        return (await self.read(f"/v1/{kind}-types"))["items"]


class Dispatch(OrderService):
    role = "dispatcher"

    async def define_work_area(
        self, work_area_id: str, *, en: str, zh: str, by: Person | None = None, **more: Any
    ) -> Json:
        body = {"name_en": en, "name_zh": zh, **more}
        return await self.call_json("PUT", f"/v1/work-areas/{part(work_area_id)}", body, by=by or OPERATOR)

    async def define_staff(
        self, staff_id: str, *, name: str, work_area_id: str, by: Person | None = None, **more: Any
    ) -> Json:
        body = {"name": name, "work_area_id": work_area_id, **more}
        return await self.call_json("PUT", f"/v1/staff/{part(staff_id)}", body, by=by or OPERATOR)

    async def work_areas(self) -> list[Json]:
        """Every work area with its staff."""
        return [area async for area in self.items("/v1/work-areas")]

    async def find_calendar(self, calendar_id: str) -> Json | None:
        try:
            return await self.call_json("GET", f"/v1/calendars/{part(calendar_id)}", by=OPERATOR)
        except Refused as refusal:
            if refusal.code != "calendar_not_found":
                raise
            return None

    async def define_calendar(self, calendar_id: str, **definition: Any) -> Json:
        return await self.call_json("PUT", f"/v1/calendars/{part(calendar_id)}", definition, by=OPERATOR)

    async def time_limits(self) -> Json:
        return await self.call_json("GET", "/v1/rules/time-limits", by=OPERATOR)

    async def set_time_limits(self, **rules: Any) -> Json:
        return await self.call_json("PUT", "/v1/rules/time-limits", rules, by=OPERATOR)

    async def dispatch(
        self, order: WorkOrder, *, work_area_id: str, staff_ids: Sequence[str], remark: str | None = None, **more: Any
    ) -> WorkOrder:
        return await self.act(
            "dispatch", order, work_area_id=work_area_id, staff_ids=list(staff_ids), remark=remark, **more
        )

    async def send_to_redispatch(
        self, order: WorkOrder, *, is_misdispatch_valid: bool, remark: str, **more: Any
    ) -> WorkOrder:
        return await self.act(
            "send-to-redispatch", order, is_misdispatch_valid=is_misdispatch_valid, remark=remark, **more
        )


class Fieldwork(OrderService):
    """Its acts are those of a technician of the order's own work area, unless `by` names another person."""

    role = "technician"

    async def act(self, name: str, order: WorkOrder, *, by: Person | None = None, **more: Any) -> WorkOrder:
        by = by or Person(self.role, areas=(order.work_area_id or "",))
        return await super().act(name, order, by=by, **more)

    async def start(self, order: WorkOrder, **more: Any) -> WorkOrder:
        return await self.act("start", order, **more)

    async def reject(self, order: WorkOrder, *, explanation: str, reason: str = "other", **more: Any) -> WorkOrder:
        return await self.act("reject", order, reason=reason, explanation=explanation, **more)

    async def complete(
        self,
        order: WorkOrder,
        *,
        handling: str,
        staff_ids: Sequence[str] | None = None,
        is_resolved: bool = True,
        is_petitioned: bool = False,
        is_called_back: bool = False,
        **more: Any,
    ) -> WorkOrder:
        """`staff_ids` are those it was dispatched to unless they are given."""
        if staff_ids is None and order.assignment is not None:
            staff_ids = order.assignment.staff_ids
        return await self.act(
            "complete",
            order,
            staff_ids=list(staff_ids or ()),
            handling=handling,
            is_resolved=is_resolved,
            is_petitioned=is_petitioned,
            is_called_back=is_called_back,
            **more,
        )

    async def suspend(self, order: WorkOrder, *, reason: str, until: Any, **more: Any) -> WorkOrder:
        return await self.act("suspend", order, reason=reason, until=until, **more)

    async def resume(self, order: WorkOrder, **more: Any) -> WorkOrder:
        return await self.act("resume", order, **more)

    async def arrive(self, order: WorkOrder, *, place: str | None = None, **more: Any) -> WorkOrder:
        return await self.act("arrive", order, place=place, **more)

    async def add_note(self, order: WorkOrder, *, note: str, **more: Any) -> WorkOrder:
        return await self.act("notes", order, note=note, **more)


class Qa(OrderService):
    role = "auditor"

    async def submit_for_audit(self, order: WorkOrder, **more: Any) -> WorkOrder:
        return await self.act("submit-for-audit", order, **more)

    async def audit(self, order: WorkOrder, *, verdict: str, remark: str, **more: Any) -> WorkOrder:
        return await self.act("audit", order, verdict=verdict, remark=remark, **more)

    async def redispatch(self, order: WorkOrder, *, reason: str, **more: Any) -> WorkOrder:
        return await self.act("redispatch", order, reason=reason, **more)

    async def archive(self, order: WorkOrder, **more: Any) -> WorkOrder:
        return await self.act("archive", order, **more)


class Reporting(ServiceClient):
    role = "supervisor"

    async def timeline(self, order_id: str, *, by: Person | None = None, at_least: int | None = None) -> Json:
        return await self.read(f"/v1/work-orders/{part(order_id)}/timeline", by=by, at_least=at_least)

    async def proof(self, order_id: str, *, by: Person | None = None) -> Json:
        return await self.read(f"/v1/work-orders/{part(order_id)}/proof", by=by)


class ServiceClients:
    """The five services of one installation."""

    def __init__(
        self, addresses: Addresses, *, patience: Patience = NONE, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.addresses = addresses
        self.tokens = tokens = Tokens(new_http(transport), addresses.issuer, addresses.tokens)
        at = addresses.services
        self.intake = Intake(at["intake"], new_http(transport), tokens, patience)
        self.dispatch = Dispatch(at["dispatch"], new_http(transport), tokens, patience)
        self.fieldwork = Fieldwork(at["fieldwork"], new_http(transport), tokens, patience)
        self.qa = Qa(at["qa"], new_http(transport), tokens, patience)
        self.reporting = Reporting(at["reporting"], new_http(transport), tokens, patience)

    @property
    def services(self) -> dict[str, ServiceClient]:
        return {name: getattr(self, name) for name in SERVICES}

    async def require(self, *names: str) -> None:
        """Raises `Stopped` with a clear sentence unless the issuer and these services answer."""
        try:
            await self.tokens.check()
            for name in names or tuple(self.services):
                await self.services[name].metrics()
        except NotReached as error:
            raise Stopped(f"{error}; start the installation with `linework up`.") from error

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in (self.tokens, *self.services.values()):
            await client.http.aclose()
