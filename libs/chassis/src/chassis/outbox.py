"""The transactional outbox: messages are written in the transaction of the change.

A statement that changes an entity ends with `INSERT` fed by the guarded change, so that an outbox row's
number is drawn after the lock of the entity's row: numbers of one key then grow in commit order.
"""

import zlib
from collections.abc import Sequence

import msgspec

from chassis.advisory_locks import AdvisoryLock
from chassis.database import Transaction, columns_of, unnest_of
from chassis.one_statement import Part
from chassis.tables import OUTBOX
from contracts.catalogue import BY_TYPE
from contracts.codec import headers_of
from contracts.message import Message
from contracts.refusals import Invalid
from contracts.topics import Topic

SHARDS = 16
MOST_BYTES = 1_000_000
"""Kafka takes 1,048,588 bytes as it is shipped, with what it adds itself. A row that it never takes would wait for
ever, and every later one of its key behind it."""


class EventTooLarge(Invalid):
    """The message would have {size} bytes, more than the limit of {most}; shorten the texts."""

    zh = "待发布的内容为 {size} 字节，最多 {most} 字节；请缩短文字。"


WRITTEN = tuple(column for column in OUTBOX.c if column.name not in ("id", "created_at"))
COLUMNS = columns_of(WRITTEN)
_ADD = f"""
insert into outbox ({COLUMNS})
select {COLUMNS} from {unnest_of(WRITTEN)} with ordinality as message ({COLUMNS}, place)
order by place"""


def shard_of(key: str) -> int:
    """The shard of a key: the same for every process and release, or order per key is lost."""
    return zlib.crc32(key.encode()) % SHARDS


def row_of(message: Message, topic: Topic | None = None) -> tuple[int, str, str, int | None, str, bytes, str]:
    """The values of `COLUMNS` for a message; `topic` is given for one that is made from a template.

    Raises `EventTooLarge`.
    """
    headers = msgspec.json.encode(headers_of(message)).decode()
    size = len(message.data) + len(headers)
    if size > MOST_BYTES:
        raise EventTooLarge(size=size, most=MOST_BYTES)
    return (
        shard_of(message.subject),
        (topic or BY_TYPE[message.type].topic).name,
        message.subject,
        message.order_version or message.entity_version,
        message.type,
        message.data,
        headers,
    )


async def add(tx: Transaction, messages: Sequence[Message], topic: Topic | None = None) -> None:
    """Writes messages in the order given. The caller holds the lock of every key among them.

    The transaction ends in `CatchingUp` while a restored database reads what it missed (`chassis.recovery.fence`).
    """
    if messages:
        added = added_by(messages, topic)
        await tx.execute(added.sql, *added.arguments)
        tx.is_publishing = True


def added_by(messages: Sequence[Message], topic: Topic | None = None) -> Part:
    """Writes messages in the order given, as `add` does. A part before it has locked every key among them."""
    columns = zip(*(row_of(message, topic) for message in messages), strict=True)
    return Part(_ADD, [list(column) for column in columns], least=len(messages), is_publishing=True)


_KEY_LOCK_COUNT = 512


async def add_with_key_locks(tx: Transaction, messages: Sequence[Message]) -> None:
    """Locks the keys of the messages and writes them, last thing in the transaction.

    For messages of a key that no row lock covers: two different rows can speak of the same subject. A key has one
    of a fixed number of locks, or a command with thousands would need more than the server has. They are taken in the
    order of their numbers and nothing is locked after them, so there is no deadlock.
    """
    if messages:
        locks = sorted({zlib.crc32(message.subject.encode()) % _KEY_LOCK_COUNT for message in messages})
        await tx.execute(
            "select pg_advisory_xact_lock($1, lock) from unnest($2::int[]) as lock", AdvisoryLock.OUTBOX_KEY, locks
        )
        await add(tx, messages)
