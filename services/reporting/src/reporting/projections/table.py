"""How projections write: statements derived from a declared table, for either of the two sets.

They are text, built once when the module is imported: a row of arrays has no short form in Core, and a replay runs
several of them a batch (an event costs it 37 µs in Python and 17 in PostgreSQL, see docs/performance.md).
"""

from collections.abc import Collection, Iterable, Sequence
from operator import attrgetter
from typing import Any

import msgspec
from sqlalchemy import Table

from chassis.database import Statements, Transaction, unnest_of
from chassis.one_statement import Part


def of_the_shown(query: str, arguments: Sequence[Any]) -> Part:
    """A query in which `{name}` stands for a set, asked of the set that is shown; the other one is not read."""
    asked = (
        f"select * from ({query.format(name=name)}) as of_{name} where (select live from stream_state) = '{name}'"
        for name in ("a", "b")
    )
    return Part(" union all ".join(asked), arguments)


class ProjectionTable:
    """A table that both sets have. `name` is its name without a set, `key` the columns of its primary key."""

    def __init__(self, table: Table) -> None:
        self.name = table.name
        self.columns = tuple(table.columns.keys())
        self.key = tuple(table.primary_key.columns.keys())
        self.values_of = attrgetter(*self.columns)
        self._table = table
        listed = ", ".join(self.columns)
        changing = [column for column in self.columns if column not in self.key]
        excluded = ", ".join(f"excluded.{column}" for column in changing)
        self._insert = (
            f"insert into {self.name}_{{name}} ({listed}) select {listed} from {self._unnest(self.columns)}"
            f" on conflict ({', '.join(self.key)}) do "
        )
        self._add = (
            f"insert into {self.name}_{{name}} ({listed}) select {listed}"
            f" from json_populate_recordset(null::{self.name}_{{name}}, $1::json)"
        )
        self._upsert = f"{self._insert}update set ({', '.join(changing)}) = row({excluded})"

    def of(self, name: str) -> str:
        """The table of a set."""
        return f"{self.name}_{name}"

    def _unnest(self, columns: Sequence[str]) -> str:
        return f"{unnest_of(self._table.c[name] for name in columns)} as given ({', '.join(columns)})"

    def updating(self, *columns: str) -> str:
        """The statement that sets these columns of rows by their key, for `update`."""
        return (
            f"update {self.name}_{{name}} as present set {', '.join(f'{one} = given.{one}' for one in columns)}"
            f" from {self._unnest((*self.key, *columns))}"
            f" where {' and '.join(f'present.{one} = given.{one}' for one in self.key)}"
        )

    def adding(self, name: str, rows: Sequence[Any]) -> list[Part]:
        """`add`, as a part of a statement: as JSON, because unnest takes an array of arrays apart."""
        return [Part(self._add.format(name=name), [msgspec.json.encode(rows).decode()], len(rows))] if rows else []

    def changing(self, name: str, statement: str, rows: Sequence[Sequence[Any]]) -> list[Part]:
        """`update`, as a part of a statement."""
        columns = [list(column) for column in zip(*rows, strict=True)]
        return [Part(statement.format(name=name), columns, len(rows))] if rows else []

    async def update(self, tx: Transaction, name: str, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Runs a statement of `updating`; each row has the key's values, then the new ones."""
        await _execute(tx, statement, name, rows)

    async def upsert(self, tx: Transaction, name: str, rows: Iterable[Any]) -> None:
        """Writes rows that may be there already."""
        await _execute(tx, self._upsert, name, map(self.values_of, rows))

    async def add_missing(self, tx: Transaction, name: str, rows: Iterable[Sequence[Any]]) -> None:
        """Adds those rows whose key is not there yet; each has its values in the order of the columns."""
        await _execute(tx, f"{self._insert}nothing", name, rows)

    async def add(self, tx: Statements, name: str, rows: Collection[Any]) -> None:
        """Adds rows by COPY: none of their keys may be there."""
        await self.copy(tx, self.of(name), rows)

    async def copy(self, tx: Statements, table: str, rows: Collection[Any]) -> None:
        """Adds rows to any table of the same columns."""
        if rows:
            await tx.copy(table, self.columns, list(map(self.values_of, rows)))

    async def delete(self, tx: Transaction, name: str, column: str, values: Iterable[str]) -> None:
        """Deletes the rows with one of these values in a column."""
        await tx.execute(f"delete from {self.of(name)} where {column} = any($1)", sorted(values))


async def _execute(tx: Transaction, statement: str, name: str, rows: Iterable[Sequence[Any]]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    if columns:
        await tx.execute(statement.format(name=name), *columns)
