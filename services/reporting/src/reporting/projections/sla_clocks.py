"""SLA clocks in the database: time limits of an order, when each clock ran and was paused, and whether it was in time.

A row is a clock of an order as it was known from one moment until another: of all rows of a clock the one without an
end is how it is known. Rows follow from the order's events and the sets of time limits alone (`sla`), whichever
came first: the state known at a moment is what the events recorded by then make of it, under the newest set recorded
by then that applies to the order's creation. So a new set, whenever it applies from, re-evaluates the
orders it applies to from their events, and what was known before it stays as of then.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta

from chassis.database import Transaction
from contracts.limits import SUBJECT, TimeLimitsDefined
from reporting import tables
from reporting.projections import orders
from reporting.projections.days import days_of
from reporting.projections.orders import Projected, Taken
from reporting.projections.sla import MOVING, ClockRow, LimitHistory, OrderClocks, clocks_of
from reporting.projections.table import ProjectionTable
from reporting.record import event_store

TABLE = ProjectionTable(tables.SLA_CLOCKS)
_CLOSE = TABLE.updating("until_known_at")
_ORDERS_A_CHUNK = 500


async def rules_in(tx: Transaction) -> LimitHistory:
    return LimitHistory.of(await event_store.messages_of(tx, [SUBJECT]))


async def apply(
    tx: Transaction, name: str, taken: Sequence[Taken], rules: LimitHistory, late_after: timedelta
) -> set[date]:
    """Applies new events to a set; returns the days that changed."""
    by_order: dict[str, list[Taken]] = {}
    for one in taken:
        by_order.setdefault(one.message.subject, []).append(one)
    # An event that was recorded before a set of limits that is known already is of what was known before it.
    overtaken = [
        order_id
        for order_id, events in by_order.items()
        if rules.after(min(one.known_at for one in events), events[0].stay.created_at)
    ]
    touched = await reevaluate(tx, name, overtaken, rules, late_after)
    moved = {one.message.subject for one in taken if isinstance(one.message.body, MOVING)} - set(overtaken)
    changed = await _present(tx, name, moved, late_after) if moved else {}
    for order_id, order_clocks in changed.items():
        for one in by_order[order_id]:
            order_clocks.take(one, rules.known_by(one.known_at).of(one.stay.created_at))
    return touched | await _save(tx, name, changed.values())


async def _save(tx: Transaction, name: str, changed: Collection[OrderClocks]) -> set[date]:
    closing = [one for order_clocks in changed for one in order_clocks.closing()]
    added = [row for order_clocks in changed for row in order_clocks.rows()]
    await TABLE.update(tx, name, _CLOSE, closing)
    await TABLE.add(tx, name, added)
    return days_of(row.stopped_at for row in added)


async def refold(
    tx: Transaction, name: str, taken: Sequence[Taken], rules: LimitHistory, late_after: timedelta
) -> set[date]:
    """Puts orders into a set from the whole of their events, whatever the set had of them."""
    by_order: dict[str, list[Taken]] = {}
    for one in taken:
        by_order.setdefault(one.message.subject, []).append(one)
    gone = await tx.fetch(f"delete from {TABLE.of(name)} where order_id = any($1) returning stopped_at", list(by_order))
    changed = [clocks_of(history, rules, late_after) for history in by_order.values()]
    return days_of(row["stopped_at"] for row in gone) | await _save(tx, name, changed)


async def reevaluate(
    tx: Transaction, name: str, order_ids: Sequence[str], rules: LimitHistory, late_after: timedelta
) -> set[date]:
    """Re-evaluates orders from their events in the record."""
    touched: set[date] = set()
    for start in range(0, len(order_ids), _ORDERS_A_CHUNK):
        messages = await event_store.messages_of(tx, order_ids[start : start + _ORDERS_A_CHUNK])
        projected = Projected(late_after)
        projected.take(messages)
        touched |= await refold(tx, name, projected.taken, rules, late_after)
    return touched


async def reevaluate_for(
    tx: Transaction, name: str, sets: Iterable[TimeLimitsDefined], rules: LimitHistory, late_after: timedelta
) -> set[date]:
    """Re-evaluates every order of a set of projections that one of these sets of limits applies to."""
    rows = await tx.fetch(
        f"select order_id from {orders.TABLE.of(name)} where since_version = 1 and created_at >= $1 order by order_id",
        min(one.applies_from for one in sets),
    )
    return await reevaluate(tx, name, [row["order_id"] for row in rows], rules, late_after)


async def _present(
    tx: Transaction, name: str, order_ids: Iterable[str], late_after: timedelta
) -> dict[str, OrderClocks]:
    wanted = sorted(order_ids)
    rows = await tx.fetch(
        f"""select {", ".join(f"row.{column}" for column in TABLE.columns)} from unnest($1::text[]) as asked (id)
            join lateral (select * from {TABLE.of(name)} where order_id = asked.id and until_known_at is null
                order by number) as row on true""",
        wanted,
    )
    found: dict[str, list[ClockRow]] = {order_id: [] for order_id in wanted}
    for row in rows:
        found[row["order_id"]].append(ClockRow(**dict(row)))
    return {order_id: OrderClocks.of(late_after, present) for order_id, present in found.items()}
