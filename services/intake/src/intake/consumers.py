"""What intake listens to."""

from collections.abc import Sequence

from chassis.database import Transaction
from chassis.subscribe import Subscription
from contracts.lifecycle import Service
from contracts.message import Message
from contracts.topics import SEALING_KEYS, WORK_ORDERS
from custody.follow import Follower
from intake import store
from intake.erasing import on_sealing_keys_of_ours

_follower = Follower(Service.INTAKE)


async def on_work_orders(messages: Sequence[Message], tx: Transaction) -> None:
    await _follower.follow(messages, tx)
    await store.add_history(tx, messages)
    await store.settle_requests(tx, messages)


SUBSCRIPTIONS = [
    Subscription(WORK_ORDERS, on_work_orders),
    Subscription(SEALING_KEYS, on_sealing_keys_of_ours),
]
