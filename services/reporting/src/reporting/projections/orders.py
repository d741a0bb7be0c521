"""Stays: an order was in a status from one moment until another, and that was known from a third until a fourth.

A stay is written when the order enters a status and finished when it leaves it; nothing else changes but
whether the order is suspended meanwhile, and what it is amended to. What has ended stays as it is. A stay is known from
`recorded_at` of the event that began it until that of the event that ended it, so the orders as they were known at any
past moment are the stays with the moment between the two, in whatever order the stream was read.

The steps are folded here and not by `contracts.order`: the recount does it with that, and two hands that
come to the same figures are worth more than one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Any

from chassis.database import Transaction
from chassis.one_statement import Part, Rows
from chassis.subscribe import Poison
from contracts import events as e
from contracts.lifecycle import CUSTODIANS, Act, ActNotAllowed, Status, step
from contracts.message import Message
from contracts.order import ACTS, CannotApply
from reporting import tables
from reporting.projections import holders
from reporting.projections.days import days_of
from reporting.projections.stays import StayRow, kinds_of, note
from reporting.projections.table import ProjectionTable, of_the_shown

TABLE = ProjectionTable(tables.STAYS)
LATER = "later"
"""Days on which orders were dispatched or completed of which something was found out later: see `days_found_out`."""
_MICROSECOND = timedelta(microseconds=1)


_CHANGING = (
    "until_version",
    "until_known_at",
    "next_status",
    "left_at",
    "microseconds",
    "is_until_late",
    "is_suspended",
    "is_misdispatch_valid",
    "next_staff_id",
    "reassign_count",
    "urge_count",
    "appointment_at",
    "held",
    "amended",
)
"""What becomes known of a stay after it has begun."""
_CHANGE = TABLE.updating(*_CHANGING)
_within = attrgetter("is_suspended", "appointment_at", "held", "amended", "reassign_count", "urge_count")
"""What can change while the stay goes on."""
_changing_values_of = attrgetter(*TABLE.key, *_CHANGING)


def created(message: Message, late_after: timedelta) -> StayRow:
    """The first stay of a new order; raises `CannotApply` unless the event creates it."""
    body = message.body
    if not isinstance(body, e.WorkOrderCreated):
        raise CannotApply(f"order {message.subject} was never created")
    appointment_at = body.appointment.start if body.appointment else None
    return StayRow(
        order_id=message.subject,
        since_version=1,
        until_version=None,
        since_known_at=message.recorded_at,
        until_known_at=None,
        from_status=None,
        status=Status.CREATED.value,
        next_status=None,
        entered_at=message.occurred_at,
        left_at=None,
        microseconds=None,
        is_since_late=message.recorded_at - message.occurred_at > late_after,
        is_until_late=None,
        is_suspended=False,
        is_misdispatch_valid=None,
        dispatch_count=0,
        completion_count=0,
        work_area_id=None,
        staff_id=None,
        device_type=body.device_type,
        demand_type=body.demand_type,
        channel=body.channel.value,
        zone=body.zone.value,
        subscriber_id=body.subscriber_id,
        created_at=message.occurred_at,
        appointment_at=appointment_at,
        held=holders.begun(Status.CREATED, message.occurred_at, staff_id=None, appointment_at=appointment_at),
        urgency=body.urgency.value,
        amended=None,
    )


def advance(stay: StayRow, message: Message, late_after: timedelta) -> StayRow | None:
    """Takes an event into the present stay; the next one, if the event ends this. Raises `CannotApply`.

    Times are `occurred_at`. One that lies before the event before it counts as the same moment, so that no
    stay is shorter than nothing and the stays of an order touch each other.
    """
    body = message.body
    status = stay.status if body is None else _status_after(stay, message).value
    if status == stay.status:
        note(stay, body, message.occurred_at)
        return None
    is_late = message.recorded_at - message.occurred_at > late_after
    _finish(stay, message, status, is_late)
    return _next(stay, body, is_late)


def _finish(stay: StayRow, message: Message, next_status: str, is_late: bool) -> None:
    left_at = max(message.occurred_at, stay.entered_at)
    stay.until_version = message.order_version
    # Each service records by its own clock; what is known of one order never becomes less.
    stay.until_known_at = max(message.recorded_at, stay.since_known_at)
    stay.next_status, stay.left_at = next_status, left_at
    stay.microseconds = (left_at - stay.entered_at) // _MICROSECOND
    stay.is_until_late = is_late
    stay.held = holders.finished(stay.held, left_at, appointment_at=stay.appointment_at)
    if stay.status == Status.REJECTED and isinstance(message.body, e.WorkOrderRedispatchRequested):
        stay.is_misdispatch_valid = message.body.is_misdispatch_valid


def _next(stay: StayRow, body: Any, is_late: bool) -> StayRow:
    dispatch = body if isinstance(body, e.WorkOrderDispatched) else None
    completion = body if isinstance(body, e.WorkOrderCompleted) else None
    staff_id = next(iter(dispatch.staff_ids), None) if dispatch else stay.present_staff_id
    return StayRow(
        order_id=stay.order_id,
        since_version=stay.until_version,
        until_version=None,
        since_known_at=stay.until_known_at,
        until_known_at=None,
        from_status=stay.status,
        status=stay.next_status,
        next_status=None,
        entered_at=stay.left_at,
        left_at=None,
        microseconds=None,
        is_since_late=is_late,
        is_until_late=None,
        is_suspended=False,
        is_misdispatch_valid=None,
        dispatch_count=stay.dispatch_count + (dispatch is not None),
        completion_count=stay.completion_count + (completion is not None),
        work_area_id=dispatch.work_area_id if dispatch else stay.work_area_id,
        staff_id=staff_id,
        channel=stay.channel,
        zone=stay.zone,
        subscriber_id=stay.subscriber_id,
        created_at=stay.created_at,
        is_resolved=completion.is_resolved if completion else None,
        is_petitioned=completion.is_petitioned if completion else None,
        appointment_at=stay.appointment_at,
        held=holders.begun(
            Status(stay.next_status), stay.left_at, staff_id=staff_id, appointment_at=stay.appointment_at
        ),
        amended=None,
        **kinds_of(stay),
    )


def _status_after(stay: StayRow, message: Message) -> Status:
    present = Status(stay.status)
    if type(message.body) not in ACTS:
        raise CannotApply(f"{message.type} does not change order {stay.order_id}")
    if message.service != CUSTODIANS[present]:
        raise CannotApply(f"{message.service} does not hold order {stay.order_id}, which is {stay.status}")
    try:
        return step(present, _act(present, message.body), is_suspended=stay.is_suspended)
    except ActNotAllowed as refusal:
        raise CannotApply(f"order {stay.order_id}: {refusal}") from refusal


def _act(present: Status, event: object) -> Act:
    if isinstance(event, e.WorkOrderAudited):
        return Act.PASS_AUDIT if event.verdict is e.AuditVerdict.PASSED else Act.FAIL_AUDIT
    if isinstance(event, e.WorkOrderRedispatchRequested):
        return Act.SEND_TO_REDISPATCH if present is Status.REJECTED else Act.REDISPATCH
    return ACTS[type(event)][0]


@dataclass(frozen=True, slots=True)
class Taken:
    """An event of an order, and the stay that the order was in after it."""

    message: Message
    stay: StayRow
    known_at: datetime
    kinds: Mapping[str, str]
    """What the order is after it: by `KINDS`."""
    staff_id: str | None
    """Who had the order after it."""


@dataclass(slots=True)
class Projected:
    """The present stays of some orders, and what is to be written: stays to add, and stored ones to change."""

    late_after: timedelta
    present: dict[str, StayRow] = field(default_factory=dict)
    added: list[StayRow] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    """The input of SLA clocks."""
    changed: dict[str, StayRow] = field(default_factory=dict)
    """By order: of an order's stored stays only the last can still change."""

    _stored: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self._stored = {order_id: stay.since_version for order_id, stay in self.present.items()}

    def take(self, events: Iterable[Message]) -> None:
        """Raises `Poison` for an event that cannot follow."""
        for message in events:
            stay = self.present.get(message.subject)
            before = _within(stay) if stay is not None else None
            try:
                entered = advance(stay, message, self.late_after) if stay else created(message, self.late_after)
            except CannotApply as error:
                raise Poison(message, str(error)) from error
            if stay is not None and (entered is not None or _within(stay) != before):
                self._note_change(stay)
            if entered is not None:
                self.present[message.subject] = entered
                self.added.append(entered)
            stay = self.present[message.subject]
            known_at = max(message.recorded_at, stay.since_known_at)
            self.taken.append(Taken(message, stay, known_at, kinds_of(stay), stay.present_staff_id))

    def _note_change(self, stay: StayRow) -> None:
        if stay.since_version == self._stored.get(stay.order_id):
            self.changed[stay.order_id] = stay

    def changing_values(self) -> list[tuple[Any, ...]]:
        """Of the stored stays that change, in the order of orders."""
        return [_changing_values_of(self.changed[order_id]) for order_id in sorted(self.changed)]

    def days(self) -> set[date]:
        """On which something of the events is counted."""
        return days_of(moment for stay in self._written() for moment in (stay.entered_at, stay.left_at))

    def found_out(self) -> set[str]:
        """The orders of which the events tell something about before: see `days_found_out`."""
        return {one.order_id for one in self._written() if one.is_misdispatch_valid or _is_completed_again(one)}

    def _written(self) -> list[StayRow]:
        return [*self.changed.values(), *self.added]


