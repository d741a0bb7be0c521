"""A call: it takes facts from its switch and from agents, and determines what has to be published of them.

Reports of a switch may arrive late, twice or out of order, so the state is computed from all facts each time.
A fact that changes thereby is published again as its next revision.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from contracts import calls as c
from contracts import partners as p
from contracts.events import Channel
from intake.calls.domain.facts import Summary, assumed_end, close_open_leg, fold, is_news, summarise
from intake.calls.domain.legs import About, Agent, KnownFact, lay_out
from intake.calls.domain.refusals import CallTimesInverted
from intake.calls.domain.settlement import Settlement
from intake.subscribers.domain import plain_phone


@dataclass(frozen=True, slots=True)
class Author:
    """The agent whom our own facts concern, their time, and ids for them."""

    agent: Agent
    at: datetime
    new_id: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Publication:
    """The result of taking facts."""

    summary: Summary
    facts: Sequence[tuple[int, KnownFact]]
    """What is published, each with the version of the call that it makes."""


@dataclass(slots=True, kw_only=True)
class Call:
    """A call with everything that is known of it. Without `partner_id` no switch reported it."""

    id: str
    partner_id: str | None = None
    reference: str | None = None
    subscriber_id: str | None = None
    demand_type: str | None = None
    version: int = 0
    facts: list[KnownFact] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    """Ids of the facts that have to be written."""

    @property
    def offered(self) -> p.PartnerCallOffered | None:
        return next((fact.said for fact in self.facts if isinstance(fact.said, p.PartnerCallOffered)), None)

    @property
    def caller(self) -> str | None:
        """The number that called or was called, in plain spelling."""
        offered = self.offered
        return plain_phone(offered.caller) if offered and offered.caller else None

    def take(self, fact: KnownFact) -> None:
        """Adds a fact, or replaces the fact with its id."""
        places = {known.fact_id: place for place, known in enumerate(self.facts)}
        if fact.fact_id in places:
            self.facts[places[fact.fact_id]] = fact
        else:
            self.facts.append(fact)
        self.changed.add(fact.fact_id)

    def report(self, fact: KnownFact) -> None:
        """Takes what the switch reports: in the place of the fact that it corrects, or of the end that was assumed."""
        corrects = fact.said.corrects
        corrected = next((known for known in self.facts if corrects and known.event_id == corrects), None)
        replaced = corrected or assumed_end(self.facts, fact.said)
        if replaced is not None:
            fact = replace(fact, fact_id=replaced.fact_id, revision=replaced.revision, published=replaced.published)
        self.take(fact)

    def identify(self, subscriber_id: str | None) -> None:
        """The subscriber whose number it is, and the switch's demand type, where neither is known better."""
        self.subscriber_id = self.subscriber_id or subscriber_id
        self.demand_type = self.demand_type or (self.offered.demand_type if self.offered else None)

    def classify(self, author: Author, *, subscriber_id: str | None = None, demand_type: str | None = None) -> None:
        """Sets subscriber and demand type for the whole call; what is None stays.

        Readers look for them in this fact only.
        """
        self.subscriber_id = subscriber_id or self.subscriber_id
        self.demand_type = demand_type or self.demand_type
        self.note(c.CallClassified, author)

    def settle(self, author: Author, settlement: Settlement, *, department: str | None = None) -> None:
        """Records how the call ended for the subscriber."""
        self.note(
            c.CallSettled,
            author,
            outcome=settlement.outcome,
            article_id=settlement.article_id,
            order_id=settlement.order_id,
            order_was_open=settlement.order_was_open,
            referral_id=settlement.referral_id,
            department=department,
            case_id=settlement.case_id,
        )

    def note(self, kind: type[c.Fact], author: Author, **fields: Any) -> None:
        """Takes a fact of our own."""
        summary = summarise(lay_out(self.facts), About())
        body = kind(
            fact_id=f"intake:{author.new_id()}",
            queue=summary.queue,
            agent_id=author.agent.agent_id,
            team=author.agent.team,
            channel=summary.channel,
            direction=summary.direction,
            demand_type=self.demand_type,
            subscriber_id=self.subscriber_id,
            **fields,
        )
        self._say(body, body.fact_id, author.at, author.at)

    def close(self, now: datetime) -> None:
        """Assumes the end of a call of which none was reported. An end that is reported later takes its place."""
        end = close_open_leg(self.facts, call_id=self.id, now=now)
        if end is not None:
            self.take(end)

    def publish(self, agents: Mapping[str, Agent], demand_types: Collection[str]) -> Publication:
        """Marks as published what is new or reads differently; `agents` by the names that the facts have for them."""
        about = About(
            partner_id=self.partner_id,
            reference=self.reference,
            subscriber_id=self.subscriber_id,
            demand_type=self.demand_type,
            agents=agents,
            demand_types=demand_types,
        )
        laid_out = lay_out(self.facts)
        bodies = fold(laid_out, about)
        published = []
        for fact in laid_out.facts:
            if is_news(fact, bodies[fact.fact_id]):
                self.version += 1
                published.append((self.version, fact.as_published(bodies[fact.fact_id])))
        for _, fact in published:
            self.take(fact)
        return Publication(summarise(laid_out, about), published)

    def _say(self, said: Any, fact_id: str, at: datetime, now: datetime) -> None:
        self.take(KnownFact(fact_id=fact_id, event_id=f"{fact_id}-said", occurred_at=at, received_at=now, said=said))


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCall:
    """A call that no switch tells of: at the counter, by e-mail, on a line without one."""

    direction: c.Direction
    channel: Channel
    started_at: datetime
    ended_at: datetime
    phone: str | None = None
    subscriber_no: str | None = None
    demand_type: str | None = None

    def check_times(self) -> None:
        """Raises `CallTimesInverted`."""
        if self.ended_at < self.started_at:
            raise CallTimesInverted(started_at=self.started_at.isoformat(), ended_at=self.ended_at.isoformat())


def log_call(call_id: str, logged: LogCall, author: Author, *, subscriber_id: str | None) -> Call:
    """The call as the agent had it, answered from its beginning."""
    call, agent = Call(id=call_id, demand_type=logged.demand_type, subscriber_id=subscriber_id), author.agent.agent_id
    offered = p.PartnerCallOffered(direction=logged.direction, channel=logged.channel, caller=logged.phone)
    for said, at in (
        (offered, logged.started_at),
        (p.PartnerCallAnswered(agent=agent, wait_milliseconds=0), logged.started_at),
        (p.PartnerCallEnded(agent=agent), logged.ended_at),
    ):
        call._say(said, f"intake:{author.new_id()}", at, author.at)
    return call
