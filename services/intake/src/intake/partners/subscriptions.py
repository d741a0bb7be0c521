"""The topics of partners that the worker listens to."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from chassis.database import Database
from chassis.dynamic_subscriptions import DynamicSubscription
from chassis.sealing import MasterKeys
from chassis.subscription import Subscription
from contracts.topics import PARTNER_ID, PARTNER_IN, PARTNER_OUT, topic_of_partner
from intake.partners.ingest import subscription_of
from intake.partners.store import partners


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
