"""The record: every message of `work-orders` exactly as it travelled, once, in the order of its arrival.

`place` numbers the messages 1, 2, 3 … without gaps, in the order in which they were committed: whoever has
read up to a place has missed nothing before it. That needs one writer at a time, and the lock of the one
row of `stream_state` sees to it. Projections, rebuilds and switches rest on the same lock.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from chassis.database import Statements, Transaction
from chassis.subscribe import Poison
from chassis.telemetry import METRICS
from contracts.catalogue import BY_TYPE
from contracts.chain import GENESIS, event_hash
from contracts.message import Actor, Message

COLUMNS = (
    "place",
    "message_id",
    "order_id",
    "order_version",
    "type",
    "source",
    "occurred_at",
    "recorded_at",
    "actor_sub",
    "actor_role",
    "actor_name",
    "prev_hash",
    "event_hash",
    "correlation_id",
    "causation_id",
    "traceparent",
    "data",
)
_SELECT = "select " + ", ".join(COLUMNS) + " from messages"
_DECODERS = {name: msgspec.json.Decoder(entry.body) for name, entry in BY_TYPE.items()}


@dataclass(slots=True)
class StreamState:
    """How far the stream was read, which set of projections is shown, and which one is kept up beside it."""

    message_count: int
    recorded_at: datetime | None
    live: str
    generation: int
    following: str | None

    @property
    def kept_up(self) -> tuple[str, ...]:
        return (self.live, self.following) if self.following else (self.live,)


@dataclass(frozen=True, slots=True)
class Stored:
    """A message in its place; `event_hash` is None for what does not change the order."""

    place: int
    message: Message
    event_hash: str | None


_STATE = "select message_count, recorded_at, live, generation, following from stream_state"


async def lock_stream(tx: Transaction) -> StreamState:
    """The state of the stream; nobody else adds messages or changes sets until the transaction ends."""
    return StreamState(**await tx.fetchrow(f"{_STATE} for update"))


async def commit_later(tx: Transaction) -> None:
    """Lets this transaction return before it is on disk.

    Right for a batch from Kafka, and for nothing that somebody is told: what a crash of the server takes
    back, it takes back together with the batch's position, and it is read again.
    """
    await tx.execute("set local synchronous_commit = off")


async def get_stream_state(statements: Statements) -> StreamState:
    return StreamState(**await statements.fetchrow(_STATE))


async def append(tx: Transaction, state: StreamState, messages: Sequence[Message]) -> list[Message]:
    """Adds what is not there yet and returns the events among it, those that change an order.

    A repeat changes nothing. Raises `Poison` for an event that does not follow the one before it, and for a
    second event in the place of another: two writers have decided on the same version.
    """
    batch = _Batch(await _heads(tx, messages), await _known_ids(tx, messages), state.message_count)
    for message in messages:
        batch.take(message)
    METRICS.duplicates.inc(len(messages) - len(batch.rows))
    if batch.rows:
        await tx.copy("messages", COLUMNS, batch.rows)
        state.message_count += len(batch.rows)
        recorded_at = max(message.recorded_at for message in batch.added)
        state.recorded_at = max(recorded_at, state.recorded_at or recorded_at)
        await tx.execute(
            "update stream_state set message_count = $1, recorded_at = $2", state.message_count, state.recorded_at
        )
    await _refuse_second_writers(tx, batch.repeats)
    return [message for message in batch.added if message.order_version is not None]


class _Batch:
    """Sorts messages into those to add and those that are there."""

    def __init__(self, heads: dict[str, tuple[int, str]], known_ids: set[str], message_count: int) -> None:
        self._heads = heads
        self._known_ids = known_ids
        self._place = message_count
        self.rows: list[tuple[Any, ...]] = []
        self.added: list[Message] = []
        self.repeats: list[Message] = []

    def take(self, message: Message) -> None:
        if message.order_version is None:
            if message.id not in self._known_ids:
                self._known_ids.add(message.id)
                self._add(message, None)
            return
        version, last_hash = self._heads.get(message.subject, (0, GENESIS))
        if message.order_version <= version:
            self.repeats.append(message)
            return
        if message.order_version > version + 1:
            raise Poison(message, f"a gap: version {message.order_version} came after version {version}")
        if message.prev_hash != last_hash:
            raise Poison(message, f"version {message.order_version} does not carry the hash of version {version}")
        its_hash = event_hash(message)
        self._heads[message.subject] = (message.order_version, its_hash)
        self._add(message, its_hash)

    def _add(self, message: Message, its_hash: str | None) -> None:
        self._place += 1
        self.rows.append(_row(self._place, message, its_hash))
        self.added.append(message)


def _row(place: int, message: Message, its_hash: str | None) -> tuple[Any, ...]:
    """The values of `COLUMNS`."""
    return (
        place,
        message.id,
        message.subject,
        message.order_version,
        message.type,
        message.source,
        message.occurred_at,
        message.recorded_at,
        message.actor.sub,
        message.actor.role,
        message.actor.name,
        message.prev_hash,
        its_hash,
        message.correlation_id,
        message.causation_id,
        message.traceparent,
        message.data,
    )


async def _heads(tx: Transaction, messages: Sequence[Message]) -> dict[str, tuple[int, str]]:
    """The version and hash of the latest event of each order among the messages."""
    rows = await tx.fetch(
        """select asked.id, head.order_version, head.event_hash
           from unnest($1::text[]) as asked (id) cross join lateral (
               select order_version, event_hash from messages
               where order_id = asked.id and order_version is not null order by order_version desc limit 1
           ) as head""",
        sorted({message.subject for message in messages if message.order_version is not None}),
    )
    return {row["id"]: (row["order_version"], row["event_hash"]) for row in rows}


async def _known_ids(tx: Transaction, messages: Sequence[Message]) -> set[str]:
    """Requests and answers have no version: their own id says whether they are known."""
    ids = [message.id for message in messages if message.order_version is None]
    if not ids:
        return set()
    return {
        row["message_id"] for row in await tx.fetch("select message_id from messages where message_id = any($1)", ids)
    }


async def _refuse_second_writers(tx: Transaction, repeats: Sequence[Message]) -> None:
    if not repeats:
        return
    rows = await tx.fetch(
        """select order_id, order_version, event_hash from messages
           join unnest($1::text[], $2::int[]) as asked (order_id, order_version) using (order_id, order_version)""",
        [message.subject for message in repeats],
        [message.order_version for message in repeats],
    )
    stored = {(row["order_id"], row["order_version"]): row["event_hash"] for row in rows}
    for message in repeats:
        if event_hash(message) != stored[message.subject, message.order_version]:
            raise Poison(message, f"two writers: another event is version {message.order_version} of this order")


def stored_of(row: Any) -> Stored:
    """The message of a row, decoded again from the bytes that travelled."""
    decoder = _DECODERS.get(row["type"])
    message = Message(
        id=row["message_id"],
        type=row["type"],
        source=row["source"],
        subject=row["order_id"],
        occurred_at=row["occurred_at"],
        recorded_at=row["recorded_at"],
        actor=Actor(row["actor_sub"], row["actor_role"], row["actor_name"]),
        data=row["data"],
        body=decoder.decode(row["data"]) if decoder else None,
        order_version=row["order_version"],
        prev_hash=row["prev_hash"],
        correlation_id=row["correlation_id"],
        causation_id=row["causation_id"],
        traceparent=row["traceparent"],
    )
    return Stored(row["place"], message, row["event_hash"])


async def timeline(statements: Statements, order_id: str) -> list[Stored]:
    """Every message of an order, oldest first."""
    return [stored_of(row) for row in await statements.fetch(f"{_SELECT} where order_id = $1 order by place", order_id)]


async def messages_after(statements: Statements, place: int, *, limit: int) -> list[Stored]:
    """The messages behind a place, in their order."""
    return [
        stored_of(row)
        for row in await statements.fetch(f"{_SELECT} where place > $1 order by place limit $2", place, limit)
    ]


async def events_of_orders(statements: Statements, order_ids: Iterable[str]) -> list[Message]:
    """The events of some orders, order by order, in their versions."""
    rows = await statements.fetch(
        f"{_SELECT} where order_id = any($1) and order_version is not null order by order_id, order_version",
        list(order_ids),
    )
    return [stored_of(row).message for row in rows]


async def events_by_order(statements: Statements, after: tuple[str, int], *, limit: int) -> list[Message]:
    """A page of the events of all orders, order by order, behind an order and a version of it."""
    rows = await statements.fetch(
        f"""{_SELECT} where (order_id, order_version) > ($1, $2) and order_version is not null
            order by order_id, order_version limit $3""",
        *after,
        limit,
    )
    return [stored_of(row).message for row in rows]
