"""What dispatch listens to. The directory is its own work: it writes it and need not hear it."""

from chassis.subscribe import Subscription
from contracts.lifecycle import Service
from contracts.topics import WORK_ORDERS
from custody.follow import Follower

SUBSCRIPTIONS = [Subscription(WORK_ORDERS, Follower(Service.DISPATCH).follow)]
