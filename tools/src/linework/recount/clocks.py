"""Metrics of clocks, from their published formulas.

There are no running totals: each clock is derived from all events of its order and laid out day by day, and the time
elapsed until a moment decides whether the limit was exceeded.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts import events as e
from contracts.calendar import WorkingTime
from contracts.events import SlaClock
from contracts.limits import SHIPPED, TimeLimit, TimeLimitsDefined
from contracts.message import Message
from contracts.order import WorkOrder
from linework.recount.counting import CountedRow, Kind, Thresholds
from linework.recount.orders import names_of

_MICROSECOND = timedelta(microseconds=1)
_LONG_AGO, _FOREVER = datetime(2, 1, 1, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)


@dataclass(slots=True)
class Happened:
    body: Any
    at: datetime
    names: Mapping[str, str | None]
    """The order's after it."""


@dataclass(slots=True)
class OrderLog:
    """Everything that happened to an order."""

    order: WorkOrder
    """As it is now: an amended order is judged, and counted, as if it had always been so."""
    events: list[Happened] = field(default_factory=list)


@dataclass(slots=True)
class Timed:
    """One clock of an order: when it ran, and how it ended."""

    clock: SlaClock
    limit: TimeLimit | None
    calendar: WorkingTime
    allowed: timedelta
    began: datetime
    spans: list[tuple[datetime, datetime | None]]
    stopped: datetime | None = None
    stopped_by: type | None = None
    is_void: bool = False
    is_extended: bool = False
    names: Mapping[str, str | None] = field(default_factory=dict)

    def is_over_before(self, moment: datetime) -> bool:
        """Whether all that is allowed had elapsed before a moment."""
        return self.elapsed(moment - _MICROSECOND) >= self.allowed

    def elapsed(self, until: datetime) -> timedelta:
        worked = timedelta()
        for begin, end in self.spans:
            end = until if end is None else min(end, until)
            if begin < end:
                worked += _counted(self.calendar, begin, end) if self._is_working_time else end - begin
        return worked

    @property
    def _is_working_time(self) -> bool:
        return self.limit is not None and self.limit.is_working_time


def _counted(calendar: WorkingTime, begin: datetime, end: datetime) -> timedelta:
    """What two moments have between them of working time: each day's parts, cut to lie between."""
    counted, zone = timedelta(), calendar.zone
    begin, end = max(begin, _LONG_AGO), min(end, _FOREVER)
    first, last = begin.astimezone(zone).date(), end.astimezone(zone).date()
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        is_off = day.weekday() in calendar.days_off or day in calendar.holidays
        if is_off and day not in calendar.make_up_days:
            continue
        for part in calendar.hours:
            opens, closes = (_wall_clock(day, minute, zone) for minute in (part.begin_minute, part.end_minute))
            counted += max(min(closes, end) - max(opens, begin), timedelta())
    return counted


