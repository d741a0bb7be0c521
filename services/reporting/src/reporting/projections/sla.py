"""The SLA clocks of one order, folded from its events and the sets of time limits. Pure: no table, no present time.

A clock takes an event's `occurred_at`, but never one before its own latest change.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from contracts import events as e
from contracts.events import SlaClock, Urgency, Zone
from contracts.limits import TimeLimitsDefined
from contracts.message import Message
from reporting.projections.orders import Taken
from reporting.projections.stays import KINDS, StayRow, amended_kinds
from work_orders.sla_clocks import MINUTE_US, SHIPPED_ONLY, Limit, RuleSet, RuleSets, due_at
from work_orders.working_time import MICROSECOND

RUNNING, PAUSED, STOPPED, VOID = "running", "paused", "stopped", "void"
_FROM_CREATION = (
    SlaClock.DISPATCH,
    SlaClock.CONTACT,
    SlaClock.ARRIVE,
    SlaClock.COMPLETE,
    SlaClock.REPLY,
    SlaClock.RESTORE,
)


class ClockRow(Struct, frozen=True, kw_only=True):
    """The fields are the columns of the table. A struct, because copies of it are most of what a replay does here."""

    order_id: str
    number: int
    """1, 2, 3 … among the rows of the order."""
    since_version: int
    since_known_at: datetime
    until_known_at: datetime | None = None
    is_late: bool
    clock: str
    turn: int
    """`accept` runs once for each dispatch, the others once."""
    state: str
    limit_us: int | None
    """With extensions, in the time that counts; None: it has no limit and is only measured."""
    began_at: list[datetime]
    ended_at: list[datetime]
    """It ran from each moment of the one until that of the other; a clock that runs has one end less."""
    due_at: datetime | None
    """When the limit is over, or was; None while it rests, and of one that stopped before."""
    is_in_time: bool | None = None
    stopped_at: datetime | None = None
    stopped_by: str | None = None
    microseconds: int | None = None
    """From its beginning to its end, pauses among it."""
    extension_count: int
    work_area_id: str | None
    staff_id: str | None
    device_type: str
    demand_type: str
    channel: str
    zone: str
    urgency: str = "normal"


_OF_THE_STAY = ("work_area_id", "staff_id", "channel", "zone")
_NAMES = (*_OF_THE_STAY, *KINDS)


@dataclass(frozen=True, slots=True)
class LimitHistory:
    """Every set of limits in the record, and when each was known: never before the one before it."""

    sets: tuple[tuple[datetime, RuleSet], ...] = ()

    @classmethod
    def of(cls, messages: Iterable[Message]) -> "LimitHistory":
        sets: list[tuple[datetime, RuleSet]] = []
        for message in messages:
            if isinstance(message.body, TimeLimitsDefined) and message.entity_version:
                known_at = max(message.recorded_at, sets[-1][0]) if sets else message.recorded_at
                sets.append((known_at, RuleSet(message.entity_version, message.body)))
        return cls(tuple(sets))

    def known_by(self, moment: datetime) -> RuleSets:
        if not self.sets:
            return SHIPPED_ONLY
        return RuleSets(tuple(one for known_at, one in self.sets if known_at <= moment))

    def after(self, moment: datetime, created_at: datetime) -> list[datetime]:
        """When later sets became known that re-evaluate an order created then."""
        return [known_at for known_at, one in self.sets if known_at > moment and one.rules.applies_from <= created_at]


@dataclass(slots=True)
class OrderClocks:
    """The clocks of one order as they are known, and every row there was."""

    late_after: timedelta
    present: dict[tuple[str, int], ClockRow] = field(default_factory=dict)
    closed: dict[int, datetime] = field(default_factory=dict)
    """By number, the rows that were known until a moment."""
    added: list[ClockRow] = field(default_factory=list)
    highest: int = 0

    @classmethod
    def of(cls, late_after: timedelta, present: Iterable[ClockRow]) -> "OrderClocks":
        rows = {(row.clock, row.turn): row for row in present}
        return cls(late_after, rows, highest=max((row.number for row in rows.values()), default=0))

    def take(self, taken: Taken, rules: RuleSet) -> None:
        """The order's clocks after an event of it."""
        message, stay = taken.message, taken.stay
        if not isinstance(message.body, MOVING):
            return
        for clock, turn in _started(message.body, stay):
            limit = _limit_of(clock, zone=stay.zone, kinds=taken.kinds, rules=rules)
            if limit is not None:
                self._start(clock, turn, limit, taken)
        # In one order, whichever way they came to be known: rows are numbered as they are added.
        for key in sorted(self.present):
            changed = _changed(self.present[key], taken, rules)
            if changed is not None:
                self._put(key, changed, taken)
        if isinstance(message.body, e.WorkOrderArrived) and not stay.completion_count:
            self._measure_arrival(taken)

    def _start(self, clock: SlaClock, turn: int, limit: Limit, taken: Taken) -> None:
        at = taken.message.occurred_at
        due = due_at(limit, [(at, None)])
        row = self._new(clock, turn, taken, state=RUNNING, limit_us=limit.us, began_at=[at], due_at=due)
        self._put((clock.value, turn), row, taken)

    def _measure_arrival(self, taken: Taken) -> None:
        """Of an order without a limit for it, or none any more: how long it took all the same."""
        present, began_at = self.present.get((SlaClock.ARRIVE.value, 1)), taken.stay.created_at
        if present is not None and present.state != VOID:
            return
        row = self._new(SlaClock.ARRIVE, 1, taken, state=RUNNING, limit_us=None, began_at=[began_at], due_at=None)
        self._put((row.clock, 1), _stop(row, max(began_at, taken.message.occurred_at), "arrived", None), taken)

    def _new(self, clock: SlaClock, turn: int, taken: Taken, **facts: Any) -> ClockRow:
        return ClockRow(
            order_id=taken.message.subject,
            number=0,
            since_version=0,
            since_known_at=taken.known_at,
            is_late=False,
            clock=clock.value,
            turn=turn,
            ended_at=[],
            extension_count=0,
            **_named(taken),
            **facts,
        )

    def _put(self, key: tuple[str, int], row: ClockRow, taken: Taken) -> None:
        is_late = taken.message.recorded_at - taken.message.occurred_at > self.late_after
        version = taken.message.order_version or 0
        self._put_known(key, row, version=version, known_at=taken.known_at, is_late=is_late)

    def _put_known(
        self, key: tuple[str, int], row: ClockRow, *, version: int, known_at: datetime, is_late: bool
    ) -> None:
        before = self.present.get(key)
        if before is not None:
            # Each service records by its own clock; what is known of one clock never becomes less.
            known_at = max(known_at, before.since_known_at)
            self.closed[before.number] = known_at
        self.highest += 1
        known = {"since_known_at": known_at, "until_known_at": None, "is_late": is_late}
        self.present[key] = replace(row, number=self.highest, since_version=version, **known)
        self.added.append(self.present[key])

    def reevaluate(self, history: Sequence[Taken], rules: RuleSet, known_at: datetime) -> None:
        """The clocks as a set of limits would have them, had the order been from the beginning what it is at the end of
        the history; what differs is known from now on."""
        judged, kinds = OrderClocks(self.late_after), history[-1].kinds
        for taken in history:
            judged.take(dataclasses.replace(taken, kinds=kinds), rules)
        version = history[-1].message.order_version or 0
        for key in sorted({**self.present, **judged.present}):
            present, other = self.present.get(key), judged.present.get(key)
            if other is None and present is not None:
                # What is measured without a limit is in both, so this one had a limit that is no more.
                other = replace(present, state=VOID)
            if other is not None and (present is None or _said(present) != _said(other)):
                self._put_known(key, other, version=version, known_at=known_at, is_late=False)

    def rows(self) -> list[ClockRow]:
        """The rows that were added, each with the moment until which it was known."""
        closed = self.closed
        return [replace(row, until_known_at=closed[row.number]) if row.number in closed else row for row in self.added]

    def closing(self) -> list[tuple[str, int, datetime]]:
        """The rows of before that end with it: order, number and moment."""
        own = {row.number for row in self.added}
        return [(self.added[0].order_id, number, until) for number, until in self.closed.items() if number not in own]


