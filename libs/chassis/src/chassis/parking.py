"""Dead letters per key: a poison message stops its key, not the partition.

A record that cannot be applied is parked, and so is every later record of its key: visible, repairable and
releasable in order. All other keys continue. Worker and operator hold the key's advisory lock, so that no
later record overtakes a release.
"""

import hashlib
import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiokafka import ConsumerRecord

from chassis.advisory_locks import AdvisoryLock
from chassis.database import Database, Statements, Transaction
from chassis.fetching import UndecodableRecord, next_offset
from chassis.one_statement import Part, fetch_together
from contracts.refusals import Conflict, Invalid, NotFound


class ParkedKeyNotFound(NotFound):
    """No record is parked under key {key} of topic {topic}."""

    zh = "主题 {topic} 的键 {key} 下没有搁置的消息。"


class ParkedRecordNotFound(NotFound):
    """No record is parked with id {parked_id}."""

    zh = "没有编号为 {parked_id} 的搁置消息。"


class StillPoison(Conflict):
    """Record {parked_id} still cannot be applied: {reason}"""

    zh = "搁置的消息 {parked_id} 仍然无法处理：{reason}"


class RepairNotText(Invalid):
    """The repaired value is not valid JSON: {reason}"""

    zh = "修复后的内容不是有效的 JSON：{reason}"


class ValueNotKept(Conflict):
    """Only an excerpt of record {parked_id} is stored; repair it with a complete value or discard it."""

    zh = "搁置的消息 {parked_id} 只保留了摘录；请用完整内容修复，或丢弃该消息。"


_LONGEST_KEY = 300


@dataclass(frozen=True, slots=True)
class Undecoded:
    """Why a record has no value that could be applied, and of what the value that it has is an excerpt."""

    reason: str
    excerpt_of_bytes: int
    sha256: str | None


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A Kafka record as it was read, or as it was repaired; or, `undecoded`, an excerpt of what cannot be read."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    timestamp: int = 0
    undecoded: Undecoded | None = None
    next_offset: int = -1
    """Where to go on after it."""

    def __post_init__(self) -> None:
        if self.next_offset < 0:
            object.__setattr__(self, "next_offset", self.offset + 1)

    @property
    def parking_key(self) -> str:
        """What it is parked under; a record without a key stands alone."""
        if self.key is None:
            return f"{self.partition}:{self.offset}"
        key = self.key.decode("utf-8", "backslashreplace").replace("\x00", "\\x00")
        if len(key) <= _LONGEST_KEY:
            return key
        # An index takes no more; the digest keeps two long keys apart.
        return f"{key[:_LONGEST_KEY]}…{hashlib.sha256(self.key).hexdigest()}"


def raw_record(record: ConsumerRecord, topic: str) -> RawRecord:
    value, undecoded = record.value, None
    if isinstance(record, UndecodableRecord):
        value = record.excerpt
        undecoded = Undecoded(record.reason, record.excerpt_of_bytes, record.sha256)
    return RawRecord(
        topic,
        record.partition,
        record.offset,
        record.key,
        value,
        tuple(record.headers),
        record.timestamp,
        undecoded,
        next_offset(record),
    )


@dataclass(frozen=True, slots=True)
class Parked:
    """A record and why it cannot be applied."""

    record: RawRecord
    reason: str


PARKED = "parked"
BEHIND = "an earlier record of this key is parked"


def _lock_of(topic: str, key: str) -> int:
    return zlib.crc32(f"{topic}/{key}".encode()) - 0x8000_0000


async def lock_key(tx: Transaction, topic: str, key: str) -> None:
    await tx.execute("select pg_advisory_xact_lock($1, $2)", AdvisoryLock.PARKED_KEY, _lock_of(topic, key))


async def parked_keys(tx: Transaction, topic: str, keys: Iterable[str]) -> set[str]:
    """Which of the keys are parked; each of them is locked until the transaction ends."""
    found = await _parked_among(tx, topic, keys)
    if not found:
        return set()
    for key in sorted(found, key=lambda key: _lock_of(topic, key)):
        await lock_key(tx, topic, key)
    return await _parked_among(tx, topic, found)


def parked_among(topic: str, keys: Iterable[str]) -> Part:
    """Reads which of the keys are parked."""
    return Part(_PARKED_AMONG, (topic, sorted(set(keys))))


async def _parked_among(tx: Transaction, topic: str, keys: Iterable[str]) -> set[str]:
    (rows,) = await fetch_together(tx, [parked_among(topic, keys)])
    return {key for (key,) in rows}


_PARKED_AMONG = "select distinct key from parked where topic = $1 and key = any($2::text[]) and state = 'parked'"


