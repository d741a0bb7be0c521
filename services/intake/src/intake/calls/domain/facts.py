"""What is known of a call from the events of its switch, in whatever order they arrived.

The facts of each leg are laid out by the time at which they happened, by the partner's clock. What can be worked
out from them (waits, holds, talk, whose leg it is) is derived again whenever a fact is added, so that a late one
corrects what was published too early. An impossible time is counted as far as possible and marked with a fault,
never dropped.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from contracts import calls as c
from contracts import partners as p
from contracts.events import Channel
from intake.calls.domain.legs import (
    CLOSINGS,
    WITHOUT_AGENT,
    About,
    Agent,
    CallState,
    KnownFact,
    LaidOut,
    Leg,
    between,
    lay_out,
)
from intake.subscribers.domain import plain_phone

_CLOCK_TOLERANCE = timedelta(minutes=5)
_DAY = 24 * 3600 * 1000
_AFTER_AN_ANSWER = (p.PartnerCallHeld, p.PartnerCallResumed, p.PartnerCallTransferred, p.PartnerAfterCallWorkEnded)


class Fault(StrEnum):
    """What is odd about a fact that was taken nevertheless."""

    BEFORE_OFFER = "before_offer"
    BEFORE_ANSWER = "before_answer"
    WITHOUT_ANSWER = "without_answer"
    CONTRADICTORY = "contradictory"
    NEGATIVE_TIME = "negative_time"
    OVER_A_DAY = "over_a_day"
    CLOCK_AHEAD = "clock_ahead"
    UNKNOWN_AGENT = "unknown_agent"
    """In the answer to the first event that names an unregistered agent; calls are not marked with it."""
    UNKNOWN_DEMAND_TYPE = "unknown_demand_type"


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A call at a glance, as lists show it and searches find it."""

    direction: c.Direction
    channel: Channel
    state: CallState
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    queue: str | None
    agent_id: str | None
    team: str | None
    line: str | None
    caller: str | None
    wait_milliseconds: int | None
    talk_milliseconds: int | None
    earlier_agent_ids: tuple[str, ...]
    """Whose the call was before its last leg: they look for it too."""
    earlier_queues: tuple[str, ...]


def fold(call: LaidOut, about: About) -> dict[str, c.CallFact]:
    """What is to be published of each fact, by its id, as far as is known at present."""
    said = {}
    for fact in call.facts:
        if isinstance(fact.said, p.PartnerCallEvent):
            said[fact.fact_id] = _normalised(fact, call.legs[fact.leg], call.offered, about)
        else:
            said[fact.fact_id] = fact.said
    return said


def is_news(fact: KnownFact, body: c.CallFact) -> bool:
    """Whether it differs from what was published. Subscriber and demand type are published by `CallClassified`."""
    if fact.published is None or type(fact.published) is not type(body):
        return True
    told = replace(
        body,
        revision=fact.published.revision,
        subscriber_id=fact.published.subscriber_id,
        demand_type=fact.published.demand_type,
    )
    return told != fact.published


def _normalised(fact: KnownFact, leg: Leg, offered: KnownFact | None, about: About) -> c.CallFact:
    agent = _agent_of(fact, leg, about)
    common: dict[str, Any] = {
        "fact_id": fact.fact_id,
        "leg": fact.leg,
        "queue": fact.said.queue or leg.queue,
        "agent_id": agent.agent_id if agent else None,
        "team": agent.team if agent else None,
        "channel": offered.said.channel if offered else Channel.PHONE,
        "direction": offered.said.direction if offered else c.Direction.INBOUND,
        "demand_type": about.demand_type,
        "subscriber_id": about.subscriber_id,
    }
    body = _body(fact, leg, about, common)
    faults = tuple(sorted(_faults(fact, leg, offered, about, body)))
    return replace(body, faults=faults) if faults else body


def _agent_of(fact: KnownFact, leg: Leg, about: About) -> Agent | None:
    name = fact.said.agent
    if name is None and not isinstance(fact.said, (*WITHOUT_AGENT, p.PartnerCallRangUnanswered)):
        name = leg.agent
    return about.agents.get(name, Agent(name)) if name else None


