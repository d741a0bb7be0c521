"""What fieldwork listens to."""

from chassis.subscribe import Subscription
from contracts.lifecycle import Service
from contracts.topics import DEADLINES, DIRECTORY, SEALING_KEYS, WORK_ORDERS
from work_orders.directory import on_directory
from work_orders.replica import Replica
from work_orders.sealing_keys import on_sealing_keys
from work_orders.time_limits import on_deadlines, rule_sets

_follower = Replica(Service.FIELDWORK, limits=rule_sets)

SUBSCRIPTIONS = [
    Subscription(WORK_ORDERS, _follower.follow, when_caught_up=_follower.settle_restore),
    Subscription(DIRECTORY, on_directory),
    Subscription(DEADLINES, on_deadlines),
    Subscription(SEALING_KEYS, on_sealing_keys),
]
