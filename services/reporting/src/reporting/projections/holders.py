"""Whose the minutes of an order are: a stay in a status, cut into parts where the holder 责任方 changes.

Pure. The first part begins with the stay, each begins where the one before it ends, and the last ends with the stay.
So the parts are as long as the stay to the microsecond, and those of all stays as long as the order lasted: no sum has
to be made right. An event that is recorded late cuts at the time at which it happened.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from msgspec import Struct, json
from msgspec.structs import replace

from contracts import events as e
from contracts.handling import OTHER
from contracts.holders import Holder
from contracts.lifecycle import Status

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Held(NamedTuple):
    holder: str
    reason: str


RULES: Mapping[Status, Held] = {
    Status.CREATED: Held(Holder.DISPATCH, "first_dispatch"),
    Status.REJECTED: Held(Holder.DISPATCH, "ruling"),
    Status.REDISPATCHING: Held(Holder.DISPATCH, "redispatch"),
    Status.DISPATCHED: Held(Holder.AREA, "start"),
    Status.PROCESSING: Held(Holder.STAFF, "work"),
    Status.COMPLETED: Held(Holder.QA, "review"),
    Status.AUDITING: Held(Holder.QA, "audit"),
}
"""Who holds an order that is not suspended; nobody holds one that is archived or cancelled."""
APPOINTMENT = Held(Holder.SUBSCRIBER, "appointment")
"""A dispatched order that nobody has started, until the appointment begins."""


class HeldPart(Struct, frozen=True):
    holder: str
    reason: str
    staff_id: str | None
    since_us: int
    """Microseconds since 1970."""
    microseconds: int | None = None
    """None: it goes on."""


_PARTS = json.Decoder(list[HeldPart])


def begun(status: Status, since: datetime, *, staff_id: str | None, appointment_at: datetime | None) -> str:
    """The parts of a stay that begins, as they are stored: one, or none where nobody holds the order."""
    if status not in RULES:
        return "[]"
    since_us = _us(since)
    return _encoded([_part(_usual(status, since_us, appointment_at), staff_id, since_us)])


def suspended(held: str, body: e.WorkOrderSuspended | e.WorkOrderResumed, stay: Any, at: datetime) -> str:
    """The parts once the order is suspended, or work goes on."""
    *before, present = _PARTS.decode(held)
    at_us = max(_us(at), present.since_us)
    if isinstance(body, e.WorkOrderSuspended):
        now = Held(body.held_by or Holder.HOUSE, OTHER)
    else:
        now = _usual(Status(stay.status), at_us, stay.appointment_at)
    closed = _closed(present, at_us, stay.appointment_at)
    return _encoded([*before, *closed, _part(now, stay.present_staff_id, at_us)])


def reassigned(held: str, stay: Any, at: datetime) -> str:
    """The parts once other staff of the area have the order: whoever holds it goes on, under their name."""
    *before, present = _PARTS.decode(held)
    at_us = max(_us(at), present.since_us)
    closed = _closed(present, at_us, stay.appointment_at)
    is_waiting = present.reason == APPOINTMENT.reason
    now = _usual(Status.DISPATCHED, at_us, stay.appointment_at) if is_waiting else Held(present.holder, present.reason)
    return _encoded([*before, *closed, _part(now, stay.present_staff_id, at_us)])


def rescheduled(held: str, wanted_at: datetime | None, stay: Any, at: datetime) -> str:
    """The parts once the order has another appointment, or none any more."""
    *before, present = _PARTS.decode(held)
    at_us = max(_us(at), present.since_us)
    is_its_own = stay.is_suspended or stay.status != Status.DISPATCHED
    now = (present.holder, present.reason) if is_its_own else _usual(Status.DISPATCHED, at_us, wanted_at)
    closed = _closed(present, at_us, stay.appointment_at)
    return _encoded([*before, *closed, _part(Held(*now), stay.present_staff_id, at_us)])


def finished(held: str, left_at: datetime, *, appointment_at: datetime | None) -> str:
    """The parts of a stay that has ended; what lies after its end is cut off."""
    parts = _PARTS.decode(held)
    if not parts:
        return held
    end = _us(left_at)
    *before, present = parts
    closed = [*before, *_closed(present, max(end, present.since_us), appointment_at)]
    cut = [replace(one, microseconds=min(one.microseconds or 0, end - one.since_us)) for one in closed]
    return _encoded([one for one in cut if one.microseconds > 0])


def _closed(part: HeldPart, until: int, appointment_at: datetime | None) -> Sequence[HeldPart]:
    """The part until a moment; one that waits for the appointment is the work area's from then on."""
    if part.reason == APPOINTMENT.reason and appointment_at is not None and part.since_us < _us(appointment_at) < until:
        middle = _us(appointment_at)
        rest = _part(RULES[Status.DISPATCHED], part.staff_id, middle)
        return [replace(part, microseconds=middle - part.since_us), replace(rest, microseconds=until - middle)]
    return [replace(part, microseconds=until - part.since_us)]


def _usual(status: Status, at_us: int, appointment_at: datetime | None) -> Held:
    if status is Status.DISPATCHED and appointment_at is not None and at_us < _us(appointment_at):
        return APPOINTMENT
    return RULES[status]


def _part(held: Held, staff_id: str | None, since_us: int) -> HeldPart:
    return HeldPart(held.holder, held.reason, staff_id, since_us)


def _us(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _encoded(parts: Sequence[HeldPart]) -> str:
    return json.encode(parts).decode()
