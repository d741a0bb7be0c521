"""A call takes facts in any order, says each once, and again only when it reads differently."""

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from services.intake.tests.unit.spoken import BEGIN, a_call, author, facts, kinds, published, reported

from contracts import calls as c
from contracts import partners as p
from contracts.events import Channel
from intake.calls.domain.call import Call, LogCall, log_call
from intake.calls.domain.legs import CallState
from intake.calls.domain.refusals import CallTimesInverted

WHOLE = (
    (p.PartnerCallOffered(caller="(021) 6123-4567", line="95598"), 0),
    (p.PartnerCallQueued(queue="support"), 1),
    (p.PartnerCallAnswered(agent="Agent/101"), 5),
    (p.PartnerCallHeld(), 10),
    (p.PartnerCallResumed(), 13),
    (p.PartnerCallEnded(), 20),
)


def state_of(call: Call) -> Any:
    return call.publish({}, ()).summary


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))), ids=str)
def test_whatever_the_order_in_which_a_call_becomes_known_it_ends_up_the_same(order: tuple[int, ...]) -> None:
    events = [(*WHOLE[number], f"e-{number}") for number in (0, 1, 2, 5)]
    call = Call(id="c-1", partner_id="pbx")
    for place in order:
        call.report(reported(*events[place]))
        published(call)
    found = facts(call)
    assert (found["e-2"].wait_milliseconds, found["e-5"].talk_milliseconds) == (4000, 15_000)
    assert {(fact.queue, fact.faults) for fact in found.values()} == {("support", ())}
    assert (found["e-2"].agent_id, found["e-2"].team) == ("chen", "day")


def test_a_call_at_a_glance_is_of_its_last_leg_with_the_talk_of_all() -> None:
    transferred = p.PartnerCallTransferred(target_kind=c.TransferTarget.QUEUE, target="second")
    second = [(p.PartnerCallQueued(leg=2, queue="second"), 21), (p.PartnerCallAnswered(leg=2, agent="b"), 25)]
    call = a_call(*WHOLE[:3], (transferred, 20), *second, (p.PartnerCallEnded(leg=2), 30))
    summary = state_of(call)
    assert (summary.state, summary.queue, summary.agent_id) == (CallState.ENDED, "second", "b")
    assert (summary.earlier_agent_ids, summary.earlier_queues) == (("Agent/101",), ("support",))
    assert (summary.talk_milliseconds, summary.wait_milliseconds) == (20_000, 4000)
    assert (summary.caller, summary.line) == ("02161234567", "95598")


@pytest.mark.parametrize(
    ("events", "state"),
    [
        (WHOLE[:1], CallState.OFFERED),
        (WHOLE[:2], CallState.WAITING),
        (WHOLE[:3], CallState.TALKING),
        (WHOLE[:4], CallState.HELD),
        (WHOLE[:5], CallState.TALKING),
        (WHOLE, CallState.ENDED),
        ((*WHOLE[:2], (p.PartnerCallAbandoned(), 9)), CallState.ABANDONED),
        ((*WHOLE[:2], (p.PartnerCallLost(reason=c.LossReason.SWITCH_STOPPED), 9)), CallState.LOST),
    ],
)
def test_the_state_of_a_call_follows_from_its_facts(events: tuple[Any, ...], state: CallState) -> None:
    assert state_of(a_call(*events)).state is state


def test_each_fact_is_published_once_with_the_next_version() -> None:
    call = a_call(*WHOLE)
    publication = call.publish({}, ())
    assert [version for version, _ in publication.facts] == [1, 2, 3, 4, 5, 6]
    assert call.publish({}, ()).facts == []
    assert call.version == 6


def test_a_late_fact_publishes_again_what_reads_differently_with_it() -> None:
    call = a_call(WHOLE[0], WHOLE[2], WHOLE[5])
    assert [body.revision for body in published(call)] == [1, 1, 1]
    call.report(reported(*WHOLE[1], "late"))
    again = published(call)
    assert kinds(again) == ["CallOffered", "CallAnswered", "CallEnded", "CallQueued"]
    assert [body.revision for body in again] == [2, 2, 2, 1]


def test_a_correction_takes_the_place_of_what_it_corrects_as_a_revision() -> None:
    call = a_call(*WHOLE[:3], WHOLE[5])
    published(call)
    call.report(reported(p.PartnerCallAnswered(agent="Agent/101", corrects="e-3"), 4, "right"))
    again = published(call)
    assert [(type(body), body.revision) for body in again] == [(c.CallAnswered, 2), (c.CallEnded, 2)]
    assert [fact.fact_id for fact in call.facts] == ["pbx:e-1", "pbx:e-2", "pbx:e-3", "pbx:e-4"]


def test_what_cannot_be_so_is_counted_as_it_can_be_and_marked() -> None:
    found = facts(
        a_call(
            (p.PartnerCallOffered(), 10),
            (p.PartnerCallAnswered(agent="Agent/999"), 5),
            (p.PartnerCallEnded(), 3),
            (p.PartnerCallAbandoned(), 12),
        )
    )
    answered, ended = found["e-2"], found["e-3"]
    assert (answered.wait_milliseconds, ended.talk_milliseconds) == (0, 0)
    assert answered.faults == ("before_offer", "contradictory", "negative_time")
    assert ended.faults == ("before_answer", "before_offer", "contradictory", "negative_time")


