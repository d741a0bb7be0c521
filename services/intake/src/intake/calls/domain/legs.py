"""The legs of a call: each stay in a queue and with the agent who answers from it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from contracts import calls as c
from contracts import partners as p

CLOSINGS = (p.PartnerCallTransferred, p.PartnerCallEnded)
WITHOUT_AGENT = (p.PartnerCallOffered, p.PartnerCallQueued, p.PartnerCallAbandoned, p.PartnerCallLost)
_CHANGES_TALK = (p.PartnerCallAnswered, p.PartnerCallHeld, p.PartnerCallResumed)
_RANK: Mapping[type, int] = {p.PartnerCallOffered: 0, p.PartnerCallEnded: 2, p.PartnerAfterCallWorkEnded: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFact:
    """A fact of a call, from its switch or from intake: a partner's event, or a fact that is published as it is."""

    fact_id: str
    event_id: str
    occurred_at: datetime
    received_at: datetime
    said: Any
    revision: int = 0
    """How often it was published."""
    published: c.CallFact | None = None

    @property
    def leg(self) -> int:
        leg: int = self.said.leg
        return leg

    def as_published(self, body: c.CallFact) -> "KnownFact":
        """The fact once this is published of it, as its next revision."""
        revision = self.revision + 1
        published = body if body.revision == revision else replace(body, revision=revision)
        return replace(self, revision=revision, published=published)


@dataclass(frozen=True, slots=True)
class Agent:
    agent_id: str
    team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is known of a call beside its facts."""

    partner_id: str | None = None
    reference: str | None = None
    subscriber_id: str | None = None
    demand_type: str | None = None
    agents: Mapping[str, Agent] = field(default_factory=dict)
    """By the name that the partner has for them."""
    demand_types: Collection[str] = ()
    """Those on the list of demand types, as far as the call's switch names any."""


class CallState(StrEnum):
    OFFERED = "offered"
    WAITING = "waiting"
    TALKING = "talking"
    HELD = "held"
    ENDED = "ended"
    TRANSFERRED = "transferred"
    ABANDONED = "abandoned"
    LOST = "lost"


