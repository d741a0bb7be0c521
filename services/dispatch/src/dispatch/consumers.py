"""What dispatch listens to. The directory is its own work: it writes it and need not hear it."""

from chassis.subscribe import Subscription
from contracts.lifecycle import Service
from contracts.topics import DIRECTORY, SEALING_KEYS, WORK_ORDERS
from custody.follow import Follower
from custody.sealing_keys import on_sealing_keys
from dispatch import restored

_follower = Follower(Service.DISPATCH)

SUBSCRIPTIONS = [
    Subscription(WORK_ORDERS, _follower.follow, when_caught_up=_follower.settle_restore),
    Subscription(SEALING_KEYS, on_sealing_keys),
]

OWN = [Subscription(DIRECTORY, restored.take_back)]
"""What it writes itself; read again only when its database was restored."""
