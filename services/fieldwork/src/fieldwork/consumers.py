"""What fieldwork listens to."""

from collections.abc import Sequence

from chassis.database import Transaction
from chassis.one_statement import Part, Rows, execute_together
from chassis.subscribe import Subscription
from chassis.subscription import OneStatement
from contracts.lifecycle import Service
from contracts.message import Message
from contracts.topics import DEADLINES, DIRECTORY, SEALING_KEYS, WORK_ORDERS
from fieldwork.orders.suspension_store import suspensions_of
from work_orders.directory import directory_of
from work_orders.replica import Replica
from work_orders.sealing_keys import sealing_keys_of
from work_orders.time_limits import on_deadlines

_follower = Replica(Service.FIELDWORK)


async def on_work_orders(messages: Sequence[Message], tx: Transaction) -> None:
    await _follower.follow(messages, tx)
    await execute_together(tx, suspensions_of(messages))


def _orders_and_suspensions(messages: Sequence[Message], read: Sequence[Rows]) -> Sequence[Part]:
    return [*_follower.writes(messages, read), *suspensions_of(messages)]


SUBSCRIPTIONS = [
    Subscription(
        WORK_ORDERS,
        on_work_orders,
        OneStatement(_follower.reads, _orders_and_suspensions),
        when_caught_up=_follower.settle_restore,
    ),
    Subscription.of_changes(DIRECTORY, directory_of),
    Subscription(DEADLINES, on_deadlines),
    Subscription.of_changes(SEALING_KEYS, sealing_keys_of),
]
