"""What fieldwork listens to."""

from chassis.subscribe import Subscription
from contracts.lifecycle import Service
from contracts.topics import DIRECTORY, WORK_ORDERS
from custody.directory import on_directory
from custody.follow import Follower

_follower = Follower(Service.FIELDWORK)

SUBSCRIPTIONS = [
    Subscription(WORK_ORDERS, _follower.follow, when_caught_up=_follower.settle_restore),
    Subscription(DIRECTORY, on_directory),
]
