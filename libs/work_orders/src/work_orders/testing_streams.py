"""The stream of an order as the services wrote it, and entries of the directory; needs no service and no server."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts import directory as d
from contracts import events as e
from contracts.chain import event_hash
from contracts.codec import new_message
from contracts.lifecycle import Service, Status
from contracts.message import Actor, Message
from contracts.order import WorkOrder, apply
from contracts.requests import WorkOrderCancelRequested, WorkOrderRequest

BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)
COMPLETION: dict[str, Any] = {
    "staff_ids": ["north-1"],
    "handling": "更换分线盒",
    "is_resolved": True,
    "is_petitioned": False,
    "is_called_back": True,
}
_ROLES = {
    Service.INTAKE: "agent",
    Service.DISPATCH: "dispatcher",
    Service.FIELDWORK: "technician",
    Service.QA: "auditor",
}


def make_created(**overrides: Any) -> e.WorkOrderCreated:
    values: dict[str, Any] = {
        "order_no": "20260302-000001",
        "subscriber_id": "s-1",
        "subscriber_no": "111",
        "device_type": "digital",
        "demand_type": "test",
        "content": "测试",
        "channel": e.Channel.PHONE,
        "zone": e.Zone.URBAN,
    }
    return e.WorkOrderCreated(**(values | overrides))


def make_dispatched(**overrides: Any) -> e.WorkOrderDispatched:
    return e.WorkOrderDispatched(**({"work_area_id": "north", "staff_ids": ("north-1",)} | overrides))


def make_completed(**overrides: Any) -> e.WorkOrderCompleted:
    return e.WorkOrderCompleted(**(COMPLETION | {"staff_ids": ("north-1",)} | overrides))


def make_rejected(**overrides: Any) -> e.WorkOrderRejected:
    return e.WorkOrderRejected(**({"reason": e.RejectionReason.WRONG_TRADE, "explanation": "需要光纤班"} | overrides))


_WAYS: dict[Status, tuple[Callable[[], Any], ...]] = {
    Status.CREATED: (make_created,),
    Status.DISPATCHED: (make_created, make_dispatched),
    Status.PROCESSING: (make_created, make_dispatched, e.WorkOrderStarted),
    Status.REJECTED: (make_created, make_dispatched, make_rejected),
    Status.REDISPATCHING: (make_created, make_dispatched, make_rejected, e.WorkOrderRedispatchRequested),
    Status.COMPLETED: (make_created, make_dispatched, e.WorkOrderStarted, make_completed),
    Status.AUDITING: (make_created, make_dispatched, e.WorkOrderStarted, make_completed, e.WorkOrderAuditRequested),
    Status.ARCHIVED: (make_created, make_dispatched, e.WorkOrderStarted, make_completed, e.WorkOrderArchived),
    Status.CANCELLED: (make_created, lambda: e.WorkOrderCancelled(request_id="r-0", reason="mistake")),
}
"""The shortest way to each status."""


@dataclass
class Stream:
    """The stream of one order, from its beginning: each event by its custodian, a minute after the one before."""

    order_id: str = "o-1"
    messages: list[Message] = field(default_factory=list)
    order: WorkOrder | None = None

    def until(self, status: Status) -> "Stream":
        """Takes a new stream the shortest way to a status."""
        for make in _WAYS[status]:
            self.add(make())
        return self

    def add(self, event: e.WorkOrderEvent, *, sub: str | None = None) -> Message:
        service = (self.order.custodian if self.order else Service.INTAKE) or Service.QA
        events = [message for message in self.messages if message.order_version is not None]
        return self.take(
            new_message(
                event,
                service=service,
                subject=self.order_id,
                actor=Actor(sub or f"{_ROLES[service]}-1", _ROLES[service]),
                occurred_at=self._next_minute(),
                recorded_at=self._next_minute(),
                order_version=len(events) + 1,
                prev_hash=event_hash(events[-1]) if events else None,
            )
        )

    def ask(self, request: WorkOrderRequest | None = None) -> Message:
        """A request from intake; without one, to cancel."""
        return self.take(
            new_message(
                request or WorkOrderCancelRequested(request_id="r-1", reason="用户来电要求"),
                service=Service.INTAKE,
                subject=self.order_id,
                actor=Actor("agent-1", "agent"),
                occurred_at=self._next_minute(),
                recorded_at=self._next_minute(),
            )
        )

    def take(self, message: Message) -> Message:
        """Goes on with what a service has written."""
        self.messages.append(message)
        if message.order_version is not None:
            self.order = apply(self.order, message)
        return message

    def _next_minute(self) -> datetime:
        return BEGIN + timedelta(minutes=len(self.messages))


def make_order(*events: e.WorkOrderEvent, status: Status | None = None, order_id: str = "o-1") -> WorkOrder:
    """An order that has been through these events, or the shortest way to a status and then through them."""
    stream = Stream(order_id)
    if status is not None:
        stream.until(status)
    for event in events:
        stream.add(event)
    assert stream.order is not None
    return stream.order


def defined(entity: d.DirectoryEntity, version: int = 1) -> Message:
    """An entry of the directory as dispatch and intake publish it."""
    is_of_intake = isinstance(entity, d.DeviceTypeDefined | d.DemandTypeDefined)
    return new_message(
        entity,
        service=Service.INTAKE if is_of_intake else Service.DISPATCH,
        subject="directory",
        actor=Actor("operator-1", "operator"),
        occurred_at=BEGIN,
        recorded_at=BEGIN,
        entity_version=version,
    )


def work_area(work_area_id: str, version: int = 1, **more: Any) -> Message:
    names = d.Names(en=work_area_id, zh=f"{work_area_id}工区")
    values: dict[str, Any] = {"work_area_id": work_area_id, "names": names} | more
    return defined(d.WorkAreaDefined(**values), version)


def staff(staff_id: str, work_area_id: str, version: int = 1, **more: Any) -> Message:
    name = f"name of {staff_id}"
    return defined(
        d.StaffDefined(**({"staff_id": staff_id, "name": name, "work_area_id": work_area_id} | more)), version
    )
