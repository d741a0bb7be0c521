"""The record: every message of orders, calls, quality and time limits exactly as it travelled, once, as it arrived.

`place` numbers the messages 1, 2, 3 … without gaps, in the order in which they were committed: a reader
at a place has missed nothing before it. That needs one writer at a time, and the lock of the one
row of `stream_state` sees to it. Projections, rebuilds and switches rest on the same lock.

Statements here are written by hand: of the 54 µs that an event costs in a replay 17 are PostgreSQL's (see
docs/performance.md). A look-up goes through an index row by row, whatever the planner knows of the table.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import msgspec

from chassis.database import Statements, Transaction
from chassis.subscribe import Gap, Poison
from chassis.telemetry import METRICS
from contracts.catalogue import BY_BODY, BY_TYPE
from contracts.chain import GENESIS, event_hash
from contracts.events import WorkOrderDispatched
from contracts.message import Actor, Message
from contracts.topics import CALLS, DEADLINES, QUALITY, WORK_ORDERS, Topic
from reporting.tables import MESSAGES

_LAST_VERSION = 2**31 - 1
SHAPE = 9
"""The tables of a set of projections, as this code keeps them."""
COLUMNS = tuple(MESSAGES.columns.keys())
_SELECT = "select " + ", ".join(COLUMNS) + " from messages"
_OF_A_MESSAGE = ", ".join(f"message.{column}" for column in COLUMNS)
_PAGE_BYTES = 8 * 1024 * 1024
_DECODERS = {name: msgspec.json.Decoder(entry.body) for name, entry in BY_TYPE.items()}


@dataclass(slots=True)
class StreamState:
    """How far the stream was read, which set of projections is shown, and which one is kept up beside it."""

    message_count: int
    recorded_at: datetime | None
    live: str
    generation: int
    following: str | None
    live_shape: int
    """Which tables the set that is shown is made of; one of an earlier shape is rebuilt before it is kept up."""
    late_after: timedelta
    """An event that was recorded so long after it happened corrects figures that may have been read."""
    call_message_count: int
    """How many of the messages are of calls, agents and time limits."""
    quality_message_count: int
    """How many are of quality."""

    @property
    def kept_up(self) -> tuple[str, ...]:
        live = (self.live,) if self.live_shape == SHAPE else ()
        return (*live, self.following) if self.following else live


@dataclass(frozen=True, slots=True)
class Stored:
    """A message in its place; `event_hash` is None for what does not change the order."""

    place: int
    message: Message
    event_hash: str | None


STATE = """select message_count, recorded_at, live, generation, following, live_shape,
    make_interval(secs => (select late_after_seconds from figure_rules)) as late_after, call_message_count,
    quality_message_count from stream_state"""
"""The fields of `StreamState`, in their order."""


async def lock_stream(tx: Transaction) -> StreamState:
    """The state of the stream, locked: no other transaction adds messages or changes sets until this one ends."""
    return StreamState(**await tx.fetchrow(f"{STATE} for update"))


async def plan_by_index(tx: Transaction) -> None:
    """Keeps a plan that was made while a table was small, and so reads all of it, from being used for ever."""
    await tx.execute(
        "set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off"
    )


async def commit_later(tx: Transaction) -> None:
    """Lets this transaction return before it is on disk.

    Right for a batch from Kafka only, never for what is acknowledged to a client: what a crash of the server takes
    back, it takes back together with the batch's position, and it is read again.
    """
    await tx.execute("set local synchronous_commit = off")


async def follow(tx: Transaction, name: str | None) -> None:
    """Has a set kept up beside the one that is shown; None: no longer. The caller holds the stream's lock."""
    await tx.execute("update stream_state set following = $1", name)


async def show(tx: Transaction, name: str) -> None:
    """Shows a set of the present shape from this commit on. The caller holds the stream's lock."""
    await tx.execute(
        "update stream_state set live = $1, generation = generation + 1, following = null, live_shape = $2",
        name,
        SHAPE,
    )


async def get_stream_state(statements: Statements) -> StreamState:
    return StreamState(**await statements.fetchrow(STATE))


@dataclass(frozen=True, slots=True)
class Added:
    """What a batch has added to the record."""

    messages: list[Message]
    heads: Mapping[str, int]
    """By subject, the version up to which the stream was known before; of new streams nothing."""


