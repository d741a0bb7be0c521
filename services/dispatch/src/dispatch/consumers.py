"""What dispatch listens to. The directory is its own work: it writes it and need not hear it."""

from chassis.subscribe import Subscription
from contracts.lifecycle import Service
from contracts.topics import SEALING_KEYS, WORK_ORDERS
from custody.follow import Follower
from custody.sealing_keys import on_sealing_keys

SUBSCRIPTIONS = [
    Subscription(WORK_ORDERS, Follower(Service.DISPATCH).follow),
    Subscription(SEALING_KEYS, on_sealing_keys),
]
