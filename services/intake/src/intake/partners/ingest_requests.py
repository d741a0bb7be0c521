"""What partners ask of their orders' custodians: passed on, and answered when the custodian has answered."""

from collections.abc import Mapping, Sequence

from contracts.lifecycle import Act
from contracts.message import Message
from contracts.order import WorkOrder
from contracts.partners import PartnerOrderCancelRequested, PartnerOrderUrgeRequested
from contracts.plain_text import plain_prose, plain_reference
from contracts.refusals import Refusal
from contracts.requests import WorkOrderRequestRefused
from intake.orders import store as orders_store
from intake.orders.domain.requests import PENDING, Ask, CustodianRequest
from intake.orders.use_cases import ask_in
from intake.partners import message_store
from intake.partners.batch import PartnerBatch
from intake.partners.order_news import refusal_sentence
from intake.partners.outgoing import derived_id
from work_orders.commit import WorkOrderNotFound
from work_orders.order_table import StoredOrder

_KINDS: Mapping[type, str] = {PartnerOrderCancelRequested: "cancel", PartnerOrderUrgeRequested: "urge"}


async def ingest(batch: PartnerBatch, messages: Sequence[Message]) -> None:
    if not messages:
        return
    references = {plain_reference(message.subject) for message in messages}
    own = await message_store.own_orders(batch.tx, batch.partner_id, references)
    # The row lock keeps a request behind the creation in the outbox.
    orders = await orders_store.lock_orders(batch.tx, own.values())
    for message in messages:
        order_id = own.get(plain_reference(message.subject), "")
        try:
            await _ask(batch, message, orders.get(order_id))
        except Refusal as refusal:
            batch.refuse_by(message, refusal)


async def _ask(batch: PartnerBatch, message: Message, stored: StoredOrder | None) -> None:
    if stored is None:
        # Also of another's order: a partner learns nothing of what it did not ask for.
        raise WorkOrderNotFound(order_id=message.subject)
    # The same id each time: a restored database that does not know the event any more asks nothing a second time.
    request_id = derived_id(batch.partner_id, message.id, "request")
    known = await orders_store.lock_request(batch.tx, request_id)
    if known is not None and known.state != PENDING:
        _answer_again(batch, message, known, stored.order)
        return
    await message_store.add_request(batch.tx, request_id, batch.partner_id, message.id, message.subject)
    if known is None:
        ask = Ask(_KINDS[type(message.body)], plain_prose(message.body.reason))
        await ask_in(batch.command, ask, stored.order, batch.masters, request_id=request_id)


def _answer_again(batch: PartnerBatch, message: Message, known: CustodianRequest, order: WorkOrder) -> None:
    """A restored database has the custodian's answer from the stream."""
    if known.refusal is None:
        batch.accept(message, order_id=order.id, order_no=order.order_no)
        return
    refused = WorkOrderRequestRefused(**known.refusal)
    batch.refuse(message, refused.code, detail=refusal_sentence(Act(known.kind), refused))
