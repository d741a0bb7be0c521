"""What intake listens to."""

from collections.abc import Sequence

from chassis.database import Transaction
from chassis.one_statement import Part, Rows, execute_together, fetch_together
from chassis.subscribe import Subscription
from chassis.subscription import OneStatement
from contracts.catalogue import BY_BODY
from contracts.handling import HandlingRulesDefined
from contracts.lifecycle import Service
from contracts.message import Message
from contracts.topics import DEADLINES, DIRECTORY, QUALITY, SEALING_KEYS, WORK_ORDERS
from intake import recovery, recovery_store
from intake.orders import store as orders_store
from intake.partners import order_news
from intake.partners.sending import send_owed
from intake.privacy import activity_store
from intake.privacy.erasure import on_sealing_keys_of_ours
from work_orders.handling_rules import HANDLING
from work_orders.replica import Replica
from work_orders.time_limits import on_deadlines

_follower = Replica(Service.INTAKE)
_NEWS_READS = 3
"""How many queries `order_news.reads` has."""
_OF_RULES = frozenset({BY_BODY[HandlingRulesDefined].type.encode()})


async def on_work_orders(messages: Sequence[Message], tx: Transaction) -> None:
    known = await fetch_together(tx, order_news.reads(messages))
    await _follower.follow(messages, tx)
    await execute_together(tx, _kept(messages))
    await execute_together(tx, order_news.writes(messages, known, is_catching_up=tx.is_catching_up))


def _reads(messages: Sequence[Message]) -> Sequence[Part] | None:
    orders = _follower.reads(messages)
    return None if orders is None else [*orders, *order_news.reads(messages)]


def _writes(messages: Sequence[Message], read: Sequence[Rows]) -> Sequence[Part]:
    orders, news = read[:-_NEWS_READS], read[-_NEWS_READS:]
    return [*_follower.writes(messages, orders), *_kept(messages), *order_news.writes(messages, news)]


def _kept(messages: Sequence[Message]) -> list[Part]:
    """What intake keeps of messages besides the orders."""
    return [orders_store.history_of(messages), *orders_store.requests_of(messages)]


async def on_quality(messages: Sequence[Message], tx: Transaction) -> None:
    """A follow-up is activity of the subscriber who is called: who was called yesterday is not erased by age."""
    await activity_store.note_follow_ups(tx, messages)


async def when_caught_up(tx: Transaction) -> None:
    await _follower.settle_restore(tx)
    await recovery_store.skip_used_numbers(tx)
    await send_owed(tx)


SUBSCRIPTIONS = [
    Subscription(
        WORK_ORDERS,
        on_work_orders,
        OneStatement(_reads, _writes),
        when_caught_up=when_caught_up,
    ),
    Subscription(QUALITY, on_quality),
    Subscription(DEADLINES, on_deadlines),
    Subscription.of_changes(DIRECTORY, HANDLING.added, types=_OF_RULES),
    Subscription(SEALING_KEYS, on_sealing_keys_of_ours),
]

OWN = [Subscription(DIRECTORY, recovery.take_back)]
"""What it writes itself; read again only when its database was restored."""