async def append(tx: Transaction, state: StreamState, topic: Topic, messages: Sequence[Message]) -> Added:
    """Adds what is not there yet.

    A repeat changes nothing. Raises `Poison` for a message that does not follow the one before it in its stream,
    and for a second event in the place of another: two writers have decided on the same version.
    """
    heads = await _heads(tx, messages)
    known = {subject: version for subject, (version, _) in heads.items()}
    batch = RecordedBatch(topic, heads, await _known_ids(tx, messages), state.message_count)
    for message in messages:
        batch.take(message)
    METRICS.duplicates.inc(len(messages) - len(batch.rows))
    if batch.rows:
        await tx.copy("messages", COLUMNS, batch.rows)
        await _note_progress(tx, state, topic, batch.added)
    await _refuse_second_writers(tx, batch.repeats)
    return Added(batch.added, known)


async def _note_progress(tx: Transaction, state: StreamState, topic: Topic, added: Sequence[Message]) -> None:
    state.message_count += len(added)
    state.call_message_count += len(added) if topic in (CALLS, DEADLINES) else 0
    state.quality_message_count += len(added) if topic is QUALITY else 0
    recorded_at = max(message.recorded_at for message in added)
    state.recorded_at = max(recorded_at, state.recorded_at or recorded_at)
    await tx.execute(
        """update stream_state set message_count = $1, recorded_at = $2, call_message_count = $3,
               quality_message_count = $4""",
        state.message_count,
        state.recorded_at,
        state.call_message_count,
        state.quality_message_count,
    )


def _version_of(message: Message) -> int | None:
    return message.order_version or message.entity_version


class RecordedBatch:
    """Sorts messages into those to add and those that are there."""

    def __init__(
        self, topic: Topic, heads: dict[str, tuple[int, str | None]], known_ids: set[str], message_count: int
    ) -> None:
        self._topic = topic
        self._heads = heads
        self._known_ids = known_ids
        self._place = message_count
        self.rows: list[tuple[Any, ...]] = []
        self.added: list[Message] = []
        self.repeats: list[Message] = []

    def take(self, message: Message) -> None:
        given = _version_of(message)
        if given is None:
            if message.id not in self._known_ids:
                self._known_ids.add(message.id)
                self._add(message, None)
            return
        version, last_hash = self._heads.get(message.subject, (0, GENESIS))
        if given <= version:
            self.repeats.append(message)
            return
        if given > version + 1:
            raise Gap(message, f"a gap: version {given} came after version {version}")
        its_hash = None
        if message.order_version is not None:
            if message.prev_hash != last_hash:
                raise Poison(message, f"version {given} does not carry the hash of version {version}")
            its_hash = event_hash(message)
        self._heads[message.subject] = (given, its_hash)
        self._add(message, its_hash)

    def _add(self, message: Message, its_hash: str | None) -> None:
        self._place += 1
        self.rows.append(_row(self._place, message, its_hash, self._topic))
        self.added.append(message)


def _row(place: int, message: Message, its_hash: str | None, topic: Topic) -> tuple[Any, ...]:
    """The values of `COLUMNS`."""
    return (
        place,
        message.id,
        message.subject,
        _version_of(message),
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
        topic.name,
    )


HEADS = """select asked.id, head.order_version, head.event_hash
    from unnest($1::text[]) as asked (id) cross join lateral (
        select order_version, event_hash from messages
        where order_id = asked.id and order_version is not null order by order_version desc limit 1
    ) as head"""
"""The version and hash of the latest message of each of these streams."""
KNOWN_IDS = "select message_id from messages where message_id = any($1::text[]) and order_version is null"


def streams_of(messages: Iterable[Message]) -> list[str]:
    return sorted({message.subject for message in messages if _version_of(message) is not None})


def ids_without_version(messages: Iterable[Message]) -> list[str]:
    """Requests and answers have no version: they are recognised by their id."""
    return [message.id for message in messages if _version_of(message) is None]


async def _heads(tx: Transaction, messages: Sequence[Message]) -> dict[str, tuple[int, str | None]]:
    return {of: (version, its_hash) for of, version, its_hash in await tx.fetch(HEADS, streams_of(messages))}