def _body(fact: KnownFact, leg: Leg, about: About, common: dict[str, Any]) -> c.CallFact:
    said = fact.said
    match said:
        case p.PartnerCallOffered():
            return c.CallOffered(**common, partner_id=about.partner_id, call_reference=about.reference, line=said.line)
        case p.PartnerCallQueued():
            return c.CallQueued(**common, position=said.position)
        case p.PartnerCallRangUnanswered():
            return c.CallRangUnanswered(**common, ring_milliseconds=said.ring_milliseconds)
        case p.PartnerCallAnswered():
            waited = leg.wait_milliseconds(fact)
            return c.CallAnswered(**common, wait_milliseconds=waited, ring_milliseconds=said.ring_milliseconds)
        case p.PartnerCallHeld():
            return c.CallHeld(**common)
        case p.PartnerCallResumed():
            return c.CallResumed(**common, hold_milliseconds=leg.holds().get(fact.fact_id))
        case p.PartnerCallAbandoned():
            return c.CallAbandoned(**common, wait_milliseconds=leg.wait_milliseconds(fact))
        case p.PartnerCallLost():
            return c.CallLost(**common, reason=said.reason, wait_milliseconds=leg.wait_milliseconds(fact))
        case p.PartnerCallTransferred() | p.PartnerCallEnded():
            return _closing_body(fact, leg, common)
        case p.PartnerAfterCallWorkEnded():
            measured = between(leg.closing.occurred_at, fact.occurred_at) if leg.closing else None
            known = measured if said.work_milliseconds is None else said.work_milliseconds
            return c.AfterCallWorkEnded(**common, work_milliseconds=known)
        case p.PartnerRecordingAvailable():
            return c.RecordingAvailable(
                **common,
                recording_id=said.recording_id,
                length_milliseconds=said.length_milliseconds,
                started_at=said.started_at,
            )
        case _:
            return c.CallRated(**common, score=said.score, highest=said.highest)


def _closing_body(fact: KnownFact, leg: Leg, common: dict[str, Any]) -> c.CallFact:
    said = fact.said
    times: dict[str, Any] = {
        "talk_milliseconds": leg.talk_milliseconds(fact),
        "hold_milliseconds": leg.hold_milliseconds(fact),
    }
    if isinstance(said, p.PartnerCallEnded):
        return c.CallEnded(**common, **times, ended_by=said.ended_by, reason=said.reason)
    # An external number is a person's phone.
    is_ours = said.target_kind is not c.TransferTarget.EXTERNAL
    return c.CallTransferred(
        **common,
        **times,
        target_kind=said.target_kind,
        target=said.target if is_ours else None,
        is_attended=said.is_attended,
    )


def _faults(fact: KnownFact, leg: Leg, offered: KnownFact | None, about: About, body: c.CallFact) -> Iterable[Fault]:
    at, answered = fact.occurred_at, leg.answered
    if offered is not None and at < offered.occurred_at:
        yield Fault.BEFORE_OFFER
    if isinstance(fact.said, (*_AFTER_AN_ANSWER, p.PartnerCallEnded)):
        if answered is not None and at < answered.occurred_at:
            yield Fault.BEFORE_ANSWER
        if answered is None and (leg.queued is not None or isinstance(fact.said, _AFTER_AN_ANSWER)):
            yield Fault.WITHOUT_ANSWER
    if leg.is_contradictory and fact in (answered, leg.abandoned, leg.lost, *leg.closings()):
        yield Fault.CONTRADICTORY
    if _went_back(fact, leg):
        yield Fault.NEGATIVE_TIME
    if any((getattr(body, name, None) or 0) > _DAY for name in ("wait_milliseconds", "talk_milliseconds")):
        yield Fault.OVER_A_DAY
    if is_ahead(at, fact.received_at):
        yield Fault.CLOCK_AHEAD
    if fact is offered and fact.said.demand_type is not None and fact.said.demand_type not in about.demand_types:
        yield Fault.UNKNOWN_DEMAND_TYPE


