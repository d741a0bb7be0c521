"""The record of a batch that is one read and one guarded statement.

The statement changes the one row of `stream_state` only where it is what was read. Whoever adds messages or changes
sets writes that row too, so as long as it stands nothing of the record or of a projection has changed since the read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from chassis.database import unnest_of
from chassis.one_statement import Part, Rows
from contracts.message import Message
from contracts.topics import Topic
from reporting.record import event_store
from reporting.record.event_store import COLUMNS, RecordedBatch, StreamState
from reporting.tables import MESSAGES

_STREAM = f"""select {", ".join(COLUMNS)} from messages
    where order_id = $1::text and order_version is not null order by order_version"""
# A batch need not wait for the disk; see `event_store.commit_later`.
_ADVANCE = """update stream_state set message_count = $3::bigint, recorded_at = $4::timestamptz
    where message_count = $1::bigint and generation = $2::integer and following is null
        and ($5::boolean or set_config('synchronous_commit', 'off', true) = 'off')"""
_ADD = f"insert into messages ({', '.join(COLUMNS)}) select * from {unnest_of(MESSAGES.c)}"


@dataclass(frozen=True, slots=True)
class Known:
    """What was known of the streams of some messages, and of the whole."""

    state: StreamState
    batch: RecordedBatch


def reads(messages: Sequence[Message]) -> list[Part]:
    return [
        Part(event_store.STATE),
        Part(event_store.HEADS, [event_store.streams_of(messages)]),
        Part(event_store.KNOWN_IDS, [event_store.ids_without_version(messages)]),
    ]


def known_of(read: Sequence[Rows], topic: Topic) -> Known:
    ((found,), heads, ids) = read
    state = StreamState(*found)
    known = {subject: (version, its_hash) for subject, version, its_hash in heads}
    return Known(state, RecordedBatch(topic, known, {message_id for (message_id,) in ids}, state.message_count))


def changes(known: Known) -> list[Part]:
    """Adds what the batch has taken, of messages that count neither as calls nor as quality."""
    rows, present = known.batch.rows, known.state
    if not rows:
        return []
    recorded_at = max(message.recorded_at for message in known.batch.added)
    latest = max(recorded_at, present.recorded_at or recorded_at)
    reached = (present.message_count, present.generation, present.message_count + len(rows), latest, len(rows) == 1)
    columns = [list(column) for column in zip(*rows, strict=True)]
    return [Part(_ADVANCE, reached, least=1), Part(_ADD, columns, least=len(rows))]


def stream(subject: str) -> Part:
    """Reads the messages of a stream."""
    return Part(_STREAM, [subject])


def messages_of(rows: Rows) -> list[Message]:
    """The messages that were read by `stream`."""
    return [_message_of(tuple(row)) for row in rows]


@lru_cache(64)
def _message_of(row: tuple[Any, ...]) -> Message:
    # Every batch reads the time limits, and they hardly ever change.
    return event_store.stored_of(dict(zip(COLUMNS, row, strict=True))).message
