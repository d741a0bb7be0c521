"""What intake listens to."""

from collections.abc import Sequence

from chassis.database import Transaction
from chassis.one_statement import Part, Rows, execute_together
from chassis.subscribe import Subscription
from chassis.subscription import OneStatement
from contracts.lifecycle import Service
from contracts.message import Message
from contracts.topics import DIRECTORY, QUALITY, SEALING_KEYS, WORK_ORDERS
from intake import recovery, recovery_store
from intake.orders import store as orders_store
from intake.privacy import activity_store
from intake.privacy.erasure import on_sealing_keys_of_ours
from work_orders.replica import Replica

_follower = Replica(Service.INTAKE)


async def on_work_orders(messages: Sequence[Message], tx: Transaction) -> None:
    await _follower.follow(messages, tx)
    await execute_together(tx, _kept(messages))


def _orders_and_kept(messages: Sequence[Message], read: Sequence[Rows]) -> Sequence[Part]:
    return [*_follower.writes(messages, read), *_kept(messages)]


def _kept(messages: Sequence[Message]) -> list[Part]:
    """What intake keeps of messages besides the orders."""
    return [orders_store.history_of(messages), *orders_store.requests_of(messages)]


async def on_quality(messages: Sequence[Message], tx: Transaction) -> None:
    """A follow-up is activity of the subscriber who is called: who was called yesterday is not erased by age."""
    await activity_store.note_follow_ups(tx, messages)


async def when_caught_up(tx: Transaction) -> None:
    await _follower.settle_restore(tx)
    await recovery_store.skip_used_numbers(tx)


SUBSCRIPTIONS = [
    Subscription(
        WORK_ORDERS,
        on_work_orders,
        OneStatement(_follower.reads, _orders_and_kept),
        when_caught_up=when_caught_up,
    ),
    Subscription(QUALITY, on_quality),
    Subscription(SEALING_KEYS, on_sealing_keys_of_ours),
]

OWN = [Subscription(DIRECTORY, recovery.take_back)]
"""What it writes itself; read again only when its database was restored."""
