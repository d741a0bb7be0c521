"""What dispatch listens to. Time limits, and most of the directory, are its own work: it need not hear them."""

from collections.abc import Sequence

from chassis.database import Transaction
from chassis.one_statement import Part, Rows, execute_together
from chassis.subscribe import Subscription
from chassis.subscription import OneStatement
from contracts.lifecycle import Service
from contracts.message import Message
from contracts.topics import DEADLINES, DIRECTORY, SEALING_KEYS, WORK_ORDERS
from dispatch import recovery
from dispatch.alarms import store as alarms_store
from work_orders.directory import order_types_of
from work_orders.replica import Replica
from work_orders.sealing_keys import sealing_keys_of
from work_orders.time_limits import on_deadlines

_follower = Replica(Service.DISPATCH, beside=alarms_store.planned)


async def on_work_orders(messages: Sequence[Message], tx: Transaction) -> None:
    await _follower.follow(messages, tx)
    await execute_together(tx, alarms_store.links_of(messages))


def _orders_and_links(messages: Sequence[Message], read: Sequence[Rows]) -> Sequence[Part]:
    return [*alarms_store.links_of(messages), *_follower.writes(messages, read)]


async def on_own_deadlines(messages: Sequence[Message], tx: Transaction) -> None:
    await on_deadlines(messages, tx)
    await alarms_store.take_back(messages, tx)


SUBSCRIPTIONS = [
    Subscription(
        WORK_ORDERS,
        on_work_orders,
        OneStatement(_follower.reads, _orders_and_links),
        when_caught_up=_follower.settle_restore,
    ),
    Subscription.of_changes(DIRECTORY, order_types_of),
    Subscription.of_changes(SEALING_KEYS, sealing_keys_of),
]

OWN = [Subscription(DIRECTORY, recovery.take_back), Subscription(DEADLINES, on_own_deadlines)]
"""What it writes itself; read again only when its database was restored."""
