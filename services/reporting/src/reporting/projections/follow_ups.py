"""Follow-ups: when each was planned and how it ended, how content the subscriber was, and which orders it covers.

All messages of a follow-up have one key, that of its first order or its own, and each reports one fact
that happened once. A stream is folded from all of these whenever one arrives; several follow-ups of one stream
are numbered as they were planned, so that they have the same numbers in every set.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from chassis.database import Transaction
from contracts import quality as q
from contracts.message import Message
from reporting import tables
from reporting.projections.days import days_of
from reporting.projections.table import ProjectionTable

TABLE = ProjectionTable(tables.FOLLOW_UPS)
ORDERS_TABLE = ProjectionTable(tables.FOLLOWED_ORDERS)
EVENTS = (q.FollowUpPlanned, q.FollowUpJoined, q.FollowUpEnded, q.SatisfactionGiven)


@dataclass(slots=True)
class FollowUpRow:
    """The fields are the columns of the table, in their order; at last the orders, and since when they are known."""

    stream: str
    number: int
    follow_up_id: str
    project_id: str
    cause: str | None = None
    work_area_id: str | None = None
    staff_id: str | None = None
    demand_type: str | None = None
    channel: str | None = None
    agent_id: str | None = None
    """Who called last."""
    planned_at: datetime | None = None
    planned_known_at: datetime | None = None
    is_planned_late: bool = False
    due_by: datetime | None = None
    ended_at: datetime | None = None
    ended_known_at: datetime | None = None
    is_ended_late: bool = False
    end_kind: str | None = None
    is_overdue: bool = False
    """It ended after it was due."""
    score: int | None = None
    highest: int | None = None
    scored_known_at: datetime | None = None
    orders: dict[str, datetime] = field(default_factory=dict)

    def take(self, message: Message, late_after: timedelta) -> None:
        body, known_at = message.body, message.recorded_at
        is_late = known_at - message.occurred_at > late_after
        match body:
            case q.FollowUpPlanned():
                self.cause, self.due_by = body.cause.value, body.due_by
                self.work_area_id, self.staff_id, self.demand_type = body.work_area_id, body.staff_id, body.demand_type
                self.channel = body.channel.value if body.channel else None
                self.planned_at, self.planned_known_at, self.is_planned_late = message.occurred_at, known_at, is_late
                self._cover(body.order_ids, known_at)
            case q.FollowUpJoined():
                self._cover((body.order_id,), known_at)
            case q.FollowUpEnded():
                self.ended_at, self.ended_known_at, self.is_ended_late = message.occurred_at, known_at, is_late
                self.end_kind, self.is_overdue, self.agent_id = body.end.value, body.is_late, body.caller_id
            case q.SatisfactionGiven():
                self.score, self.highest, self.scored_known_at = body.score, body.highest, known_at

    def _cover(self, order_ids: Iterable[str], known_at: datetime) -> None:
        for order_id in order_ids:
            self.orders.setdefault(order_id, known_at)


def follow_ups_of(messages: Iterable[Message], late_after: timedelta) -> list[FollowUpRow]:
    """The follow-ups of one stream, from all of its messages in the order of publication."""
    found: dict[str, FollowUpRow] = {}
    for message in messages:
        body: Any = message.body
        one = found.get(body.follow_up_id)
        if one is None:
            one = FollowUpRow(message.subject, len(found) + 1, body.follow_up_id, body.project_id)
            found[body.follow_up_id] = one
        one.take(message, late_after)
    return list(found.values())


async def apply(
    tx: Transaction, name: str, whole: Sequence[Message], late_after: timedelta
) -> tuple[set[date], set[str]]:
    """Folds streams from all of their messages.

    Returns on which days something of them is counted, and the orders of which a questionnaire was answered. The time
    at which something happened never changes, so the days of before are among those of after.
    """
    by_stream = groupby(whole, key=lambda message: message.subject)
    rows = [one for _, messages in by_stream for one in follow_ups_of(messages, late_after)]
    await TABLE.upsert(tx, name, rows)
    covered = [(order_id, one.stream, one.number, at) for one in rows for order_id, at in one.orders.items()]
    await ORDERS_TABLE.add_missing(tx, name, covered)
    answered = {order_id for one in rows if one.end_kind == q.FollowUpEnd.COMPLETED for order_id in one.orders}
    return days_of(moment for one in rows for moment in (one.planned_at, one.ended_at)), answered


async def refold(tx: Transaction, name: str, whole: Sequence[Message], late_after: timedelta) -> None:
    """Puts streams into a set from the whole of their messages, whatever the set had of them."""
    streams = {message.subject for message in whole}
    for table in (TABLE, ORDERS_TABLE):
        await table.delete(tx, name, "stream", streams)
    await apply(tx, name, whole, late_after)
