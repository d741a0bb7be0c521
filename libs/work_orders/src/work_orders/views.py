"""The lists that people work from: pages of orders, as JSON that is ready to send.

A row's body is sent as it is stored, with its sealed texts opened, with
the clocks beside it, so a page costs one query.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from asyncpg import Record
from sqlalchemy import ARRAY, Integer, Text, any_, bindparam, cast, literal_column, select, tuple_

from chassis.commands import Reply
from chassis.database import Database, Query
from chassis.entity_tags import etag_of
from chassis.paging import CursorBroken, from_cursor, json_page, moment_of, page_of
from chassis.wait_for_version import NotCaughtUp, caught_up
from chassis.wakeup import Wakeup
from contracts.lifecycle import Status
from work_orders.clocks_shown import ShownClocks
from work_orders.commit import WorkOrderNotFound, find_stored_order, may_see
from work_orders.order_table import StoredOrder, to_json
from work_orders.sealing import NOT_OPENED, Opening
from work_orders.tables import WORK_ORDERS

_URGENT = ("urgency", "due_at", "id")
_RECENT = ("changed_at", "id")
_BY_URGENCY, _BY_CHANGE = "work-orders by urgency", "work-orders by change"
_URGENCIES = (0, 1)
_ONE_OF = {"areas": "work_area_id", "subscriber_nos": "subscriber_no"}
_EQUAL = ("work_area_id", "order_no", "external_reference", "device_type", "demand_type")


@dataclass(frozen=True, slots=True)
class Search:
    """What a list is narrowed to; None does not narrow. `areas` is the caller's scope."""

    statuses: Sequence[Status]
    areas: Sequence[str] | None = None
    work_area_id: str | None = None
    subscriber_nos: Sequence[str] | None = None
    order_no: str | None = None
    external_reference: str | None = None
    device_type: str | None = None
    demand_type: str | None = None

    def values(self) -> dict[str, Any]:
        """What it is narrowed to besides the statuses."""
        return {name: value for name in (*_ONE_OF, *_EQUAL) if (value := getattr(self, name)) is not None}


async def most_urgent(
    db: Database, search: Search, opening: Opening, clocks: ShownClocks, *, cursor: str | None, limit: int
) -> bytes:
    """A page, urged orders first, then by the time the subscriber waits for."""
    place: tuple[Any, ...] = ()
    if cursor is not None:
        urgency, due_at, order_id = from_cursor(_BY_URGENCY, cursor, int, str, str)
        if urgency not in _URGENCIES:
            raise CursorBroken()
        place = (urgency, moment_of(due_at), order_id)
    rows = await _rows(db, search, _URGENT, place, limit)

    shown, next_cursor = page_of(
        _BY_URGENCY, rows, limit, lambda row: (row["urgency"], row["due_at"].isoformat(), row["id"])
    )
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


async def _rows(
    db: Database, search: Search, sort: tuple[str, ...], place: tuple[Any, ...], limit: int
) -> Sequence[Record]:
    values = search.values()
    query = _query(tuple(search.statuses), tuple(values), sort, bool(place))
    # One more than asked for tells whether there is a next page.
    values |= {"rows": limit + 1, **{f"last_{name}": value for name, value in zip(sort, place, strict=False)}}
    async with db.statements() as statements:
        return await statements.select(query, values)


@lru_cache(maxsize=500)
def _query(statuses: tuple[Status, ...], narrowed: tuple[str, ...], sort: tuple[str, ...], is_continued: bool) -> Query:
    """The query of a list. Statuses stand in its text, so that PostgreSQL finds the list's partial index."""
    c = WORK_ORDERS.c
    columns = [c[name] for name in sort]
    query = select(cast(c.body, Text), *columns)
    if statuses:
        query = query.where(c.status.in_([literal_column(f"'{status.value}'") for status in statuses]))
    for name in narrowed:
        if name in _ONE_OF:
            query = query.where(c[_ONE_OF[name]] == any_(bindparam(name, type_=ARRAY(Text))))
        else:
            query = query.where(c[name] == bindparam(name))
    if is_continued:
        last = tuple_(*(bindparam(f"last_{column.name}", type_=column.type) for column in columns))
        query = query.where(tuple_(*columns) < last if sort is _RECENT else tuple_(*columns) > last)
    order = [column.desc() for column in columns] if sort is _RECENT else columns
    return Query(query.order_by(*order).limit(bindparam("rows", type_=Integer)))


async def _page(shown: Sequence[Record], next_cursor: str | None, opening: Opening, clocks: ShownClocks) -> bytes:
    bodies = await clocks.beside([row[0] for row in shown])
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
    (timed,) = await clocks.beside([to_json(stored.order).decode()])
    body = await opening.object(order_id, timed.encode(), waits=at_least is not None)
    # The same version shows more once its key has arrived, and less once its subscriber was erased.
    return Reply(200, body, etag_of(stored.order.version, is_whole=NOT_OPENED not in body))
