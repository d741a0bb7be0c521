"""The worker process of a service: consumers, relay and housekeeping, with probes on a separate port."""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any

from aiokafka.errors import KafkaError
from fastapi import FastAPI

from chassis.database import TRANSIENT, Database, is_transient
from chassis.dynamic_subscriptions import Arriving, DynamicSubscriptions
from chassis.health import health_routes
from chassis.kafka import client_security, new_broker
from chassis.listener import Listener, start_broker
from chassis.recovery import fence
from chassis.recovery.lost_topic import TopicIsBeingRefilled
from chassis.recovery.start_check import check_before_start
from chassis.relay import Relay
from chassis.settings import Settings
from chassis.subscribe import Consumer, Subscription
from chassis.telemetry import METRICS, note_build
from chassis.wakeup import JOBS, Wakeup

log = logging.getLogger(__name__)

_HOUSEKEEPING_SECONDS = 600.0
_LAST_ROUND_SECONDS = 5.0
_RETRY_SECONDS = 1.0
_LONGEST_PATIENCE = 1.5
_STALLED_UNTIL_RESTART = 5.0
_LONGEST_BATCH_SECONDS = 300.0
"""Longer than a batch is tried for; afterwards Kafka takes the partitions away."""

Job = Callable[[Database, Wakeup], Coroutine[Any, Any, None]]
"""Work beside the consumers that runs as long as the process; it waits out by itself what is transient.

Its wake-up hears `JOBS`: who asks for something sends that, so that a job need not look often.
"""


