"""The relay: publishes the outbox to Kafka, ordered per key, at least once.

What must stay true: rows of one key are sent in the order of their numbers, and a row is deleted only
after Kafka acknowledged it and every earlier row of its key. Hence one owner per shard (an advisory lock
on a direct connection, gone when the connection is), reading in the order of numbers, one batch of a
partition at a time (`sending`), deleting by the numbers that were read, and a new producer after any
failure: the table says what is still to be sent.
Two relays that overlap for a moment, because one lost its connection while it was sending, each send in
order; readers see repeats, never a gap.
"""

import asyncio
import contextlib
import logging
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from chassis.advisory_locks import AdvisoryLock
from chassis.database import SESSION, TRANSIENT, driver_url
from chassis.kafka import ANSWER_MILLISECONDS
from chassis.kafka_internals import abandon
from chassis.outbox import SHARDS
from chassis.recovery.fence import IS_BEHIND
from chassis.recovery.pause import PublishingPaused, begin_work, count_relays
from chassis.sending import send
from chassis.telemetry import METRICS, log_events
from chassis.wakeup import PUBLISH

log = logging.getLogger(__name__)

_SHORTEST_REST_SECONDS, _LONGEST_REST_SECONDS = 0.01, 0.03
_BALANCE_SECONDS = 2.0
"""How long a dead relay's shards wait, and a row whose wake-up was lost: an idle relay has one round for both."""
_RETRY_SECONDS = 1.0
_PRODUCER_STOP_SECONDS = 3.0

BATCH_BYTES = 262_144

_PENDING = (
    "select id, aggregatetype, aggregateid, aggregate_version, payload, headers from outbox"
    f" where shard = any($1) and not {IS_BEHIND} order by id limit $2"
)


class Relay:
    def __init__(
        self,
        database_url: str,
        bootstrap_servers: str,
        *,
        topic_prefix: str = "",
        batch_rows: int = 1000,
        security: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self._database_url = driver_url(database_url)
        self._bootstrap_servers = bootstrap_servers
        self._topic_prefix = topic_prefix
        self._batch_rows = batch_rows
        self._security = security
        self._is_leaving = False
        self._shards: set[int] = set()
        self._wake = asyncio.Event()

    @property
    def shards(self) -> frozenset[int]:
        """The shards that this relay owns at the moment."""
        return frozenset(self._shards)

    def leave(self) -> None:
        """Lets `run` return after the round at hand, so that what Kafka has is not sent a second time."""
        self._is_leaving = True
        self._wake.set()

    async def run(self) -> None:
        """Sends until it is told to leave or cancelled; a lost database or broker is waited for."""
        while not self._is_leaving:
            try:
                await self._serve()
            except PublishingPaused:
                await asyncio.sleep(_RETRY_SECONDS)
            except (*TRANSIENT, KafkaError, SendFailed) as error:
                METRICS.relay_resets.inc()
                log.warning("relay starts over from its table: %s: %s", type(error).__name__, error)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _serve(self) -> None:
        connection = await asyncpg.connect(self._database_url, timeout=5, command_timeout=30, server_settings=SESSION)
        try:
            await connection.add_listener(PUBLISH, lambda *_: self._wake.set())
            await begin_work(connection)
            async with self._producer() as producer:
                await self._send_until_lost(connection, producer)
        finally:
            self._shards.clear()
            connection.terminate()

    @contextlib.asynccontextmanager
    async def _producer(self) -> AsyncIterator[AIOKafkaProducer]:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap_servers,
            enable_idempotence=True,
            compression_type="lz4",
            linger_ms=0,
            max_batch_size=BATCH_BYTES,
            request_timeout_ms=ANSWER_MILLISECONDS,
            **self._security,
        )
        try:
            await producer.start()
            yield producer
        finally:
            await _close(producer)

    async def _send_until_lost(self, connection: asyncpg.Connection, producer: AIOKafkaProducer) -> None:
        loop = asyncio.get_running_loop()
        balance_at = loop.time()
        while not self._is_leaving:
            if loop.time() >= balance_at:
                await self._balance(connection)
                balance_at = loop.time() + _BALANCE_SECONDS
            if not self._is_leaving:
                self._wake.clear()
            started_at = loop.time()
            rows = await connection.fetch(_PENDING, list(self._shards), self._batch_rows)
            if rows:
                await self._send(connection, producer, rows)
            if len(rows) < self._batch_rows:
                # A round costs the same whatever its size: rest for as long as it took, and the next is larger.
                took = loop.time() - started_at
                await asyncio.sleep(min(max(took, _SHORTEST_REST_SECONDS), _LONGEST_REST_SECONDS))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max(0.0, balance_at - loop.time())):
                        await self._wake.wait()

    async def _send(
        self, connection: asyncpg.Connection, producer: AIOKafkaProducer, rows: Sequence[asyncpg.Record]
    ) -> None:
        """Sends rows and deletes those that Kafka has; raises `SendFailed` when it has not all of them."""
        sent = await send(producer, rows, prefix=self._topic_prefix)
        # By the numbers that were read: a lower number may have been committed since, and is not sent yet.
        await connection.execute("delete from outbox where id = any($1)", [row["id"] for row, _ in sent.acknowledged])
        METRICS.published.inc(len(sent.acknowledged))
        events = [(row["aggregateid"], row["aggregate_version"], event_id) for row, event_id in sent.acknowledged]
        log_events(log, "published", events)
        if sent.failures:
            row, error = sent.failures[0]
            raise SendFailed(
                f"{len(rows) - len(sent.acknowledged)} of {len(rows)} rows were not acknowledged; the first is row"
                f" {row['id']}, {row['aggregatetype']} {row['aggregateid']}: {type(error).__name__}: {error}"
            ) from error

    async def _balance(self, connection: asyncpg.Connection) -> None:
        """Takes or gives back shards, so that the relays of this database have equal shares; raises `PublishingPaused`.

        Called between rounds only: a shard is never given away while a row of it is being sent.
        """
        relays = await count_relays(connection)
        share = math.ceil(SHARDS / max(relays, 1))
        for shard in sorted(self._shards)[share:]:
            await connection.execute("select pg_advisory_unlock($1, $2)", AdvisoryLock.RELAY_SHARD, shard)
            self._shards.discard(shard)
        for shard in range(SHARDS):
            if len(self._shards) >= share:
                return
            if shard not in self._shards and await connection.fetchval(
                "select pg_try_advisory_lock($1, $2)", AdvisoryLock.RELAY_SHARD, shard
            ):
                self._shards.add(shard)


async def _close(producer: AIOKafkaProducer) -> None:
    try:
        async with asyncio.timeout(_PRODUCER_STOP_SECONDS):
            await producer.stop()
    except (TimeoutError, KafkaError):
        # With the broker away `stop` waits for it for ever, and given up it leaves its task and sockets behind.
        # The table has what was not acknowledged.
        await abandon(producer)


class SendFailed(Exception):
    """Kafka refused or lost a record; the producer is not to be used again."""