class Leg:
    """One stay in a queue and with an agent."""

    def __init__(self, number: int, facts: Sequence[KnownFact], offered: KnownFact | None) -> None:
        self.number = number
        self.offered = offered
        self.facts = facts
        self.queued = _first(facts, p.PartnerCallQueued)
        self.answered = _first(facts, p.PartnerCallAnswered)
        self.abandoned = _first(facts, p.PartnerCallAbandoned)
        self.lost = _first(facts, p.PartnerCallLost)
        self.closing = _first(facts, *CLOSINGS)
        self.queue = next((fact.said.queue for fact in facts if fact.said.queue), None)
        with_agent = [
            fact for fact in facts if not isinstance(fact.said, (*WITHOUT_AGENT, p.PartnerCallRangUnanswered))
        ]
        own = [self.answered, *with_agent] if self.answered else with_agent
        self.agent = next((fact.said.agent for fact in own if getattr(fact.said, "agent", None)), None)

    @property
    def began(self) -> KnownFact | None:
        """From when on the caller waited."""
        return self.queued or (self.offered if self.number == 1 else None)

    @property
    def end(self) -> KnownFact | None:
        return self.closing or self.abandoned or self.lost

    @property
    def is_contradictory(self) -> bool:
        ways = (self.answered or self.closing, self.abandoned, self.lost)
        return sum(way is not None for way in ways) > 1 or len({type(fact.said) for fact in self.closings()}) > 1

    def closings(self) -> list[KnownFact]:
        return [fact for fact in self.facts if isinstance(fact.said, CLOSINGS)]

    def holds(self) -> dict[str, int | None]:
        """How long each hold was, by the fact that ended it; an unfinished one under the leg's closing."""
        found: dict[str, int | None] = {}
        held_at: datetime | None = None
        for fact in self.facts:
            if isinstance(fact.said, p.PartnerCallHeld):
                held_at = held_at or fact.occurred_at
            elif isinstance(fact.said, p.PartnerCallResumed | p.PartnerCallTransferred | p.PartnerCallEnded):
                if isinstance(fact.said, p.PartnerCallResumed) or held_at is not None:
                    found[fact.fact_id] = between(held_at, fact.occurred_at)
                held_at = None
        return found

    def hold_milliseconds(self, closing: KnownFact) -> int | None:
        """None where it is unknown: no sum, no hold and no `holds_reported` was sent, or the end is unknown."""
        measured: int | None = closing.said.hold_milliseconds
        if measured is not None:
            return measured
        holds = self.holds()
        is_reported = self.offered is not None and self.offered.said.holds_reported
        if _is_cut_off(closing) or not (holds or is_reported):
            return None
        return sum(length or 0 for length in holds.values())

    def talk_milliseconds(self, closing: KnownFact) -> int | None:
        """None when it is unknown: the switch stopped, or no answer is known."""
        measured: int | None = closing.said.talk_milliseconds
        if measured is not None:
            return measured
        if self.answered is None or _is_cut_off(closing):
            return None
        whole = between(self.answered.occurred_at, closing.occurred_at) or 0
        # Unreported holds are part of the talk.
        return max(0, whole - (self.hold_milliseconds(closing) or 0))

    def wait_milliseconds(self, fact: KnownFact) -> int | None:
        measured: int | None = fact.said.wait_milliseconds
        if measured is not None:
            return measured
        if getattr(fact.said, "reason", None) in (c.LossReason.SWITCH_STOPPED, c.LossReason.NO_END_REPORTED):
            return None
        return between(self.began.occurred_at, fact.occurred_at) if self.began else None

    def state(self) -> CallState:
        if self.end is not None:
            return {
                p.PartnerCallTransferred: CallState.TRANSFERRED,
                p.PartnerCallEnded: CallState.ENDED,
                p.PartnerCallAbandoned: CallState.ABANDONED,
                p.PartnerCallLost: CallState.LOST,
            }[type(self.end.said)]
        last = next((fact for fact in reversed(self.facts) if isinstance(fact.said, _CHANGES_TALK)), None)
        if last is not None:
            return CallState.HELD if isinstance(last.said, p.PartnerCallHeld) else CallState.TALKING
        return CallState.WAITING if self.queued else CallState.OFFERED


def _is_cut_off(closing: KnownFact) -> bool:
    """Whether it is known that the talk ended, and not when."""
    return getattr(closing.said, "reason", c.EndReason.HUNG_UP) is not c.EndReason.HUNG_UP


def between(start: datetime | None, end: datetime) -> int | None:
    """Whole milliseconds, never less than none."""
    if start is None:
        return None
    return max(0, (end - start) // timedelta(milliseconds=1))


def _first(facts: Iterable[KnownFact], *shapes: type) -> KnownFact | None:
    return next((fact for fact in facts if isinstance(fact.said, shapes)), None)


@dataclass(frozen=True, slots=True)
class LaidOut:
    """A call's facts in the order in which they happened, whatever that in which they came."""

    facts: Sequence[KnownFact]
    legs: Mapping[int, Leg]
    offered: KnownFact | None


def lay_out(facts: Sequence[KnownFact]) -> LaidOut:
    # Of two facts of the same moment the one received first comes first: a switch sends them in order.
    said = sorted(
        (fact for fact in facts if isinstance(fact.said, p.PartnerCallEvent)),
        key=lambda fact: (fact.occurred_at, _RANK.get(type(fact.said), 1), fact.received_at),
    )
    offered = _first(said, p.PartnerCallOffered)
    by_leg: dict[int, list[KnownFact]] = {}
    for fact in said:
        by_leg.setdefault(fact.leg, []).append(fact)
    return LaidOut(facts, {number: Leg(number, by_leg[number], offered) for number in sorted(by_leg)}, offered)
