"""Everybody's side: the stream of orders, applied once and in order.

Version n+1 is applied onto n; at or below n it is a repeat and changes nothing; above it is a gap, and
the key is parked. A service's own events come back to it as repeats: they only say how far the stream
has been read, which is what decides whether a request that stands in the stream is ours to answer.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from chassis import outbox
from chassis.clock import Clock, SystemClock
from chassis.database import Transaction, columns_of, unnest_of
from chassis.one_statement import Part, Rows, execute_together, fetch_together
from chassis.subscribe import Gap, Poison
from chassis.subscription import OneStatement
from chassis.telemetry import METRICS
from contracts.chain import GENESIS, event_hash
from contracts.lifecycle import Service
from contracts.message import Message
from contracts.order import CannotApply, apply
from contracts.requests import WorkOrderRequest, WorkOrderRequestRefused
from work_orders import facts_store
from work_orders.order_table import COLUMNS, StoredOrder, to_order, values_of
from work_orders.recovery import kept_of, note_owed, owed_answer, owed_of
from work_orders.request_handling import RequestState, answer
from work_orders.sla_clocks import Deadline, RuleSets, next_due_at
from work_orders.tables import REQUESTS_SEEN, WORK_ORDERS
from work_orders.time_limits import KnownRuleSets

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Batch:
    """What is known at the start, and what has changed when all messages are applied."""

    stored: dict[str, StoredOrder]
    seen: dict[str, RequestState]
    limits: RuleSets
    is_catching_up: bool = False
    versions: dict[str, int] = field(default_factory=dict)
    """The versions that were read of the orders that changed."""
    read_on: set[str] = field(default_factory=set)
    to_send: list[Message] = field(default_factory=list)
    facts: list[Message] = field(default_factory=list)

    def change(self, stored: StoredOrder) -> None:
        """Keeps an order as it is after a message, and before the first one the version that was read (0: none)."""
        order_id = stored.order.id
        if order_id not in self.versions:
            present = self.stored.get(order_id)
            self.versions[order_id] = present.order.version if present else 0
        self.stored[order_id] = stored


Beside = Callable[[Sequence[Deadline]], Sequence[Part]]
"""What a service keeps beside the orders of a batch, of which it is given each with its next deadline."""


class Replica:
    """Keeps one service's orders up with the stream, and answers what is asked of it as custodian."""

    def __init__(self, service: Service, clock: Clock | None = None, beside: Beside | None = None) -> None:
        self._service = service
        self._limits = KnownRuleSets()
        self._beside = beside
        self._clock = clock or SystemClock()

    @property
    def one_statement(self) -> OneStatement:
        """`follow` without a transaction."""
        return OneStatement(self.reads, self.writes)

    async def follow(self, messages: Sequence[Message], tx: Transaction) -> None:
        """Applies a batch; raises `Poison` for a message that does not follow the one before it."""
        read = await fetch_together(tx, self._what_is_known(messages, lock=True))
        batch = self._batch_of(read, is_catching_up=tx.is_catching_up)
        self.take(messages, batch)
        await execute_together(tx, self._changes(batch))

    def reads(self, messages: Sequence[Message]) -> Sequence[Part] | None:
        return self._what_is_known(messages)

    def writes(self, messages: Sequence[Message], read: Sequence[Rows]) -> Sequence[Part]:
        batch = self._batch_of(read)
        self.take(messages, batch)
        return self._changes(batch)

    def _changes(self, batch: _Batch) -> list[Part]:
        if self._beside is None:
            return _changes(batch)
        touched = sorted(batch.read_on | batch.versions.keys())
        deadlines = [(one, next_due_at(batch.stored[one].order, batch.limits)) for one in touched]
        return [*self._beside(deadlines), *_changes(batch)]

    def _what_is_known(self, messages: Sequence[Message], *, lock: bool = False) -> list[Part]:
        request_ids = {request_id for message in messages if (request_id := getattr(message.body, "request_id", None))}
        orders = _orders({message.subject for message in messages}, lock=lock)
        return [orders, Part(_REQUESTS_SEEN, [sorted(request_ids)]), self._limits.reading]

    def _batch_of(self, read: Sequence[Rows], *, is_catching_up: bool = False) -> _Batch:
        orders, requests, *limits = read
        stored = {order_id: StoredOrder(to_order(body), *rest) for order_id, body, *rest in orders}
        seen = {
            request_id: RequestState(order_id, settled_hop, is_answered, owed=owed_of(order_id, owed))
            for request_id, order_id, settled_hop, is_answered, owed in requests
        }
        return _Batch(stored, seen, self._limits.taken(limits), is_catching_up)

    def take(self, messages: Sequence[Message], batch: _Batch) -> None:
        """Folds the messages into what is known."""
        for message in messages:
            if message.order_version is not None:
                self._apply(message, message.order_version, batch)
            elif isinstance(message.body, WorkOrderRequest):
                self._answer(message, batch)
            elif isinstance(message.body, WorkOrderRequestRefused):
                _settle(message.body.request_id, message.subject, batch)
            elif facts_store.is_fact(message):
                _keep_fact(message, batch)

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
        batch.change(StoredOrder(order, version, event_hash(message)))
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
        (requests,) = await fetch_together(tx, [Part(_OWED)])
        order_ids = {order_id for _, order_id, *_ in requests}
        orders, *limits = await fetch_together(tx, [_orders(order_ids, lock=True), self._limits.reading])
        batch = self._batch_of([orders, requests, *limits], is_catching_up=True)
        for one in batch.seen.values():
            stored, now = batch.stored[one.order_id], self._clock.now()
            self._send(owed_answer(one, stored, service=self._service, now=now, limits=batch.limits), batch)
        await execute_together(tx, self._changes(batch))

    def _send(self, given: Message | None, batch: _Batch) -> None:
        if given is None:
            return
        batch.to_send.append(given)
        stored = batch.stored[given.subject]
        if given.order_version is not None:
            order = apply(stored.order, given)
            stored = StoredOrder(order, stored.stream_version, event_hash(given))
        # Also where the order stays as it is: the answer was decided on this version of it, and an outbox row is
        # written under the lock of its order.
        batch.change(stored)


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


