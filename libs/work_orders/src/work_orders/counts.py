"""How many orders of a list there are, by status and by each filter: one query over the list, at a bounded cost."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec
from asyncpg import Record
from pydantic import BaseModel
from sqlalchemy import (
    Column,
    Integer,
    Text,
    bindparam,
    case,
    cast,
    column,
    func,
    literal_column,
    select,
    union_all,
)

from chassis.columns import MOMENT
from chassis.database import Database, Query
from contracts.lifecycle import Status
from work_orders.search import Search, narrowed
from work_orders.tables import WORK_ORDERS

MOST_COUNTED = 20_000


class WorkOrderCounts(BaseModel):
    counted: int
    """How many orders the counts are of."""
    is_complete: bool
    """Whether these are all; of 20,000 or more, 20,000 are counted."""
    status: dict[str, int]
    work_area_id: dict[str, int]
    device_type: dict[str, int]
    demand_type: dict[str, int]
    channel: dict[str, int]
    zone: dict[str, int]
    urgency: dict[str, int]
    staff_id: dict[str, int]
    """By the staff to whom they are assigned."""
    has_appointment: int
    is_urged: int
    is_suspended: int
    is_unresolved: int
    is_petitioned: int
    is_overdue: int
    is_near: int


async def counts_of(db: Database, search: Search, *, now: datetime, near: timedelta) -> WorkOrderCounts:
    """The counts of a list; an order is near whose next limit is over before `near` has passed."""
    values = search.values()
    query = _query(tuple(search.statuses), tuple(values))
    values |= {"rows": MOST_COUNTED, "now": now, "near": now + near}
    async with db.statements() as statements:
        return _counts(await statements.select(query, values))


_BY_COLUMN = ("status", "work_area_id", "device_type", "demand_type")
_BY_FACET = ("channel", "zone", "urgency", "staff_id")
_WHETHER = ("has_appointment", "is_urged", "is_suspended", "is_unresolved", "is_petitioned")


@lru_cache(maxsize=200)
def _query(statuses: tuple[Status, ...], names: tuple[str, ...]) -> Query:
    """Rows of a filter, one of its values as JSON, and how many orders have it."""
    c = WORK_ORDERS.c
    columns: list[Column[Any]] = [c[name] for name in (*_BY_COLUMN, "facets", "next_due_at")]
    rows = bindparam("rows", type_=Integer)
    found = narrowed(select(*columns), statuses, names).limit(rows).cte("found").prefix_with("materialized")
    count = func.count().label("orders")
    parts: list[Any] = [
        select(literal_column(f"'{name}'").label("filter"), cast(func.to_json(found.c[name]), Text), count)
        .where(found.c[name].is_not(None))
        .group_by(found.c[name])
        for name in _BY_COLUMN
    ]
    facet = func.jsonb_each(found.c.facets).table_valued(column("key", Text), column("value"))
    value = cast(facet.c.value, Text)
    parts.append(
        select(facet.c.key, value, count)
        .select_from(found.join(facet, literal_column("true")))
        .group_by(facet.c.key, value)
    )
    due, now, near = found.c.next_due_at, bindparam("now", type_=MOMENT), bindparam("near", type_=MOMENT)
    phase = case(
        (due < now, literal_column("'is_overdue'")),
        (due < near, literal_column("'is_near'")),
        else_=literal_column("'neither'"),
    )
    parts.append(select(phase, literal_column("'true'"), count).group_by(phase))
    return Query(union_all(*parts))


def _counts(rows: Sequence[Record]) -> WorkOrderCounts:
    counts: dict[str, Counter[str]] = {name: Counter() for name in (*_BY_COLUMN, *_BY_FACET)}
    whether = dict.fromkeys((*_WHETHER, "is_overdue", "is_near"), 0)
    for name, value, orders in rows:
        said = msgspec.json.decode(value)
        if name in counts:
            for one in said if isinstance(said, list) else [said]:
                counts[name][one] += orders
        elif name in whether and said is True:
            whether[name] = orders
    counted = sum(counts["status"].values())
    return WorkOrderCounts(
        counted=counted,
        is_complete=counted < MOST_COUNTED,
        **{name: dict(sorted(given.items())) for name, given in counts.items()},
        **whether,
    )