_SAID = tuple(
    name
    for name in ClockRow.__struct_fields__
    if name not in ("number", "since_version", "since_known_at", "until_known_at", "is_late")
)
_said = attrgetter(*_SAID)


def _started(body: Any, stay: StayRow) -> list[tuple[SlaClock, int]]:
    if isinstance(body, e.WorkOrderCreated):
        return [(clock, 1) for clock in _FROM_CREATION]
    if isinstance(body, e.WorkOrderCompleted) and stay.completion_count == 1:
        return [(SlaClock.FOLLOW_UP, 1)]
    return [(SlaClock.ACCEPT, stay.dispatch_count)] if isinstance(body, e.WorkOrderDispatched) else []


_STOPPING: Mapping[type, Mapping[str, str]] = {
    e.WorkOrderDispatched: {SlaClock.DISPATCH: "dispatched"},
    e.WorkOrderAccepted: {SlaClock.ACCEPT: "accepted"},
    e.WorkOrderContacted: {SlaClock.CONTACT: "contacted"},
    e.WorkOrderStarted: {SlaClock.ACCEPT: "started", SlaClock.CONTACT: "started"},
    e.WorkOrderArrived: {SlaClock.ARRIVE: "arrived"},
    e.WorkOrderCompleted: {SlaClock.ARRIVE: "completed", SlaClock.COMPLETE: "completed"},
    e.WorkOrderArchived: dict.fromkeys((SlaClock.REPLY, SlaClock.RESTORE, SlaClock.FOLLOW_UP), "archived"),
}

MOVING = (
    e.WorkOrderCreated,
    *_STOPPING,
    e.WorkOrderReassigned,
    e.WorkOrderRejected,
    e.WorkOrderRecalled,
    e.WorkOrderCancelled,
    e.WorkOrderSuspended,
    e.WorkOrderResumed,
    e.WorkOrderExtended,
)
"""The events that change a clock at all."""


