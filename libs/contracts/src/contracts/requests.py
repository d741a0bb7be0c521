"""Requests to an order's custodian from services that do not hold the order.

Requests travel on the order's own stream, so that the stream determines who is custodian when they arrive.
Each is answered exactly once: granted by a versioned event that carries its `request_id`
(`WorkOrderCancelled`, `WorkOrderUrged`, `WorkOrderAmended`, …), or refused by `WorkOrderRequestRefused`. Neither a
request nor a refusal changes the order, so neither has an order version.

A custodian that has already handed the order over forwards the request: the same message type and
`request_id` with `hop` one higher, behind the hand-over.
"""

from dataclasses import dataclass
from datetime import datetime

from contracts.events import Appointment, OrderDetails, SlaClock, Urgency
from contracts.sealing import FreeText


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderCancelRequested:
    request_id: str
    reason: FreeText
    hop: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderUrgeRequested:
    request_id: str
    reason: FreeText
    hop: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderExtensionRequested:
    """Asks for more time 延期, before the limit is over."""

    request_id: str
    clock: SlaClock
    minutes: int
    """Of working time, where the limit is of working time."""
    reason: FreeText
    hop: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderRecallRequested:
    """Asks that a work area give the order back to be dispatched again 撤回."""

    request_id: str
    reason: FreeText
    hop: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderSupervisionRequested:
    """Asks the custodian to answer a supervisor by a moment 督办."""

    request_id: str
    reply_by: datetime
    reason: FreeText
    hop: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderReopenRequested:
    """Asks that a completed order which turned out not to be solved be dispatched again."""

    request_id: str
    reason: FreeText
    hop: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderAmendRequested:
    """Asks that what was entered be corrected 变更, or the appointment moved 改约."""

    request_id: str
    reason: FreeText
    seen_version: int
    """The order's version that the one who asks has seen: an order that was amended since is not amended."""
    content: FreeText | None = None
    """None, of this and each of the next: to be left as it is."""
    appointment: Appointment | None = None
    is_appointment_withdrawn: bool = False
    contact_id: str | None = None
    urgency: Urgency | None = None
    device_type: str | None = None
    demand_type: str | None = None
    hop: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderRequestRefused:
    """The custodian's no: what the order was when it was asked, and what would have been allowed."""

    request_id: str
    code: str
    status: str
    allowed_acts: tuple[str, ...] = ()
    order_version: int | None = None
    """The order's version that it was decided on."""
    present: OrderDetails | None = None
    """Of a refused amendment: what the order has, of the details that it was to change."""


WorkOrderRequest = (
    WorkOrderCancelRequested
    | WorkOrderUrgeRequested
    | WorkOrderExtensionRequested
    | WorkOrderAmendRequested
    | WorkOrderRecallRequested
    | WorkOrderSupervisionRequested
    | WorkOrderReopenRequested
)
