"""Requests to the custodian of an order: cancel, urge, extend, amend, recall, supervise, reopen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts.refusals import Invalid
from contracts.requests import (
    WorkOrderAmendRequested,
    WorkOrderCancelRequested,
    WorkOrderExtensionRequested,
    WorkOrderRecallRequested,
    WorkOrderReopenRequested,
    WorkOrderRequest,
    WorkOrderSupervisionRequested,
    WorkOrderUrgeRequested,
)

KINDS: Mapping[type, str] = {
    WorkOrderCancelRequested: "cancel",
    WorkOrderUrgeRequested: "urge",
    WorkOrderExtensionRequested: "extend",
    WorkOrderRecallRequested: "recall",
    WorkOrderSupervisionRequested: "supervise",
    WorkOrderReopenRequested: "reopen",
    WorkOrderAmendRequested: "amend",
}
PENDING = "pending"
_EVENTS = {kind: event for event, kind in KINDS.items()}


class ReplyByNotAhead(Invalid):
    """The custodian must have time to answer: reply_by {reply_by:time} is not ahead of {asked_at:time}."""

    zh = "必须给保管方留出答复时间：reply_by {reply_by:time}不晚于 {asked_at:time}。"


def check_reply_by(reply_by: datetime, *, asked_at: datetime) -> None:
    if reply_by <= asked_at:
        raise ReplyByNotAhead(reply_by=reply_by.isoformat(), asked_at=asked_at.isoformat())


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of the custodian: one of `KINDS`."""

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