def _keep_fact(message: Message, batch: _Batch) -> None:
    if message.subject not in batch.stored:
        raise Poison(message, f"a fact about order {message.subject}, which was never created")
    batch.facts.append(message)


def _settle(request_id: str, order_id: str, batch: _Batch) -> None:
    seen = batch.seen.setdefault(request_id, RequestState(order_id))
    seen.is_changed = seen.is_changed or not seen.is_answered
    seen.is_answered = True


_ORDERS = "select id, body, stream_version, last_hash from work_orders where id = any($1::text[])"
# In the order of ids: two workers with overlapping batches queue instead of deadlocking.
_LOCKED_ORDERS = f"{_ORDERS} order by id for update"
_REQUESTS = "select request_id, order_id, settled_hop, is_answered, owed from requests_seen"
_REQUESTS_SEEN = f"{_REQUESTS} where request_id = any($1::text[])"
_OWED = f"{_REQUESTS} where owed is not null order by owed->'headers'->>'ce_recordedtime'"


def _orders(ids: Iterable[str], *, lock: bool = False) -> Part:
    return Part(_LOCKED_ORDERS if lock else _ORDERS, [sorted(ids)])


_CHANGING = [column for column in WORK_ORDERS.c if not column.primary_key]
_GIVEN = f"{unnest_of(WORK_ORDERS.c)} as given ({COLUMNS})"
_CREATE = f"insert into work_orders ({COLUMNS}) select {COLUMNS} from {_GIVEN} on conflict (id) do nothing"
_CHANGE = f"""
update work_orders set ({columns_of(_CHANGING)}) = ({", ".join(f"given.{column.name}" for column in _CHANGING)})
from {unnest_of(WORK_ORDERS.c)[:-1]}, ${len(WORK_ORDERS.c) + 1}::integer[]) as given ({COLUMNS}, version_read)
where work_orders.id = given.id and work_orders.version = given.version_read"""
# Without a guard: nothing else writes this column, and what an act changes meanwhile it leaves as it is.
_READ_ON = """
update work_orders set stream_version = read.version from unnest($1::text[], $2::integer[]) as read (id, version)
where work_orders.id = read.id"""
_KEEP_REQUESTS = f"""
insert into requests_seen ({columns_of(REQUESTS_SEEN.c)}) select * from {unnest_of(REQUESTS_SEEN.c)}
on conflict (request_id) do update set settled_hop = excluded.settled_hop,
is_answered = excluded.is_answered, owed = excluded.owed"""


def _changes(batch: _Batch) -> list[Part]:
    created = [order_id for order_id, version in batch.versions.items() if version == 0]
    changed = [order_id for order_id, version in batch.versions.items() if version > 0]
    read_on = sorted(batch.read_on - batch.versions.keys())
    parts = []
    if created:
        parts.append(
            Part(_CREATE, _columns(values_of(batch.stored[one], batch.limits) for one in created), len(created))
        )
    if changed:
        rows = [(*values_of(batch.stored[one], batch.limits), batch.versions[one]) for one in changed]
        parts.append(Part(_CHANGE, _columns(rows), len(changed)))
    if read_on:
        parts.append(Part(_READ_ON, (read_on, [batch.stored[one].stream_version for one in read_on])))
    kept = [_request_row(request_id, seen) for request_id, seen in sorted(batch.seen.items()) if seen.is_changed]
    if kept:
        parts.append(Part(_KEEP_REQUESTS, _columns(kept)))
    if batch.facts:
        parts.append(facts_store.kept_by(batch.facts))
    # Last, so that the numbers of an order's rows grow in commit order.
    return [*parts, outbox.added_by(batch.to_send)] if batch.to_send else parts


def _request_row(request_id: str, seen: RequestState) -> tuple[Any, ...]:
    return request_id, seen.order_id, seen.settled_hop, seen.is_answered, kept_of(seen.owed)


def _columns(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