def _stopping(body: Any) -> Mapping[str, str]:
    """The clocks that an event stops, and its name."""
    found = _STOPPING.get(type(body), {})
    if not isinstance(body, e.WorkOrderCompleted):
        return found
    called_back = (SlaClock.REPLY, SlaClock.FOLLOW_UP) if body.is_called_back else ()
    resolved = (SlaClock.RESTORE,) if body.is_resolved else ()
    return {**found, **dict.fromkeys((*called_back, *resolved), "completed")}


def _changed(row: ClockRow, taken: Taken, rules: RuleSet) -> ClockRow | None:
    """What an event makes of a clock; None if nothing."""
    body = taken.message.body
    if row.state not in (RUNNING, PAUSED):
        return None
    if isinstance(body, e.WorkOrderReassigned) or (
        isinstance(body, e.WorkOrderDispatched) and row.clock != SlaClock.DISPATCH
    ):
        named = _named(taken)
        return None if all(getattr(row, name) == value for name, value in named.items()) else replace(row, **named)
    calendar = _calendar_of(row, rules)
    # A suspension that ended by itself, or before the recall, ended when it was to end.
    occurred_at = getattr(body, "ended_at", None) or taken.message.occurred_at
    at = max(occurred_at, row.began_at[-1], *row.ended_at[-1:])
    if row.clock in (stopping := _stopping(body)):
        return _stop(replace(row, **_named(taken)), at, stopping[row.clock], calendar)
    match body:
        case e.WorkOrderCancelled():
            return replace(row, state=VOID)
        case e.WorkOrderRejected() | e.WorkOrderRecalled() if row.clock == SlaClock.ACCEPT:
            return replace(row, state=VOID)
        case e.WorkOrderSuspended() if row.state == RUNNING:
            return _due(replace(row, state=PAUSED, ended_at=[*row.ended_at, at]), calendar)
        case e.WorkOrderResumed() | e.WorkOrderRecalled() if row.state == PAUSED:
            return _due(replace(row, state=RUNNING, began_at=[*row.began_at, at]), calendar)
        case e.WorkOrderExtended() if row.clock == body.clock and row.limit_us is not None:
            limit_us, count = row.limit_us + body.minutes * MINUTE_US, row.extension_count + 1
            return _due(replace(row, limit_us=limit_us, extension_count=count), calendar)
    return None


def _named(taken: Taken) -> dict[str, Any]:
    return {**{name: getattr(taken.stay, name) for name in _OF_THE_STAY}, **taken.kinds, "staff_id": taken.staff_id}


def _limit_of(clock: SlaClock, *, zone: str, kinds: Mapping[str, str], rules: RuleSet) -> Limit | None:
    urgency = Urgency(kinds["urgency"])
    return rules.limit(clock, zone=Zone(zone), demand_type=kinds["demand_type"], urgency=urgency)


def _calendar_of(row: ClockRow, rules: RuleSet) -> Any:
    kinds = {name: getattr(row, name) for name in KINDS}
    limit = _limit_of(SlaClock(row.clock), zone=row.zone, kinds=kinds, rules=rules)
    return limit.calendar if limit else None


def _due(row: ClockRow, calendar: Any) -> ClockRow:
    if row.limit_us is None:
        return row
    ends = [*row.ended_at, None] if len(row.ended_at) < len(row.began_at) else row.ended_at
    return replace(row, due_at=due_at(Limit(row.limit_us, calendar), zip(row.began_at, ends, strict=True)))


def _stop(row: ClockRow, at: datetime, by: str, calendar: Any) -> ClockRow:
    ends = [*row.ended_at, at] if len(row.ended_at) < len(row.began_at) else row.ended_at
    took = (at - row.began_at[0]) // MICROSECOND
    stopped = _due(replace(row, state=STOPPED, ended_at=ends), calendar)
    is_in_time = None if row.limit_us is None else stopped.due_at is None or at <= stopped.due_at
    return replace(stopped, is_in_time=is_in_time, stopped_at=at, stopped_by=by, microseconds=took)


def is_rejudging(taken: Taken) -> bool:
    """Whether the order is judged anew: as if it had been from its beginning what it is amended to."""
    return isinstance(taken.message.body, e.WorkOrderAmended) and bool(amended_kinds(taken.message.body))


def clocks_of(history: Sequence[Taken], rules: LimitHistory, late_after: timedelta) -> OrderClocks:
    """The clocks of an order from the whole of its events."""
    order_clocks, created_at = OrderClocks(late_after), history[0].stay.created_at
    later = rules.after(history[0].known_at, created_at)
    known_by = history[0].known_at
    for place, taken in enumerate(history):
        known_by = max(known_by, taken.known_at)
        while later and later[0] <= known_by:
            known_at = later.pop(0)
            order_clocks.reevaluate(history[:place], rules.known_by(known_at).of(created_at), known_at)
        order_clocks.take(taken, rules.known_by(known_by).of(created_at))
        if is_rejudging(taken):
            order_clocks.reevaluate(history[: place + 1], rules.known_by(known_by).of(created_at), known_by)
    for known_at in later:
        order_clocks.reevaluate(history, rules.known_by(known_at).of(created_at), known_at)
    return order_clocks