def test_a_clock_that_goes_back_in_a_call_is_marked_and_no_time_is_below_zero() -> None:
    found = facts(
        a_call(
            (p.PartnerCallQueued(queue="q"), 3600),
            (p.PartnerCallAnswered(agent="Agent/101"), 60),
            (p.PartnerCallEnded(), 100_000),
        )
    )
    assert (found["e-2"].wait_milliseconds, found["e-2"].faults) == (0, ("negative_time",))
    assert (found["e-3"].talk_milliseconds, found["e-3"].faults) == (99_940_000, ("over_a_day",))


def test_a_clock_that_is_ahead_is_marked() -> None:
    call = Call(id="c-1", partner_id="pbx")
    fact = reported(p.PartnerCallOffered(), 600)
    call.report(replace(fact, received_at=BEGIN))
    assert facts(call)["e"].faults == ("clock_ahead",)


def test_the_switchs_own_measure_goes_before_the_difference_of_the_times() -> None:
    transferred = p.PartnerCallTransferred(target_kind=c.TransferTarget.EXTERNAL, target="13911112222")
    answered = p.PartnerCallAnswered(agent="Agent/101", wait_milliseconds=3000, ring_milliseconds=2000)
    found = facts(a_call((p.PartnerCallQueued(queue="q"), 0), (answered, 4), (transferred, 9)))
    assert (found["e-2"].wait_milliseconds, found["e-2"].ring_milliseconds) == (3000, 2000)
    # A number outside is a person's phone.
    assert (found["e-3"].target, found["e-3"].talk_milliseconds) == (None, 5000)


def test_a_demand_type_that_only_the_switch_knows_counts_and_is_marked() -> None:
    call = a_call((p.PartnerCallOffered(demand_type="their-own"), 0))
    call.identify("s-1")
    (offered,) = published(call)
    assert (offered.demand_type, offered.subscriber_id) == ("their-own", "s-1")
    assert offered.faults == ("unknown_demand_type",)
    (known,) = published(a_call((p.PartnerCallOffered(demand_type="test"), 0)))
    assert (known.demand_type, known.faults) == (None, ())


def test_what_is_known_better_stays_when_the_number_is_looked_up() -> None:
    call = a_call((p.PartnerCallOffered(demand_type="test"), 0))
    call.subscriber_id, call.demand_type = "s-1", "billing"
    call.identify("s-2")
    assert (call.subscriber_id, call.demand_type) == ("s-1", "billing")


@pytest.mark.parametrize(("events", "kind"), [(WHOLE[:3], c.CallEnded), (WHOLE[:2], c.CallLost)])
def test_a_call_without_an_end_is_closed_and_its_own_end_is_a_revision(events: Any, kind: type) -> None:
    call = a_call(*events)
    published(call)
    call.close(BEGIN + timedelta(days=1))
    (assumed,) = published(call)
    assert (type(assumed), assumed.reason, assumed.revision) == (kind, "no_end_reported", 1)
    duration = assumed.talk_milliseconds if kind is c.CallEnded else assumed.wait_milliseconds
    assert duration is None
    call.close(BEGIN + timedelta(days=2))
    assert not call.changed
    call.report(reported(p.PartnerCallEnded(), 65, "own-end"))
    (own,) = [body for body in published(call) if isinstance(body, c.CallEnded)]
    assert (own.revision, own.fact_id) == (2, assumed.fact_id)


def test_who_called_and_what_about_is_said_once_and_other_facts_are_not_published_again() -> None:
    call = a_call(*WHOLE)
    published(call)
    call.classify(author(), subscriber_id="s-1", demand_type="test")
    (classified,) = published(call)
    assert isinstance(classified, c.CallClassified)
    assert (classified.subscriber_id, classified.demand_type, classified.queue) == ("s-1", "test", "support")
    call.classify(author("agent-2"), demand_type="billing")
    (again,) = published(call)
    assert (again.subscriber_id, again.demand_type, again.agent_id) == ("s-1", "billing", "agent-2")


def test_a_call_that_an_agent_logs_is_answered_from_its_beginning() -> None:
    logged = LogCall(
        direction=c.Direction.OUTBOUND,
        channel=Channel.WALK_IN,
        started_at=BEGIN,
        ended_at=BEGIN + timedelta(seconds=90),
        phone="13900001111",
        demand_type="test",
    )
    logged.check_times()
    call = log_call("c-1", logged, author(), subscriber_id="s-1")
    offered, answered, ended = published(call)
    assert kinds([offered, answered, ended]) == ["CallOffered", "CallAnswered", "CallEnded"]
    assert (answered.wait_milliseconds, ended.talk_milliseconds) == (0, 90_000)
    assert {body.subscriber_id for body in (offered, answered, ended)} == {"s-1"}
    assert {body.direction for body in (offered, answered, ended)} == {c.Direction.OUTBOUND}
    assert "13900001111" not in str([offered, answered, ended])


def test_a_logged_call_that_ends_before_it_begins_is_refused() -> None:
    logged = LogCall(
        direction=c.Direction.INBOUND,
        channel=Channel.PHONE,
        started_at=BEGIN,
        ended_at=BEGIN - timedelta(seconds=1),
    )
    with pytest.raises(CallTimesInverted):
        logged.check_times()
