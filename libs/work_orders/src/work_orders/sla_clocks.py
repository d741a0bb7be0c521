"""How far a clock has run, and when it will have run so far: over intervals of time, in a calendar.

Everything is in whole microseconds, so that two who count the same intervals come to the same number. A calendar
of None is around the clock. `reached` is the earliest moment at which `elapsed` is what was asked for, so "in time"
is the same whether one compares what has elapsed with the limit or the moment with the deadline.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from contracts.calendar import WorkingTime
from contracts.events import SlaClock, Zone
from contracts.limits import SHIPPED, TimeLimit, TimeLimitsDefined
from contracts.order import WorkOrder

MICROSECOND = timedelta(microseconds=1)
MINUTE_US = 60_000_000
_MINUTE, _ONE_DAY, _NO_TIME = timedelta(minutes=1), timedelta(days=1), timedelta()
_FAR_AHEAD = datetime(9999, 12, 30, tzinfo=UTC)
_LONG_AGO = datetime(2, 1, 1, tzinfo=UTC)
"""Closer to the ends of the calendar a moment has no local time in every zone."""
EXTENDABLE = (SlaClock.ARRIVE, SlaClock.COMPLETE, SlaClock.REPLY)
"""What a subscriber waits for; what the house owes itself is not put off."""


def elapsed_us(calendar: WorkingTime | None, begin: datetime, end: datetime) -> int:
    """Microseconds that count between two moments; none when the end is not after the beginning."""
    if calendar is None:
        return max((end - begin) // MICROSECOND, 0)
    return sum((min(until, end) - max(since, begin)) // MICROSECOND for since, until in _worked(calendar, begin, end))


def reached(calendar: WorkingTime | None, begin: datetime, needed_us: int) -> datetime:
    """The earliest moment, from the beginning on, until which so many microseconds count; in the year 9999 if never."""
    left = timedelta(microseconds=needed_us)
    if left <= timedelta():
        return begin
    if calendar is None:
        return begin + left if _FAR_AHEAD - begin > left else _FAR_AHEAD
    for since, until in _worked(calendar, begin, _FAR_AHEAD):
        since = max(since, begin)
        if until - since >= left:
            return since + left
        left -= until - since
    return _FAR_AHEAD


def _worked(calendar: WorkingTime, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The stretches of working time, in UTC, that share some time with those between two moments."""
    zone, hours, begin = calendar.zone, calendar.hours, max(begin, _LONG_AGO)
    if not hours or begin >= min(end, _FAR_AHEAD):
        return
    day = begin.astimezone(zone).date()
    last = min(end, _FAR_AHEAD).astimezone(zone).date()
    while day <= last:
        if calendar.is_working_day(day):
            midnight = datetime.combine(day, time(), zone)
            for part in hours:
                since = _moment_of(midnight + _MINUTE * part.begin_minute)
                until = _moment_of(midnight + _MINUTE * part.end_minute)
                if since < end and until > begin and since < until:
                    yield since, until
        day += _ONE_DAY


def _moment_of(wall: datetime) -> datetime:
    """When the clock on the wall shows it, the first time; where it is put forward over it, the moment of that."""
    shown = wall
    while (shown.utcoffset() or _NO_TIME) < (shown.replace(fold=1).utcoffset() or _NO_TIME):
        # No clock shows it. PEP 495 reads it by the offset of before, which is a moment after the change.
        shown -= _MINUTE
    return shown.astimezone(UTC) + (_MINUTE if shown != wall else _NO_TIME)


Run = tuple[datetime, datetime | None]
"""A clock ran from one moment until another; None: it runs."""


@dataclass(frozen=True, slots=True)
class Limit:
    us: int
    """Microseconds that count."""
    calendar: WorkingTime | None


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

    def limit(self, clock: SlaClock, *, zone: Zone, demand_type: str) -> Limit | None:
        """What holds for a clock of such an order: of the limits the first that fits."""
        for given in self.rules.limits:
            if given.clock is clock and given.zone in (None, zone) and given.demand_type in (None, demand_type):
                return self._limit_of(given)
        return None

    def _limit_of(self, given: TimeLimit) -> Limit | None:
        if given.minutes is None:
            return None
        return Limit(given.minutes * MINUTE_US, self.rules.calendar if given.is_working_time else None)


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


def deadline(order: WorkOrder, clock: SlaClock, sets: RuleSets, *, at: datetime) -> datetime | None:
    """When the limit of an extendable clock is over, extensions among it; None where no limit runs (any more).

    Of a suspended order: when it would be over if work went on at the moment `at`.
    """
    limit = sets.of(order.created.at).limit(clock, zone=order.zone, demand_type=order.demand_type)
    if limit is None or has_stopped(order, clock):
        return None
    limit = replace(limit, us=limit.us + extended_minutes(order, clock) * MINUTE_US)
    return due_at(limit, _runs(order, at))


def _runs(order: WorkOrder, at: datetime) -> Iterator[Run]:
    since = order.created.at
    for pause in order.pauses:
        yield since, max(since, pause.since)
        since = max(since, pause.since, pause.until)
    if order.suspension is not None:
        stopped_at = max(since, order.suspension.suspended.at)
        yield since, stopped_at
        since = max(stopped_at, at)
    yield since, None


def extended_minutes(order: WorkOrder, clock: SlaClock) -> int:
    return sum(extension.minutes for extension in order.extensions if extension.clock is clock)


def has_stopped(order: WorkOrder, clock: SlaClock) -> bool:
    """Whether an extendable clock has come to its end."""
    match clock:
        case SlaClock.ARRIVE:
            return bool(order.arrivals or order.completions)
        case SlaClock.COMPLETE:
            return bool(order.completions)
        case SlaClock.REPLY:
            return any(completion.is_called_back for completion in order.completions)
        case _:
            return True
