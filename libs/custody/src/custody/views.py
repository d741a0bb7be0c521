"""The lists that people work from: pages of orders, as JSON that is ready to send.

A row's body is sent as it is stored, so a page costs one query and no decoding.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Row, Select, Text, cast, select, tuple_

from chassis.acts import Answer, etag_of
from chassis.catch_up import NotCaughtUp, caught_up
from chassis.database import Database
from chassis.paging import CursorBroken, from_cursor, to_cursor
from chassis.wakeup import Wakeup
from contracts.lifecycle import Status
from custody.record import WorkOrderNotFound, find_tracked, may_see
from custody.rows import to_json, work_orders

_LIKE_STORED = cast(work_orders.c.body, Text)
_URGENCIES = (0, 1)


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

    def conditions(self) -> list[ColumnElement[bool]]:
        c = work_orders.c
        wanted = [c.status.in_([status.value for status in self.statuses])] if self.statuses else []
        if self.areas is not None:
            wanted.append(c.work_area_id.in_(self.areas))
        if self.subscriber_nos is not None:
            wanted.append(c.subscriber_no.in_(self.subscriber_nos))
        for name in (
            "work_area_id",
            "order_no",
            "external_reference",
            "device_type",
            "demand_type",
        ):
            if (value := getattr(self, name)) is not None:
                wanted.append(c[name] == value)
        return wanted


async def most_urgent(db: Database, search: Search, *, cursor: str | None, limit: int) -> bytes:
    """A page, urged orders first, then by the time the subscriber waits for."""
    c = work_orders.c
    query = select(_LIKE_STORED, c.urgency, c.due_at, c.id).where(*search.conditions())
    if cursor is not None:
        urgency, due_at, order_id = from_cursor(cursor, int, str, str)
        if urgency not in _URGENCIES:
            raise CursorBroken()
        query = query.where(tuple_(c.urgency, c.due_at, c.id) > (urgency, _moment(due_at), order_id))
    rows = await _rows(db, query.order_by(c.urgency, c.due_at, c.id), limit)
    return _page(rows, limit, lambda row: to_cursor(row.urgency, row.due_at.isoformat(), row.id))


async def most_recent(db: Database, search: Search, *, cursor: str | None, limit: int) -> bytes:
    """A page, latest change first: for orders that nobody waits for any more."""
    c = work_orders.c
    query = select(_LIKE_STORED, c.changed_at, c.id).where(*search.conditions())
    if cursor is not None:
        changed_at, order_id = from_cursor(cursor, str, str)
        query = query.where(tuple_(c.changed_at, c.id) < (_moment(changed_at), order_id))
    rows = await _rows(db, query.order_by(c.changed_at.desc(), c.id.desc()), limit)
    return _page(rows, limit, lambda row: to_cursor(row.changed_at.isoformat(), row.id))


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        # The first and the last day of the calendar do not exist in every zone.
        in_utc = moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise CursorBroken() from error
    if moment.tzinfo is None:
        raise CursorBroken()
    return in_utc


async def _rows(db: Database, query: Select, limit: int) -> Sequence[Row]:
    # One more than asked for tells whether there is a next page.
    return await db.select(query.limit(limit + 1))


def _page(rows: Sequence[Row], limit: int, cursor_of) -> bytes:
    shown = rows[:limit]
    next_cursor = f'"{cursor_of(shown[-1])}"' if len(rows) > limit else "null"
    return f'{{"items":[{",".join(row[0] for row in shown)}],"next_cursor":{next_cursor}}}'.encode()


async def one_order(
    db: Database,
    order_id: str,
    *,
    areas: Sequence[str] | None,
    at_least: int | None,
    wakeup: Wakeup,
    seconds: float,
) -> Answer:
    """The order as this service has it, once it has version `at_least`.

    Raises `WorkOrderNotFound` (also for a foreign area) or `NotCaughtUp`.
    """

    async def read():
        async with db.statements() as statements:
            return await find_tracked(statements, order_id)

    tracked = await caught_up(
        read,
        lambda found: at_least is None or (found is not None and found.order.version >= at_least),
        wakeup=wakeup,
        seconds=seconds,
    )
    if tracked is None or not may_see(tracked.order, tuple(areas) if areas is not None else None):
        raise WorkOrderNotFound(order_id=order_id)
    if at_least is not None and tracked.order.version < at_least:
        raise NotCaughtUp(subject=order_id, expected=at_least)
    return Answer(200, to_json(tracked.order), etag_of(tracked.order.version))
