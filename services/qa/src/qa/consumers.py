"""What qa listens to."""

from chassis.subscribe import Subscription
from contracts.lifecycle import Service
from contracts.topics import DIRECTORY, WORK_ORDERS
from custody.directory import on_directory
from custody.follow import Follower

SUBSCRIPTIONS = [
    Subscription(WORK_ORDERS, Follower(Service.QA).follow),
    Subscription(DIRECTORY, on_directory),
]
