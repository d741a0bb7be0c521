"""What reporting listens to."""

from collections.abc import Sequence

from chassis.database import Transaction
from chassis.subscribe import Subscription
from contracts.message import Message
from contracts.topics import WORK_ORDERS
from reporting import event_store, projections


async def on_work_orders(messages: Sequence[Message], tx: Transaction) -> None:
    """Keeps every message, then takes the events among them into every set that is kept up."""
    state = await event_store.lock_stream(tx)
    events = await event_store.append(tx, state, messages)
    for name in state.kept_up:
        await projections.apply(tx, name, events)


SUBSCRIPTIONS = [Subscription(WORK_ORDERS, on_work_orders)]
