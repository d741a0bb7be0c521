"""SLA clocks in the database: time limits of an order, when each clock ran and was paused, and whether it was in time.

A row is a clock of an order as it was known from one moment until another: of all rows of a clock the one without an
end is how it is known. Rows follow from the order's events and the sets of time limits alone (`sla`), whichever
came first: the state known at a moment is what the events recorded by then make of it, under the newest set recorded
by then that applies to the order's creation. So a new set, whenever it applies from, re-evaluates the
orders it applies to from their events, and what was known before it stays as of then.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import msgspec

from chassis.database import Transaction
from chassis.one_statement import Part, Rows
from contracts.limits import SUBJECT, TimeLimitsDefined
from reporting import tables
from reporting.projections import orders
from reporting.projections.days import days_of
from reporting.projections.orders import Projected, Taken
from reporting.projections.sla import MOVING, ClockRow, LimitHistory, OrderClocks, clocks_of, is_rejudging
from reporting.projections.table import ProjectionTable, of_the_shown
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
    by_order = _by_order(taken)
    overtaken = _overtaken(by_order, rules)
    touched = await reevaluate(tx, name, overtaken, rules, late_after)
    moved = {one.message.subject for one in taken if isinstance(one.message.body, MOVING)} - set(overtaken)
    changed = await _present(tx, name, moved, late_after) if moved else {}
    return touched | await _save(tx, name, _moved(changed, by_order, rules))


def _by_order(taken: Iterable[Taken]) -> dict[str, list[Taken]]:
    by_order: dict[str, list[Taken]] = {}
    for one in taken:
        by_order.setdefault(one.message.subject, []).append(one)
    return by_order


def _overtaken(by_order: Mapping[str, Sequence[Taken]], rules: LimitHistory) -> list[str]:
    """The orders whose clocks follow from the whole of their events only: an event that was recorded before a set of
    limits that is known already is of what was known before it, and an amendment judges an order from its beginning.
    """
    return [
        order_id
        for order_id, events in by_order.items()
        if any(map(is_rejudging, events)) or rules.after(min(one.known_at for one in events), events[0].stay.created_at)
    ]


def _moved(
    present: Mapping[str, OrderClocks], by_order: Mapping[str, Sequence[Taken]], rules: LimitHistory
) -> "Changed":
    for order_id, order_clocks in present.items():
        for one in by_order[order_id]:
            order_clocks.take(one, rules.known_by(one.known_at).of(one.stay.created_at))
    return Changed.of(present.values())


@dataclass(frozen=True, slots=True)
class Changed:
    """The rows that end, and those that are added."""

    closing: list[tuple[str, int, datetime]]
    added: list[ClockRow]

    @classmethod
    def of(cls, changed: Collection[OrderClocks]) -> "Changed":
        closing = [one for order_clocks in changed for one in order_clocks.closing()]
        return cls(closing, [row for order_clocks in changed for row in order_clocks.rows()])

    @property
    def days(self) -> set[date]:
        return days_of(row.stopped_at for row in self.added)

    def parts(self, name: str) -> list[Part]:
        """The changes of a set, as parts of a statement."""
        return [*TABLE.changing(name, _CLOSE, self.closing), *TABLE.adding(name, self.added)]


def shown(order_ids: Sequence[str]) -> Part:
    """Reads the present clocks of orders in the set that is shown."""
    return of_the_shown(_PRESENT_AS_JSON, [order_ids])


def changed_by(taken: Sequence[Taken], present: Rows, rules: LimitHistory, late_after: timedelta) -> Changed | None:
    """What events change of the clocks that were read by `shown`; None where an order must be evaluated anew."""
    by_order = _by_order(taken)
    if _overtaken(by_order, rules):
        return None
    moved = {one.message.subject for one in taken if isinstance(one.message.body, MOVING)}
    return _moved(_clocks_of(moved, (_DECODER.decode(row) for (row,) in present), late_after), by_order, rules)


async def _save(tx: Transaction, name: str, changed: Changed) -> set[date]:
    await TABLE.update(tx, name, _CLOSE, changed.closing)
    await TABLE.add(tx, name, changed.added)
    return changed.days


async def refold(
    tx: Transaction, name: str, taken: Sequence[Taken], rules: LimitHistory, late_after: timedelta
) -> set[date]:
    """Puts orders into a set from the whole of their events, whatever the set had of them."""
    by_order = _by_order(taken)
    gone = await tx.fetch(f"delete from {TABLE.of(name)} where order_id = any($1) returning stopped_at", list(by_order))
    changed = await judged(by_order.values(), rules, late_after)
    return days_of(row["stopped_at"] for row in gone) | await _save(tx, name, Changed.of(changed))


async def judged(histories: Iterable[Sequence[Taken]], rules: LimitHistory, late_after: timedelta) -> list[OrderClocks]:
    """The clocks of orders from the whole of their events.

    In a calendar of an hour a week one due time takes a tenth of a second, and a set that applies from long ago
    judges every order: between two orders the worker answers its probes and Kafka.
    """
    found = []
    for history in histories:
        found.append(clocks_of(history, rules, late_after))
        await asyncio.sleep(0)
    return found


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


_PRESENT = f"""select {", ".join(f"row.{column}" for column in TABLE.columns)} from unnest($1::text[]) as asked (id)
    join lateral (select * from clocks_{{name}} where order_id = asked.id and until_known_at is null
        order by number) as row on true"""
# The driver cannot read an array within a row of another query (`fetch_together`), unless its type was met before.
_PRESENT_AS_JSON = f"select row_to_json(present)::text as present from ({_PRESENT}) as present"
_DECODER = msgspec.json.Decoder(ClockRow)


async def _present(
    tx: Transaction, name: str, order_ids: Iterable[str], late_after: timedelta
) -> dict[str, OrderClocks]:
    wanted = sorted(order_ids)
    rows = await tx.fetch(_PRESENT.format(name=name), wanted)
    return _clocks_of(wanted, (ClockRow(**dict(row)) for row in rows), late_after)


def _clocks_of(order_ids: Iterable[str], rows: Iterable[ClockRow], late_after: timedelta) -> dict[str, OrderClocks]:
    found: dict[str, list[ClockRow]] = {order_id: [] for order_id in sorted(order_ids)}
    for row in rows:
        if row.order_id in found:
            found[row.order_id].append(row)
    return {order_id: OrderClocks.of(late_after, present) for order_id, present in found.items()}
