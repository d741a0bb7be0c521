"""Rows of links, and the orders at their ends."""

from collections.abc import Iterable

from sqlalchemy import and_, bindparam, or_, select

from chassis.database import Query, Statements, Transaction
from chassis.row_store import RowStore
from intake.links.domain.links import Link
from intake.orders import store as orders_store
from intake.tables import LINKS
from work_orders.commit import WorkOrderNotFound, find_stored_order, may_see
from work_orders.order_table import StoredOrder

links = RowStore(LINKS, Link)

_other = bindparam("other_order_id", type_=LINKS.c.other_order_id.type)
_STANDING = Query(
    select(LINKS.c.id).where(
        LINKS.c.undone_at.is_(None),
        LINKS.c.kind == bindparam("kind"),
        or_(
            and_(
                LINKS.c.order_id == bindparam("order_id"),
                LINKS.c.other_order_id.is_not_distinct_from(_other),
                LINKS.c.outage_id.is_not_distinct_from(bindparam("outage_id", type_=LINKS.c.outage_id.type)),
            ),
            and_(LINKS.c.order_id == _other, LINKS.c.other_order_id == bindparam("order_id")),
        ),
    )
)


async def standing_links(tx: Transaction, link: Link) -> list[str]:
    """Ids of links of this kind between the same two: there may be one, until it is undone."""
    ends = {name: getattr(link, name) for name in ("order_id", "other_order_id", "outage_id")}
    return [row["id"] for row in await tx.select(_STANDING, ends | {"kind": link.kind.value})]


async def lock_orders(tx: Transaction, ids: Iterable[str], areas: tuple[str, ...] | None) -> list[StoredOrder]:
    """The orders, by id; their row locks keep what is published here behind their creation.

    Raises `WorkOrderNotFound`, also for one outside the areas.
    """
    order_ids = sorted(ids)
    found = await orders_store.lock_orders(tx, order_ids)
    return [_seen(order_id, found.get(order_id), areas) for order_id in order_ids]


async def require_orders(statements: Statements, ids: Iterable[str], areas: tuple[str, ...] | None) -> None:
    """Raises `WorkOrderNotFound`, also for one outside the areas."""
    for order_id in sorted(ids):
        _seen(order_id, await find_stored_order(statements, order_id), areas)


def _seen(order_id: str, stored: StoredOrder | None, areas: tuple[str, ...] | None) -> StoredOrder:
    if stored is None or not may_see(stored.order, areas):
        raise WorkOrderNotFound(order_id=order_id)
    return stored
