"""What figures are counted from: where each order stands, and how long it was in each status before.

An order's facts are one row that changes; the times it has spent in a status are rows that are only
added, one when it leaves the status. Both follow from the order's events alone, in the order of their
versions, so a second set of the same tables can be built beside the first at any time (`rebuild`).

The steps are folded here and not by `contracts.order`: the recount does it with that, and two hands that
come to the same figures are worth more than one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any

from chassis.database import Transaction
from chassis.subscribe import Poison
from contracts import events as e
from contracts.lifecycle import CUSTODIANS, Act, ActNotAllowed, Status, step
from contracts.message import Message
from contracts.order import ACTS, CannotApply

SETS = ("a", "b")

_FACTS = (
    ("order_id", "text"),
    ("version", "int"),
    ("status", "text"),
    ("is_suspended", "bool"),
    ("work_area_id", "text"),
    ("device_type", "text"),
    ("demand_type", "text"),
    ("channel", "text"),
    ("zone", "text"),
    ("created_at", "timestamptz"),
    ("entered_at", "timestamptz"),
)
FACTS_COLUMNS = tuple(name for name, _ in _FACTS)
INTERVAL_COLUMNS = (
    "order_id",
    "until_version",
    "status",
    "next_status",
    "work_area_id",
    "device_type",
    "demand_type",
    "channel",
    "zone",
    "entered_at",
    "left_at",
)


_values_of = attrgetter(*FACTS_COLUMNS)


@dataclass(slots=True)
class OrderFacts:
    """Where an order stands. The fields are `FACTS_COLUMNS`, in their order. `advance` changes it in place."""

    order_id: str
    version: int
    status: str
    is_suspended: bool
    work_area_id: str | None
    """The work area of the latest dispatch."""
    device_type: str
    demand_type: str
    channel: str
    zone: str
    created_at: datetime
    entered_at: datetime
    """Since when it has been in its status."""


Interval = tuple[Any, ...]
"""The values of `INTERVAL_COLUMNS`: an order was in a status from one moment until another."""


def advance(facts: OrderFacts, message: Message) -> Interval | None:
    """Takes an event into the facts; the interval that it has ended. Raises `CannotApply` and changes nothing.

    Times are `occurred_at`. One that lies before the event before it counts as the same moment, so that no
    interval is shorter than nothing and the intervals of an order touch each other.
    """
    body = message.body
    status = facts.status if body is None else _status_after(facts, message).value
    interval = None
    if status != facts.status:
        left_at = max(message.occurred_at, facts.entered_at)
        interval = _interval(facts, message.order_version, status, left_at)
        facts.status, facts.entered_at = status, left_at
    facts.version = message.order_version
    match body:
        case e.WorkOrderDispatched():
            facts.work_area_id = body.work_area_id
        case e.WorkOrderSuspended():
            facts.is_suspended = True
        case e.WorkOrderResumed() | e.WorkOrderCancelled():
            facts.is_suspended = False
    return interval


def created(message: Message) -> OrderFacts:
    """The facts of a new order; raises `CannotApply` unless the event creates it."""
    body = message.body
    if not isinstance(body, e.WorkOrderCreated):
        raise CannotApply(f"order {message.subject} was never created")
    return OrderFacts(
        order_id=message.subject,
        version=1,
        status=Status.CREATED.value,
        is_suspended=False,
        work_area_id=None,
        device_type=body.device_type,
        demand_type=body.demand_type,
        channel=body.channel.value,
        zone=body.zone.value,
        created_at=message.occurred_at,
        entered_at=message.occurred_at,
    )


def _status_after(facts: OrderFacts, message: Message) -> Status:
    present = Status(facts.status)
    if type(message.body) not in ACTS:
        raise CannotApply(f"{message.type} does not change order {facts.order_id}")
    if message.service != CUSTODIANS[present]:
        raise CannotApply(f"{message.service} does not hold order {facts.order_id}, which is {facts.status}")
    try:
        return step(present, _act(present, message.body), is_suspended=facts.is_suspended)
    except ActNotAllowed as refusal:
        raise CannotApply(f"order {facts.order_id}: {refusal}") from refusal


def _act(present: Status, event: object) -> Act:
    if isinstance(event, e.WorkOrderAudited):
        return Act.PASS_AUDIT if event.verdict is e.AuditVerdict.PASSED else Act.FAIL_AUDIT
    if isinstance(event, e.WorkOrderRedispatchRequested):
        return Act.SEND_TO_REDISPATCH if present is Status.REJECTED else Act.REDISPATCH
    return ACTS[type(event)][0]


def _interval(facts: OrderFacts, until_version: int, next_status: str, left_at: datetime) -> Interval:
    return (
        facts.order_id,
        until_version,
        facts.status,
        next_status,
        facts.work_area_id,
        facts.device_type,
        facts.demand_type,
        facts.channel,
        facts.zone,
        facts.entered_at,
        left_at,
    )


@dataclass(slots=True)
class Projected:
    """The facts of some orders as they now are, and the intervals that have ended."""

    facts: dict[str, OrderFacts] = field(default_factory=dict)
    intervals: list[Interval] = field(default_factory=list)

    def take(self, events: Iterable[Message]) -> None:
        """Raises `Poison` for an event that cannot follow."""
        for message in events:
            facts = self.facts.get(message.subject)
            try:
                if facts is None:
                    self.facts[message.subject] = created(message)
                elif interval := advance(facts, message):
                    self.intervals.append(interval)
            except CannotApply as error:
                raise Poison(message, str(error)) from error


async def apply(tx: Transaction, name: str, events: Sequence[Message]) -> None:
    """Takes new events into a set. They follow what is in it: the event store has seen to that."""
    if not events:
        return
    projected = Projected(await _facts(tx, name, {message.subject for message in events}))
    projected.take(events)
    await tx.execute(_UPSERT[name], *(list(column) for column in zip(*_rows(projected), strict=True)))
    await tx.copy(f"status_intervals_{name}", INTERVAL_COLUMNS, projected.intervals)


async def write_anew(tx: Transaction, name: str, events: Sequence[Message]) -> None:
    """Puts orders into a set from the whole of their events, whatever the set had of them."""
    if not events:
        return
    projected = Projected()
    projected.take(events)
    order_ids = list(projected.facts)
    await tx.execute(f"delete from order_facts_{name} where order_id = any($1)", order_ids)
    await tx.execute(f"delete from status_intervals_{name} where order_id = any($1)", order_ids)
    await tx.copy(f"order_facts_{name}", FACTS_COLUMNS, _rows(projected))
    await tx.copy(f"status_intervals_{name}", INTERVAL_COLUMNS, projected.intervals)


def _rows(projected: Projected) -> list[tuple[Any, ...]]:
    return [_values_of(projected.facts[order_id]) for order_id in sorted(projected.facts)]


async def _facts(tx: Transaction, name: str, order_ids: Iterable[str]) -> dict[str, OrderFacts]:
    # Row by row through the index: `= any` is planned as a scan as long as the table's size is not known.
    rows = await tx.fetch(
        f"""select {", ".join(FACTS_COLUMNS)} from unnest($1::text[]) as asked (id) cross join lateral (
                select * from order_facts_{name} where order_id = asked.id order by order_id limit 1
            ) as facts""",
        sorted(order_ids),
    )
    return {row["order_id"]: OrderFacts(*row) for row in rows}


def _upsert(name: str) -> str:
    columns = ", ".join(FACTS_COLUMNS)
    given = ", ".join(f"${place}::{kind}[]" for place, (_, kind) in enumerate(_FACTS, start=1))
    changing = ("version", "status", "is_suspended", "work_area_id", "entered_at")
    return f"""
        insert into order_facts_{name} ({columns}) select {columns} from unnest({given}) as changed ({columns})
        on conflict (order_id) do update
        set ({", ".join(changing)}) = ({", ".join(f"excluded.{column}" for column in changing)})"""


_UPSERT = {name: _upsert(name) for name in SETS}
