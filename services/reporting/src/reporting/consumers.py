"""What reporting listens to."""

from collections.abc import Sequence
from datetime import UTC, datetime

from chassis.database import Transaction
from chassis.subscribe import Subscription
from chassis.telemetry import METRICS
from contracts.message import Message
from contracts.topics import CALLS, DEADLINES, DIRECTORY, QUALITY, SEALING_KEYS, WORK_ORDERS, Topic
from reporting import projections
from reporting.projections.at_once import ORDERS_AT_ONCE
from reporting.record import event_store
from work_orders.directory import whole_directory_of
from work_orders.sealing_keys import sealing_keys_of

_MOST_RECORDS = 2000
"""A large batch holds more facts of each call, so that a call is folded less often."""


async def on_work_orders(messages: Sequence[Message], tx: Transaction) -> None:
    """Stores every message, then applies its events to every set that is kept up."""
    await _keep(WORK_ORDERS, messages, tx)


async def on_calls(messages: Sequence[Message], tx: Transaction) -> None:
    """Stores every fact of calls and agents, then folds them into every set that is kept up."""
    await _keep(CALLS, messages, tx)


async def on_quality(messages: Sequence[Message], tx: Transaction) -> None:
    """Stores the messages of quality, then folds its follow-ups into every set that is kept up."""
    await _keep(QUALITY, messages, tx)


async def on_deadlines(messages: Sequence[Message], tx: Transaction) -> None:
    """Stores every set of time limits, then re-evaluates the orders that it applies to."""
    await _keep(DEADLINES, messages, tx)


async def _keep(topic: Topic, messages: Sequence[Message], tx: Transaction) -> None:
    state = await event_store.lock_stream(tx)
    await event_store.plan_by_index(tx)
    if len(messages) > 1:  # one message may be a parked record that an operator releases and waits for
        await event_store.commit_later(tx)
    added = await event_store.append(tx, state, topic, messages)
    await projections.apply(tx, state, added)
    if added.messages:
        # Only the oldest of the batch: one observation shows the delay, and a replay is not slowed by 500.
        oldest = min(message.recorded_at for message in added.messages)
        METRICS.event_age_seconds.observe(max(0.0, (datetime.now(UTC) - oldest).total_seconds()))


# The first four add to one record, which has one writer at a time.
SUBSCRIPTIONS = [
    Subscription(WORK_ORDERS, on_work_orders, ORDERS_AT_ONCE, batch_records=_MOST_RECORDS, takes_turns=True),
    Subscription(CALLS, on_calls, batch_records=_MOST_RECORDS, takes_turns=True),
    Subscription(QUALITY, on_quality, takes_turns=True),
    Subscription(DEADLINES, on_deadlines, takes_turns=True),
    Subscription.of_changes(DIRECTORY, whole_directory_of),
    Subscription.of_changes(SEALING_KEYS, sealing_keys_of),
]
