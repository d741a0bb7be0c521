"""Which suspensions end when: kept from the stream, so that the statement of an act writes nothing for it.

A row may be older than its order, whose next message has not come back yet; whoever acts on it looks at the order.
"""

from collections.abc import Sequence
from datetime import datetime

from chassis.database import Statements, columns_of, unnest_of
from chassis.one_statement import Part
from contracts.events import WorkOrderCancelled, WorkOrderRecalled, WorkOrderResumed, WorkOrderSuspended
from contracts.message import Message
from fieldwork.tables import SUSPENSIONS

_ENDING = (WorkOrderResumed, WorkOrderRecalled, WorkOrderCancelled)
_BEGIN = f"""
insert into suspensions ({columns_of(SUSPENSIONS.c)}) select * from {unnest_of(SUSPENSIONS.c)}
on conflict (order_id) do update set order_version = excluded.order_version, until = excluded.until
where suspensions.order_version < excluded.order_version"""
_END = """
delete from suspensions using unnest($1::text[], $2::integer[]) as ended (id, version)
where order_id = ended.id and order_version < ended.version"""
# Of before the table was there, and of what the release before it did meanwhile.
_ADD_MISSING = """
insert into suspensions (order_id, order_version, until)
select id, version, (body #>> '{suspension,until}')::timestamptz from work_orders
where status in ('dispatched', 'processing') and body #>> '{suspension,until}' is not null
on conflict do nothing"""


def suspensions_of(messages: Sequence[Message]) -> list[Part]:
    """Keeps the suspensions that messages begin and forgets those that they end."""
    last = {one.subject: one for one in messages if isinstance(one.body, (WorkOrderSuspended, *_ENDING))}
    begun = [one for one in last.values() if isinstance(one.body, WorkOrderSuspended)]
    ended = [one for one in last.values() if isinstance(one.body, _ENDING)]
    parts = []
    if ended:
        parts.append(Part(_END, [[one.subject for one in ended], [one.order_version for one in ended]]))
    if begun:
        rows = sorted((one.subject, one.order_version, one.body.until) for one in begun)
        parts.append(Part(_BEGIN, [list(column) for column in zip(*rows, strict=True)]))
    return parts


async def add_missing(statements: Statements) -> None:
    """Adds the orders that were suspended before the table existed."""
    await statements.execute(_ADD_MISSING)


async def due(statements: Statements, now: datetime, *, limit: int) -> list[str]:
    """The orders whose suspension is over, longest first."""
    rows = await statements.fetch(
        "select order_id from suspensions where until <= $1 order by until, order_id limit $2", now, limit
    )
    return [row["order_id"] for row in rows]


async def forget(statements: Statements, order_id: str, version: int) -> None:
    """Removes the row of an order that is not suspended at this version."""
    await statements.execute("delete from suspensions where order_id = $1 and order_version <= $2", order_id, version)
