"""Bugs that the checker must find. Each is patched into a process under test by `tests.chaos.process`, nowhere else."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from aiokafka import AIOKafkaProducer
from asyncpg import Connection

from chassis import offsets
from chassis.relay import Relay
from chassis.subscribe import Consumer
from dispatch.alarms import store as alarms_store
from work_orders import commit


class Bug(StrEnum):
    PUBLISH_DROPPED = "publish dropped"
    """The relay takes a row out of the outbox before Kafka has acknowledged it."""
    ACK_BEFORE_APPLY = "ack before apply"
    """The position is committed in a transaction of its own, before the effects."""
    SKIP_LOCKED = "skip locked"
    """Relays take whatever rows nobody else holds, instead of owning shards."""
    NO_VERSION_GUARD = "no version guard"
    """An act is written whatever the version of the order is by then."""
    MONITOR_FIRES_TWICE = "monitor fires twice"
    """The monitor of time limits goes by the moment alone, and does not know what it has fired."""


def plant(bug: Bug) -> None:
    _PLANTS[bug]()


def _drop_publish() -> None:
    send = Relay._send

    async def delete_and_send(relay: Relay, connection: Connection, producer: AIOKafkaProducer, rows: Any) -> None:
        await connection.execute("delete from outbox where id = any($1)", [row["id"] for row in rows])
        await send(relay, connection, producer, rows)

    Relay._send = delete_and_send  # type: ignore[method-assign]


def _acknowledge_before_apply() -> None:
    apply = Consumer._apply_without_poison

    async def advance_and_apply(consumer: Consumer, records: Sequence[Any]) -> None:
        async with consumer._db.begin() as tx:
            await offsets.advance(tx, offsets.reach_of(records))
        await apply(consumer, records)

    Consumer._apply_without_poison = advance_and_apply  # type: ignore[method-assign]


def _skip_locked() -> None:
    async def send_what_is_free(relay: Relay, connection: Connection, producer: AIOKafkaProducer) -> None:
        while True:
            async with connection.transaction():
                rows = await connection.fetch("select * from outbox order by id limit 1 for update skip locked")
                if rows:
                    await relay._send(connection, producer, rows)
            await asyncio.sleep(0 if rows else 0.02)

    Relay._send_until_lost = send_what_is_free  # type: ignore[method-assign]


def _drop_version_guard() -> None:
    guard = f"and version = {commit._DECIDED_ON}::int"
    assert guard in commit._CHANGE
    commit._CHANGE = commit._CHANGE.replace(guard, f"and {commit._DECIDED_ON}::int > 0")


def _forget_alarms() -> None:
    async def none_fired(_: Any, order_ids: Sequence[str]) -> Mapping[str, Any]:
        return {order_id: {} for order_id in order_ids}

    async def all_new(_: Any, alarms: Sequence[Any]) -> set[str]:
        return {message.body.alarm_id for message in alarms}

    alarms_store.fired, alarms_store.add_alarms = none_fired, all_new


_PLANTS: dict[Bug, Callable[[], None]] = {
    Bug.PUBLISH_DROPPED: _drop_publish,
    Bug.ACK_BEFORE_APPLY: _acknowledge_before_apply,
    Bug.SKIP_LOCKED: _skip_locked,
    Bug.NO_VERSION_GUARD: _drop_version_guard,
    Bug.MONITOR_FIRES_TWICE: _forget_alarms,
}