def is_ahead(at: datetime, received_at: datetime) -> bool:
    """Whether a clock is ahead of ours by more than what is let pass."""
    return at > received_at + _CLOCK_TOLERANCE


def _went_back(fact: KnownFact, leg: Leg) -> bool:
    """Whether a time that had to be worked out from two facts would have been less than none."""
    said, before = fact.said, None
    if isinstance(said, p.PartnerCallAnswered | p.PartnerCallAbandoned | p.PartnerCallLost):
        before = leg.began if said.wait_milliseconds is None else None
    elif isinstance(said, CLOSINGS):
        before = leg.answered if said.talk_milliseconds is None else None
    elif isinstance(said, p.PartnerAfterCallWorkEnded):
        before = leg.closing if said.work_milliseconds is None else None
    return before is not None and fact.occurred_at < before.occurred_at


def summarise(call: LaidOut, about: About) -> Summary:
    """The call at a glance; it has at least one fact of its switch."""
    legs, offered = call.legs, call.offered
    last, ordered = legs[max(legs)], [fact for leg in legs.values() for fact in leg.facts]
    answered = [leg for leg in legs.values() if leg.answered]
    agent, had = _known(last.agent, about), [_known(leg.agent, about) for leg in legs.values()]
    talks = [leg.talk_milliseconds(leg.closing) for leg in legs.values() if leg.closing]
    waited = next((fact for fact in (last.answered, last.abandoned, last.lost) if fact), None)
    return Summary(
        direction=offered.said.direction if offered else c.Direction.INBOUND,
        channel=offered.said.channel if offered else Channel.PHONE,
        state=last.state(),
        started_at=offered.occurred_at if offered else min(fact.occurred_at for fact in ordered),
        answered_at=min((leg.answered.occurred_at for leg in answered if leg.answered), default=None),
        ended_at=last.end.occurred_at if last.end else None,
        queue=last.queue or (offered.said.queue if offered else None),
        agent_id=agent.agent_id if agent else None,
        team=agent.team if agent else None,
        line=offered.said.line if offered else None,
        caller=plain_phone(offered.said.caller) if offered and offered.said.caller else None,
        wait_milliseconds=last.wait_milliseconds(waited) if waited else None,
        talk_milliseconds=sum(talk for talk in talks if talk is not None) if talks and None not in talks else None,
        earlier_agent_ids=_others((one.agent_id for one in had if one), agent.agent_id if agent else None),
        earlier_queues=_others((leg.queue for leg in legs.values()), last.queue),
    )


def _known(name: str | None, about: About) -> Agent | None:
    return about.agents.get(name, Agent(name)) if name else None


def _others(names: Iterable[str | None], last: str | None) -> tuple[str, ...]:
    """Each of the names once, in their order, but for the last leg's."""
    return tuple(dict.fromkeys(name for name in names if name and name != last))


def close_open_leg(facts: Sequence[KnownFact], *, call_id: str, now: datetime) -> KnownFact | None:
    """The end of a call of which none was reported; None when it has one.

    Should its own end come later, it takes this fact's place.
    """
    legs = lay_out(facts).legs
    last = legs[max(legs)]
    if last.end is not None:
        return None
    said: p.PartnerCallEvent
    if last.answered is not None or last.queued is None:
        said = p.PartnerCallEnded(leg=last.number, ended_by=c.EndedBy.UNKNOWN, reason=c.EndReason.NO_END_REPORTED)
    else:
        said = p.PartnerCallLost(leg=last.number, reason=c.LossReason.NO_END_REPORTED)
    name = f"intake:no-end:{call_id}:{last.number}"
    return KnownFact(fact_id=name, event_id=name, occurred_at=now, received_at=now, said=said)


def assumed_end(facts: Sequence[KnownFact], said: p.PartnerCallEvent) -> KnownFact | None:
    """The end that was assumed of the leg, which this event now replaces."""
    if not isinstance(said, (*CLOSINGS, p.PartnerCallAbandoned, p.PartnerCallLost)):
        return None
    assumed = (fact for fact in facts if fact.fact_id.startswith("intake:no-end:") and fact.event_id == fact.fact_id)
    return next((fact for fact in assumed if fact.leg == said.leg), None)
