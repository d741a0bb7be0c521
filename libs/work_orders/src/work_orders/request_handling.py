"""What a custodian says to a request: granted, refused, or passed on behind its hand-over.

The custodian *by the stream* answers: the service that holds the order at the place where the request
stands in the order's stream. Its own state may already be further. Four cases:

- It still holds the order: it decides.
- It has handed the order over, and that event stands behind the request: it forwards the request, which
  then stands behind the hand-over, where the next custodian finds it.
- It has closed the order, and that event stands behind the request: it refuses.
- The stream says that somebody else holds the order: it is silent. Of a closed order, the one who wrote
  the closing event answers.

A request may be delivered twice, even after its answer. `RequestState` is what keeps the answer single.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from contracts.amendment import details_present, grant_amendment
from contracts.codec import new_message
from contracts.events import (
    WorkOrderCancelled,
    WorkOrderEvent,
    WorkOrderExtended,
    WorkOrderRecalled,
    WorkOrderRedispatchRequested,
    WorkOrderSupervised,
    WorkOrderUrged,
)
from contracts.lifecycle import CUSTODIANS, Act, Service, Status
from contracts.message import Actor, Message
from contracts.order import WorkOrder
from contracts.refusals import Conflict, Refusal
from contracts.requests import (
    WorkOrderAmendRequested,
    WorkOrderCancelRequested,
    WorkOrderExtensionRequested,
    WorkOrderRecallRequested,
    WorkOrderReopenRequested,
    WorkOrderRequest,
    WorkOrderRequestRefused,
    WorkOrderSupervisionRequested,
    WorkOrderUrgeRequested,
)
from work_orders.order_table import StoredOrder
from work_orders.sla_clocks import RuleSets, deadline, extended_minutes


class LimitNotRunning(Conflict):
    """No time limit for {clock:clock} is running on this order, so none can be extended."""

    zh = "该工单没有正在计时的{clock:clock}时限，无可延期。"


class DeadlinePassed(Conflict):
    """The time limit ended at {due_at:time}; an extension must be requested before."""

    zh = "时限已于 {due_at:time}届满；延期须在届满前申请。"


class ExtensionTooLong(Conflict):
    """The extensions of this time limit would add up to {minutes} minutes; at most {longest_minutes} are granted."""

    zh = "该时限累计延期将达 {minutes} 分钟，最多准予 {longest_minutes} 分钟。"


@dataclass(slots=True)
class RequestState:
    """What this service knows of a request: up to which hop it is settled, and whether it is answered."""

    order_id: str
    settled_hop: int = -1
    is_answered: bool = False
    is_changed: bool = False
    owed: Message | None = None
    """The request itself, when a restored database found it in what it had missed and it was ours to answer."""


def answer(
    message: Message,
    stored: StoredOrder,
    seen: RequestState,
    *,
    service: Service,
    now: datetime,
    limits: RuleSets = RuleSets(),
) -> Message | None:
    """What this service has to send about the request that stands here in the stream; None for nothing.

    Notes in `seen` what is settled by that.
    """
    request: WorkOrderRequest = message.body
    if request.hop - 1 > seen.settled_hop:
        # Somebody forwarded the earlier hops, or they would not have become this one.
        seen.settled_hop, seen.is_changed = request.hop - 1, True
    if seen.is_answered or seen.settled_hop >= request.hop:
        return None
    order = stored.order
    if order.custodian is service:
        seen.is_answered = seen.is_changed = True
        return _decide(message, stored, limits, service=service, now=now)
    if order.custodian is None and _closer_of(order) is service:
        seen.is_answered = seen.is_changed = True
        return _refuse(message, order, _not_allowed(message, order), service=service, now=now)
    if not stored.has_read_own_events:
        return forward(message, seen, service=service, now=now)
    return None


def forward(message: Message, seen: RequestState, *, service: Service, now: datetime) -> Message:
    """The request again, behind the hand-over, where the next custodian finds it."""
    request: WorkOrderRequest = message.body
    seen.settled_hop, seen.is_changed = request.hop, True
    return _new(replace(request, hop=request.hop + 1), message, service=service, now=now)


def _closer_of(order: WorkOrder) -> Service | None:
    """Who wrote the closing event: the last custodian before it."""
    if order.status is Status.ARCHIVED:
        return Service.QA
    if order.cancellation is not None:
        return CUSTODIANS[order.cancellation.status_before]
    return None


_ACTS = {
    WorkOrderCancelRequested: Act.CANCEL,
    WorkOrderUrgeRequested: Act.URGE,
    WorkOrderExtensionRequested: Act.EXTEND,
    WorkOrderRecallRequested: Act.RECALL,
    WorkOrderSupervisionRequested: Act.SUPERVISE,
    WorkOrderReopenRequested: Act.REDISPATCH,
    WorkOrderAmendRequested: Act.AMEND,
}


def _granted(message: Message, order: WorkOrder, limits: RuleSets) -> WorkOrderEvent:
    """What grants the request; raises the refusal."""
    request: WorkOrderRequest = message.body
    order.advance(_ACTS[type(request)])
    match request:
        case WorkOrderCancelRequested():
            return WorkOrderCancelled(request_id=request.request_id, reason=request.reason)
        case WorkOrderUrgeRequested():
            return WorkOrderUrged(request_id=request.request_id, reason=request.reason)
        case WorkOrderExtensionRequested():
            _check_extension(request, order, limits, asked_at=message.occurred_at)
            return WorkOrderExtended(
                request_id=request.request_id, clock=request.clock, minutes=request.minutes, reason=request.reason
            )
        case WorkOrderRecallRequested():
            at = _occurred_at(message, order)
            return WorkOrderRecalled(
                request_id=request.request_id, reason=request.reason, ended_at=order.suspension_ended_before(at)
            )
        case WorkOrderSupervisionRequested():
            return WorkOrderSupervised(request_id=request.request_id, reply_by=request.reply_by, reason=request.reason)
        case WorkOrderAmendRequested():
            return grant_amendment(order, request)
        case WorkOrderReopenRequested():
            return WorkOrderRedispatchRequested(request_id=request.request_id, reason=request.reason)


def _occurred_at(message: Message, order: WorkOrder) -> datetime:
    """Granted at once, as of when it was asked; but never before what the order has been through since."""
    return max(message.occurred_at, order.changed.at)


def _check_extension(
    request: WorkOrderExtensionRequested, order: WorkOrder, limits: RuleSets, *, asked_at: datetime
) -> None:
    due_at = deadline(order, request.clock, limits, at=asked_at)
    if due_at is None:
        raise LimitNotRunning(clock=request.clock.value)
    if due_at < asked_at:
        raise DeadlinePassed(due_at=due_at.isoformat())
    minutes = extended_minutes(order, request.clock) + request.minutes
    longest = limits.of(order.created.at).rules.longest_extension_minutes
    if minutes > longest:
        raise ExtensionTooLong(minutes=minutes, longest_minutes=longest)


def _not_allowed(message: Message, order: WorkOrder) -> Refusal:
    """Why nothing can be asked of an order that is closed."""
    try:
        order.advance(_ACTS[type(message.body)])
    except Refusal as refusal:
        return refusal
    raise AssertionError(f"order {order.id} is not closed")


def _decide(message: Message, stored: StoredOrder, limits: RuleSets, *, service: Service, now: datetime) -> Message:
    order = stored.order
    try:
        granted = _granted(message, order, limits)
    except Refusal as refusal:
        return _refuse(message, order, refusal, service=service, now=now)
    return new_message(
        granted,
        service=service,
        subject=message.subject,
        actor=message.actor,
        occurred_at=_occurred_at(message, order),
        recorded_at=now,
        order_version=order.version + 1,
        prev_hash=stored.last_hash,
        correlation_id=message.correlation_id,
        causation_id=message.id,
        traceparent=message.traceparent,
    )


def _refuse(message: Message, order: WorkOrder, refusal: Refusal, *, service: Service, now: datetime) -> Message:
    request: WorkOrderRequest = message.body
    amendment = request if isinstance(request, WorkOrderAmendRequested) else None
    refused = WorkOrderRequestRefused(
        request_id=request.request_id,
        code=refusal.code,
        status=order.status.value,
        allowed_acts=tuple(act.value for act in order.allowed_acts),
        order_version=order.version if amendment else None,
        present=details_present(order, amendment) if amendment else None,
    )
    return _new(refused, message, service=service, now=now, actor=Actor(service.value, "service"))


def _new(body: object, cause: Message, *, service: Service, now: datetime, actor: Actor | None = None) -> Message:
    return new_message(
        body,
        service=service,
        subject=cause.subject,
        actor=actor or cause.actor,
        occurred_at=now if actor else cause.occurred_at,
        recorded_at=now,
        correlation_id=cause.correlation_id,
        causation_id=cause.id,
        traceparent=cause.traceparent,
    )
