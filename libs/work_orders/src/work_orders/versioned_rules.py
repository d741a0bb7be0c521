"""Rules that operators define whole: each version is a row that never changes, and the newest holds.

Version 0 is what was shipped and has no row. The topic of the rules may be compacted, so a service that began late
lacks some older versions.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from chassis.database import Statements, Transaction, columns_of, unnest_of
from chassis.one_statement import Part
from contracts.message import Message
from work_orders.tables import TIME_LIMITS

V = TypeVar("V")
_COLUMNS, _ROWS = columns_of(TIME_LIMITS.c), unnest_of(TIME_LIMITS.c)
"""Those of every table that `work_orders.tables.rules_table` makes."""
_LOCK_SPACE = 4
"""Of `hashtextextended`: a seed of its own keeps these locks apart from others by name."""


class VersionedRules(Generic[V]):
    """One kind of rules, in a table that `work_orders.tables.rules_table` has made."""

    def __init__(self, table: str, kind: type[Any], version_of: Callable[..., V], *, shipped: V) -> None:
        """`kind` is the message of the rules; `version_of` takes the columns, with `rules` for the body."""
        self._kind = kind
        self._decode = msgspec.json.Decoder(kind).decode
        self._version_of = version_of
        self._shipped = shipped
        self._add = f"insert into {table} ({_COLUMNS}) select * from {_ROWS} on conflict (version) do nothing"
        self._find = f"""select {_COLUMNS} from {table}
            where $1::integer is null or version = $1 order by version desc limit 1"""
        self._lock = f"select pg_advisory_xact_lock(hashtextextended('{table}', {_LOCK_SPACE}))"

    def added(self, messages: Sequence[Message]) -> list[Part]:
        """Keeps the versions that messages define; a version that is there stays."""
        rows = [
            (message.entity_version, message.data.decode(), message.actor.sub, message.recorded_at)
            for message in messages
            if isinstance(message.body, self._kind) and message.entity_version is not None
        ]
        return [Part(self._add, [list(column) for column in zip(*rows, strict=True)])] if rows else []

    async def newest(self, statements: Statements) -> V:
        """The newest that are known here."""
        return await self.find(statements) or self._shipped

    async def find(self, statements: Statements, version: int | None = None) -> V | None:
        """Those of a version, or the newest; None where that version is not known here."""
        row = await statements.fetchrow(self._find, version) if version != 0 else None
        if row is None:
            return None if version else self._shipped
        return self._version_of(
            version=row["version"],
            rules=self._decode(row["body"]),
            changed_by=row["changed_by"],
            changed_at=row["changed_at"],
        )

    async def lock(self, tx: Transaction) -> None:
        """Two people who define rules at the same time make two versions, one after the other."""
        await tx.execute(self._lock)
