"""What dispatch listens to. Time limits, and most of the directory, are its own work: it need not hear them."""

from chassis.subscribe import Subscription
from contracts.lifecycle import Service
from contracts.topics import DEADLINES, DIRECTORY, SEALING_KEYS, WORK_ORDERS
from dispatch import recovery
from work_orders.directory import order_types_of
from work_orders.replica import Replica
from work_orders.sealing_keys import sealing_keys_of
from work_orders.time_limits import on_deadlines

_follower = Replica(Service.DISPATCH)

SUBSCRIPTIONS = [
    Subscription(WORK_ORDERS, _follower.follow, _follower.one_statement, when_caught_up=_follower.settle_restore),
    Subscription.of_changes(DIRECTORY, order_types_of),
    Subscription.of_changes(SEALING_KEYS, sealing_keys_of),
]

OWN = [Subscription(DIRECTORY, recovery.take_back), Subscription(DEADLINES, on_deadlines)]
"""What it writes itself; read again only when its database was restored."""
