"""Requests to the custodian of an order: cancel, urge, extend."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts.requests import (
    WorkOrderCancelRequested,
    WorkOrderExtensionRequested,
    WorkOrderRequest,
    WorkOrderUrgeRequested,
)

KINDS: Mapping[type, str] = {
    WorkOrderCancelRequested: "cancel",
    WorkOrderUrgeRequested: "urge",
    WorkOrderExtensionRequested: "extend",
}
PENDING = "pending"
_EVENTS = {kind: event for event, kind in KINDS.items()}


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of the custodian: `cancel`, `urge` or `extend`."""

    kind: str
    reason: str
    more: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of the request, by name."""


@dataclass(frozen=True, slots=True)
class CustodianRequest:
    """A request as intake keeps it; its reason is sealed."""

    id: str
    order_id: str
    kind: str
    reason: str
    state: str
    asked_by: str
    asked_at: datetime
    answered_at: datetime | None = None
    refusal: Mapping[str, Any] | None = None

    def event(self, more: Mapping[str, Any]) -> WorkOrderRequest:
        """What carries the request to the custodian."""
        event: WorkOrderRequest = _EVENTS[self.kind](request_id=self.id, reason=self.reason, **more)
        return event