async def _known_ids(tx: Transaction, messages: Sequence[Message]) -> set[str]:
    ids = ids_without_version(messages)
    return {row["message_id"] for row in await tx.fetch(KNOWN_IDS, ids)} if ids else set()


async def _refuse_second_writers(tx: Transaction, seen: Sequence[Message]) -> None:
    repeats = [message for message in seen if message.order_version is not None]
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
    is_of_an_order = row["topic"] == WORK_ORDERS.name
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
        order_version=row["order_version"] if is_of_an_order else None,
        entity_version=None if is_of_an_order else row["order_version"],
        prev_hash=row["prev_hash"],
        correlation_id=row["correlation_id"],
        causation_id=row["causation_id"],
        traceparent=row["traceparent"],
    )
    return Stored(row["place"], message, row["event_hash"])


async def timeline(statements: Statements, order_id: str) -> list[Stored]:
    """Every message of an order's own stream, oldest first."""
    rows = await statements.fetch(
        f"{_SELECT} where order_id = $1 and topic = $2 order by place", order_id, WORK_ORDERS.name
    )
    return [stored_of(row) for row in rows]


async def dispatches_of(statements: Statements, order_ids: Sequence[str]) -> dict[str, list[tuple[int, str]]]:
    """By order, where in the record it was dispatched to which work area; in the record's order."""
    rows = await statements.fetch(
        """select order_id, place, convert_from(data, 'UTF8')::json->>'work_area_id' as work_area_id from messages
           where order_id = any($1) and topic = $2 and type = $3 order by place""",
        order_ids,
        WORK_ORDERS.name,
        BY_BODY[WorkOrderDispatched].type,
    )
    found: dict[str, list[tuple[int, str]]] = {}
    for row in rows:
        found.setdefault(row["order_id"], []).append((row["place"], row["work_area_id"]))
    return found


async def messages_after(statements: Statements, place: int, *, topic: str | None = None, limit: int) -> list[Stored]:
    """The messages behind a place, in their order; of one topic or of all.

    As many as `limit`, or as 8 MiB of data hold, and at least one where there is any.
    """
    rows = await statements.fetch(
        f"""with page as (
                select place, octet_length(data) as bytes from messages
                where place > $1 and ($2::text is null or topic = $2) order by place limit $3),
            last as (
                select max(place) as place from (
                    select place, sum(bytes) over (order by place) - bytes as before from page) as sized
                where before < $4)
            {_SELECT} where place > $1 and ($2::text is null or topic = $2) and place <= (select place from last)
            order by place""",
        place,
        topic,
        limit,
        _PAGE_BYTES,
    )
    return [stored_of(row) for row in rows]


async def unknown_among(statements: Statements, asked: Sequence[tuple[str, str]]) -> list[str]:
    """The ids of those messages, given as subject and id, that are not in the record."""
    rows = await statements.fetch(
        """select asked.id from unnest($1::text[], $2::text[]) as asked (subject, id)
           where not exists (select from messages where order_id = asked.subject and message_id = asked.id)""",
        [subject for subject, _ in asked],
        [message_id for _, message_id in asked],
    )
    return [row["id"] for row in rows]


async def messages_of(
    statements: Statements,
    subjects: Iterable[str],
    *,
    as_of: datetime | None = None,
    heads: Mapping[str, int] = MappingProxyType({}),
) -> list[Message]:
    """The versioned messages of some streams, stream by stream, in their versions; those recorded by a moment, and of
    a stream that `heads` names those up to that version."""
    asked = sorted(subjects)
    rows = await statements.fetch(
        f"""select {_OF_A_MESSAGE} from unnest($1::text[], $3::int[]) as asked (id, head)
            join lateral (select * from messages where order_id = asked.id and order_version <= asked.head
                and recorded_at <= coalesce($2, 'infinity'::timestamptz) order by order_version) as message on true""",
        asked,
        as_of,
        [heads.get(subject, _LAST_VERSION) for subject in asked],
    )
    return [stored_of(row).message for row in rows]


async def quality_of(statements: Statements, subjects: Iterable[str]) -> list[Message]:
    """The messages of `quality` under some keys, key by key, in the order of publication."""
    rows = await statements.fetch(
        f"{_SELECT} where topic = 'quality' and order_id = any($1) order by order_id, place", sorted(subjects)
    )
    return [stored_of(row).message for row in rows]
