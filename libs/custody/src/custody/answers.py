"""What a custodian says to a request: granted, refused, or passed on behind its hand-over.

The custodian *by the stream* answers: the service that holds the order at the place where the request
stands in the order's stream. Its own state may already be further. Four cases:

- It still holds the order: it decides.
- It has handed the order over, and that event stands behind the request: it forwards the request, which
  then stands behind the hand-over, where the next custodian finds it.
- It has closed the order, and that event stands behind the request: it refuses.
- The stream says that somebody else holds the order: it is silent. Of a closed order, the one who wrote
  the closing event answers.

A request may be delivered twice, even after its answer. `RequestSeen` is what keeps the answer single.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from contracts.codec import new_message
from contracts.events import WorkOrderCancelled, WorkOrderEvent, WorkOrderUrged
from contracts.lifecycle import CUSTODIANS, Act, ActNotAllowed, Service, Status
from contracts.message import Actor, Message
from contracts.order import WorkOrder
from contracts.requests import WorkOrderCancelRequested, WorkOrderRequest, WorkOrderRequestRefused
from custody.rows import Tracked


@dataclass(slots=True)
class RequestSeen:
    """What this service knows of a request: up to which hop it is settled, and whether it is answered."""

    order_id: str
    settled_hop: int = -1
    is_answered: bool = False
    is_changed: bool = False
    owed: Message | None = None
    """The request itself, when a restored database found it in what it had missed and it was ours to answer."""


def answer(message: Message, tracked: Tracked, seen: RequestSeen, *, service: Service, now: datetime) -> Message | None:
    """What this service has to send about the request that stands here in the stream; None for nothing.

    Notes in `seen` what is settled by that.
    """
    request: WorkOrderRequest = message.body
    if request.hop - 1 > seen.settled_hop:
        # Somebody forwarded the earlier hops, or they would not have become this one.
        seen.settled_hop, seen.is_changed = request.hop - 1, True
    if seen.is_answered or seen.settled_hop >= request.hop:
        return None
    order = tracked.order
    if order.custodian is service:
        seen.is_answered = seen.is_changed = True
        return _decide(message, tracked, service=service, now=now)
    if order.custodian is None and _closer_of(order) is service:
        seen.is_answered = seen.is_changed = True
        return _refuse(message, order, service=service, now=now)
    if not tracked.has_read_own_events:
        return forward(message, seen, service=service, now=now)
    return None


def forward(message: Message, seen: RequestSeen, *, service: Service, now: datetime) -> Message:
    """The request again, behind the hand-over, where the next custodian finds it."""
    request: WorkOrderRequest = message.body
    seen.settled_hop, seen.is_changed = request.hop, True
    return _new(replace(request, hop=request.hop + 1), message, service=service, now=now)


def note_owed(message: Message, tracked: Tracked, seen: RequestSeen, *, service: Service, now: datetime) -> None:
    """Notes that the request is ours to answer, which this service may have done before its database was restored.

    What comes further on in the stream settles it; what nothing settles is answered by `owed_answer`.
    """
    request: WorkOrderRequest = message.body
    if request.hop - 1 > seen.settled_hop:
        seen.settled_hop, seen.is_changed = request.hop - 1, True
    if answer(message, tracked, replace(seen), service=service, now=now) is not None:
        seen.owed, seen.is_changed = message, True


def owed_answer(seen: RequestSeen, tracked: Tracked, *, service: Service, now: datetime) -> Message | None:
    """What is still to be sent about a request that is owed, once the whole stream has been read."""
    request, seen.owed, seen.is_changed = seen.owed, None, True
    if request is None or seen.is_answered or seen.settled_hop >= request.body.hop:
        return None
    # Where it stands the order was ours. Is it no more, then the hand-over stands behind it, and nobody else answers.
    return answer(request, tracked, seen, service=service, now=now) or forward(request, seen, service=service, now=now)


def _closer_of(order: WorkOrder) -> Service | None:
    """Who wrote the closing event: the last custodian before it."""
    if order.status is Status.ARCHIVED:
        return Service.QA
    if order.cancellation is not None:
        return CUSTODIANS[order.cancellation.status_before]
    return None


def _decide(message: Message, tracked: Tracked, *, service: Service, now: datetime) -> Message:
    request, order = message.body, tracked.order
    is_cancel = isinstance(request, WorkOrderCancelRequested)
    try:
        order.advance(Act.CANCEL if is_cancel else Act.URGE)
    except ActNotAllowed:
        return _refuse(message, order, service=service, now=now)
    granted: WorkOrderEvent = (
        WorkOrderCancelled(request_id=request.request_id, reason=request.reason)
        if is_cancel
        else WorkOrderUrged(request_id=request.request_id, reason=request.reason)
    )
    return new_message(
        granted,
        service=service,
        subject=message.subject,
        actor=message.actor,
        # Granted at once, as of when it was asked; but never before what the order has been through since.
        occurred_at=max(message.occurred_at, order.changed.at),
        recorded_at=now,
        order_version=order.version + 1,
        prev_hash=tracked.last_hash,
        correlation_id=message.correlation_id,
        causation_id=message.id,
        traceparent=message.traceparent,
    )


def _refuse(message: Message, order: WorkOrder, *, service: Service, now: datetime) -> Message:
    refused = WorkOrderRequestRefused(
        request_id=message.body.request_id,
        code=ActNotAllowed.code,
        status=order.status.value,
        allowed_acts=tuple(act.value for act in order.allowed_acts),
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
