"""What fieldwork listens to."""

from chassis.subscribe import Subscription
from contracts.lifecycle import Service
from contracts.topics import DEADLINES, DIRECTORY, SEALING_KEYS, WORK_ORDERS
from work_orders.directory import directory_of
from work_orders.replica import Replica
from work_orders.sealing_keys import sealing_keys_of
from work_orders.time_limits import on_deadlines

_follower = Replica(Service.FIELDWORK)

SUBSCRIPTIONS = [
    Subscription(WORK_ORDERS, _follower.follow, _follower.one_statement, when_caught_up=_follower.settle_restore),
    Subscription.of_changes(DIRECTORY, directory_of),
    Subscription(DEADLINES, on_deadlines),
    Subscription.of_changes(SEALING_KEYS, sealing_keys_of),
]
