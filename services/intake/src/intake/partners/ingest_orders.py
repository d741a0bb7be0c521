"""Work orders that partners ask for: created as an agent's are, and answered with their number or the refusal."""

from collections.abc import Sequence

from chassis.one_statement import execute_together
from contracts.events import Channel
from contracts.message import Message
from contracts.origin import Origin
from contracts.partners import PartnerOrderRequested
from contracts.plain_text import plain_prose, plain_reference
from contracts.refusals import Refusal
from intake.orders import references
from intake.orders import store as orders_store
from intake.orders.domain.creation import CreateWorkOrder, create
from intake.partners import message_store
from intake.partners.batch import PartnerBatch
from intake.partners.outgoing import PartnerOrder, derived_id
from intake.subscribers.sealing_keys import sealed_in
from work_orders.commit import ExternalReferenceTaken, create_in


async def ingest(batch: PartnerBatch, messages: Sequence[Message]) -> None:
    for message in messages:
        try:
            await _create(batch, message)
        except Refusal as refusal:
            batch.refuse_by(message, refusal)


async def _create(batch: PartnerBatch, message: Message) -> None:
    wanted = _wanted(batch, message.body, message.subject)
    known = await orders_store.circumstances(batch.tx, wanted, now=batch.now)
    # The same id each time: a restored database that does not know the event any more finds the order of it.
    order_id = derived_id(batch.partner_id, message.id, "order")
    event, subscriber_id = create(wanted, known, role=batch.command.actor.role), known.subscriber_id
    event = await sealed_in(batch.command, event, batch.masters, subject=order_id, subscriber_id=subscriber_id)
    origin = Origin.caused_by(message, service=batch.command.origin.service, now=batch.now, actor=batch.command.actor)
    occurred_at = min(message.occurred_at, batch.now)
    created = origin.message(event, subject=order_id, order_version=1, occurred_at=occurred_at)
    try:
        order_no = (await create_in(batch.tx, created)).order_no
    except ExternalReferenceTaken as taken:
        if taken.context["order_id"] != order_id:
            # A user may have typed a reference that looks like the partner's: the partner sees its own orders only.
            raise await references.as_partner_sees(taken, batch.tx, batch.partner_id) from taken
        order_no = taken.context["order_no"]
    own = PartnerOrder(order_id, batch.partner_id, plain_reference(message.subject), message.subject, is_active=True)
    await execute_together(batch.tx, [message_store.added_orders([own])])
    batch.accept(message, order_id=order_id, order_no=order_no)


def _wanted(batch: PartnerBatch, asked: PartnerOrderRequested, reference: str) -> CreateWorkOrder:
    return CreateWorkOrder(
        subscriber_no=plain_reference(asked.subscriber_no),
        device_type=asked.device_type,
        demand_type=asked.demand_type,
        content=plain_prose(asked.content),
        channel=Channel.PARTNER,
        appointment=asked.appointment,
        urgency=asked.urgency,
        # The partner's own number: another partner may have the same one.
        external_reference=f"{batch.partner_id}/{plain_reference(reference)}",
        zone=asked.zone,
        territory=plain_reference(asked.territory) if asked.territory else None,
    )
