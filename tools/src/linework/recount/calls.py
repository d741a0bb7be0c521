"""Metrics of calls, from their published formulas."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from contracts import calls as c
from contracts.message import Message
from linework.recount.counting import CountedRow, Kind, Thresholds

_AGAIN_WITHIN = timedelta(days=7)
_WAITS = {c.CallAnswered: "answered", c.CallAbandoned: "abandoned", c.CallLost: "lost"}
_TALKS = {c.CallEnded: "ended", c.CallTransferred: "ended"}
_OTHERS = {
    c.CallQueued: "queued",
    c.AfterCallWorkEnded: "worked",
    c.CallRangUnanswered: "rang",
    c.CallHeld: "held",
    c.CallResumed: "resumed",
}
_SLOTS = {**_WAITS, **_TALKS, **_OTHERS}
_AGENT_ACTS = (
    c.CallAnswered,
    c.CallHeld,
    c.CallResumed,
    c.CallTransferred,
    c.CallEnded,
    c.AfterCallWorkEnded,
)


@dataclass(slots=True)
class Told:
    """A fact and when it happened."""

    fact: Any
    at: datetime


@dataclass(slots=True)
class Call:
    """Every fact of a call in its highest revision, in the order in which they became known."""

    call_id: str
    facts: dict[str, tuple[int, Told]] = field(default_factory=dict)

    def take(self, message: Message) -> None:
        fact = message.body
        known = self.facts.get(fact.fact_id)
        if known is None or fact.revision >= known[1].fact.revision:
            self.facts[fact.fact_id] = (message.entity_version or 0, Told(fact, message.occurred_at))

    def told(self) -> list[Told]:
        return [told for _, told in sorted(self.facts.values(), key=lambda known: known[0])]


@dataclass(slots=True)
class Leg:
    call_id: str
    number: int
    slots: dict[str, Told]
    own: list[Told]
    offered: Told | None
    rated: Told | None
    ways: frozenset[str]
    demand_type: str | None
    subscriber_id: str | None
    is_by_handler: bool = False
    """Names the agent who answered or dialled, not any that a fact speaks of."""

    @property
    def began(self) -> Told:
        return self.offered or min(self.own, key=lambda told: told.at)

    @property
    def moment(self) -> datetime:
        return (self.slots.get("queued") or self.began).at

    @property
    def outcome(self) -> str:
        if "answered" in self.slots:
            return "answered"
        left = [told for told in self.own if isinstance(told.fact, c.CallAbandoned | c.CallLost)]
        if left:
            return _SLOTS[type(left[-1].fact)]
        return "passed" if "ended" in self.slots and "queued" not in self.slots else "waiting"

    @property
    def names(self) -> dict[str, str | None]:
        later_first = [self.slots[name] for name in ("answered",) if name in self.slots] + self.own[::-1]
        queued_first = [self.slots[name] for name in ("queued",) if name in self.slots] + later_first + [self.began]
        whose = self.of_the_handler(later_first) if self.is_by_handler else later_first
        return {
            "queue": _given("queue", queued_first),
            "agent_id": _given("agent_id", whose),
            "team": _given("team", whose),
            "channel": self.began.fact.channel.value,
            "demand_type": self.demand_type,
            "direction": self.began.fact.direction.value,
        }

    def of_the_handler(self, told: list[Told]) -> list[Told]:
        """An inbound call belongs to the agent who answered it, or to none; an outbound one to who dialled it."""
        if self.began.fact.direction is c.Direction.OUTBOUND:
            return [*told, self.began]
        return [one for one in told if type(one.fact) in _AGENT_ACTS] if "answered" in self.slots else []

    @property
    def has_no_known_end(self) -> bool:
        """It is over, and it is not known since when."""
        end = self.slots.get("ended")
        if end is None or not isinstance(end.fact, c.CallEnded):
            return False
        return end.fact.reason is not c.EndReason.HUNG_UP and end.fact.talk_milliseconds is None

    @property
    def is_marked(self) -> bool:
        return any(told.fact.faults for told in [*self.own, *([self.offered] if self.offered else ())])

    @property
    def is_inbound(self) -> bool:
        return self.began.fact.direction is c.Direction.INBOUND and self.outcome != "passed"

    @property
    def wait(self) -> int | None:
        return _us(self.slots.get(self.outcome), "wait_milliseconds")

    @property
    def has_talked(self) -> bool:
        return "answered" in self.slots and "ended" in self.slots

    def part(self, slot: str, name: str) -> int | None:
        return _us(self.slots.get(slot), name) if slot != "ended" or self.has_talked else None


def _given(name: str, told: Iterable[Told]) -> Any:
    for one in told:
        value = getattr(one.fact, name)
        if value is not None:
            return value
    return None


def _us(told: Told | None, name: str) -> int | None:
    milliseconds = getattr(told.fact, name) if told else None
    return None if milliseconds is None else max(milliseconds, 0) * 1000


def legs_of(call: Call) -> Iterator[Leg]:
    told = call.told()
    offered = next((one for one in reversed(told) if isinstance(one.fact, c.CallOffered)), None)
    rated = next((one for one in reversed(told) if isinstance(one.fact, c.CallRated)), None)
    classified = [one for one in reversed(told) if isinstance(one.fact, c.CallClassified)][:1]
    ways = frozenset(one.fact.outcome.value for one in told if isinstance(one.fact, c.CallSettled))
    numbers = {one.fact.leg for one in told if type(one.fact) in _SLOTS} | ({1} if offered else set())
    for number in sorted(numbers):
        own = [one for one in told if type(one.fact) in _SLOTS and one.fact.leg == number]
        yield Leg(
            call_id=call.call_id,
            number=number,
            slots={_SLOTS[type(one.fact)]: one for one in own},
            own=own,
            offered=offered if number == 1 else None,
            rated=rated if number == 1 else None,
            ways=ways if number == 1 else frozenset(),
            demand_type=_given("demand_type", classified + told[::-1]),
            subscriber_id=_given("subscriber_id", classified + told[::-1]),
        )


Legs = list[Leg]
Measure = Callable[[Leg, Thresholds], Any]
LegRule = Callable[[Legs, Thresholds], Iterator[CountedRow]]


def _of_legs(where: Callable[[Leg], bool], above: Measure, below: Measure = lambda *_: 1) -> LegRule:
    def rule(legs: Legs, thresholds: Thresholds) -> Iterator[CountedRow]:
        for leg in legs:
            if where(leg):
                sums = above(leg, thresholds), below(leg, thresholds)
                yield CountedRow(leg.moment, leg.names, *sums, leg.is_marked)

    return rule


def _count(where: Callable[[Leg], bool]) -> tuple[Kind, LegRule]:
    return "count", _of_legs(where, lambda *_: 1)


def _short_abandons(legs: Legs, thresholds: Thresholds) -> Iterator[CountedRow]:
    for leg in legs:
        if leg.is_inbound and leg.outcome == "abandoned" and _within(leg, thresholds["short_seconds"]):
            yield CountedRow(leg.moment, leg.names, 1, 1, leg.is_marked)


def _within(leg: Leg, seconds: int) -> bool | None:
    """None: it is not known how long it waited."""
    return None if leg.wait is None else leg.wait <= seconds * 1_000_000


def _answered_in_time(leg: Leg, thresholds: Thresholds) -> bool | None:
    return leg.outcome == "answered" and _within(leg, thresholds["threshold_seconds"])


def _ended_in_time(leg: Leg, thresholds: Thresholds) -> bool | None:
    return leg.outcome in ("answered", "abandoned") and _within(leg, thresholds["threshold_seconds"])


def _or_abandoned_after(name: str) -> Measure:
    def below(leg: Leg, thresholds: Thresholds) -> bool | None:
        if leg.outcome != "abandoned":
            return leg.outcome == "answered"
        within = _within(leg, thresholds[name])
        return None if within is None else not within

    return below


def _abandoned_for_real(leg: Leg, thresholds: Thresholds) -> bool | None:
    return leg.outcome == "abandoned" and _or_abandoned_after("short_seconds")(leg, thresholds)


def _inbound(outcome: str) -> Callable[[Leg], bool]:
    return lambda leg: leg.is_inbound and leg.outcome == outcome


def _is_inbound(leg: Leg) -> bool:
    return leg.is_inbound


def _is(*outcomes: str) -> Measure:
    return lambda leg, _: leg.outcome in outcomes


def _handled(leg: Leg, _: Thresholds) -> int | None:
    talk = leg.part("ended", "talk_milliseconds")
    if talk is None:
        return None
    return talk + (leg.part("ended", "hold_milliseconds") or 0) + (leg.part("worked", "work_milliseconds") or 0)


def _first_contact_resolution(legs: Legs, _: Thresholds) -> Iterator[CountedRow]:
    calls: dict[str, list[tuple[datetime, str]]] = {}
    for leg in legs:
        if leg.number == 1 and leg.subscriber_id and leg.began.fact.direction is c.Direction.INBOUND:
            calls.setdefault(leg.subscriber_id, []).append((leg.moment, leg.call_id))
    for leg in legs:
        if not (leg.is_inbound and leg.outcome == "answered" and leg.number == 1 and leg.subscriber_id and leg.ways):
            continue
        own = (leg.moment, leg.call_id)
        again = any(own < other and other[0] <= leg.moment + _AGAIN_WITHIN for other in calls[leg.subscriber_id])
        yield CountedRow(leg.moment, leg.names, leg.ways == {"answered"} and not again, 1, leg.is_marked)


RULES: Mapping[tuple[str, int], tuple[Kind, LegRule]] = {
    ("calls_received", 1): _count(
        lambda leg: leg.offered is not None and leg.began.fact.direction is c.Direction.INBOUND
    ),
    ("calls_offered", 1): _count(_is_inbound),
    ("calls_answered", 1): _count(_inbound("answered")),
    ("calls_abandoned", 1): _count(_inbound("abandoned")),
    ("short_abandons", 1): ("count", _short_abandons),
    ("calls_lost", 1): _count(_inbound("lost")),
    ("calls_made", 1): _count(lambda leg: leg.began.fact.direction is c.Direction.OUTBOUND),
    ("connect_rate", 1): ("ratio", _of_legs(_is_inbound, _is("answered"))),
    ("service_level_1", 1): ("ratio", _of_legs(_is_inbound, _ended_in_time)),
    ("service_level_2", 1): ("ratio", _of_legs(_is_inbound, _answered_in_time, _is("answered"))),
    ("service_level_3", 1): ("ratio", _of_legs(_is_inbound, _answered_in_time, _is("answered", "abandoned"))),
    ("service_level_4", 1): (
        "ratio",
        _of_legs(_is_inbound, _answered_in_time, _or_abandoned_after("threshold_seconds")),
    ),
    ("service_level_5", 1): ("ratio", _of_legs(_is_inbound, _answered_in_time, _or_abandoned_after("short_seconds"))),
    ("abandonment_rate", 1): ("ratio", _of_legs(_is_inbound, _abandoned_for_real)),
    ("speed_of_answer", 1): ("distribution", _of_legs(_inbound("answered"), lambda leg, _: leg.wait)),
    ("time_to_abandon", 1): ("distribution", _of_legs(_inbound("abandoned"), lambda leg, _: leg.wait)),
    ("talk_time", 1): (
        "distribution",
        _of_legs(lambda leg: leg.has_talked, lambda leg, _: leg.part("ended", "talk_milliseconds")),
    ),
    ("hold_time", 1): (
        "distribution",
        _of_legs(
            lambda leg: leg.part("ended", "hold_milliseconds") is not None,
            lambda leg, _: leg.part("ended", "hold_milliseconds"),
        ),
    ),
    ("after_call_work", 1): (
        "distribution",
        _of_legs(
            lambda leg: leg.part("worked", "work_milliseconds") is not None,
            lambda leg, _: leg.part("worked", "work_milliseconds"),
        ),
    ),
    ("handle_time", 1): ("distribution", _of_legs(lambda leg: leg.has_talked, _handled)),
    ("first_contact_resolution", 1): ("ratio", _first_contact_resolution),
    ("satisfaction", 1): (
        "ratio",
        _of_legs(
            lambda leg: leg.rated is not None and leg.rated.fact.score is not None,
            lambda leg, _: leg.rated.fact.score,
            lambda leg, _: leg.rated.fact.highest,
        ),
    ),
    ("satisfaction_response_rate", 1): (
        "ratio",
        _of_legs(lambda leg: leg.rated is not None, lambda leg, _: leg.rated.fact.score is not None),
    ),
}
"""By metric and version."""
