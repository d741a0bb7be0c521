"""Orders and lists of orders as they were known at a past moment."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import DateTime, Integer, Text, any_, bindparam, or_, select, tuple_

from chassis.database import Database, Query
from chassis.paging import CursorBroken, from_cursor, to_cursor
from contracts.message import Message
from contracts.order import WorkOrder, apply
from reporting.figures.views import snapshot
from reporting.record import views as record
from reporting.tables import METADATA, STAYS, TEXTS
from work_orders.commit import WorkOrderNotFound

_LIST = "past-work-orders"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LATEST = 2**57
_SHOWN = (
    "order_id",
    "since_version",
    "status",
    "entered_at",
    "created_at",
    "work_area_id",
    "staff_id",
    "device_type",
    "demand_type",
    "channel",
    "zone",
)
EQUAL = ("work_area_id", "staff_id", "demand_type", "device_type")
"""The columns that a list can be filtered by with one value."""


async def order_then(db: Database, order_id: str, moment: datetime, *, areas: tuple[str, ...] | None) -> WorkOrder:
    """The whole order, folded from the events that were recorded by then. Raises `WorkOrderNotFound`."""
    order: WorkOrder | None = None
    messages: list[Message] = await record.recorded_until(db, order_id, moment, areas=areas)
    for message in messages:
        order = apply(order, message)
    if order is None:
        raise WorkOrderNotFound(order_id=order_id)
    return order


async def orders_then(
    db: Database,
    moment: datetime,
    filters: Mapping[str, Any],
    *,
    areas: tuple[str, ...] | None,
    cursor: str | None,
    limit: int,
) -> tuple[list[Any], str | None]:
    """A page of the orders by when they had entered their status, and the cursor of the next page.

    `filters` are of `EQUAL` or the statuses as `status`. Raises `CursorBroken`.
    """
    values = {name: value for name, value in filters.items() if value}
    if areas is not None:
        values["areas"] = list(areas)
    if cursor:
        values |= dict(zip(("entered_at", "order_id"), _place_of(cursor), strict=True))
    shape = frozenset(values)
    values |= {"moment": moment, "limit": limit + 1}
    async with snapshot(db) as (statements, state):
        rows = await statements.select(_list_query(state.live, shape), values)
    return rows[:limit], _cursor_of(rows[limit - 1]) if len(rows) > limit else None


@cache
def _list_query(live: str, given: frozenset[str]) -> Query:
    stays = METADATA.tables[f"{STAYS.name}_{live}"].c
    moment = bindparam("moment", type_=DateTime(timezone=True))
    query = select(*(stays[name] for name in _SHOWN)).where(
        stays.since_known_at <= moment, or_(stays.until_known_at.is_(None), stays.until_known_at > moment)
    )
    query = query.where(*(stays[name] == bindparam(name, type_=Text) for name in EQUAL if name in given))
    if "status" in given:
        query = query.where(stays.status == any_(bindparam("status", type_=TEXTS)))
    if "areas" in given:
        query = query.where(stays.work_area_id == any_(bindparam("areas", type_=TEXTS)))
    if "entered_at" in given:
        place = bindparam("entered_at", type_=DateTime(timezone=True)), bindparam("order_id", type_=Text)
        query = query.where(tuple_(stays.entered_at, stays.order_id) > tuple_(*place))
    return Query(query.order_by(stays.entered_at, stays.order_id).limit(bindparam("limit", type_=Integer)))


def _cursor_of(row: Any) -> str:
    return to_cursor(_LIST, (row["entered_at"] - _EPOCH) // _MICROSECOND, row["order_id"])


def _place_of(cursor: str) -> tuple[datetime, str]:
    microseconds, order_id = from_cursor(_LIST, cursor, int, str)
    if not 0 <= microseconds < _LATEST:
        raise CursorBroken()
    return _EPOCH + timedelta(microseconds=microseconds), order_id
