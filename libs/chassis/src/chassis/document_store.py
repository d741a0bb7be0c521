"""Documents as rows: an id, a version, the whole document as JSON, and the columns that lists filter and sort by.

Documents are read whole and changed whole. `save` is guarded by the version; `lock` makes every other writer wait
until the commit. The statements are derived from the table: a column has the attribute of the document with its name,
unless `columns` specifies otherwise, and what has a default of the server is left to it.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import ARRAY, Integer, Table, any_, bindparam, delete, insert, select, text, tuple_, update
from sqlalchemy.sql.expression import TextClause

from chassis.database import Database, Query, Statements, Transaction, type_of
from chassis.paging import from_cursor, json_page, moment_of, page_of
from contracts.refusals import NotFound

T = TypeVar("T")
Condition = TextClause
"""Kept at module level: a list has one compiled query for each condition."""
Narrow = Callable[[Statements, list[str]], Awaitable[list[str]]]
"""Stored documents as the caller may see them."""
Open = Callable[[Sequence[tuple[str, str]]], Awaitable[list[str]]]
"""Ids and stored documents, as documents with their sealed texts opened."""


def condition(sql: str, **types: Any) -> Condition:
    """A condition as SQL with `:name` parameters, each of which has a type of SQLAlchemy."""
    return text(f"({sql})").bindparams(*(bindparam(name, type_=kind) for name, kind in types.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """Which page of a list, narrowed to what."""

    cursor: str | None = None
    limit: int = 50
    equal: Mapping[str, Any] = field(default_factory=dict)
    """Columns and the value of each, or a tuple of values; None does not narrow."""
    sorted_from: datetime | None = None
    sorted_before: datetime | None = None
    condition: Condition | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    """The parameters of `condition`."""


class DocumentStore(Generic[T]):
    """The table of one kind of document. Lists are in the order of `sort`, a column of times, and then of ids."""

    def __init__(
        self,
        table: Table,
        kind: type[T],
        *,
        not_found: type[NotFound],
        sort: str,
        latest_first: bool = True,
        columns: Mapping[str, Callable[[T], Any]] | None = None,
    ) -> None:
        self._table = table
        self._not_found = not_found
        self._sort = table.c[sort]
        self._latest_first = latest_first
        self._decoder = msgspec.json.Decoder(kind)
        given = {"body": _json, **(columns or {})}
        names = [column.name for column in table.columns if column.server_default is None]
        self._values = {name: given.get(name) or attrgetter(name) for name in names}
        self._page_query = lru_cache(maxsize=500)(self._compile_page)
        by_id = table.c.id == bindparam("document_id")
        self._find = Query(select(table.c.body).where(by_id))
        self._lock = Query(select(table.c.body).where(by_id).with_for_update())
        self._remove = Query(delete(table).where(by_id))
        parameters = {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in names}
        self._add = Query(insert(table).values(parameters))
        self._put_all = self._put_all_statement()
        before = bindparam("version_before", type_=Integer)
        self._save = Query(update(table).where(by_id, table.c.version == before).values(parameters))

    def _row(self, document: T) -> dict[str, Any]:
        return {f"new_{name}": value_of(document) for name, value_of in self._values.items()}

    async def add(self, tx: Transaction, document: T) -> None:
        await tx.select(self._add, self._row(document))

    async def add_all(self, tx: Transaction, documents: Sequence[T]) -> None:
        await tx.copy(self._table.name, list(self._values), [tuple(self._row(one).values()) for one in documents])

    async def put_all(self, tx: Transaction, documents: Sequence[T]) -> None:
        """Adds documents or takes the place of those with their ids, in the order of ids so that writers queue."""
        if documents:
            rows = [tuple(map(_as_json, self._row(document).values())) for document in documents]
            await tx.execute(self._put_all, *(list(column) for column in zip(*rows, strict=True)))

    def _put_all_statement(self) -> str:
        # An array of arrays must be rectangular: arrays travel as JSON.
        columns = [self._table.c[name] for name in self._values]
        names = ", ".join(self._values)
        kinds = ", ".join(
            f"${place}::{'json' if isinstance(column.type, ARRAY) else type_of(column)}[]"
            for place, column in enumerate(columns, start=1)
        )
        values = ", ".join(
            f"array(select json_array_elements_text({column.name}))" if isinstance(column.type, ARRAY) else column.name
            for column in columns
        )
        changes = ", ".join(f"{name} = excluded.{name}" for name in self._values if name != "id")
        return (
            f"insert into {self._table.name} ({names}) select {values} from unnest({kinds}) as given ({names})"
            f" order by id on conflict (id) do update set {changes}"
        )

    async def save(self, tx: Transaction, document: T) -> None:
        """The next version of a document that this transaction has locked."""
        row = self._row(document)
        row |= {"document_id": row["new_id"], "version_before": row["new_version"] - 1}
        done = await tx.execute(self._save.sql, *self._save.arguments(row))
        assert done == "UPDATE 1", f"{self._table.name} {row['new_id']} was not locked before it was saved"

    async def remove(self, tx: Transaction, document_id: str) -> None:
        await tx.select(self._remove, {"document_id": document_id})

    async def find(self, statements: Statements, document_id: str) -> T | None:
        return self._first(await statements.select(self._find, {"document_id": document_id}))

    async def get(self, statements: Statements, document_id: str) -> T:
        """Raises the store's not-found."""
        document = await self.find(statements, document_id)
        if document is None:
            raise self._not_found(id=document_id)
        return document

    async def lock(self, tx: Transaction, document_id: str) -> T:
        """The document, locked until the commit; raises the store's not-found."""
        document = self._first(await tx.select(self._lock, {"document_id": document_id}))
        if document is None:
            raise self._not_found(id=document_id)
        return document

    def where(self, wanted: Condition, *, lock: bool = False) -> Query:
        """A query for `fetch`: the documents that fit, in the order of ids; with `lock` until the commit."""
        query = select(self._table.c.body).where(wanted).order_by(self._table.c.id)
        return Query(query.with_for_update() if lock else query)

    async def fetch(self, statements: Statements, query: Query, **values: Any) -> list[T]:
        """The documents that a query of `where` finds."""
        return self._documents(await statements.select(query, values))

    def _documents(self, rows: Iterable[Any]) -> list[T]:
        return [self._decoder.decode(row["body"]) for row in rows]

    def _first(self, rows: list[Any]) -> T | None:
        return self._decoder.decode(rows[0]["body"]) if rows else None

    async def page(
        self, db: Database, wanted: PageRequest, *, narrow: Narrow | None = None, opened: Open | None = None
    ) -> bytes:
        """A page as JSON, ready to send: `items` as they are stored, narrowed and opened, and `next_cursor`.

        Raises `CursorBroken`.
        """
        query, values = self._query_of(wanted)
        async with db.statements() as statements:
            rows = await statements.select(query, values)
            shown, next_cursor = page_of(self._table.name, rows, wanted.limit, _place_of)
            items = [row["body"] for row in shown]
            if narrow is not None:
                items = await narrow(statements, items)
        if opened is not None:
            # With the connection given back: the keys may have to be asked for.
            items = await opened([(row["id"], body) for row, body in zip(shown, items, strict=True)])
        return json_page(items, next_cursor)

    def _query_of(self, wanted: PageRequest) -> tuple[Query, dict[str, Any]]:
        equal = {name: value for name, value in wanted.equal.items() if value is not None}
        bounds = {"from": wanted.sorted_from, "before": wanted.sorted_before}
        values = {**wanted.values, **{f"sorted_{name}": moment for name, moment in bounds.items() if moment}}
        values |= {f"equal_{name}": value for name, value in equal.items()} | {"rows": wanted.limit + 1}
        if wanted.cursor is not None:
            moment, document_id = from_cursor(self._table.name, wanted.cursor, str, str)
            values |= {"last_sorted": moment_of(moment), "last_id": document_id}
        shape = tuple((name, isinstance(value, tuple)) for name, value in equal.items())
        named = frozenset(name for name in values if name in _OPTIONAL)
        return self._page_query(shape, named, wanted.condition), values

    def _compile_page(
        self, equal: tuple[tuple[str, bool], ...], named: frozenset[str], wanted: Condition | None
    ) -> Query:
        c, sort = self._table.c, self._sort
        query = select(c.body, sort.label("sorted"), c.id)
        if wanted is not None:
            query = query.where(wanted)
        for name, has_several in equal:
            kind = c[name].type
            value = bindparam(f"equal_{name}", type_=ARRAY(kind) if has_several else kind)
            query = query.where(c[name] == (any_(value) if has_several else value))
        if "sorted_from" in named:
            query = query.where(sort >= bindparam("sorted_from", type_=sort.type))
        if "sorted_before" in named:
            query = query.where(sort < bindparam("sorted_before", type_=sort.type))
        if "last_id" in named:
            last = tuple_(bindparam("last_sorted", type_=sort.type), bindparam("last_id", type_=c.id.type))
            query = query.where(tuple_(sort, c.id) < last if self._latest_first else tuple_(sort, c.id) > last)
        order = (sort.desc(), c.id.desc()) if self._latest_first else (sort, c.id)
        return Query(query.order_by(*order).limit(bindparam("rows", type_=Integer)))


_OPTIONAL = frozenset({"sorted_from", "sorted_before", "last_id"})


def _place_of(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["sorted"].isoformat(), row["id"]


def _json(document: Any) -> str:
    return msgspec.json.encode(document).decode()


def _as_json(value: Any) -> Any:
    return _json(value) if isinstance(value, list | tuple) else value
