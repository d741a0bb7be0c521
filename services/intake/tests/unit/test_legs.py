"""The legs of a call are laid out by when their facts happened, however and in whatever order they came."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts import partners as p
from contracts.calls import EndReason, LossReason
from intake.calls.domain.legs import CallState, KnownFact, LaidOut, Leg, between, lay_out

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
OFFERED, QUEUED = (p.PartnerCallOffered(), 0), (p.PartnerCallQueued(queue="support"), 1)
ANSWERED, ENDED = (p.PartnerCallAnswered(agent="li"), 5), (p.PartnerCallEnded(), 20)


def known(*events: tuple[Any, int]) -> list[KnownFact]:
    """What was said, with the second at which it happened, received in this order."""
    return [
        KnownFact(
            fact_id=str(place),
            event_id=str(place),
            occurred_at=START + timedelta(seconds=seconds),
            received_at=START + timedelta(minutes=1, seconds=place),
            said=said,
        )
        for place, (said, seconds) in enumerate(events)
    ]


def leg_of(*events: tuple[Any, int]) -> Leg:
    return lay_out(known(*events)).legs[1]


def shown(laid_out: LaidOut) -> list[tuple[Any, ...]]:
    return [(leg.number, leg.queue, leg.agent, leg.state(), leg.is_contradictory) for leg in laid_out.legs.values()]


def test_facts_in_any_order_give_the_same_legs() -> None:
    facts = known(OFFERED, QUEUED, ANSWERED, (p.PartnerCallHeld(), 7), ENDED)
    assert {str(shown(lay_out(order))) for order in itertools.permutations(facts)} == {
        str([(1, "support", "li", CallState.ENDED, False)])
    }


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([OFFERED], CallState.OFFERED),
        ([OFFERED, QUEUED], CallState.WAITING),
        ([OFFERED, QUEUED, ANSWERED], CallState.TALKING),
        ([ANSWERED, (p.PartnerCallHeld(), 7)], CallState.HELD),
        ([ANSWERED, (p.PartnerCallHeld(), 7), (p.PartnerCallResumed(), 9)], CallState.TALKING),
        ([OFFERED, QUEUED, ANSWERED, ENDED], CallState.ENDED),
        ([ANSWERED, (p.PartnerCallTransferred(), 9)], CallState.TRANSFERRED),
        ([QUEUED, (p.PartnerCallAbandoned(), 9)], CallState.ABANDONED),
        ([QUEUED, (p.PartnerCallLost(reason=LossReason.SWITCH_STOPPED), 9)], CallState.LOST),
    ],
)
def test_a_leg_is_in_the_state_of_its_last_fact(events: list[tuple[Any, int]], state: CallState) -> None:
    assert leg_of(*events).state() is state


@pytest.mark.parametrize(
    ("events", "is_contradictory"),
    [
        ([QUEUED, ANSWERED, ENDED], False),
        ([QUEUED, ANSWERED, ENDED, ENDED], False),
        ([QUEUED, ANSWERED, (p.PartnerCallAbandoned(), 9)], True),
        ([QUEUED, ENDED, (p.PartnerCallAbandoned(), 9)], True),
        ([ANSWERED, ENDED, (p.PartnerCallTransferred(), 9)], True),
    ],
)
def test_a_leg_that_ended_in_two_ways_contradicts_itself(events: list[tuple[Any, int]], is_contradictory: bool) -> None:
    assert leg_of(*events).is_contradictory == is_contradictory


@pytest.mark.parametrize(
    ("said", "seconds", "events", "milliseconds"),
    [
        (p.PartnerCallAnswered(), 5, [OFFERED, QUEUED], 4000),
        (p.PartnerCallAnswered(), 5, [OFFERED], 5000),
        (p.PartnerCallAnswered(), 5, [], None),
        (p.PartnerCallAnswered(wait_milliseconds=1234), 5, [OFFERED, QUEUED], 1234),
        (p.PartnerCallAnswered(), 0, [QUEUED], 0),  # a clock that was set back
        (p.PartnerCallAbandoned(), 9, [QUEUED], 8000),
        (p.PartnerCallLost(reason=LossReason.SWITCH_STOPPED), 9, [QUEUED], None),
        (p.PartnerCallLost(reason=LossReason.NO_END_REPORTED), 9, [QUEUED], None),
    ],
)
def test_a_wait_is_counted_from_the_queue_and_unknown_where_its_end_is(
    said: Any, seconds: int, events: list[tuple[Any, int]], milliseconds: int | None
) -> None:
    facts = known(*events, (said, seconds))
    assert lay_out(facts).legs[1].wait_milliseconds(facts[-1]) == milliseconds


def test_a_second_leg_begins_in_its_own_queue() -> None:
    second = (p.PartnerCallAnswered(leg=2), 30)
    facts = known(OFFERED, ANSWERED, (p.PartnerCallTransferred(), 20), second)
    assert lay_out(facts).legs[2].wait_milliseconds(facts[-1]) is None
    queued = known(OFFERED, (p.PartnerCallQueued(leg=2, queue="technical"), 22), second)
    assert lay_out(queued).legs[2].wait_milliseconds(queued[-1]) == 8000
    assert lay_out(queued).legs[2].queue == "technical"


@pytest.mark.parametrize(
    ("closing", "milliseconds"),
    [
        (p.PartnerCallEnded(), 15_000),
        (p.PartnerCallEnded(talk_milliseconds=9000), 9000),
        (p.PartnerCallEnded(reason=EndReason.SWITCH_STOPPED), None),
    ],
)
def test_a_talk_is_from_the_answer_to_the_end_and_unknown_where_that_is(closing: Any, milliseconds: int | None) -> None:
    facts = known(ANSWERED, (closing, 20))
    assert lay_out(facts).legs[1].talk_milliseconds(facts[-1]) == milliseconds
    alone = known((p.PartnerCallEnded(), 20))
    assert lay_out(alone).legs[1].talk_milliseconds(alone[0]) is None


def test_each_hold_has_its_length_and_the_last_may_end_with_the_call() -> None:
    leg = leg_of(ANSWERED, (p.PartnerCallHeld(), 6), (p.PartnerCallResumed(), 8), (p.PartnerCallHeld(), 15), ENDED)
    assert list(leg.holds().values()) == [2000, 5000]
    assert list(leg_of(ANSWERED, (p.PartnerCallResumed(), 8)).holds().values()) == [None]


def test_the_agent_who_answered_has_the_leg_and_one_who_did_not_answer_has_not() -> None:
    rang = (p.PartnerCallRangUnanswered(agent="wang"), 3)
    assert leg_of(QUEUED, rang, ANSWERED).agent == "li"
    assert leg_of(QUEUED, rang).agent is None


def test_less_than_no_time_is_none() -> None:
    assert between(START, START - timedelta(seconds=1)) == 0
    assert between(None, START) is None
    assert between(START, START + timedelta(microseconds=1999)) == 1
