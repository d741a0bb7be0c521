"""Work orders that partners ask for: created as an agent's are, and answered with their number or the refusal."""

from collections.abc import Sequence

from chassis.identity import new_id
from contracts.codec import new_message
from contracts.directory import Names
from contracts.events import Channel
from contracts.lifecycle import Service
from contracts.message import Actor, Message
from contracts.plain_text import plain_prose, plain_reference
from contracts.refusals import Refusal, Unavailable
from intake.orders import references
from intake.orders import store as orders_store
from intake.orders.domain.creation import CreateWorkOrder, create
from intake.partners.batch import Taking
from intake.subscribers.sealing_keys import sealed_in
from work_orders.commit import ExternalReferenceTaken, create_in


async def take(taking: Taking, messages: Sequence[Message]) -> None:
    for message in messages:
        try:
            await _create(taking, message)
        except Unavailable:
            raise  # nothing is wrong with what the partner sent
        except Refusal as refusal:
            taking.refuse(message, refusal.code, detail=Names(refusal.message("en"), refusal.message("zh")))


async def _create(taking: Taking, message: Message) -> None:
    asked = message.body
    command = CreateWorkOrder(
        subscriber_no=plain_reference(asked.subscriber_no),
        device_type=asked.device_type,
        demand_type=asked.demand_type,
        content=plain_prose(asked.content),
        channel=Channel.PARTNER,
        appointment=asked.appointment,
        # The partner's own number: another partner may have the same one.
        external_reference=f"{taking.partner_id}/{plain_reference(message.subject)}",
        zone=asked.zone,
        territory=plain_reference(asked.territory) if asked.territory else None,
    )
    known = await orders_store.circumstances(taking.tx, command, now=taking.now)
    order_id, partner = new_id(), Actor(taking.partner_id, "partner")
    created = new_message(
        await sealed_in(
            taking.tx,
            create(command, known),
            order_id,
            known.subscriber_id,
            partner,
            masters=taking.masters,
            now=taking.now,
        ),
        service=Service.INTAKE,
        subject=order_id,
        actor=partner,
        occurred_at=min(message.occurred_at, taking.now),
        recorded_at=taking.now,
        order_version=1,
        correlation_id=message.correlation_id,
        causation_id=message.id,
        traceparent=message.traceparent,
    )
    try:
        order = await create_in(taking.tx, created)
    except ExternalReferenceTaken as taken:
        # Anybody may have typed a reference that looks like the partner's: the partner sees its own orders alone.
        raise await references.as_partner_sees(taken, taking.tx, taking.partner_id) from taken
    taking.accept(message, order_id=order.id, order_no=order.order_no)
