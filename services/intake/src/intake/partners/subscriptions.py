"""The topics of partners that the worker listens to."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from chassis.clock import Clock, SystemClock
from chassis.database import Database, Transaction
from chassis.dynamic_subscriptions import DynamicSubscription
from chassis.parking import RawRecord
from chassis.sealing import MasterKeys
from chassis.subscription import Subscription
from contracts.message import Message
from contracts.topics import PARTNER_ID, PARTNER_IN, PARTNER_OUT, topic_of_partner
from intake.partners import event_store
from intake.partners.ingest import answer_unreadable, ingest
from intake.partners.store import partners

_MOST_RECORDS = 1000
_LONGEST_REST_SECONDS = 2


def subscription_of(
    partner_id: str, masters: MasterKeys, *, events_per_second: int = _MOST_RECORDS, clock: Clock | None = None
) -> Subscription:
    """What intake listens to for a partner."""
    time = clock or SystemClock()

    async def on_events(messages: Sequence[Message], tx: Transaction) -> None:
        await ingest(messages, tx, partner_id=partner_id, masters=masters, clock=time)

    async def on_unreadable(record: RawRecord, _: str, tx: Transaction) -> bool:
        return await answer_unreadable(record, tx, partner_id=partner_id, clock=time)

    async def pace(count: int, db: Database) -> float:
        # A second's worth may come at once: the quota is of a steady flow, not of each moment.
        return max(0.0, await event_store.pace(db, partner_id, count) - 1.0)

    return Subscription(
        topic_of_partner(PARTNER_IN, partner_id),
        on_events,
        answer_unreadable=on_unreadable,
        pace=pace,
        batch_records=max(1, min(_MOST_RECORDS, events_per_second * _LONGEST_REST_SECONDS)),
    )


def active_partners(masters: MasterKeys) -> Callable[[Database], Coroutine[Any, Any, Sequence[DynamicSubscription]]]:
    """What the worker listens to: the `in` of every active partner; a suspended one's events wait on its topic."""

    async def arriving(db: Database) -> Sequence[DynamicSubscription]:
        async with db.statements() as statements:
            found = await partners(statements)
        return [
            DynamicSubscription(
                subscription_of(partner.id, masters, events_per_second=partner.events_per_second),
                [topic_of_partner(template, partner.id) for template in (PARTNER_IN, PARTNER_OUT)],
                stamp=str(partner.events_per_second),
            )
            for partner in found
            if partner.is_active
        ]

    return arriving


def subscription_finder(masters: MasterKeys) -> Callable[[str], Subscription | None]:
    """Finds the subscription of a partner's topic by the topic's name: for the release of what is parked."""

    def find_subscription(topic: str) -> Subscription | None:
        head, _, rest = topic.partition(".")
        partner_id = rest.removesuffix(".in")
        is_partners = head == "partner" and rest.endswith(".in") and PARTNER_ID.fullmatch(partner_id)
        return subscription_of(partner_id, masters) if is_partners else None

    return find_subscription
