"""A recording with the facts of its call, as far as they have become known.

Facts of a call come late, corrected and in any order. A fact is known by its `fact_id`, its highest revision holds,
and a recording is folded from all facts of its call whenever one of them changes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts import calls as c
from contracts.refusals import NotFound

KEPT = (
    c.CallAnswered,
    c.CallTransferred,
    c.CallEnded,
    c.CallClassified,
    c.CallSettled,
    c.CallRated,
    c.ReplyPromised,
    c.RecordingAvailable,
)
"""The facts that say something about a recording; qa keeps no others."""


class RecordingNotFound(NotFound):
    """There is no recording {id} that you may see."""

    zh = "没有您可以查看的录音 {id}。"


@dataclass(frozen=True, slots=True, kw_only=True)
class SequencedFact:
    """A fact of a call: when it happened, and its place in the stream of the call."""

    at: datetime
    place: int
    fact: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    id: str
    call_id: str
    leg: int
    agent_id: str | None
    team: str | None
    queue: str | None
    channel: str
    direction: str
    demand_type: str | None
    subscriber_id: str | None
    started_at: datetime
    length_seconds: int | None
    wait_milliseconds: int | None
    """How long the caller waited for this agent."""
    talk_milliseconds: int | None
    outcomes: tuple[str, ...]
    """How the call ended for the subscriber: answered, work order, department, difficult case."""
    order_ids: tuple[str, ...]
    is_repeat: bool
    """It was about an order that was open already."""
    has_promise: bool
    """A reply by a certain time was promised."""
    rating: int | None
    faults: tuple[str, ...]
    version: int = 1


def recordings_of(call_id: str, facts: Iterable[SequencedFact]) -> list[Recording]:
    """The recordings of a call, by id, from the highest revisions of its facts."""
    known = sorted(facts, key=lambda one: one.place)
    return sorted(
        (_recording(call_id, one, known) for one in known if isinstance(one.fact, c.RecordingAvailable)),
        key=lambda recording: recording.id,
    )


def _recording(call_id: str, available: SequencedFact, known: Sequence[SequencedFact]) -> Recording:
    fact: c.RecordingAvailable = available.fact
    answered = _last(known, c.CallAnswered, leg=fact.leg)
    left = _last(known, c.CallEnded, leg=fact.leg) or _last(known, c.CallTransferred, leg=fact.leg)
    classified = _last(known, c.CallClassified)
    rated = _last(known, c.CallRated)
    settled = [one.fact for one in known if isinstance(one.fact, c.CallSettled)]
    return Recording(
        id=fact.recording_id,
        call_id=call_id,
        leg=fact.leg,
        agent_id=fact.agent_id or (answered.agent_id if answered else None),
        team=fact.team or (answered.team if answered else None),
        queue=fact.queue or (answered.queue if answered else None),
        channel=fact.channel.value,
        direction=fact.direction.value,
        demand_type=(classified.demand_type if classified else None) or fact.demand_type,
        subscriber_id=(classified.subscriber_id if classified else None) or fact.subscriber_id,
        started_at=fact.started_at or available.at,
        length_seconds=fact.length_milliseconds // 1000 if fact.length_milliseconds is not None else None,
        wait_milliseconds=answered.wait_milliseconds if answered else None,
        talk_milliseconds=left.talk_milliseconds if left else None,
        outcomes=tuple(sorted({one.outcome.value for one in settled})),
        order_ids=tuple(sorted({one.order_id for one in settled if one.order_id})),
        is_repeat=any(one.order_was_open for one in settled),
        has_promise=any(isinstance(one.fact, c.ReplyPromised) for one in known),
        rating=rated.score if rated else None,
        faults=tuple(sorted(set(fact.faults))),
    )


def _last(known: Sequence[SequencedFact], shape: type, *, leg: int | None = None) -> Any:
    facts: Iterable[Any] = (one.fact for one in known if isinstance(one.fact, shape))
    fitting = [fact for fact in facts if leg in (None, fact.leg)]
    return fitting[-1] if fitting else None
