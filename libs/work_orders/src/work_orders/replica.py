"""Everybody's side: the stream of orders, applied once and in order.

Version n+1 is applied onto n; at or below n it is a repeat and changes nothing; above it is a gap, and
the key is parked. A service's own events come back to it as repeats: they only say how far the stream
has been read, which is what decides whether a request that stands in the stream is ours to answer.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from chassis import outbox
from chassis.clock import Clock, SystemClock
from chassis.database import Statements, Transaction, columns_of, unnest_of
from chassis.subscribe import Gap, Poison
from chassis.telemetry import METRICS
from contracts.chain import GENESIS, event_hash
from contracts.lifecycle import Service
from contracts.message import Message
from contracts.order import CannotApply, apply
from contracts.requests import WorkOrderExtensionRequested, WorkOrderRequest, WorkOrderRequestRefused
from work_orders.order_table import COLUMNS, StoredOrder, stored_order_of, values_of
from work_orders.recovery import kept_of, note_owed, owed_answer, owed_of
from work_orders.request_handling import RequestState, answer
from work_orders.sla_clocks import RuleSets
from work_orders.tables import WORK_ORDERS

log = logging.getLogger(__name__)

Limits = Callable[[Statements], Awaitable[RuleSets]]
"""Reads the time limits that a custodian of running orders decides extensions by."""


async def _no_limits(statements: Statements) -> RuleSets:
    return RuleSets()


@dataclass(slots=True)
class _Batch:
    """What is known at the start, and what has changed when all messages are applied."""

    stored: dict[str, StoredOrder]
    seen: dict[str, RequestState]
    is_catching_up: bool = False
    limits: RuleSets = field(default_factory=RuleSets)
    changed: set[str] = field(default_factory=set)
    read_on: set[str] = field(default_factory=set)
    to_send: list[Message] = field(default_factory=list)


class Replica:
    """Keeps one service's orders up with the stream, and answers what is asked of it as custodian."""

    def __init__(self, service: Service, clock: Clock | None = None, limits: Limits = _no_limits) -> None:
        self._service = service
        self._limits = limits
        self._clock = clock or SystemClock()

    async def follow(self, messages: Sequence[Message], tx: Transaction) -> None:
        """Applies a batch; raises `Poison` for a message that does not follow the one before it."""
        batch = _Batch(await _lock(messages, tx), await _requests_seen(messages, tx), tx.is_catching_up)
        if any(isinstance(message.body, WorkOrderExtensionRequested) for message in messages):
            batch.limits = await self._limits(tx)
        for message in messages:
            if message.order_version is not None:
                self._apply(message, message.order_version, batch)
            elif isinstance(message.body, WorkOrderRequest):
                self._answer(message, batch)
            elif isinstance(message.body, WorkOrderRequestRefused):
                _settle(message.body.request_id, message.subject, batch)
        await _save(batch, tx)

    def _apply(self, message: Message, version: int, batch: _Batch) -> None:
        stored = batch.stored.get(message.subject)
        request_id = getattr(message.body, "request_id", None)
        if request_id is not None:
            _settle(request_id, message.subject, batch)
        if stored is not None and version <= stored.order.version:
            if stored.stream_version < version:
                stored.stream_version = version
                batch.read_on.add(message.subject)
            else:
                METRICS.duplicates.inc()
            return
        _check_follows(message, version, stored)
        if message.service == self._service and not batch.is_catching_up:
            _tell_unrecorded(message)
        try:
            order = apply(stored.order if stored else None, message)
        except CannotApply as error:
            raise Poison(message, str(error)) from error
        batch.stored[message.subject] = StoredOrder(order, version, event_hash(message))
        batch.changed.add(message.subject)
        METRICS.event_age_seconds.observe(max(0.0, (self._clock.now() - message.recorded_at).total_seconds()))

    def _answer(self, message: Message, batch: _Batch) -> None:
        stored = batch.stored.get(message.subject)
        if stored is None:
            raise Poison(message, f"a request for order {message.subject}, which was never created")
        seen = batch.seen.setdefault(message.body.request_id, RequestState(message.subject))
        if batch.is_catching_up:
            note_owed(message, stored, seen, service=self._service, now=self._clock.now())
        else:
            now, limits = self._clock.now(), batch.limits
            self._send(answer(message, stored, seen, service=self._service, now=now, limits=limits), batch)

    async def settle_restore(self, tx: Transaction) -> None:
        """Answers the requests that a restored database found without an answer; see `work_orders.recovery`."""
        rows = await tx.fetch(
            "select * from requests_seen where owed is not null order by owed->'headers'->>'ce_recordedtime'"
        )
        seen = {row["request_id"]: _seen_of(row) for row in rows}
        batch = _Batch(await _lock([one.owed for one in seen.values() if one.owed], tx), seen, is_catching_up=True)
        batch.limits = await self._limits(tx)
        for one in seen.values():
            stored, now = batch.stored[one.order_id], self._clock.now()
            self._send(owed_answer(one, stored, service=self._service, now=now, limits=batch.limits), batch)
        await _save(batch, tx)

    def _send(self, given: Message | None, batch: _Batch) -> None:
        if given is None:
            return
        batch.to_send.append(given)
        stored = batch.stored[given.subject]
        if given.order_version is not None:
            order = apply(stored.order, given)
            batch.stored[given.subject] = StoredOrder(order, stored.stream_version, event_hash(given))
            batch.changed.add(given.subject)


