"""Another relay: what Debezium's outbox event router does with the outbox table, reading PostgreSQL's log.

It knows the table's columns and nothing else of ours. As `EventRouter` is configured in docs/scaling.md: the topic
from `aggregatetype`, the key from `aggregateid`, the value from `payload`, the row's id as header `id`, and one header
for each further column that is named to it. `HEADER_COLUMNS` are those: an operator adds them, once, as generated
columns, because the router makes one header of one column and would not take `headers` apart.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import asyncpg
from aiokafka import AIOKafkaProducer

PUBLICATION = "outbox_router"
HEADER_COLUMNS = (
    "content-type",
    "ce_specversion",
    "ce_id",
    "ce_source",
    "ce_type",
    "ce_subject",
    "ce_time",
    "ce_recordedtime",
    "ce_actor",
    "ce_actorrole",
    "ce_actorname",
    "ce_orderversion",
    "ce_entityversion",
    "ce_prevhash",
    "ce_correlationid",
    "ce_causationid",
    "ce_traceparent",
    "ce_replayid",
)
Row = Mapping[str, str | None]


async def prepare(connection: asyncpg.Connection) -> None:
    """What an operator does once."""
    for name in HEADER_COLUMNS:
        await connection.execute(
            f"""alter table outbox add column "{name}" text generated always as (headers ->> '{name}') stored"""
        )
    await connection.execute(
        f"create publication {PUBLICATION} for table outbox"
        " with (publish = 'insert', publish_generated_columns = stored)"
    )
    await connection.fetch("select pg_create_logical_replication_slot(current_database(), 'pgoutput')")


class Router:
    def __init__(self, connection: asyncpg.Connection, producer: AIOKafkaProducer, *, topic_prefix: str) -> None:
        self._connection = connection
        self._producer = producer
        self._topic_prefix = topic_prefix

    async def pump(self, *, acknowledges: bool = True) -> int:
        """Sends what is new in the log; without acknowledging, it is sent again next time, as after a crash."""
        changes = await self._connection.fetch(
            "select lsn::text, data from pg_logical_slot_peek_binary_changes(current_database(), null, null,"
            " 'proto_version', '1', 'publication_names', $1)",
            PUBLICATION,
        )
        rows = list(inserted(change["data"] for change in changes))
        for row in rows:
            await self._send(row)
        if changes and acknowledges:
            advance = "select pg_replication_slot_advance(current_database(), $1::text::pg_lsn)"
            await self._connection.execute(advance, changes[-1]["lsn"])
        return len(rows)

    async def _send(self, row: Row) -> None:
        # A column that is null makes a header without a value, and the router adds one of its own.
        headers = [("id", _bytes(row["id"])), *((name, _bytes(row[name])) for name in HEADER_COLUMNS)]
        topic, key, payload = row["aggregatetype"], row["aggregateid"], row["payload"]
        assert topic is not None
        assert key is not None
        assert payload is not None
        value = bytes.fromhex(payload.removeprefix("\\x"))
        await self._producer.send_and_wait(self._topic_prefix + topic, value, key=key.encode(), headers=headers)


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


@dataclass
class _Reader:
    """Bytes of a message of the replication protocol, version 1."""

    data: bytes
    place: int = 0

    def number(self, size: int) -> int:
        self.place += size
        return int.from_bytes(self.data[self.place - size : self.place])

    def text(self) -> str:
        end = self.data.index(b"\0", self.place)
        found, self.place = self.data[self.place : end].decode(), end + 1
        return found

    def take(self, size: int) -> bytes:
        self.place += size
        return self.data[self.place - size : self.place]


def inserted(changes: Iterator[bytes]) -> Iterator[Row]:
    """The rows that were inserted, in the order of the commits."""
    columns: list[str] = []
    for change in changes:
        reader = _Reader(change, place=1)
        if change[:1] == b"R":
            columns = list(_columns(reader))
        elif change[:1] == b"I":
            reader.take(5)  # which table, and that a new row follows
            yield dict(zip(columns, list(_values(reader)), strict=True))


def _columns(reader: _Reader) -> Iterator[str]:
    reader.take(4)
    reader.text(), reader.text(), reader.take(1)
    for _ in range(reader.number(2)):
        reader.take(1)
        yield reader.text()
        reader.take(8)


def _values(reader: _Reader) -> Iterator[str | None]:
    for _ in range(reader.number(2)):
        kind = reader.take(1)
        yield reader.take(reader.number(4)).decode() if kind == b"t" else None