@dataclass(frozen=True, slots=True)
class Applied:
    taken: list[Taken]
    days: set[date]
    """On which something of these events is counted."""
    later: set[date]
    """On which something is counted that these events tell about."""


async def apply(tx: Transaction, name: str, events: Sequence[Message], late_after: timedelta) -> Applied:
    """Takes new events into a set. They follow what is in it: the event store has seen to that."""
    projected = Projected(late_after, await _present(tx, name, {message.subject for message in events}))
    projected.take(events)
    await TABLE.update(tx, name, _CHANGE, projected.changing_values())
    await TABLE.add(tx, name, projected.added)
    return Applied(projected.taken, projected.days(), await days_found_out(tx, name, projected.found_out()))


def shown(order_ids: Sequence[str]) -> Part:
    """Reads the present stays of orders in the set that is shown."""
    return of_the_shown(_PRESENT, [order_ids])


def stays_of(rows: Rows) -> dict[str, StayRow]:
    """The stays that were read by `shown`, by order."""
    return {row[0]: StayRow(*row) for row in rows}


def changes(name: str, projected: Projected) -> list[Part]:
    """What `apply` writes, as parts of a statement."""
    changing = TABLE.changing(name, _CHANGE, projected.changing_values())
    return [*changing, *TABLE.adding(name, projected.added)]