async def settled_among(tx: Transaction, topic: str, records: Sequence[RawRecord]) -> set[tuple[int, int]]:
    """Partition and offset of those records that were parked once and have been released or discarded."""
    if not records:
        return set()
    rows = await tx.fetch(
        """select partition, "offset" from parked join unnest($2::int[], $3::bigint[]) as place (partition, "offset")
           using (partition, "offset") where topic = $1 and state <> 'parked'""",
        topic,
        [record.partition for record in records],
        [record.offset for record in records],
    )
    return {(row["partition"], row["offset"]) for row in rows}


async def park(tx: Transaction, parked: Sequence[Parked]) -> None:
    """Parks records in the order given; one that was parked before stays as it is."""
    for item in parked:
        record = item.record
        await tx.execute(
            """insert into parked (topic, key, partition, "offset", raw_key, value, headers, reason,
                   value_bytes, value_sha256, is_excerpt, offset_count)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
               on conflict (topic, partition, "offset") do nothing""",
            record.topic,
            record.parking_key,
            record.partition,
            record.offset,
            record.key,
            record.value,
            json.dumps([[_to_text(_name_bytes(name)), header_text(value)] for name, value in record.headers]),
            item.reason.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode()[:2000],
            *_measures(record),
            record.undecoded is not None,
            count if (count := record.next_offset - record.offset) > 1 else None,
        )


def _measures(record: RawRecord) -> tuple[int | None, str | None]:
    """Size and SHA-256 of the value."""
    if record.undecoded:
        return record.undecoded.excerpt_of_bytes, record.undecoded.sha256
    if record.value is None:
        return None, None
    return len(record.value), hashlib.sha256(record.value).hexdigest()


def _name_bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


# Bytes are kept as latin-1 text, so that none of them is lost; only NUL, which PostgreSQL's text cannot hold, is
# kept as the first character after latin-1.
_NUL_KEPT_AS = "\u0100"


def _to_text(value: bytes) -> str:
    return value.decode("latin-1").replace("\x00", _NUL_KEPT_AS)


def header_text(value: bytes | None) -> str:
    """The value of a header as it is kept in `headers`; one without a value is kept as an empty one."""
    return _to_text(value or b"")


def _to_bytes(text: str) -> bytes:
    return text.replace(_NUL_KEPT_AS, "\x00").encode("latin-1")


