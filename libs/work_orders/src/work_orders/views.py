"""The lists that people work from: pages of orders, as JSON that is ready to send.

A row's body is sent as it is stored, with its sealed texts opened and its clocks added, so a page costs one query.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from asyncpg import Record
from sqlalchemy import ColumnElement, Integer, Text, bindparam, cast, literal_column, select, tuple_

from chassis.columns import MOMENT
from chassis.commands import Reply
from chassis.database import Database, Query
from chassis.entity_tags import etag_of
from chassis.paging import CursorBroken, from_cursor, json_page, moment_of, page_of
from chassis.wait_for_version import NotCaughtUp, caught_up
from chassis.wakeup import Wakeup
from contracts.lifecycle import Status
from work_orders.clocks_shown import ShownClocks
from work_orders.commit import WorkOrderNotFound, find_stored_order, may_see
from work_orders.order_table import RANKS, StoredOrder, to_json, to_order
from work_orders.sealing import NOT_OPENED, Opening
from work_orders.search import Search, narrowed
from work_orders.tables import WORK_ORDERS

_C = WORK_ORDERS.c
# Where no limit runs, as of a suspended order: after every limit. The text is that of the indexes.
_NEXT_LIMIT = literal_column("coalesce(next_due_at, '9999-12-30 00:00:00+00'::timestamptz)", MOMENT)
_URGENT = {"urgency": _C.urgency, "next_limit": _NEXT_LIMIT, "due_at": _C.due_at, "id": _C.id}
_RECENT = {"changed_at": _C.changed_at, "id": _C.id}
_BY_URGENCY, _BY_CHANGE = "work-orders by limit", "work-orders by change"


async def most_urgent(
    db: Database, search: Search, opening: Opening, clocks: ShownClocks, *, cursor: str | None, limit: int
) -> bytes:
    """A page: the more urgent first, of these the urged, then by next limit, then by what the subscriber waits for."""
    place: tuple[Any, ...] = ()
    if cursor is not None:
        urgency, next_limit, due_at, order_id = from_cursor(_BY_URGENCY, cursor, int, str, str, str)
        if urgency not in RANKS:
            raise CursorBroken()
        place = (urgency, moment_of(next_limit), moment_of(due_at), order_id)
    rows = await _rows(db, search, _URGENT, place, limit)

    def sorted_by(row: Record) -> tuple[int, str, str, str]:
        return row["urgency"], row["next_limit"].isoformat(), row["due_at"].isoformat(), row["id"]

    shown, next_cursor = page_of(_BY_URGENCY, rows, limit, sorted_by)
    return await _page(shown, next_cursor, opening, clocks)


async def most_recent(
    db: Database, search: Search, opening: Opening, clocks: ShownClocks, *, cursor: str | None, limit: int
) -> bytes:
    """A page, latest change first: for orders that nobody waits for any more."""
    place: tuple[Any, ...] = ()
    if cursor is not None:
        changed_at, order_id = from_cursor(_BY_CHANGE, cursor, str, str)
        place = (moment_of(changed_at), order_id)
    rows = await _rows(db, search, _RECENT, place, limit)

    shown, next_cursor = page_of(_BY_CHANGE, rows, limit, lambda row: (row["changed_at"].isoformat(), row["id"]))
    return await _page(shown, next_cursor, opening, clocks)


Sort = Mapping[str, ColumnElement[Any]]


async def _rows(db: Database, search: Search, sort: Sort, place: tuple[Any, ...], limit: int) -> Sequence[Record]:
    values = search.values()
    query = _query(tuple(search.statuses), tuple(values), sort is _RECENT, bool(place))
    # One more than asked for tells whether there is a next page.
    values |= {"rows": limit + 1, **{f"last_{name}": value for name, value in zip(sort, place, strict=False)}}
    async with db.statements() as statements:
        return await statements.select(query, values)


@lru_cache(maxsize=500)
def _query(statuses: tuple[Status, ...], names: tuple[str, ...], is_recent: bool, is_continued: bool) -> Query:
    sort = _RECENT if is_recent else _URGENT
    columns = [column.label(name) for name, column in sort.items()]
    query = narrowed(select(cast(_C.body, Text), *columns), statuses, names)
    if is_continued:
        last = tuple_(*(bindparam(f"last_{name}", type_=column.type) for name, column in sort.items()))
        place = tuple_(*sort.values())
        query = query.where(place < last if is_recent else place > last)
    order = [column.desc() for column in sort.values()] if is_recent else sort.values()
    return Query(query.order_by(*order).limit(bindparam("rows", type_=Integer)))


async def _page(shown: Sequence[Record], next_cursor: str | None, opening: Opening, clocks: ShownClocks) -> bytes:
    bodies = await clocks.beside([(to_order(row[0]), row[0]) for row in shown])
    return json_page(
        await opening.objects([(row["id"], body) for row, body in zip(shown, bodies, strict=True)]), next_cursor
    )


async def one_order(
    db: Database,
    order_id: str,
    *,
    areas: Sequence[str] | None,
    at_least: int | None,
    opening: Opening,
    clocks: ShownClocks,
    wakeup: Wakeup,
    seconds: float,
) -> Reply:
    """The order as this service has it, once it has version `at_least`.

    Raises `WorkOrderNotFound` (also for a foreign area) or `NotCaughtUp`.
    """

    async def read() -> StoredOrder | None:
        async with db.statements() as statements:
            return await find_stored_order(statements, order_id)

    scope = tuple(areas) if areas is not None else None

    def is_there(found: StoredOrder | None) -> bool:
        # An order that may not be seen is waited for like one that is not there: how long it takes tells nothing.
        return at_least is None or (
            found is not None and found.order.version >= at_least and may_see(found.order, scope)
        )

    stored = await caught_up(read, is_there, wakeup=wakeup, seconds=seconds, key=order_id)
    if stored is None or not may_see(stored.order, scope):
        raise WorkOrderNotFound(order_id=order_id)
    if at_least is not None and stored.order.version < at_least:
        raise NotCaughtUp(subject=order_id, expected=at_least)
    (timed,) = await clocks.beside([(stored.order, to_json(stored.order).decode())])
    body = await opening.object(order_id, timed.encode(), waits=at_least is not None)
    # The same version shows more once its key has arrived, and less once its subscriber was erased.
    return Reply(200, body, etag_of(stored.order.version, is_whole=NOT_OPENED not in body))
