"""Work orders that partners ask for: created as an agent's are, and answered with their number or the refusal."""

from collections.abc import Sequence

from chassis.identity import new_id
from contracts.directory import Names
from contracts.events import Channel
from contracts.message import Message
from contracts.origin import Origin
from contracts.partners import PartnerOrderRequested
from contracts.plain_text import plain_prose, plain_reference
from contracts.refusals import Refusal, Unavailable
from intake.orders import references
from intake.orders import store as orders_store
from intake.orders.domain.creation import CreateWorkOrder, create
from intake.partners.batch import PartnerBatch
from intake.subscribers.sealing_keys import sealed_in
from work_orders.commit import ExternalReferenceTaken, create_in


async def ingest(batch: PartnerBatch, messages: Sequence[Message]) -> None:
    for message in messages:
        try:
            await _create(batch, message)
        except Unavailable:
            raise  # nothing is wrong with what the partner sent
        except Refusal as refusal:
            batch.refuse(message, refusal.code, detail=Names(refusal.message("en"), refusal.message("zh")))


async def _create(batch: PartnerBatch, message: Message) -> None:
    wanted = _wanted(batch, message.body, message.subject)
    known = await orders_store.circumstances(batch.tx, wanted, now=batch.now)
    order_id, event, subscriber_id = new_id(), create(wanted, known), known.subscriber_id
    event = await sealed_in(batch.command, event, batch.masters, subject=order_id, subscriber_id=subscriber_id)
    origin = Origin.caused_by(message, service=batch.command.origin.service, now=batch.now, actor=batch.command.actor)
    occurred_at = min(message.occurred_at, batch.now)
    created = origin.message(event, subject=order_id, order_version=1, occurred_at=occurred_at)
    try:
        order = await create_in(batch.tx, created)
    except ExternalReferenceTaken as taken:
        # A user may have typed a reference that looks like the partner's: the partner sees its own orders only.
        raise await references.as_partner_sees(taken, batch.tx, batch.partner_id) from taken
    batch.accept(message, order_id=order.id, order_no=order.order_no)


def _wanted(batch: PartnerBatch, asked: PartnerOrderRequested, reference: str) -> CreateWorkOrder:
    return CreateWorkOrder(
        subscriber_no=plain_reference(asked.subscriber_no),
        device_type=asked.device_type,
        demand_type=asked.demand_type,
        content=plain_prose(asked.content),
        channel=Channel.PARTNER,
        appointment=asked.appointment,
        # The partner's own number: another partner may have the same one.
        external_reference=f"{batch.partner_id}/{plain_reference(reference)}",
        zone=asked.zone,
        territory=plain_reference(asked.territory) if asked.territory else None,
    )
