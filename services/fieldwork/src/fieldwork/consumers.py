"""What fieldwork listens to."""

from chassis.subscribe import Subscription
from contracts.lifecycle import Service
from contracts.topics import DIRECTORY, SEALING_KEYS, WORK_ORDERS
from custody.directory import on_directory
from custody.follow import Follower
from custody.sealing_keys import on_sealing_keys

_follower = Follower(Service.FIELDWORK)

SUBSCRIPTIONS = [
    Subscription(WORK_ORDERS, _follower.follow, when_caught_up=_follower.settle_restore),
    Subscription(DIRECTORY, on_directory),
    Subscription(SEALING_KEYS, on_sealing_keys),
]