class Worker:
    """What a worker process runs, and how it is."""

    def __init__(
        self,
        service: str,
        settings: Settings,
        subscriptions: list[Subscription],
        jobs: Sequence[Job] = (),
        arriving: Arriving | None = None,
    ) -> None:
        self._service = service
        self._settings = settings
        self._subscriptions = subscriptions
        self._jobs = jobs
        self._may_publish = asyncio.Event()
        self.waits_for: str | None = None
        """Why nothing is read or published, at its start."""
        self.db = Database(settings.database_url, pool_size=4, application_name=f"linework {service} worker")
        self._wakeup = Wakeup(settings.database_url, hears=JOBS)
        self._relay = Relay(
            settings.database_url,
            settings.kafka_bootstrap_servers,
            topic_prefix=settings.topic_prefix,
            security=client_security(settings),
        )
        self._broker = new_broker(settings)
        self._guests = DynamicSubscriptions(service, settings, self.db, self._wakeup, arriving) if arriving else None
        self._tasks: list[asyncio.Task[None]] = []
        self._listening: asyncio.Task[None] | None = None
        self._is_listening = False
        self._patience = random.uniform(1.0, _LONGEST_PATIENCE)
        """What sets off many workers at the same moment must not restart them at the same moment."""
        self._listeners = [
            Listener(
                self._broker,
                Consumer(subscription, service=service, db=self.db, wakeup=self._wakeup),
                db=self.db,
                prefix=settings.topic_prefix,
                worker_id=settings.worker_id,
                silent_seconds=settings.kafka_silent_seconds,
            )
            for subscription in subscriptions
        ]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Everything runs within the block; afterwards the batch at hand is finished and committed first."""
        async with self._wakeup.running():
            self._tasks = tasks = [
                asyncio.create_task(work, name=name)
                for name, work in (
                    ("relay", self._publish()),
                    ("housekeeping", self._keep_house()),
                    *((job.__name__, job(self.db, self._wakeup)) for job in self._jobs),
                    *((("guests", self._guests.run()),) if self._guests else ()),
                )
            ]
            self._listening = listening = asyncio.create_task(self._listen(), name="listen")
            try:
                yield
            finally:
                await _cancel(listening)
                for listener in self._listeners:
                    await listener.leave()
                await self._broker.stop()
                relay, *others = tasks
                try:
                    for task in others:
                        await _cancel(task)
                finally:
                    # Also when one of them had failed, which is told from here.
                    await self._leave(relay)

    async def _leave(self, relay: asyncio.Task[None]) -> None:
        """Publishes what was written until now, for as long as one round may take."""
        self._relay.leave()
        if self._may_publish.is_set():
            await asyncio.wait([relay], timeout=_LAST_ROUND_SECONDS)
        await _cancel(relay)
        await self.db.close()

    async def _listen(self) -> None:
        # The broker may be away at the start; the probes answer meanwhile.
        while True:
            try:
                await check_before_start(self._settings, self._service, self._subscriptions, self.db)
                self._may_publish.set()
                await self._start_broker()
            except (KafkaError, TopicIsBeingRefilled, *TRANSIENT) as error:
                self.waits_for = str(error)
                if isinstance(error, TopicIsBeingRefilled):
                    self._note_answer()
                log.warning("waiting for Kafka: %s", error)
                await self._broker.stop()
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                self.waits_for = None
                for listener in self._listeners:
                    listener.polled_at = time.monotonic()
                self._is_listening = True
                return

    async def _start_broker(self) -> None:
        """A start that is cut off leaves a consumer and its sockets behind that cannot be closed any more."""
        start = asyncio.create_task(start_broker(self._broker, self._listeners))
        try:
            await asyncio.shield(start)
        except asyncio.CancelledError:
            await asyncio.wait([start], timeout=_LAST_ROUND_SECONDS)
            start.cancel()
            # Whatever became of it: what is told from here is that the worker leaves.
            await asyncio.gather(start, return_exceptions=True)
            raise

    def _note_answer(self) -> None:
        for listener in self._listeners:
            listener.progress.answered()

    async def _publish(self) -> None:
        await self._may_publish.wait()
        await self._relay.run()

    async def _keep_house(self) -> None:
        while True:
            try:
                async with self.db.statements() as statements:
                    await statements.execute(
                        "delete from idempotency_keys where created_at < now() - make_interval(days => $1)",
                        self._settings.idempotency_keys_kept_days,
                    )
                    await statements.execute(
                        "delete from parked where settled_at < now() - make_interval(days => $1)",
                        self._settings.parked_kept_days,
                    )
                await fence.lower(self.db)
            except Exception as error:
                if not is_transient(error):
                    raise
            await asyncio.sleep(_HOUSEKEEPING_SECONDS)

    def _all_listeners(self) -> list[Listener]:
        return [*self._listeners, *(self._guests.listeners if self._guests else ())]

    def fault(self) -> str | None:
        """What makes it not alive: a part of it has died, or does not get on though the broker and the database
        answer. A broker that does not answer makes it not alive only after a long time: a restart does not help.
        """
        self._measure()
        for task in self._tasks:
            if task.done():
                return f"{task.get_name()} has ended"
        if self._listening and self._listening.done() and not self._is_listening:
            return "listen has ended"
        settings, patience = self._settings, self._patience
        silent = self._silent_seconds()
        if silent > settings.kafka_restart_seconds * patience:
            return f"no broker of Kafka has answered for {silent:.0f} s"
        if silent > settings.kafka_silent_seconds:
            return None
        age = self._poll_age()
        if age > settings.kafka_poll_seconds * patience:
            return f"Kafka was last polled {age:.0f} s ago"
        return self._wedged(settings.kafka_stalled_seconds * _STALLED_UNTIL_RESTART * patience)

    def _wedged(self, seconds: float) -> str | None:
        """Partitions that this process has read and does not read any more, for a reason that it does not know."""
        for listener in self._all_listeners():
            if (busy := listener.progress.busy_seconds()) > _LONGEST_BATCH_SECONDS * self._patience:
                return f"{listener.topic}: one batch has taken {busy:.0f} s"
            if listener.stuck or listener.unconfirmed:
                continue
            if wedged := listener.progress.stalled(seconds, has_moved=True):
                return f"{listener.topic}: partitions {_numbers(wedged)} do not move any more"
        return None

    def _measure(self) -> None:
        METRICS.last_poll_age_seconds.set(self._poll_age())
        METRICS.broker_silent_seconds.set(self._silent_seconds())
        for listener in self._all_listeners():
            METRICS.lag_records.labels(listener.topic).set(listener.lag())
            METRICS.is_stuck.labels(listener.topic).set(listener.stuck is not None)
            stalled = listener.progress.stalled(self._settings.kafka_stalled_seconds)
            METRICS.stalled_partitions.labels(listener.topic).set(len(stalled))
        METRICS.relay_shards.set(len(self._relay.shards))

    def _poll_age(self) -> float:
        """Since the poll loop last came round; not while it waits for a batch to be applied, nor before it begins."""
        polled = (
            [listener.polled_at for listener in self._all_listeners() if not listener.progress.busy_seconds()]
            if self._is_listening
            else []
        )
        return time.monotonic() - min(polled, default=time.monotonic())

    def _silent_seconds(self) -> float:
        return max((listener.progress.silent_seconds() for listener in self._all_listeners()), default=0.0)

    def unready(self) -> str | None:
        """What makes it not ready: it is not alive, has no partitions, hears nothing of the broker, cannot apply what
        it reads, or a partition does not move.
        """
        return self.fault() or self.waits_for or self._hindrance() or self._unassigned()

    def _hindrance(self) -> str | None:
        silent = self._silent_seconds()
        if silent > self._settings.kafka_silent_seconds:
            return f"no broker of Kafka has answered for {silent:.0f} s"
        for listener in self._all_listeners():
            if reason := listener.stuck or listener.unconfirmed:
                return reason
            if stalled := listener.progress.stalled(self._settings.kafka_stalled_seconds):
                return f"{listener.topic}: partitions {_numbers(stalled)} do not move, though they end further on"
        return None

    def _unassigned(self) -> str | None:
        waiting = [listener.topic for listener in self._listeners if not listener.is_assigned]
        return f"no partitions of {', '.join(waiting)} assigned" if waiting else None


def _numbers(partitions: Sequence[int]) -> str:
    return ", ".join(map(str, partitions))


async def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def create_worker(
    service: str,
    settings: Settings,
    subscriptions: list[Subscription],
    jobs: Sequence[Job] = (),
    arriving: Arriving | None = None,
) -> FastAPI:
    """The worker as an app with the probes; its work runs as long as the app.

    `arriving` names subscriptions that come and go while it runs.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        worker = Worker(service, settings, subscriptions, jobs, arriving)
        app.state.db, app.state.worker = worker.db, worker
        async with worker.running():
            yield

    note_build(service)
    app = FastAPI(title=f"Linework {service} worker", lifespan=lifespan, openapi_url=None)
    app.include_router(
        health_routes(
            is_alive=lambda: app.state.worker.fault(),
            is_ready=lambda: app.state.worker.unready(),
        )
    )
    return app
