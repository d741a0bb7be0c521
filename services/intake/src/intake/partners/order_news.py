"""What partners are told of their orders: computed from the stream as intake's replica applies it.

A message is told once, because the replica applies an event once: its statement, of which this is a part, is guarded by
the version that was read. Ids are derived from the event, so that a message that a restored database sends again is the
same message.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chassis.clock import SystemClock
from chassis.one_statement import Part, Rows
from contracts import partners as p
from contracts.directory import Names
from contracts.events import (
    WorkOrderArchived,
    WorkOrderCancelled,
    WorkOrderCompleted,
    WorkOrderCreated,
    WorkOrderDispatched,
)
from contracts.lifecycle import CUSTODIANS, Act, ActNotAllowed, Status
from contracts.message import Message
from contracts.order import WorkOrder, apply
from contracts.requests import WorkOrderRequest, WorkOrderRequestRefused
from intake.partners import message_store as store
from intake.partners.outgoing import Outgoing, PartnerOrder, derived_id, to_partner
from intake.partners.sending import sent
from work_orders.order_table import to_order

TOLD = (WorkOrderDispatched, WorkOrderCompleted, WorkOrderCancelled, WorkOrderArchived)
"""The events that a partner hears of."""

_EVENT_TYPES = {
    "cancel": "linework.partner.order_cancel_requested.v1",
    "urge": "linework.partner.order_urge_requested.v1",
}


@dataclass(frozen=True, slots=True)
class WaitingRequest:
    """A request of a partner without an answer yet, and the partner's event that made it."""

    event_id: str
    kind: str


@dataclass(slots=True)
class OrderNews:
    """What is known of the orders of partners, and what follows of a batch."""

    orders: dict[str, PartnerOrder]
    requests: dict[str, WaitingRequest]
    active: dict[str, bool]
    """Whether partners are active, of those whose orders appear in the batch for the first time."""
    now: datetime
    new_orders: list[PartnerOrder] = field(default_factory=list)
    outgoing: list[Outgoing] = field(default_factory=list)
    refused: list[tuple[str, str, str]] = field(default_factory=list)
    """Partner, event and code of events that a custodian refused."""

    def take(self, message: Message) -> None:
        if isinstance(message.body, WorkOrderCreated):
            self._meet(message)
        known = self.orders.get(message.subject)
        if known is None:
            return
        is_new = message.order_version == (known.order.version if known.order else 0) + 1
        if is_new:
            known.order = apply(known.order, message)
        if known.order is None:
            return
        if is_new or isinstance(message.body, WorkOrderRequestRefused):
            self._answer(message, known, known.order)
        if is_new and isinstance(message.body, TOLD):
            self._tell(message, known, status_changed(known.order, known.reply_by), "status")

    def _meet(self, message: Message) -> None:
        """Lists an order that became known by its first event: after a restore, or of an older release."""
        reference = message.body.external_reference or ""
        partner_id, _, own = reference.partition("/")
        is_partners = message.actor.role == "partner" and message.actor.sub == partner_id and own
        if is_partners and message.subject not in self.orders:
            is_active = self.active.get(partner_id, False)
            met = PartnerOrder(message.subject, partner_id, own, own, is_active)
            self.orders[message.subject] = met
            self.new_orders.append(met)

    def _answer(self, message: Message, known: PartnerOrder, order: WorkOrder) -> None:
        """Answers the partner's event that asked for this, with the custodian's answer."""
        request = self.requests.pop(getattr(message.body, "request_id", None) or "", None)
        if request is None:
            return
        if isinstance(message.body, WorkOrderRequestRefused):
            self.refused.append((known.partner_id, request.event_id, message.body.code))
        self._tell(message, known, answer_to(request, message.body, order), "answer", cause=request.event_id)

    def _tell(self, message: Message, known: PartnerOrder, body: object, what: str, cause: str | None = None) -> None:
        told = to_partner(
            body,
            known.subject,
            self.now,
            cause=cause or message.id,
            occurred_at=message.occurred_at,
            message_id=derived_id(message.id, what),
        )
        self.outgoing.append(Outgoing(known.partner_id, told, known.order_id, known.is_active))


