"""Whose the time of orders was: each status is cut wherever the holder may change, and every piece is asked for it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from contracts.events import WorkOrderResumed, WorkOrderSuspended
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
    appointment_at: datetime | None
    since: datetime
    until: datetime | None = None
    turns: list[tuple[datetime, str | None]] = field(default_factory=list)
    """When it was suspended, with the holder, or resumed (None)."""

    def parts(self) -> Iterator[tuple[str, str, int]]:
        """Holder, reason and microseconds; what lasted no time is none of them."""
        assert self.until is not None
        cuts = sorted({self.since, self.until, *(min(at, self.until) for at, _ in self.turns), *self._appointment()})
        for begin, end in pairwise(cuts):
            yield *self._who(begin), (end - begin) // _MICROSECOND

    def _appointment(self) -> Iterator[datetime]:
        at = self.appointment_at
        if at and self.until and self.since < at < self.until and self._who(at) == _WHO[Status.DISPATCHED]:
            yield at

    def _suspended_by(self, at: datetime) -> str | None:
        return next((holder for turned, holder in reversed(self.turns) if turned <= at), None)

    def _who(self, at: datetime) -> tuple[str, str]:
        if (holder := self._suspended_by(at)) is not None:
            return holder, "other"
        if self.status == Status.DISPATCHED and self.appointment_at and at < self.appointment_at:
            return "subscriber", "appointment"
        return _WHO[self.status]


class Minutes:
    """The stays of one order."""

    def __init__(self) -> None:
        self._stays: list[Stay] = []

    def take(self, before: WorkOrder | None, message: Message, after: WorkOrder) -> None:
        if before is None or before.status is not after.status:
            self._enter(message.occurred_at, after)
        elif isinstance(message.body, WorkOrderSuspended | WorkOrderResumed):
            stay = self._stays[-1]
            at = max(message.occurred_at, stay.turns[-1][0] if stay.turns else stay.since)
            stay.turns.append((at, _holder_of(message.body)))

    def _enter(self, at: datetime, order: WorkOrder) -> None:
        if self._stays:
            last = self._stays[-1]
            last.until = at = max(at, last.since)
        appointment_at = order.appointment.start if order.appointment else None
        self._stays.append(Stay(order.status.value, names_of(order), appointment_at, at))

    def rows(self) -> Iterator[CountedRow]:
        for stay in self._stays[:-1]:
            for holder, reason, microseconds in stay.parts():
                yield CountedRow(stay.until, {**stay.names, "holder": holder, "reason": reason}, microseconds, 1)


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
