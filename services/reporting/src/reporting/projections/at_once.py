"""A small batch of orders as one read and one guarded statement: the record, stays, clocks and the days they touch.

Whatever is out of the ordinary takes the transaction of `reporting.consumers`: repeats, a set that is being built, what
is found out about days before, and orders that another set of time limits applies to.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from chassis.one_statement import Part, Rows
from chassis.subscription import OneStatement
from chassis.telemetry import METRICS
from contracts.limits import SUBJECT
from contracts.message import Message
from contracts.topics import WORK_ORDERS
from reporting.projections import days, orders, sla_clocks
from reporting.projections.orders import Projected
from reporting.projections.sla import LimitHistory
from reporting.record import at_once_store as record

_MOST_MESSAGES = 50
"""A larger batch is written faster by COPY, in a transaction."""


def _reads(messages: Sequence[Message]) -> Sequence[Part] | None:
    if len(messages) > _MOST_MESSAGES:
        return None
    subjects = sorted({message.subject for message in messages if message.order_version is not None})
    shown = [orders.shown(subjects), sla_clocks.shown(subjects), record.stream(SUBJECT)]
    return [*record.reads(messages), *shown]


def _writes(messages: Sequence[Message], read: Sequence[Rows]) -> Sequence[Part] | None:
    *of_record, stays, clocks, limits = read
    known = record.known_of(of_record, WORK_ORDERS)
    for message in messages:
        known.batch.take(message)
    if known.batch.repeats or known.state.kept_up != (known.state.live,):
        return None
    projected = _projected(known, stays)
    rules = LimitHistory.of(record.messages_of(limits))
    changed = sla_clocks.changed_by(projected.taken, clocks, rules, projected.late_after)
    if changed is None or projected.found_out():
        return None
    _observe(known.batch.added)
    touched = {orders.TABLE.name: projected.days(), sla_clocks.TABLE.name: changed.days}
    noted = days.touched(touched, known.state.message_count + len(known.batch.added))
    name = known.state.live
    parts = [*record.changes(known), *orders.changes(name, projected), *changed.parts(name)]
    return [*parts, noted] if noted else parts


def _projected(known: record.Known, stays: Rows) -> Projected:
    projected = Projected(known.state.late_after, orders.stays_of(stays))
    projected.take(message for message in known.batch.added if message.order_version is not None)
    return projected


def _observe(added: Sequence[Message]) -> None:
    if added:
        oldest = min(message.recorded_at for message in added)
        METRICS.event_age_seconds.observe(max(0.0, (datetime.now(UTC) - oldest).total_seconds()))


ORDERS_AT_ONCE = OneStatement(_reads, _writes)
