"""What dispatch listens to. The directory is its own work: it writes it and need not hear it."""

from chassis.subscribe import Subscription
from contracts.lifecycle import Service
from contracts.topics import DIRECTORY, WORK_ORDERS
from custody.follow import Follower
from dispatch import restored

_follower = Follower(Service.DISPATCH)

SUBSCRIPTIONS = [Subscription(WORK_ORDERS, _follower.follow, when_caught_up=_follower.settle_restore)]

OWN = [Subscription(DIRECTORY, restored.take_back)]
"""What it writes itself; read again only when its database was restored."""