def _is_completed_again(stay: StayRow) -> bool:
    return stay.status == Status.COMPLETED and stay.from_status == Status.PROCESSING and stay.completion_count > 1


async def days_found_out(tx: Transaction, name: str, order_ids: Iterable[str]) -> set[date]:
    """The days of the first dispatch and of the completions of orders.

    A ruling, a later completion or an answered questionnaire changes what is counted there, whenever it comes.
    """
    wanted = sorted(set(order_ids))
    if not wanted:
        return set()
    rows = await tx.fetch(
        f"""select entered_at from {TABLE.of(name)} where order_id = any($1) and (
                (status = 'dispatched' and dispatch_count = 1)
                or (status = 'completed' and from_status = 'processing'))""",
        wanted,
    )
    return days_of(row["entered_at"] for row in rows)


async def refold(tx: Transaction, name: str, events: Sequence[Message], late_after: timedelta) -> list[Taken]:
    """Puts orders into a set from the whole of their events, whatever the set had of them."""
    projected = Projected(late_after)
    projected.take(events)
    await TABLE.delete(tx, name, "order_id", projected.present)
    await TABLE.add(tx, name, projected.added)
    return projected.taken


# Row by row through the index: `= any` is planned as a scan as long as the table's size is not known.
_PRESENT = f"""select {", ".join(TABLE.columns)} from unnest($1::text[]) as asked (id) cross join lateral (
        select * from stays_{{name}} where order_id = asked.id order by order_id, since_version desc limit 1
    ) as stay"""


async def _present(tx: Transaction, name: str, order_ids: Iterable[str]) -> dict[str, StayRow]:
    return stays_of(await tx.fetch(_PRESENT.format(name=name), sorted(order_ids)))
