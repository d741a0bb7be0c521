"""The clocks of an order: how far each has run, when its limit is over, and what moves it.

Everything follows from the order, the sets of limits and a moment. reporting folds the same clocks from events, with
the times at which they were known; a test holds the two against each other.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from contracts.calendar import WorkingTime
from contracts.events import SlaClock, Urgency, Zone
from contracts.lifecycle import Status
from contracts.limits import SHIPPED, TimeLimit, TimeLimitsDefined
from contracts.order import Done, WorkOrder
from work_orders.working_time import elapsed_us, reached

MINUTE_US = 60_000_000
EXTENDABLE = (SlaClock.ARRIVE, SlaClock.COMPLETE, SlaClock.REPLY)
"""What a subscriber waits for; what the house owes itself is not put off."""

Run = tuple[datetime, datetime | None]
"""A clock ran from one moment until another; None: it runs."""


@dataclass(frozen=True, slots=True)
class Limit:
    us: int
    """Microseconds that count."""
    calendar: WorkingTime | None

    @property
    def covered_until(self) -> date | None:
        """Until when the days off of the calendar are known."""
        return self.calendar.covered_until if self.calendar else None


def due_at(limit: Limit, runs: Iterable[Run]) -> datetime | None:
    """When the clock has run, or will have run, for as long as it may; None if it stopped or rests before."""
    needed = limit.us
    for since, until in runs:
        if until is None:
            return reached(limit.calendar, since, needed)
        gone = elapsed_us(limit.calendar, since, until)
        if gone >= needed:
            return reached(limit.calendar, since, needed)
        needed -= gone
    return None


@dataclass(frozen=True, slots=True)
class RuleSet:
    """A set of limits and its version; 0 is what was shipped."""

    version: int
    rules: TimeLimitsDefined
    _limits: dict[tuple[Zone, str, Urgency], Mapping[SlaClock, Limit]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def limit(self, clock: SlaClock, *, zone: Zone, demand_type: str, urgency: Urgency) -> Limit | None:
        """What holds for a clock of such an order."""
        return self.limits(zone=zone, demand_type=demand_type, urgency=urgency).get(clock)

    def limits(self, *, zone: Zone, demand_type: str, urgency: Urgency) -> Mapping[SlaClock, Limit]:
        """The limits of such an order by clock: of each clock the first that fits."""
        kind = zone, demand_type, urgency
        known = self._limits.get(kind)
        if known is None:
            if len(self._limits) > _MOST_KINDS:
                self._limits.clear()
            known = self._limits[kind] = self._find_limits(*kind)
        return known

    def _find_limits(self, zone: Zone, demand_type: str, urgency: Urgency) -> Mapping[SlaClock, Limit]:
        first: dict[SlaClock, TimeLimit] = {}
        for given in self.rules.limits:
            is_for_kind = given.zone in (None, zone) and given.demand_type in (None, demand_type)
            if is_for_kind and given.urgency in (None, urgency):
                first.setdefault(given.clock, given)
        return {clock: limit for clock, given in first.items() if (limit := self._limit_of(given)) is not None}

    def _limit_of(self, given: TimeLimit) -> Limit | None:
        if given.minutes is None:
            return None
        us = given.minutes * MINUTE_US
        if not given.is_working_time:
            return Limit(us, None)
        for named in self.rules.calendars:
            if named.calendar_id == given.calendar_id:
                return Limit(us, named.working_time)
        return Limit(us, self.rules.calendar)


_MOST_KINDS = 10_000
_SHIPPED = RuleSet(0, SHIPPED)


@dataclass(frozen=True, slots=True)
class RuleSets:
    """Every set of limits that is known, by version."""

    defined: tuple[RuleSet, ...] = ()

    def of(self, created_at: datetime) -> RuleSet:
        """The newest set that applies to an order created then."""
        return next((one for one in reversed(self.defined) if one.rules.applies_from <= created_at), _SHIPPED)

    @property
    def newest(self) -> RuleSet:
        return self.defined[-1] if self.defined else _SHIPPED

    @classmethod
    def known(cls, sets: Iterable[RuleSet]) -> "RuleSets":
        return cls(tuple(sorted(sets, key=lambda one: one.version)))


SHIPPED_ONLY = RuleSets()


class Phase(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockState:
    """One clock of an order at a moment."""

    clock: SlaClock
    phase: Phase
    began_at: datetime
    limit: Limit
    """With extensions."""
    used_us: int
    due_at: datetime | None
    """When the limit is over, or was; None while it rests, and of one that stopped before."""
    stopped_at: datetime | None
    rules_version: int
    """The set of limits that it is judged by."""

    @property
    def left_us(self) -> int:
        """Below zero once the limit is over."""
        return self.limit.us - self.used_us

    @property
    def is_in_time(self) -> bool | None:
        """Whether it stopped within its limit; None while it has not stopped."""
        if self.stopped_at is None:
            return None
        return self.due_at is None or self.stopped_at <= self.due_at


def clocks_of(order: WorkOrder, sets: RuleSets, *, at: datetime) -> tuple[ClockState, ...]:
    """Every clock of the order that has a limit, as it stands at a moment; of `accept` that of the latest dispatch.

    What ended without a result has none: a cancelled order keeps the clocks that had stopped.
    """
    rules = sets.of(order.created.at)
    limits = rules.limits(zone=order.zone, demand_type=order.demand_type, urgency=order.urgency)
    found = []
    for clock, began_at, stopped_at in _lives(order) if limits else ():
        limit = limits.get(clock)
        if limit is not None:
            minutes = extended_minutes(order, clock, until=stopped_at)
            limit = replace(limit, us=limit.us + minutes * MINUTE_US) if minutes else limit
            found.append(_state(order, clock, began_at, stopped_at, limit=limit, at=at, rules_version=rules.version))
    return tuple(found)


Deadline = tuple[str, datetime | None]
"""An order, and when the next limit of it is over, or was."""


def next_due_at(order: WorkOrder, sets: RuleSets) -> datetime | None:
    """The earliest moment at which a limit of a running clock is over, or was; None while nothing runs."""
    if order.suspension is not None or order.status in _CLOSED:
        return None
    # How much is used at which moment makes no difference to when a running clock is due.
    clocks = clocks_of(order, sets, at=order.created.at)
    return min((one.due_at for one in clocks if one.phase is Phase.RUNNING and one.due_at is not None), default=None)


_CLOSED = (Status.ARCHIVED, Status.CANCELLED)
Life = tuple[SlaClock, datetime, datetime | None]
"""A clock, when it began and when it stopped."""


def _lives(order: WorkOrder) -> Iterator[Life]:
    """The clocks that run, and those that came to their end."""
    for life in _all_lives(order):
        if life[2] is not None or order.status is not Status.CANCELLED:
            yield life


def _all_lives(order: WorkOrder) -> Iterator[Life]:
    created_at, completions = order.created.at, order.completions
    completed_at = completions[0].completed.at if completions else None
    archived_at = _moment_of(order.archived)
    on_site = [one.arrived.at for one in order.arrivals[:1]]
    resolved = next((one.completed.at for one in completions if one.is_resolved), archived_at)
    called_back = next((one.completed.at for one in completions if one.is_called_back), archived_at)
    yield SlaClock.DISPATCH, created_at, order.earliest_dispatch
    if order.assignment is not None and (order.started is not None or order.status is Status.DISPATCHED):
        accepted_at = _earlier(_moment_of(order.accepted), _moment_of(order.started))
        yield SlaClock.ACCEPT, order.assignment.dispatched.at, accepted_at
    contacted_at = order.contacts[0].contacted.at if order.contacts else None
    yield SlaClock.CONTACT, created_at, _earlier(contacted_at, order.earliest_start)
    yield SlaClock.ARRIVE, created_at, min((*on_site, *(one.completed.at for one in completions[:1])), default=None)
    yield SlaClock.COMPLETE, created_at, completed_at
    yield SlaClock.RESTORE, created_at, resolved
    yield SlaClock.REPLY, created_at, called_back
    if completed_at is not None:
        yield SlaClock.FOLLOW_UP, completed_at, called_back


def _earlier(*moments: datetime | None) -> datetime | None:
    return min(filter(None, moments), default=None)


def _moment_of(done: Done | None) -> datetime | None:
    return done.at if done else None


def _state(
    order: WorkOrder,
    clock: SlaClock,
    began_at: datetime,
    stopped_at: datetime | None,
    *,
    limit: Limit,
    at: datetime,
    rules_version: int,
) -> ClockState:
    runs, stopped_at = _runs(order, began_at, stopped_at)
    is_paused = stopped_at is None and order.suspension is not None
    phase = Phase.STOPPED if stopped_at is not None else Phase.PAUSED if is_paused else Phase.RUNNING
    used = sum(elapsed_us(limit.calendar, since, at if until is None else until) for since, until in runs)
    return ClockState(
        clock=clock,
        phase=phase,
        began_at=began_at,
        limit=limit,
        used_us=used,
        due_at=due_at(limit, runs),
        stopped_at=stopped_at,
        rules_version=rules_version,
    )


def _runs(order: WorkOrder, began_at: datetime, stopped_at: datetime | None) -> tuple[list[Run], datetime | None]:
    """When a clock ran, and when it stopped: never before its own latest change."""
    runs: list[Run] = []
    since = began_at
    for pause in order.pauses:
        if stopped_at is not None and pause.since >= stopped_at:
            break
        if pause.until <= began_at:
            continue
        paused_at = max(since, pause.since)
        runs.append((since, paused_at))
        since = max(paused_at, pause.until)
        if stopped_at is not None and stopped_at < since:
            return runs, max(stopped_at, paused_at)  # it stopped while it rested
    suspended_at = _moment_of(order.suspension.suspended) if order.suspension else None
    if suspended_at is not None and (stopped_at is None or suspended_at < stopped_at):
        paused_at = max(since, suspended_at)
        runs.append((since, paused_at))
        return runs, None if stopped_at is None else max(stopped_at, paused_at)
    stopped_at = None if stopped_at is None else max(stopped_at, since)
    runs.append((since, stopped_at))
    return runs, stopped_at


def deadline(order: WorkOrder, clock: SlaClock, sets: RuleSets, *, at: datetime) -> datetime | None:
    """When the limit of an extendable clock is over, extensions among it; None where no limit runs (any more).

    Of a suspended order: when it would be over if work went on at the moment `at`.
    """
    if clock not in EXTENDABLE:
        return None
    found = next((one for one in clocks_of(order, sets, at=at) if one.clock is clock), None)
    if found is None or found.phase is Phase.STOPPED:
        return None
    if found.due_at is not None:
        return found.due_at
    assert order.suspension is not None
    return reached(found.limit.calendar, max(at, order.suspension.suspended.at), found.left_us)


def extended_minutes(order: WorkOrder, clock: SlaClock, *, until: datetime | None = None) -> int:
    """What extensions have added to a limit; after a clock has stopped they add nothing."""
    return sum(
        one.minutes for one in order.extensions if one.clock is clock and (until is None or one.extended.at <= until)
    )
