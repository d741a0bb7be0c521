"""Rows of a table as frozen dataclasses: found, locked and saved whole, by statements derived from the table."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from enum import Enum
from typing import Any, Generic, TypeVar

from sqlalchemy import Column, Table, bindparam, literal_column, select, tuple_
from sqlalchemy.dialects.postgresql import Insert, insert

from chassis.database import Query, Statements, Transaction

T = TypeVar("T")


class RowStore(Generic[T]):
    """A table with one key, whose rows are of a dataclass that has a field for each column it shows."""

    def __init__(self, table: Table, kind: type[T], *more: str) -> None:
        """`more` are columns that are written with a row and not shown with it."""
        (key,) = table.primary_key.columns
        self._key, self._kind = key.name, kind
        self._names = [one.name for one in fields(kind)]  # type: ignore[arg-type]
        found = select(*(table.c[name] for name in self._names)).where(key == bindparam(key.name))
        self._find, self._lock = Query(found), Query(found.with_for_update())
        columns = [*self._names, *more]
        save = _insert_of(table, [table.c[name] for name in columns])
        written = {name: save.excluded[name] for name in columns if name != key.name}
        shown = [table.c[name] for name in self._names]
        self._save = Query(save.on_conflict_do_update(index_elements=[key], set_=written).returning(*shown))

    async def find(self, statements: Statements, key: str) -> T | None:
        return self._first(await statements.select(self._find, {self._key: key}))

    async def lock(self, tx: Transaction, key: str) -> T | None:
        """The row, locked until the transaction ends."""
        return self._first(await tx.select(self._lock, {self._key: key}))

    async def save(self, tx: Transaction, row: T, **more: Any) -> T:
        """Writes a new row, or one that this transaction has locked; returns it as it is stored, with times in UTC."""
        values = {name: _plain(getattr(row, name)) for name in self._names}
        (saved,) = await tx.select(self._save, values | more)
        return self.row_of(saved)

    def row_of(self, record: Mapping[str, Any]) -> T:
        """A record of any query that has the columns."""
        return self._kind(**{name: record[name] for name in self._names})

    def _first(self, records: list[Any]) -> T | None:
        return self.row_of(records[0]) if records else None


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def definition_of(table: Table, *defaulted: str, changes_only: bool = False) -> Query:
    """Writes version 1 of a row, or the next version of the row that is there; returns its version.

    `defaulted` are columns that a new row gets from the table and that a definition does not change. With
    `changes_only` a row that is the same already stays as it is, locked, and no version is returned.
    """
    columns = [column for column in table.c if column.name not in ("version", *defaulted)]
    new = _insert_of(table, columns).values(version=literal_column("1"))
    changed = {column.name: new.excluded[column.name] for column in columns if not column.primary_key}
    is_changed = tuple_(*(table.c[name] for name in changed)) != tuple_(*changed.values()) if changes_only else None
    return Query(
        new.on_conflict_do_update(
            index_elements=table.primary_key,
            set_={**changed, "version": table.c.version + literal_column("1")},
            where=is_changed,
        ).returning(table.c.version)
    )


def published_of(table: Table) -> Query:
    """Writes a row as it was published; one that is there in the same or a later version stays."""
    new = _insert_of(table, table.c)
    changed = {column.name: new.excluded[column.name] for column in table.c if not column.primary_key}
    is_older = table.c.version < new.excluded.version
    return Query(new.on_conflict_do_update(index_elements=table.primary_key, set_=changed, where=is_older))


def _insert_of(table: Table, columns: Iterable[Column[Any]]) -> Insert:
    return insert(table).values({column.name: bindparam(column.name, type_=column.type) for column in columns})
