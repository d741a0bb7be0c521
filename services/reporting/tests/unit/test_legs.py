"""What the facts of a call make of its legs: whose they are, and whether their end is known."""

from dataclasses import replace
from datetime import timedelta

import pytest
from services.reporting.tests.conftest import CallStream

from contracts import calls as c
from reporting.projections.calls import LegRow, fold, legs_of
from work_orders.testing_streams import BEGIN

OUT = c.Direction.OUTBOUND


def _leg(*facts: c.Fact) -> LegRow:
    stream = CallStream("c-1")
    for place, fact in enumerate(facts):
        stream.add(replace(fact, fact_id=f"f-{place}"), BEGIN + timedelta(seconds=place))
    (leg,) = legs_of(stream.messages)
    return leg


def _fact(kind: type, agent_id: str | None = None, **more) -> c.Fact:
    return kind(fact_id="", agent_id=agent_id, team="day" if agent_id else None, **more)


QUEUED = _fact(c.CallQueued)
RANG = _fact(c.CallRangUnanswered, "a-1", ring_milliseconds=9000)


@pytest.mark.parametrize(
    ("facts", "handler"),
    [
        ((QUEUED, RANG, _fact(c.CallAbandoned)), None),
        ((QUEUED, RANG, _fact(c.CallLost, reason=c.LossReason.TIMEOUT)), None),
        ((QUEUED, RANG), None),
        ((QUEUED, RANG, _fact(c.CallAnswered, "a-2")), "a-2"),
        # Who answered is named only at the end; whom it rang at before is not meant.
        ((QUEUED, RANG, _fact(c.CallAnswered), _fact(c.CallEnded, "a-2")), "a-2"),
        ((QUEUED, RANG, _fact(c.CallAnswered)), None),
        # Of an answer nothing is known, so nobody is known to have answered.
        ((QUEUED, _fact(c.CallEnded, "a-1")), None),
        # Who dials has the call, answered or not.
        ((_fact(c.CallOffered, "a-3", direction=OUT), _fact(c.CallAbandoned, direction=OUT)), "a-3"),
    ],
)
def test_a_leg_belongs_to_who_answered_or_dialled_it(facts, handler):
    leg = _leg(*facts)
    assert (leg.handler_id, leg.handler_team) == (handler, "day" if handler else None)


@pytest.mark.parametrize(
    ("end", "is_unknown"),
    [
        (_fact(c.CallEnded, talk_milliseconds=1000), False),
        (_fact(c.CallEnded), False),
        (_fact(c.CallEnded, reason=c.EndReason.SWITCH_STOPPED), True),
        (_fact(c.CallEnded, reason=c.EndReason.NO_END_REPORTED), True),
        # The switch said how long they talked, so that much is known.
        (_fact(c.CallEnded, reason=c.EndReason.SWITCH_STOPPED, talk_milliseconds=1000), False),
        (_fact(c.CallTransferred), False),
    ],
)
def test_an_end_that_nobody_knows(end, is_unknown):
    assert _leg(QUEUED, _fact(c.CallAnswered, "a-1"), end).is_end_unknown is is_unknown


def test_an_end_that_comes_after_all_takes_the_place_of_the_unknown_one():
    stream = CallStream("c-1")
    stream.add(_fact(c.CallAnswered, "a-1"), BEGIN)
    unknown = replace(_fact(c.CallEnded, reason=c.EndReason.NO_END_REPORTED), fact_id="end")
    stream.add(unknown, BEGIN + timedelta(hours=9))
    told = replace(unknown, revision=2, reason=c.EndReason.HUNG_UP, talk_milliseconds=60_000)
    stream.add(told, BEGIN + timedelta(minutes=1))
    (leg,) = legs_of(stream.messages)
    assert (leg.is_end_unknown, leg.talk_us, leg.hold_us) == (False, 60_000_000, None)


def test_each_ring_is_a_row_of_its_leg_under_the_agent_at_whom_it_rang():
    stream = CallStream("c-1")
    stream.add(replace(QUEUED, fact_id="0", queue="service"), BEGIN)
    for place, (agent_id, length) in enumerate((("a-1", 15_000), ("a-2", None), ("a-1", -5)), start=1):
        fact = c.CallRangUnanswered(fact_id=str(place), agent_id=agent_id, ring_milliseconds=length)
        stream.add(fact, BEGIN + timedelta(seconds=20 * place))
    (leg,), rings = fold(stream.messages)
    assert leg.handler_id is None
    assert {(ring.moment, ring.known_at, ring.queue) for ring in rings} == {(BEGIN, leg.known_at, "service")}
    assert [(ring.version, ring.agent_id, ring.ring_us) for ring in rings] == [
        (2, "a-1", 15_000_000),
        (3, "a-2", None),
        (4, "a-1", 0),
    ]
