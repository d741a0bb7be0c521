"""A recording is folded from the facts of its call, in whatever order they came."""

import itertools
from datetime import timedelta

import pytest
from services.qa.tests.unit.builders import NOW

from contracts import calls as c
from qa.recordings.domain.recording import Recording, SequencedFact, recordings_of

AVAILABLE = c.RecordingAvailable(fact_id="r", recording_id="rec-1", length_milliseconds=95_900, agent_id="agent-1")
FACTS = (
    c.CallAnswered(fact_id="a", agent_id="agent-1", team="day", queue="support", wait_milliseconds=7000),
    c.CallEnded(fact_id="e", talk_milliseconds=95_000),
    AVAILABLE,
    c.CallClassified(fact_id="c", demand_type="complaint", subscriber_id="s-1"),
    c.CallSettled(fact_id="s", outcome=c.CallOutcome.WORK_ORDER, order_id="o-1"),
)


def known(*facts: object) -> list[SequencedFact]:
    """Facts in the order in which they stand, one a second."""
    return [SequencedFact(at=NOW + timedelta(seconds=n), place=n, fact=fact) for n, fact in enumerate(facts)]


def folded(*facts: object) -> Recording:
    (recording,) = recordings_of("call-1", known(*facts))
    return recording


def test_a_recording_has_the_facts_of_its_call() -> None:
    recording = folded(*FACTS)
    assert (recording.id, recording.call_id, recording.agent_id) == ("rec-1", "call-1", "agent-1")
    assert (recording.team, recording.queue, recording.demand_type) == ("day", "support", "complaint")
    assert (recording.length_seconds, recording.wait_milliseconds, recording.talk_milliseconds) == (95, 7000, 95_000)
    assert (recording.outcomes, recording.order_ids, recording.subscriber_id) == (("work_order",), ("o-1",), "s-1")
    assert recording.started_at == NOW + timedelta(seconds=2)


def test_facts_in_any_order_give_the_same_recording() -> None:
    facts = known(*FACTS)
    assert {recordings_of("call-1", order)[0] for order in itertools.permutations(facts)} == {folded(*FACTS)}


def test_a_call_without_a_recording_has_none() -> None:
    assert recordings_of("call-1", known(*(fact for fact in FACTS if fact is not AVAILABLE))) == []


def test_a_leg_has_the_wait_and_the_talk_of_its_own() -> None:
    second = c.RecordingAvailable(fact_id="r2", recording_id="rec-2", leg=2)
    recordings = recordings_of(
        "call-1",
        known(
            second,
            AVAILABLE,
            c.CallAnswered(fact_id="a", agent_id="agent-1", wait_milliseconds=1000),
            c.CallTransferred(fact_id="t", talk_milliseconds=5000),
            c.CallAnswered(fact_id="a2", leg=2, agent_id="agent-2", wait_milliseconds=2000),
            c.CallEnded(fact_id="e2", leg=2, talk_milliseconds=9000),
        ),
    )
    assert [(one.id, one.agent_id, one.wait_milliseconds, one.talk_milliseconds) for one in recordings] == [
        ("rec-1", "agent-1", 1000, 5000),
        ("rec-2", "agent-2", 2000, 9000),
    ]


@pytest.mark.parametrize(
    ("fact", "name", "value"),
    [
        (c.CallRated(fact_id="x", score=4), "rating", 4),
        (c.ReplyPromised(fact_id="x", case_id="c-1", reply_by=NOW), "has_promise", True),
        (
            c.CallSettled(fact_id="x", outcome=c.CallOutcome.WORK_ORDER, order_id="o-2", order_was_open=True),
            "is_repeat",
            True,
        ),
        (c.CallSettled(fact_id="x", outcome=c.CallOutcome.ANSWERED), "outcomes", ("answered", "work_order")),
        (c.CallSettled(fact_id="x", outcome=c.CallOutcome.WORK_ORDER, order_id="o-0"), "order_ids", ("o-0", "o-1")),
        (c.CallClassified(fact_id="x", demand_type="fault_repair"), "demand_type", "fault_repair"),
    ],
)
def test_what_becomes_known_later_is_added(fact: object, name: str, value: object) -> None:
    assert getattr(folded(*FACTS), name) != value
    assert getattr(folded(*FACTS, fact), name) == value
