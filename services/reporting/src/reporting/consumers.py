"""What reporting listens to."""

from collections.abc import Sequence
from datetime import UTC, datetime

from chassis.database import Transaction
from chassis.subscribe import Subscription
from chassis.telemetry import METRICS
from contracts.message import Message
from contracts.topics import WORK_ORDERS
from reporting import event_store, projections


async def on_work_orders(messages: Sequence[Message], tx: Transaction) -> None:
    """Keeps every message, then takes the events among them into every set that is kept up."""
    state = await event_store.lock_stream(tx)
    if len(messages) > 1:  # a single one may be the release of a parked record, of which an operator is told
        await event_store.commit_later(tx)
    events = await event_store.append(tx, state, messages)
    for name in state.kept_up:
        await projections.apply(tx, name, events)
    if events:
        # The oldest of the batch: one number says how far behind it was, and replays are not slowed by 500.
        oldest = min(message.recorded_at for message in events)
        METRICS.event_age_seconds.observe(max(0.0, (datetime.now(UTC) - oldest).total_seconds()))


SUBSCRIPTIONS = [Subscription(WORK_ORDERS, on_work_orders)]
