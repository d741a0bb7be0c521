"""Things of quality as rows: an id, a version, the whole thing as JSON, and the columns that lists filter and sort by.

Plans, forms, evaluations, projects and the like are read whole and changed whole, by one person at a time. A shelf
is one table of them. `save` is guarded by the version; `lock` makes everybody else wait until the commit.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from chassis.database import Database, Statements, Transaction
from chassis.paging import from_cursor, moment_of, to_cursor
from contracts.refusals import NotFound
from qa.scope import narrowed
from work_orders.sealing import Opening

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    kind: str
    """Its PostgreSQL type."""
    of: Callable[[T], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which page of a list, narrowed to what: equal to a value, or one of a list; None does not narrow."""

    cursor: str | None = None
    limit: int = 50
    equal: Mapping[str, Any] | None = None
    sorted_from: datetime | None = None
    sorted_before: datetime | None = None
    condition: str = ""
    """More SQL, with `$1`, `$2`, … for `arguments`."""
    arguments: tuple[Any, ...] = ()
    areas: Sequence[str] | None = None
    """The caller's: orders of others are left out of what is shown."""


class Shelf(Generic[T]):
    """The table of one kind of thing. Lists are in the order of `sort`, a column of times, and then of ids."""

    def __init__(
        self,
        table: str,
        shape: type[T],
        columns: Mapping[str, Column[T]],
        *,
        not_found: type[NotFound],
        sort: str,
        latest_first: bool = True,
    ) -> None:
        self._table = table
        self._columns = columns
        self._not_found = not_found
        self._sort = sort
        self._latest_first = latest_first
        self._decoder = msgspec.json.Decoder(shape)
        names = ["id", "version", "body", *columns]
        kinds = ["text", "int", "json", *(column.kind for column in columns.values())]
        values = ", ".join(f"${place}::{kind}" for place, kind in enumerate(kinds, start=1))
        self._insert = f"insert into {table} ({', '.join(names)}) values ({values})"
        pairs = ", ".join(
            f"{name} = ${place}::{kind}" for place, (name, kind) in enumerate(zip(names, kinds, strict=True), start=1)
        )
        self._update = f"update {table} set {pairs} where id = $1 and version = $2::int - 1"

    def _values(self, thing: Any) -> list[Any]:
        body = msgspec.json.encode(thing).decode()
        return [thing.id, thing.version, body, *(column.of(thing) for column in self._columns.values())]

    async def add(self, tx: Transaction, thing: T) -> None:
        await tx.execute(self._insert, *self._values(thing))

    async def add_all(self, tx: Transaction, things: list[T]) -> None:
        await tx.copy(self._table, ["id", "version", "body", *self._columns], [tuple(self._values(t)) for t in things])

    async def save(self, tx: Transaction, thing: T) -> None:
        """The next version of a thing that this transaction has locked."""
        done = await tx.execute(self._update, *self._values(thing))
        assert done == "UPDATE 1", f"{self._table} {getattr(thing, 'id', None)} was not locked before it was saved"

    async def remove(self, tx: Transaction, thing_id: str) -> None:
        await tx.execute(f"delete from {self._table} where id = $1", thing_id)

    async def find(self, statements: Statements, thing_id: str) -> T | None:
        body = await statements.fetchval(f"select body from {self._table} where id = $1", thing_id)
        return self._decoder.decode(body) if body is not None else None

    async def get(self, statements: Statements, thing_id: str) -> T:
        """Raises the shelf's not-found."""
        found = await self.find(statements, thing_id)
        if found is None:
            raise self._not_found(id=thing_id)
        return found

    async def lock(self, tx: Transaction, thing_id: str) -> T:
        """The thing, held until the commit; raises the shelf's not-found."""
        body = await tx.fetchval(f"select body from {self._table} where id = $1 for update", thing_id)
        if body is None:
            raise self._not_found(id=thing_id)
        return self._decoder.decode(body)

    async def where(self, statements: Statements, condition: str, *arguments: Any, lock: bool = False) -> list[T]:
        """The things that fit, in the order of ids; with `lock` held until the commit."""
        suffix = " for update" if lock else ""
        rows = await statements.fetch(
            f"select body from {self._table} where {condition} order by id{suffix}", *arguments
        )
        return [self._decoder.decode(row["body"]) for row in rows]

    async def page(self, db: Database, wanted: Page, opening: Opening | None = None) -> bytes:
        """A page as JSON, ready to send: `items` as they are stored, opened, and `next_cursor`.

        Raises `CursorBroken`.
        """
        conditions, arguments = self._conditions(wanted)
        direction = "desc" if self._latest_first else "asc"
        arguments.append(wanted.limit + 1)
        sql = (
            f"select body, {self._sort} as sorted, id from {self._table} where {' and '.join(conditions)}"
            f" order by {self._sort} {direction}, id {direction} limit ${len(arguments)}"
        )
        async with db.statements() as statements:
            rows = await statements.fetch(sql, *arguments)
            stored = await narrowed(statements, [row["body"] for row in rows[: wanted.limit]], wanted.areas)
        shown = rows[: wanted.limit]
        is_more = len(rows) > wanted.limit
        # With the connection given back: the keys may have to be asked for.
        bodies = [(row["id"], body) for row, body in zip(shown, stored, strict=True)]
        items = await opening.objects(bodies) if opening else [body for _, body in bodies]
        last = (self._table, shown[-1]["sorted"].isoformat(), shown[-1]["id"]) if is_more else None
        cursor = f'"{to_cursor(*last)}"' if last else "null"
        return f'{{"items":[{",".join(items)}],"next_cursor":{cursor}}}'.encode()

    def _conditions(self, wanted: Page) -> tuple[list[str], list[Any]]:
        conditions, arguments = [wanted.condition or "true"], list(wanted.arguments)
        for name, value in (wanted.equal or {}).items():
            if value is not None:
                arguments.append(list(value) if isinstance(value, tuple | list) else value)
                several = isinstance(value, tuple | list)
                conditions.append(f"{name} = any(${len(arguments)})" if several else f"{name} = ${len(arguments)}")
        for comparison, moment in ((">=", wanted.sorted_from), ("<", wanted.sorted_before)):
            if moment is not None:
                arguments.append(moment)
                conditions.append(f"{self._sort} {comparison} ${len(arguments)}")
        if wanted.cursor is not None:
            moment, thing_id = from_cursor(self._table, wanted.cursor, str, str)
            arguments += [moment_of(moment), thing_id]
            comparison = "<" if self._latest_first else ">"
            conditions.append(f"({self._sort}, id) {comparison} (${len(arguments) - 1}, ${len(arguments)})")
        return conditions, arguments