def _wall_clock(day: Any, minute: int, zone: Any) -> datetime:
    """The first moment at which a clock shows it, or is past it because it is put forward."""
    wall = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(minutes=minute)
    moment = min(wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    while moment.astimezone(zone) < wall:
        moment += timedelta(minutes=1)
    return moment


_STOPS: Mapping[SlaClock, tuple[type, ...]] = {
    SlaClock.DISPATCH: (e.WorkOrderDispatched,),
    SlaClock.ACCEPT: (e.WorkOrderAccepted, e.WorkOrderStarted),
    SlaClock.CONTACT: (e.WorkOrderContacted, e.WorkOrderStarted),
    SlaClock.ARRIVE: (e.WorkOrderArrived, e.WorkOrderCompleted),
    SlaClock.COMPLETE: (e.WorkOrderCompleted,),
    SlaClock.REPLY: (e.WorkOrderCompleted, e.WorkOrderArchived),
    SlaClock.RESTORE: (e.WorkOrderCompleted, e.WorkOrderArchived),
    SlaClock.FOLLOW_UP: (e.WorkOrderCompleted, e.WorkOrderArchived),
}


def _is_end(clock: SlaClock, body: Any) -> bool:
    if isinstance(body, e.WorkOrderCompleted) and clock in (SlaClock.REPLY, SlaClock.FOLLOW_UP):
        return body.is_called_back
    if isinstance(body, e.WorkOrderCompleted) and clock is SlaClock.RESTORE:
        return body.is_resolved
    return isinstance(body, _STOPS[clock])


def _is_end_of_nothing(clock: SlaClock, body: Any) -> bool:
    return isinstance(body, e.WorkOrderCancelled) or (
        clock is SlaClock.ACCEPT and isinstance(body, e.WorkOrderRejected | e.WorkOrderRecalled)
    )


class Clocks:
    """Every order's events, and every set of limits."""

    def __init__(self) -> None:
        self._logs: dict[str, OrderLog] = {}
        self._sets: dict[int, TimeLimitsDefined] = {}

    def take(self, message: Message, after: WorkOrder) -> None:
        log = self._logs.setdefault(after.id, OrderLog(after))
        log.order = after
        log.events.append(Happened(message.body, message.occurred_at, names_of(after)))

    def take_limits(self, message: Message) -> None:
        self._sets[message.entity_version or 0] = message.body

    def entries(self, metric: str, at: datetime, thresholds: Mapping[str, int]) -> Iterator[CountedRow]:
        return RULES[metric][1](self._every_clock(), at, thresholds)

    def _every_clock(self) -> Iterator[Timed]:
        for log in self._logs.values():
            rules = self._rules_for(log.order.created.at)
            for place in range(len(log.events)):
                for clock in _started(log, place):
                    yield _followed(log, place, clock, rules)

    def _rules_for(self, created_at: datetime) -> TimeLimitsDefined:
        fitting = [version for version, rules in self._sets.items() if rules.applies_from <= created_at]
        return self._sets[max(fitting)] if fitting else SHIPPED


def _started(log: OrderLog, place: int) -> list[SlaClock]:
    match log.events[place].body:
        case e.WorkOrderDispatched():
            return [SlaClock.ACCEPT]
        case e.WorkOrderCompleted():
            is_first = not any(isinstance(one.body, e.WorkOrderCompleted) for one in log.events[:place])
            return [SlaClock.FOLLOW_UP] if is_first else []
    return [clock for clock in SlaClock if clock not in (SlaClock.ACCEPT, SlaClock.FOLLOW_UP)] if place == 0 else []


def _limit_for(log: OrderLog, clock: SlaClock, rules: TimeLimitsDefined) -> TimeLimit | None:
    zone, demand_type, urgency = log.order.zone, log.order.demand_type, log.order.urgency
    for limit in rules.limits:
        is_for_it = limit.zone in (None, zone) and limit.demand_type in (None, demand_type)
        is_for_it = is_for_it and limit.urgency in (None, urgency)
        if limit.clock is clock and is_for_it:
            return limit if limit.minutes is not None else None
    return None


def _calendar_for(limit: TimeLimit | None, rules: TimeLimitsDefined) -> WorkingTime:
    named = {one.calendar_id: one.working_time for one in rules.calendars}
    return named.get(limit.calendar_id or "", rules.calendar) if limit else rules.calendar


def _followed(log: OrderLog, place: int, clock: SlaClock, rules: TimeLimitsDefined) -> Timed:
    """A clock from the event that starts it on; the completion that starts a follow-up may be its end as well."""
    began, limit = log.events[place].at, _limit_for(log, clock, rules)
    allowed = timedelta(minutes=limit.minutes or 0) if limit else timedelta.max
    calendar, names = _calendar_for(limit, rules), _as_amended(log.events[place].names, log.order)
    timed = Timed(clock, limit, calendar, allowed, began, [(began, None)], names=names)
    latest = began  # never before its own latest change
    for happened in log.events[place if clock is SlaClock.FOLLOW_UP else place + 1 :]:
        body, moment = happened.body, max(happened.at, latest)
        if isinstance(body, e.WorkOrderResumed | e.WorkOrderRecalled) and body.ended_at is not None:
            moment = max(body.ended_at, latest)
        is_running = timed.spans[-1][1] is None
        timed.names = _as_amended(happened.names, log.order)
        if _is_end(clock, body):
            timed.stopped, timed.stopped_by, latest = moment, type(body), moment
        elif _is_end_of_nothing(clock, body):
            timed.is_void = True
        elif isinstance(body, e.WorkOrderExtended) and body.clock is clock and limit:
            timed.allowed += timedelta(minutes=body.minutes)
            timed.is_extended = True
        elif isinstance(body, e.WorkOrderResumed | e.WorkOrderRecalled) and not is_running:
            timed.spans.append((moment, None))
            latest = moment
        rests = timed.stopped is not None or isinstance(body, e.WorkOrderSuspended)
        if rests and is_running:
            timed.spans[-1] = (timed.spans[-1][0], moment)
            latest = moment
        if timed.stopped or timed.is_void:
            break
    return timed


def _as_amended(names: Mapping[str, str | None], order: WorkOrder) -> dict[str, str | None]:
    return {**names, "demand_type": order.demand_type, "device_type": order.device_type, "urgency": order.urgency.value}


ClockRule = Callable[[Iterable[Timed], datetime, Thresholds], Iterator[CountedRow]]


def _stopped(above: Callable[[Timed], bool]) -> ClockRule:
    def rule(clocks: Iterable[Timed], _: datetime, __: Thresholds) -> Iterator[CountedRow]:
        for timed in clocks:
            if timed.limit and timed.stopped and not timed.is_void:
                yield CountedRow(timed.stopped, _named(timed), int(above(timed)), 1)

    return rule


def _times(where: Callable[[Timed], bool]) -> ClockRule:
    def rule(clocks: Iterable[Timed], _: datetime, __: Thresholds) -> Iterator[CountedRow]:
        for timed in clocks:
            if timed.stopped and where(timed):
                yield CountedRow(timed.stopped, _named(timed), (timed.stopped - timed.began) // _MICROSECOND, 1)

    return rule


def _ran(clocks: Iterable[Timed], _: datetime, __: Thresholds) -> Iterator[CountedRow]:
    for timed in clocks:
        if timed.limit and timed.stopped and not timed.is_void:
            ran = sum((end - begin for begin, end in timed.spans if end), timedelta())
            yield CountedRow(timed.stopped, _named(timed), ran // _MICROSECOND, 1)


def _standing(counts: Callable[[Timed, datetime, Thresholds], bool]) -> ClockRule:
    def rule(clocks: Iterable[Timed], at: datetime, thresholds: Thresholds) -> Iterator[CountedRow]:
        for timed in clocks:
            if timed.limit and not timed.stopped and not timed.is_void and counts(timed, at, thresholds):
                yield CountedRow(None, _named(timed), 1, 1)

    return rule


def _is_near(timed: Timed, at: datetime, thresholds: Thresholds) -> bool:
    is_running = timed.spans[-1][1] is None
    soon = at + timedelta(seconds=thresholds["near_seconds"])
    return is_running and not timed.is_over_before(at) and timed.elapsed(soon) >= timed.allowed


def _named(timed: Timed) -> Mapping[str, str | None]:
    return {**timed.names, "clock": timed.clock.value}


RULES: Mapping[str, tuple[Kind, ClockRule]] = {
    "in_time": ("ratio", _stopped(lambda timed: not timed.is_over_before(timed.stopped or _FOREVER))),
    "extension_rate": ("ratio", _stopped(lambda timed: timed.is_extended)),
    "arrival_time": (
        "distribution",
        _times(lambda timed: timed.clock is SlaClock.ARRIVE and timed.stopped_by is e.WorkOrderArrived),
    ),
    "reply_time": ("distribution", _times(lambda timed: timed.clock is SlaClock.REPLY and timed.limit is not None)),
    "first_contact_time": (
        "distribution",
        _times(lambda timed: timed.clock is SlaClock.CONTACT and timed.limit is not None),
    ),
    "clock_time": ("distribution", _ran),
    "near_limit": ("count", _standing(_is_near)),
    "over_limit": ("count", _standing(lambda timed, at, _: timed.is_over_before(at))),
}
"""By metric; each in its first version."""
