"""Dynamic subscriptions: they come and go while a worker runs, also at the moment when it shuts down."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from faststream.kafka import KafkaBroker

from chassis import dynamic_subscriptions
from chassis.database import Database
from chassis.dynamic_subscriptions import DynamicSubscription
from chassis.kafka import new_broker
from chassis.relay import Relay
from chassis.testing import eventually
from chassis.worker import Worker

from .conftest import Toy
from .toy import SUBSCRIPTIONS, count, effects_of


async def arriving(_: Database) -> Sequence[DynamicSubscription]:
    return [DynamicSubscription(subscription, [subscription.topic]) for subscription in SUBSCRIPTIONS]


def worker_of(toy: Toy) -> Worker:
    return Worker("toy", toy.settings(), [], arriving=arriving)


async def test_a_dynamic_subscription_is_consumed(toy: Toy) -> None:
    async with worker_of(toy).running():
        await count(toy.db, "order-1")
        await eventually(lambda: effects_of(toy.db), until=lambda found: found == {"order-1": [1]})


async def test_a_dynamic_subscription_that_is_starting_when_its_worker_shuts_down_is_stopped(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_started, has_left = asyncio.Event(), asyncio.Event()
    brokers: list[KafkaBroker] = []

    class SlowBroker:
        """A broker that has started long before it says so."""

        def __init__(self, broker: KafkaBroker) -> None:
            self._broker = broker

        def __getattr__(self, name: str) -> Any:
            return getattr(self._broker, name)

        async def start(self) -> None:
            await self._broker.start()
            is_started.set()
            await has_left.wait()

    def new_slow_broker(settings: Any) -> Any:
        brokers.append(new_broker(settings))
        return SlowBroker(brokers[-1])

    def leave(relay: Relay) -> None:
        has_left.set()
        relay_leaves(relay)

    relay_leaves = Relay.leave
    monkeypatch.setattr(Relay, "leave", leave)
    monkeypatch.setattr(dynamic_subscriptions, "new_broker", new_slow_broker)
    async with worker_of(toy).running():
        await asyncio.wait_for(is_started.wait(), 30)
    consumers = [subscriber.consumer for broker in brokers for subscriber in broker.subscribers]
    assert consumers == [None], "it still reads"
