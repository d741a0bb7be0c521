"""Mends rows whose facets an older release did not write: a job of the worker.

Such a row has a `faceted_version` that is not its version. Until it is mended, filters do not find it.
"""

from chassis.database import Database
from chassis.jobs import repeat
from chassis.wakeup import Wakeup
from work_orders.facets import facets_json
from work_orders.order_table import to_order

_LOOK_SECONDS = 30.0
_ORDERS_A_CHUNK = 200

# A row that is locked is being changed, by code that writes its facets or by an older one: the next round finds out.
_CHUNK = """
select id, body from work_orders where faceted_version <> version order by id limit $1 for update skip locked"""
_SET = """
update work_orders set facets = given.facets, created_at = given.created_at, faceted_version = version
from unnest($1::text[], $2::jsonb[], $3::timestamptz[]) as given (id, facets, created_at)
where work_orders.id = given.id"""


async def keep_facets(db: Database, wakeup: Wakeup) -> None:
    """The worker's job: looks now and then for rows that an older release wrote, for as long as the worker runs."""

    async def mend_all() -> None:
        while await mend_facets(db):
            pass

    await repeat("backfilling facets", mend_all, seconds=_LOOK_SECONDS, rest=wakeup.wait)


async def mend_facets(db: Database) -> int:
    """Computes the facets of a few rows; says of how many. Each call is one short transaction."""
    async with db.begin() as tx:
        rows = await tx.fetch(_CHUNK, _ORDERS_A_CHUNK)
        orders = [to_order(row["body"]) for row in rows]
        facets, created = [facets_json(order) for order in orders], [order.created.at for order in orders]
        await tx.execute(_SET, [order.id for order in orders], facets, created)
    return len(rows)
