"""Subscriptions that are added and removed while a worker runs, such as the topics of registered partners.

Each has its own Kafka client: a flood on a topic, or a pause because of its quota, delays no other topic.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence

from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker

from chassis.database import Database, is_transient
from chassis.kafka import client_security, create_missing_topics, new_broker
from chassis.listener import Listener, start_broker
from chassis.settings import Settings
from chassis.subscribe import Consumer, Subscription
from chassis.wakeup import Wakeup
from contracts.topics import Topic

log = logging.getLogger(__name__)

_LOOK_SECONDS, _RETRY_SECONDS = 5.0, 1.0


class DynamicSubscription:
    """A subscription, the topics that it needs, and a text that differs when it has to be restarted."""

    def __init__(self, subscription: Subscription, topics: Sequence[Topic], stamp: str = "") -> None:
        self.subscription = subscription
        self.topics = topics
        self.stamp = stamp


Arriving = Callable[[Database], Awaitable[Sequence[DynamicSubscription]]]
"""The subscriptions that are wanted at this moment."""


class DynamicSubscriptions:
    """Starts what is wanted, stops what is not any more; looks again when it is woken, and every few seconds."""

    def __init__(self, service: str, settings: Settings, db: Database, wakeup: Wakeup, arriving: Arriving) -> None:
        self._service = service
        self._settings = settings
        self._db = db
        self._wakeup = wakeup
        self._arriving = arriving
        self._running: dict[tuple[str, str], tuple[KafkaBroker, Listener]] = {}

    @property
    def listeners(self) -> list[Listener]:
        return [listener for _, listener in self._running.values()]

    async def run(self) -> None:
        """Until it is cancelled; then the batches at hand are finished."""
        try:
            while True:
                mark = self._wakeup.mark()
                is_done = await self._look_and_wait_out()
                await self._wakeup.wait(_LOOK_SECONDS if is_done else _RETRY_SECONDS, mark)
        finally:
            for place in list(self._running):
                await self._stop(place)

    async def _look_and_wait_out(self) -> bool:
        try:
            await self._look()
            return True
        except Exception as error:
            if not isinstance(error, KafkaError | OSError) and not is_transient(error):
                raise
            log.warning("dynamic subscriptions failed, retrying: %s: %s", type(error).__name__, error)
            return False

    async def _look(self) -> None:
        wanted = {(guest.subscription.topic.name, guest.stamp): guest for guest in await self._arriving(self._db)}
        for place in [place for place in self._running if place not in wanted]:
            await self._stop(place)
        for place, guest in wanted.items():
            if place not in self._running:
                await self._start(place, guest)

    async def _start(self, place: tuple[str, str], guest: DynamicSubscription) -> None:
        settings = self._settings
        # A consumer of a topic that is not there would see it minutes after it came, and the relay could send
        # nothing at all while a row for a missing topic is in its way.
        await create_missing_topics(
            settings.kafka_bootstrap_servers, settings.topic_prefix, guest.topics, client_security(settings)
        )
        broker = new_broker(settings)
        listener = Listener(
            broker,
            Consumer(guest.subscription, service=self._service, db=self._db, wakeup=self._wakeup),
            db=self._db,
            prefix=settings.topic_prefix,
            worker_id=settings.worker_id,
            silent_seconds=settings.kafka_silent_seconds,
        )
        try:
            await start_broker(broker, [listener])
        except BaseException:
            await broker.stop()
            raise
        self._running[place] = broker, listener

    async def _stop(self, place: tuple[str, str]) -> None:
        broker, listener = self._running[place]
        await listener.leave()
        await broker.stop()
        del self._running[place]