def _check_follows(message: Message, version: int, stored: StoredOrder | None) -> None:
    present, last_hash = (stored.order.version, stored.last_hash) if stored else (0, GENESIS)
    if version > present + 1:
        raise Gap(message, f"a gap: version {version} came after version {present}")
    if message.prev_hash != last_hash:
        raise Poison(message, f"version {version} does not carry the hash of version {present}")


def _tell_unrecorded(message: Message) -> None:
    # We commit before we publish, so our own events are known when they come back. One that is not was written by
    # somebody else in our name, or we have lost it: a database that was set back and nobody has said so.
    METRICS.unrecorded.inc()
    log.error(
        "an event in this service's own name that it has not recorded",
        extra={"event_id": message.id, "order_id": message.subject, "order_version": message.order_version},
    )


def _settle(request_id: str, order_id: str, batch: _Batch) -> None:
    seen = batch.seen.setdefault(request_id, RequestState(order_id))
    seen.is_changed = seen.is_changed or not seen.is_answered
    seen.is_answered = True


async def _lock(messages: Iterable[Message], tx: Transaction) -> dict[str, StoredOrder]:
    # In the order of ids: two workers with overlapping batches queue instead of deadlocking.
    rows = await tx.fetch(
        "select id, body, stream_version, last_hash from work_orders where id = any($1) order by id for update",
        sorted({message.subject for message in messages}),
    )
    return {row["id"]: stored_order_of(row) for row in rows}


async def _requests_seen(messages: Iterable[Message], tx: Transaction) -> dict[str, RequestState]:
    ids = {request_id for message in messages if (request_id := getattr(message.body, "request_id", None))}
    if not ids:
        return {}
    rows = await tx.fetch("select * from requests_seen where request_id = any($1)", sorted(ids))
    return {row["request_id"]: _seen_of(row) for row in rows}


def _seen_of(row: Any) -> RequestState:
    owed = owed_of(row["order_id"], row["owed"])
    return RequestState(row["order_id"], row["settled_hop"], row["is_answered"], owed=owed)


_CHANGING = [column for column in WORK_ORDERS.c if not column.primary_key]
_SAVE = f"""
insert into work_orders ({COLUMNS})
select {COLUMNS} from {unnest_of(WORK_ORDERS.c)}
    as changed ({COLUMNS})
on conflict (id) do update set ({columns_of(_CHANGING)})
    = ({", ".join(f"excluded.{column.name}" for column in _CHANGING)})
"""


async def _save(batch: _Batch, tx: Transaction) -> None:
    if batch.changed:
        rows = [values_of(batch.stored[order_id]) for order_id in sorted(batch.changed)]
        await tx.execute(_SAVE, *(list(column) for column in zip(*rows, strict=True)))
    read_on = sorted(batch.read_on - batch.changed)
    if read_on:
        await tx.execute(
            """update work_orders set stream_version = read.version
               from unnest($1::text[], $2::int[]) as read (id, version) where work_orders.id = read.id""",
            read_on,
            [batch.stored[order_id].stream_version for order_id in read_on],
        )
    for request_id, seen in sorted(batch.seen.items()):
        if seen.is_changed:
            await tx.execute(
                """insert into requests_seen (request_id, order_id, settled_hop, is_answered, owed)
                   values ($1, $2, $3, $4, $5)
                   on conflict (request_id) do update set settled_hop = excluded.settled_hop,
                   is_answered = excluded.is_answered, owed = excluded.owed""",
                request_id,
                seen.order_id,
                seen.settled_hop,
                seen.is_answered,
                kept_of(seen.owed),
            )
    await outbox.add(tx, batch.to_send)
