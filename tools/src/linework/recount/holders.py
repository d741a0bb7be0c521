"""Whose the time of orders was: each status is cut wherever the holder may change, and every piece is asked for it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from contracts.events import WorkOrderAmended, WorkOrderReassigned, WorkOrderResumed, WorkOrderSuspended
from contracts.lifecycle import Status
from contracts.message import Message
from contracts.order import WorkOrder
from linework.recount.counting import CountedRow, Kind
from linework.recount.orders import names_of

_MICROSECOND = timedelta(microseconds=1)
_WHO = {
    "created": ("dispatch", "first_dispatch"),
    "rejected": ("dispatch", "ruling"),
    "redispatching": ("dispatch", "redispatch"),
    "dispatched": ("area", "start"),
    "processing": ("staff", "work"),
    "completed": ("qa", "review"),
    "auditing": ("qa", "audit"),
}


@dataclass(slots=True)
class Stay:
    """An order in a status."""

    status: str
    names: Mapping[str, str | None]
    since: datetime
    wanted: list[tuple[datetime, datetime | None]]
    """From when on which beginning of the appointment holds."""
    until: datetime | None = None
    turns: list[tuple[datetime, str | None]] = field(default_factory=list)
    """When it was suspended, with the holder, or resumed (None)."""
    staff: list[tuple[datetime, str | None]] = field(default_factory=list)
    """Who had it from when on, after who had it at the beginning."""

    @property
    def latest(self) -> datetime:
        """Time never goes back within a stay."""
        return max(at for at, _ in (*self.wanted, *self.turns, *self.staff))

    def parts(self) -> Iterator[tuple[str, str, str | None, int]]:
        """Holder, reason, staff and microseconds; what lasted no time is none of them."""
        assert self.until is not None
        told = [min(at, self.until) for at, _ in (*self.turns, *self.wanted, *self.staff)]
        cuts = sorted({self.since, self.until, *told, *self._appointments(self.until)})
        for begin, end in pairwise(cuts):
            staff_id = _last(self.staff, begin) or self.names["staff_id"]
            yield *self._who(begin), staff_id, (end - begin) // _MICROSECOND

    def _appointments(self, until: datetime) -> Iterator[datetime]:
        """The beginnings of appointments that turn the subscriber's time into the work area's."""
        ends = [*(at for at, _ in self.wanted[1:]), until]
        for (begin, wanted_at), end in zip(self.wanted, ends, strict=True):
            if wanted_at and begin < wanted_at < min(end, until) and self._who(wanted_at) == _WHO[Status.DISPATCHED]:
                yield wanted_at

    def _who(self, at: datetime) -> tuple[str, str]:
        if (holder := _last(self.turns, at)) is not None:
            return holder, "other"
        wanted_at = _last(self.wanted, at)
        if self.status == Status.DISPATCHED and wanted_at and at < wanted_at:
            return "subscriber", "appointment"
        return _WHO[self.status]


def _last(told: Sequence[tuple[datetime, Any]], at: datetime) -> Any:
    """What holds at a moment."""
    return next((value for since, value in reversed(told) if since <= at), None)


class Minutes:
    """The stays of one order."""

    def __init__(self) -> None:
        self._stays: list[Stay] = []

    def take(self, before: WorkOrder | None, message: Message, after: WorkOrder) -> None:
        if before is None or before.status is not after.status:
            self._enter(message.occurred_at, after)
            return
        stay, body = self._stays[-1], message.body
        # A suspension that ended by itself ended when it was to end.
        at = max(getattr(body, "ended_at", None) or message.occurred_at, stay.latest)
        if isinstance(body, WorkOrderSuspended | WorkOrderResumed):
            stay.turns.append((at, _holder_of(body)))
        elif isinstance(body, WorkOrderReassigned):
            stay.staff.append((at, body.staff_ids[0]))
        elif isinstance(body, WorkOrderAmended) and (body.appointment or body.is_appointment_withdrawn):
            stay.wanted.append((at, _start_of(after)))

    def _enter(self, at: datetime, order: WorkOrder) -> None:
        if self._stays:
            last = self._stays[-1]
            last.until = at = max(at, last.since)
        self._stays.append(Stay(order.status.value, names_of(order), at, [(at, _start_of(order))]))

    def rows(self) -> Iterator[CountedRow]:
        for stay in self._stays[:-1]:
            for holder, reason, staff_id, microseconds in stay.parts():
                names = {**stay.names, "holder": holder, "reason": reason, "staff_id": staff_id}
                yield CountedRow(stay.until, names, microseconds, 1)


def _start_of(order: WorkOrder) -> datetime | None:
    return order.appointment.start if order.appointment else None


def _holder_of(body: WorkOrderSuspended | WorkOrderResumed) -> str | None:
    if isinstance(body, WorkOrderResumed):
        return None
    return body.held_by.value if body.held_by else "house"


def _held_time(ledgers: Iterable[Minutes]) -> Iterator[CountedRow]:
    for minutes in ledgers:
        yield from minutes.rows()


RULES: Mapping[tuple[str, int], tuple[Kind, Callable[[Iterable[Minutes]], Iterator[CountedRow]]]] = {
    ("held_time", 1): ("distribution", _held_time),
}
"""By metric and version."""
