"""Subscribers' data that partners report: only the fields that an operator permits the partner."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from contracts.message import Message
from contracts.partner_limits import mistake_at
from contracts.partners import Mistake, PartnerSubscriberChanged, SubscriberField
from contracts.plain_text import plain_name, plain_prose, plain_reference
from contracts.refusals import Refusal
from intake.partners.batch import PartnerBatch
from intake.partners.domain import SubscriberFieldsNotPermitted
from intake.partners.store import get_partner
from intake.subscribers.domain import SubscriberNotFound
from intake.subscribers.store import find_subscriber, get_subscriber_id
from intake.subscribers.use_cases import change_in

_SPELLINGS: Mapping[SubscriberField, Callable[[str], str]] = {
    SubscriberField.NAME: plain_name,
    SubscriberField.ADDRESS: plain_name,
    SubscriberField.TERRITORY: plain_reference,
    SubscriberField.NOTES: plain_prose,
}


async def ingest(batch: PartnerBatch, messages: Sequence[Message]) -> None:
    if not messages:
        return
    permitted = (await get_partner(batch.tx, batch.partner_id)).subscriber_fields
    for message in messages:
        foreign = [name for name in changes_of(message.body) if name not in permitted]
        try:
            await _change(batch, message, foreign, permitted)
        except Refusal as refusal:
            batch.refuse_by(message, refusal, *(_not_permitted(name, permitted) for name in foreign))


async def _change(batch: PartnerBatch, message: Message, foreign: Sequence[str], permitted: Sequence[str]) -> None:
    if foreign:
        # Before the subscriber is looked for: a partner without a right finds out nothing about who is there.
        raise SubscriberFieldsNotPermitted(fields=foreign, permitted=list(permitted))
    subscriber_no = plain_reference(message.body.subscriber_no)
    subscriber_id = await get_subscriber_id(batch.tx, subscriber_no)
    present = await find_subscriber(batch.tx, subscriber_id, is_locked=True)
    if present is None:
        raise SubscriberNotFound(subscriber_no=subscriber_no)
    await change_in(batch.command, present, changes_of(message.body))
    batch.accept(message)


def changes_of(said: PartnerSubscriberChanged) -> dict[str, Any]:
    """The fields that the event changes, in the spelling in which they are stored."""
    given = {name: value for name in SubscriberField if (value := getattr(said, name)) is not None}
    return {
        name.value: _SPELLINGS[name](value) if name in _SPELLINGS else getattr(value, "value", value)
        for name, value in given.items()
    }


def _not_permitted(name: str, permitted: Sequence[str]) -> Mistake:
    right = ", ".join(permitted) or "no field of a subscriber, unless an operator permits it"
    return mistake_at(f"/{name}", "may not be set by this partner", "该合作方无权设置", right)
