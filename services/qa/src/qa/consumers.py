"""What qa listens to."""

from collections.abc import Sequence

from chassis.database import Transaction
from chassis.one_statement import Part
from chassis.subscribe import Subscription
from chassis.subscription import OneStatement
from contracts.catalogue import BY_BODY
from contracts.lifecycle import Service
from contracts.message import Message
from contracts.topics import CALLS, DEADLINES, DIRECTORY, SEALING_KEYS, WORK_ORDERS
from qa.erasure import on_sealing_keys_of_quality
from qa.follow_up.planning import orders_to_plan, plan_follow_ups
from qa.recordings.consumer import on_calls
from qa.recordings.domain.recording import KEPT
from work_orders.directory import directory_of
from work_orders.replica import Replica
from work_orders.time_limits import on_deadlines

_FOLLOWER = Replica(Service.QA)
_OF_RECORDINGS = frozenset(BY_BODY[kind].type.encode() for kind in KEPT)


async def on_work_orders(messages: Sequence[Message], tx: Transaction) -> None:
    """The orders first: follow-ups are planned from what they then are."""
    await _FOLLOWER.follow(messages, tx)
    if not tx.is_catching_up:  # what it read before its database was restored, it planned and published then
        await plan_follow_ups(messages, tx)


def _reads(messages: Sequence[Message]) -> Sequence[Part] | None:
    return None if orders_to_plan(messages) else _FOLLOWER.reads(messages)


SUBSCRIPTIONS = [
    Subscription(
        WORK_ORDERS,
        on_work_orders,
        OneStatement(_reads, _FOLLOWER.writes),
        when_caught_up=_FOLLOWER.settle_restore,
    ),
    Subscription.of_changes(DIRECTORY, directory_of),
    Subscription(DEADLINES, on_deadlines),
    Subscription(CALLS, on_calls, types=_OF_RECORDINGS),
    Subscription(SEALING_KEYS, on_sealing_keys_of_quality),
]
