"""Rows of sealing keys as intake, which issues them, writes them."""

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.database import Statements
from chassis.sealing import MasterKeys, Wrapped

_MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class StoredKey:
    subscriber_id: str
    version: int
    wrapped: Wrapped | None
    """None: it was destroyed."""


async def find_key(statements: Statements, subscriber_id: str) -> StoredKey | None:
    """The subscriber's key; it cannot be destroyed before the commit."""
    row = await statements.fetchrow(
        "select entity_version, master_key_id, wrapped from sealing_keys where subscriber_id = $1 for share",
        subscriber_id,
    )
    return _stored(subscriber_id, *row) if row else None


def _stored(subscriber_id: str, version: int, master_key_id: str | None, text: str | None) -> StoredKey:
    is_there = master_key_id is not None and text is not None
    return StoredKey(subscriber_id, version, Wrapped(master_key_id, text) if is_there else None)


async def add_key(statements: Statements, subscriber_id: str, wrapped: Wrapped) -> bool:
    """Whether it was added; False when the subscriber has a key, or had one."""
    done = await statements.execute(
        """insert into sealing_keys (subscriber_id, entity_version, master_key_id, wrapped) values ($1, 1, $2, $3)
           on conflict (subscriber_id) do nothing""",
        subscriber_id,
        wrapped.master_key_id,
        wrapped.text,
    )
    return done == "INSERT 0 1"


async def save_key(statements: Statements, key: StoredKey) -> None:
    assert key.wrapped is not None
    await statements.execute(
        "update sealing_keys set entity_version = $2, master_key_id = $3, wrapped = $4 where subscriber_id = $1",
        key.subscriber_id,
        key.version,
        key.wrapped.master_key_id,
        key.wrapped.text,
    )


async def destroy_key(statements: Statements, subscriber_id: str) -> int:
    """Destroys the subscriber's sealing key, or sees to it that none is issued; its new version.

    Waits for orders that are being created with the key. Later readers see them.
    """
    return await statements.fetchval(
        """insert into sealing_keys (subscriber_id, entity_version, master_key_id, wrapped) values ($1, 1, null, null)
           on conflict (subscriber_id) do update set entity_version = sealing_keys.entity_version + 1,
               master_key_id = null, wrapped = null
           returning entity_version""",
        subscriber_id,
    )


async def subscribers_without_key(statements: Statements) -> Sequence[str]:
    """Some of them, in the order of their ids."""
    rows = await statements.fetch(
        """select id from subscribers where not exists (select from sealing_keys where subscriber_id = id)
           order by id limit $1""",
        _MOST_AT_ONCE,
    )
    return [row["id"] for row in rows]


async def lock_outdated_keys(statements: Statements, masters: MasterKeys) -> Sequence[StoredKey]:
    """Some of the keys that an older master key wraps; those that another transaction holds are left out."""
    rows = await statements.fetch(
        """select subscriber_id, entity_version, master_key_id, wrapped from sealing_keys
           where master_key_id <> $1 and master_key_id = any($2) order by subscriber_id limit $3
           for update skip locked""",
        masters.current,
        list(masters.ids),
        _MOST_AT_ONCE,
    )
    return [_stored(*row) for row in rows]