def _readable(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace").replace("\x00", "\\x00")


_OF_A_ROW = """id, topic, key, partition, "offset", "offset" + offset_count - 1 as last_offset, reason, state,
    parked_at, settled_by, settled_at, coalesce(value_bytes, octet_length(value)) as value_bytes, value_sha256"""
_MOST_SHOWN_BYTES = 4 * 1024 * 1024
# A record may have no value, and then no length: null would be neither true nor false.
_IS_EXCERPT = "is_excerpt or coalesce(octet_length(value), 0) > {}"
# What was parked before values had a bound may be larger than anybody can be answered.
_WHOLE = f"""{_OF_A_ROW}, headers, repaired, {_IS_EXCERPT.format(_MOST_SHOWN_BYTES)} as is_excerpt,
    case when octet_length(value) > {_MOST_SHOWN_BYTES} then substring(value from 1 for 4096) else value end as value"""
_EXCERPT_CHARACTERS = 2_000
_EXCERPT_HEADERS = 20
_EXCERPT_HEADER_CHARACTERS = 200
# Nothing that a row holds as a whole leaves the database for a list: a page of large values would be a large answer.
_SHORTENED = f"""{_OF_A_ROW}, substring(value from 1 for {_EXCERPT_CHARACTERS}) as value,
    {_IS_EXCERPT.format(_EXCERPT_CHARACTERS)} as is_excerpt,
    coalesce((select jsonb_agg(jsonb_build_array(left(header->>0, {_EXCERPT_HEADER_CHARACTERS}),
                                                 left(header->>1, {_EXCERPT_HEADER_CHARACTERS})) order by place)
              from jsonb_array_elements(headers) with ordinality as given (header, place)
              where place <= {_EXCERPT_HEADERS}), '[]') as headers,
    repaired || jsonb_build_object(
        'value', left(repaired->>'value', {_EXCERPT_CHARACTERS}),
        'headers', (select jsonb_object_agg(name, left(header, {_EXCERPT_HEADER_CHARACTERS}))
                    from (select * from jsonb_each_text(repaired->'headers') as given (name, header)
                          limit {_EXCERPT_HEADERS}) as first)) as repaired"""


async def parked_records(
    db: Database, *, topic: str | None, key: str | None, state: str | None = PARKED, after: int = 0, limit: int = 100
) -> list[dict[str, Any]]:
    """Records that are `parked`, `released` or `discarded` (None: all), oldest first, as an operator sees them.

    Values, repaired ones too, are cut after 2,000 bytes or characters, and headers after the 20th.
    """
    async with db.statements() as statements:
        rows = await statements.fetch(
            f"""select {_SHORTENED} from parked
                where id > $1 and ($2::text is null or topic = $2) and ($3::text is null or key = $3)
                  and ($4::text is null or state = $4) order by id limit $5""",
            after,
            topic,
            key,
            state,
            limit,
        )
    return [_shown(row) for row in rows]


async def parked_record(db: Database, parked_id: int) -> dict[str, Any]:
    """One record with all that was kept of it."""
    async with db.statements() as statements:
        row = await statements.fetchrow(f"select {_WHOLE} from parked where id = $1", parked_id)
    if row is None:
        raise ParkedRecordNotFound(parked_id=parked_id)
    return _shown(row)


def _shown(row: Any) -> dict[str, Any]:
    shown = dict(row)
    shown["value"] = None if row["value"] is None else _readable(row["value"])
    shown["headers"] = {
        _readable(_to_bytes(name)): _readable(_to_bytes(value)) for name, value in json.loads(row["headers"])
    }
    shown["repaired"] = json.loads(row["repaired"]) if row["repaired"] else None
    return shown


async def repair(
    db: Database, parked_id: int, *, value: str, headers: dict[str, str], by: str, at: datetime
) -> dict[str, Any]:
    """Sets what will be applied in the record's place; what was read stays beside it."""
    try:
        json.loads(value)
    except (ValueError, RecursionError) as error:
        raise RepairNotText(reason=str(error)) from error
    repaired = json.dumps({"value": value, "headers": headers, "by": by, "at": at.isoformat()})
    async with db.statements() as statements:
        changed = await statements.execute(
            "update parked set repaired = $2 where id = $1 and state = 'parked'", parked_id, repaired
        )
    if changed == "UPDATE 0":
        raise ParkedRecordNotFound(parked_id=parked_id)
    return await parked_record(db, parked_id)


async def discard(db: Database, parked_id: int, *, by: str, at: datetime) -> dict[str, Any]:
    """Gives a record up: it is never applied, and stays in the table with who decided it."""
    async with db.statements() as statements:
        changed = await statements.execute(
            "update parked set state = 'discarded', settled_by = $2, settled_at = $3"
            " where id = $1 and state = 'parked'",
            parked_id,
            by,
            at,
        )
    if changed == "UPDATE 0":
        raise ParkedRecordNotFound(parked_id=parked_id)
    return await parked_record(db, parked_id)


async def take_parked(tx: Transaction, topic: str, key: str) -> list[int]:
    """The ids of the parked records of a key, in order; the key is locked.

    Raises `ParkedKeyNotFound`, and `ValueNotKept` where only an excerpt is there to be applied.
    """
    await lock_key(tx, topic, key)
    rows = await tx.fetch(
        """select id, is_excerpt and repaired is null as is_missing from parked
           where topic = $1 and key = $2 and state = 'parked' order by "offset", id""",
        topic,
        key,
    )
    if not rows:
        raise ParkedKeyNotFound(topic=topic, key=key)
    for row in rows:
        if row["is_missing"]:
            raise ValueNotKept(parked_id=row["id"])
    return [row["id"] for row in rows]


async def to_be_applied(tx: Transaction, parked_id: int) -> RawRecord:
    """A parked record with its repair applied. One at a time: those of a key may be more than a process can hold."""
    return _record(await tx.fetchrow("select * from parked where id = $1", parked_id))


def _record(row: Any) -> RawRecord:
    value, key = row["value"], row["raw_key"]
    headers = tuple(
        (_to_bytes(name).decode("utf-8", "surrogateescape"), _to_bytes(text))
        for name, text in json.loads(row["headers"])
    )
    if row["repaired"]:
        repaired = json.loads(row["repaired"])
        value = repaired["value"].encode()
        headers = tuple((name, text.encode()) for name, text in repaired["headers"].items())
        key = repaired["headers"].get("ce_subject", "").encode() or key
    return RawRecord(row["topic"], row["partition"], row["offset"], key, value, headers)


async def mark_released(tx: Transaction, parked_ids: Sequence[int], *, by: str, at: datetime) -> None:
    await tx.execute(
        "update parked set state = 'released', settled_by = $2, settled_at = $3 where id = any($1)",
        list(parked_ids),
        by,
        at,
    )


async def count_parked_keys(statements: Statements) -> int:
    keys: int = await statements.fetchval("select count(distinct (topic, key)) from parked where state = 'parked'")
    return keys
