"""Requests to the custodian of an order: cancel, urge, extend, amend."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts.requests import (
    WorkOrderAmendRequested,
    WorkOrderCancelRequested,
    WorkOrderExtensionRequested,
    WorkOrderRequest,
    WorkOrderUrgeRequested,
)

KINDS: Mapping[type, str] = {
    WorkOrderCancelRequested: "cancel",
    WorkOrderUrgeRequested: "urge",
    WorkOrderExtensionRequested: "extend",
    WorkOrderAmendRequested: "amend",
}
PENDING = "pending"
_EVENTS = {kind: event for event, kind in KINDS.items()}


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of the custodian: `cancel`, `urge`, `extend` or `amend`."""

    kind: str
    reason: str
    more: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of the request, by name."""

    def event(self, request_id: str) -> WorkOrderRequest:
        """What carries the request to the custodian."""
        event: WorkOrderRequest = _EVENTS[self.kind](request_id=request_id, reason=self.reason, **self.more)
        return event


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