def status_changed(order: WorkOrder, reply_by: datetime | None) -> p.PartnerOrderStatusChanged:
    return p.PartnerOrderStatusChanged(
        order_id=order.id,
        order_no=order.order_no,
        status=order.status,
        order_version=order.version,
        appointment=order.appointment,
        reply_by=reply_by,
    )


def answer_to(request: WaitingRequest, answer: object, order: WorkOrder) -> object:
    """The answer to a partner's event, from the custodian's answer to the request that it made."""
    if not isinstance(answer, WorkOrderRequestRefused):
        return accepted(request.event_id, order)
    return p.PartnerEventRefused(
        code=answer.code,
        detail=refusal_sentence(Act(request.kind), answer),
        event_id=request.event_id,
        event_type=_EVENT_TYPES[request.kind],
    )


def accepted(event_id: str, order: WorkOrder) -> p.PartnerEventsAccepted:
    events = (p.AcceptedEvent(event_id=event_id),)
    return p.PartnerEventsAccepted(events=events, order_id=order.id, order_no=order.order_no)


def refusal_sentence(act: Act, refused: WorkOrderRequestRefused) -> Names:
    """Why a custodian refused, and what it would have allowed."""
    if refused.code != ActNotAllowed.code:
        return Names(
            f"Who holds the order refused the request: {refused.code}.", f"工单保管方拒绝了该请求：{refused.code}。"
        )
    refusal = ActNotAllowed(
        act=act.value,
        order_status=refused.status,
        custodian=CUSTODIANS[Status(refused.status)],
        allowed_acts=list(refused.allowed_acts),
    )
    return Names(refusal.message("en"), refusal.message("zh"))


def reads(messages: Sequence[Message]) -> list[Part]:
    """What must be known before a batch is applied."""
    order_ids = {message.subject for message in messages if _may_be_told(message)}
    request_ids = {request_id for message in messages if (request_id := _answered_request(message))}
    creators = {
        message.actor.sub
        for message in messages
        if isinstance(message.body, WorkOrderCreated) and message.actor.role == "partner"
    }
    return [
        store.orders_of_partners(order_ids),
        store.waiting_requests(request_ids),
        store.are_active(creators),
    ]


def _may_be_told(message: Message) -> bool:
    return message.order_version is not None or isinstance(message.body, WorkOrderRequestRefused)


def _answered_request(message: Message) -> str | None:
    return None if isinstance(message.body, WorkOrderRequest) else getattr(message.body, "request_id", None)


def writes(messages: Sequence[Message], read: Sequence[Rows], *, is_catching_up: bool = False) -> list[Part]:
    """What is written of it, together with what the replica writes; `read` is what was there before."""
    news = news_of(read, now=SystemClock().now())
    for message in messages:
        news.take(message)
    return list(_parts(news, is_catching_up=is_catching_up))


def news_of(read: Sequence[Rows], *, now: datetime) -> OrderNews:
    orders, requests, active = read
    return OrderNews(
        {row[0]: _order_of(*row) for row in orders},
        {request_id: WaitingRequest(*rest) for request_id, *rest in requests},
        dict(active),
        now,
    )


def _order_of(
    order_id: str, partner_id: str, subject: str, is_active: bool, body: Any, reply_by: datetime | None
) -> PartnerOrder:
    return PartnerOrder(order_id, partner_id, subject, subject, is_active, to_order(body), reply_by)


def _parts(news: OrderNews, *, is_catching_up: bool) -> Iterator[Part]:
    if news.new_orders:
        yield store.added_orders(news.new_orders)
    if news.refused:
        yield store.noted_codes(news.refused)
    yield from sent(news.outgoing, is_catching_up=is_catching_up)
