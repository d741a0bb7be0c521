"""The clocks of an order at a moment: what they used, what is left, why they rest, when they were over."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import hypothesis
import pytest
from hypothesis import strategies as st

from contracts import events as e
from contracts.events import SlaClock
from contracts.lifecycle import Status
from contracts.limits import LimitCalendar, TimeLimit
from contracts.order import WorkOrder
from work_orders.clocks_shown import shown_clocks
from work_orders.sla_clocks import MINUTE_US, SHIPPED_ONLY, ClockState, Phase, RuleSet, RuleSets, clocks_of, next_due_at
from work_orders.testing import BEGIN, Stream, make_completed, make_created, make_dispatched, make_rejected

from .test_clocks import make_calendar, make_rules

HOUR_EACH = RuleSets((RuleSet(1, make_rules(*(TimeLimit(clock=clock, minutes=60) for clock in SlaClock))),))


def at(minute: float) -> datetime:
    return BEGIN + timedelta(minutes=minute)


def clocks(order: WorkOrder | None, moment: datetime, sets: RuleSets = HOUR_EACH) -> dict[SlaClock, ClockState]:
    assert order is not None
    return {state.clock: state for state in clocks_of(order, sets, at=moment)}


def minutes(state: ClockState) -> tuple[float, float]:
    return state.used_us / MINUTE_US, state.left_us / MINUTE_US


def test_a_running_clock_says_what_it_used_and_what_is_left() -> None:
    """Each event of the stream is a minute after the one before."""
    found = clocks(Stream().until(Status.DISPATCHED).order, at(31))
    assert {clock: minutes(state) for clock, state in found.items() if state.phase is Phase.RUNNING} == {
        SlaClock.ACCEPT: (30, 30),
        SlaClock.CONTACT: (31, 29),
        SlaClock.ARRIVE: (31, 29),
        SlaClock.COMPLETE: (31, 29),
        SlaClock.RESTORE: (31, 29),
        SlaClock.REPLY: (31, 29),
    }
    dispatch = found[SlaClock.DISPATCH]
    assert (dispatch.phase, dispatch.stopped_at, minutes(dispatch)) == (Phase.STOPPED, at(1), (1, 59))


def test_what_is_left_is_below_zero_once_the_limit_is_over() -> None:
    state = clocks(Stream().until(Status.DISPATCHED).order, at(75))[SlaClock.ARRIVE]
    assert (minutes(state), state.due_at, state.is_in_time) == ((75, -15), at(60), None)


def test_a_suspended_order_says_why_its_clocks_rest() -> None:
    stream = Stream().until(Status.PROCESSING)
    stream.add(e.WorkOrderSuspended(reason="等配件", until=at(500)))
    assert stream.order is not None
    for clock in shown_clocks(stream.order, HOUR_EACH, at=at(200)):
        if clock.phase is Phase.PAUSED:
            assert (clock.paused_reason, clock.paused_since, clock.paused_until) == ("等配件", at(3), at(500))
            assert (clock.used_seconds, clock.left_seconds, clock.due_at) == (180, 57 * 60, None)
    assert next_due_at(stream.order, HOUR_EACH) is None


def test_the_next_deadline_is_the_earliest_of_the_clocks_that_run() -> None:
    sets = RuleSets(
        (
            RuleSet(
                1,
                make_rules(
                    TimeLimit(clock=SlaClock.ACCEPT, minutes=10),
                    TimeLimit(clock=SlaClock.ARRIVE, minutes=45),
                    TimeLimit(clock=SlaClock.COMPLETE, minutes=30),
                ),
            ),
        )
    )
    stream = Stream().until(Status.DISPATCHED)
    assert next_due_at(stream.order, sets) == at(11)  # type: ignore[arg-type]
    stream.add(e.WorkOrderStarted())
    assert next_due_at(stream.order, sets) == at(30)  # type: ignore[arg-type]
    stream.add(make_completed())
    assert next_due_at(stream.order, sets) is None  # type: ignore[arg-type]


def test_the_first_dispatch_and_the_first_start_count_after_a_second_dispatch() -> None:
    stream = Stream().until(Status.PROCESSING)
    stream.add(make_rejected())
    stream.add(e.WorkOrderRedispatchRequested(is_misdispatch_valid=True, remark="x"))
    assert SlaClock.ACCEPT in clocks(stream.order, at(10)), "it was started before it was sent back"
    stream.add(make_dispatched(work_area_id="south"))
    found = clocks(stream.order, at(10))
    assert found[SlaClock.DISPATCH].stopped_at == at(1)
    assert found[SlaClock.CONTACT].stopped_at == at(2)
    assert (found[SlaClock.ACCEPT].began_at, found[SlaClock.ACCEPT].phase) == (at(5), Phase.RUNNING)


def test_an_area_that_sent_an_order_back_has_nothing_to_accept() -> None:
    assert SlaClock.ACCEPT not in clocks(Stream().until(Status.REJECTED).order, at(10))


def test_service_is_restored_by_the_first_completion_that_resolved_the_matter() -> None:
    stream = Stream().until(Status.PROCESSING)
    stream.add(make_completed(is_resolved=False, is_called_back=False))
    found = clocks(stream.order, at(10))
    assert (found[SlaClock.RESTORE].phase, found[SlaClock.FOLLOW_UP].began_at) == (Phase.RUNNING, at(3))
    stream.add(e.WorkOrderRedispatchRequested(reason="x"))
    for event in (make_dispatched(), e.WorkOrderStarted(), make_completed()):
        stream.add(event)
    found = clocks(stream.order, at(10))
    assert (found[SlaClock.RESTORE].stopped_at, found[SlaClock.FOLLOW_UP].stopped_at) == (at(7), at(7))
    assert found[SlaClock.COMPLETE].stopped_at == at(3)


def test_nothing_runs_after_the_archive_and_a_cancelled_order_keeps_what_had_stopped() -> None:
    archived = Stream().until(Status.PROCESSING)
    archived.add(make_completed(is_resolved=False, is_called_back=False))
    archived.add(e.WorkOrderArchived())
    assert {state.phase for state in clocks(archived.order, at(500)).values()} == {Phase.STOPPED}
    cancelled = Stream().until(Status.DISPATCHED)
    cancelled.add(e.WorkOrderCancelled(request_id="r", reason="x"))
    assert {*clocks(cancelled.order, at(500))} == {SlaClock.DISPATCH}


def test_a_limit_may_name_a_calendar_of_its_own() -> None:
    nights = make_calendar(hours=(), days_off=())
    office = LimitCalendar("office", make_calendar(covered_until=date(2026, 12, 31)))
    limits = (
        TimeLimit(clock=SlaClock.REPLY, minutes=480, is_working_time=True, calendar_id="office"),
        TimeLimit(clock=SlaClock.COMPLETE, minutes=480, is_working_time=True),
    )
    sets = RuleSets((RuleSet(4, make_rules(*limits, calendar=nights, calendars=(office,))),))
    found = clocks(Stream().until(Status.CREATED).order, at(60), sets)
    assert found[SlaClock.REPLY].due_at == datetime(2026, 3, 3, 8, tzinfo=BEGIN.tzinfo)
    assert found[SlaClock.REPLY].limit.covered_until == date(2026, 12, 31)
    assert found[SlaClock.COMPLETE].used_us == 0
    assert {state.rules_version for state in found.values()} == {4}


STEPS = st.lists(
    st.tuples(st.sampled_from(["suspend", "resume", "extend", "apply", "wait"]), st.integers(0, 2000)), max_size=14
)


@hypothesis.given(steps=STEPS, is_working_time=st.booleans())
@hypothesis.settings(max_examples=60, deadline=None, database=None)
def test_used_and_left_make_the_limit_under_any_order_of_acts_and_rules(steps, is_working_time) -> None:
    stream, sets = Stream().until(Status.PROCESSING), RuleSets()
    moment, extended, limit, rested = at(3), 0, 0, timedelta()
    suspended_at: datetime | None = None
    for act, number in steps:
        moment += timedelta(minutes=number)
        if act == "suspend" and suspended_at is None:
            suspended_at = moment
            take(stream, e.WorkOrderSuspended(reason="x", until=moment), moment)
        elif act == "resume" and suspended_at is not None:
            rested, suspended_at = rested + (moment - suspended_at), None
            take(stream, e.WorkOrderResumed(), moment)
        elif act == "extend":
            extended += 15
            event = e.WorkOrderExtended(request_id=f"r-{number}", clock=SlaClock.COMPLETE, minutes=15, reason="x")
            take(stream, event, moment)
        elif act == "apply":
            limit = number + 1
            given = TimeLimit(clock=SlaClock.COMPLETE, minutes=limit, is_working_time=is_working_time)
            sets = RuleSets((*sets.defined, RuleSet(len(sets.defined) + 1, make_rules(given))))
        found = clocks(stream.order, moment, sets).get(SlaClock.COMPLETE)
        assert (found is not None) == (limit > 0)
        if found is not None:
            assert found.used_us + found.left_us == found.limit.us == (limit + extended) * MINUTE_US
            if not is_working_time:
                pausing = moment - suspended_at if suspended_at else timedelta()
                assert found.used_us == (moment - BEGIN - rested - pausing) // timedelta(microseconds=1)
            assert (found.due_at is not None and found.due_at <= moment) == (found.left_us <= 0)


def take(stream: Stream, event: e.WorkOrderEvent, moment: datetime) -> None:
    """The next event of the stream, done at a moment."""
    message = stream.add(event)
    stream.messages[-1] = replace(message, occurred_at=moment)
    stream.order = None
    messages, stream.messages = stream.messages, []
    for one in messages:
        stream.take(one)


def test_a_complaint_has_the_clocks_that_were_shipped() -> None:
    stream = Stream()
    stream.add(make_created(demand_type="complaint"))
    found = clocks(stream.order, at(0), SHIPPED_ONLY)
    assert {*found} == {SlaClock.CONTACT, SlaClock.REPLY}


@pytest.mark.parametrize("is_known", [True, False])
def test_an_order_of_an_earlier_release_tells_the_latest_dispatch(*, is_known: bool) -> None:
    stream = Stream().until(Status.REDISPATCHING)
    stream.add(make_dispatched(work_area_id="south"))
    assert stream.order is not None
    order = stream.order if is_known else replace(stream.order, first_dispatched_at=None)
    assert clocks(order, at(9))[SlaClock.DISPATCH].stopped_at == at(1 if is_known else 4)
