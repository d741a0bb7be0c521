"""Puts what partners are told into the outbox, and keeps it for a replay, in the transaction of what it is about."""

from collections.abc import Sequence

from chassis import outbox
from chassis.database import Transaction
from chassis.one_statement import Part, execute_together
from contracts.message import Message
from contracts.topics import PARTNER_OUT, topic_of_partner
from intake.partners import message_store as store
from intake.partners.outgoing import Outgoing

_OWED_AT_ONCE = 500


def sent(outgoing: Sequence[Outgoing], *, is_catching_up: bool = False) -> list[Part]:
    """What keeps and sends the messages. A restored database that catches up publishes nothing: it owes them."""
    if not outgoing:
        return []
    kept = store.added_messages(outgoing, is_owed=is_catching_up)
    return [kept] if is_catching_up else [kept, *_published(outgoing)]


def _published(outgoing: Sequence[Outgoing]) -> list[Part]:
    by_partner: dict[str, list[Message]] = {}
    for one in outgoing:
        if one.is_active:
            by_partner.setdefault(one.partner_id, []).append(one.message)
    return [
        outbox.added_by(messages, topic_of_partner(PARTNER_OUT, partner_id))
        for partner_id, messages in sorted(by_partner.items())
    ]


async def send(tx: Transaction, outgoing: Sequence[Outgoing]) -> None:
    await execute_together(tx, sent(outgoing))


async def send_owed(tx: Transaction) -> None:
    """Sends what became known while the database caught up, in order. A message that the lost database had sent goes
    out a second time, under the same id."""
    while owed := await store.take_owed(tx, _OWED_AT_ONCE):
        for part in _published([Outgoing(partner_id, message) for partner_id, message in owed]):
            await execute_together(tx, [part])
