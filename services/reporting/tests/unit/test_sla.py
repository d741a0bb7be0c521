"""What the events of an order and the sets of time limits make of its clocks."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from services.reporting.tests.conftest import LimitStream

from contracts import events as e
from contracts.calendar import Hours, WorkingTime
from contracts.events import SlaClock
from contracts.lifecycle import Status
from contracts.limits import TimeLimit, TimeLimitsDefined
from reporting.projections.orders import Projected
from reporting.projections.sla import ClockRow, LimitHistory, OrderClocks, clocks_of
from work_orders.testing_streams import BEGIN, make_completed, make_dispatched, make_rejected

LATE_AFTER = timedelta(minutes=5)
ALL_DAY = WorkingTime(time_zone="UTC", days_off=(), hours=(Hours(begin_minute=0, end_minute=1440),))
ARRIVE_IN_AN_HOUR = TimeLimit(clock=SlaClock.ARRIVE, minutes=60)


def make_rules(*limits: TimeLimit, applies_from=BEGIN) -> TimeLimitsDefined:
    return TimeLimitsDefined(applies_from=applies_from, limits=limits, calendar=ALL_DAY, longest_extension_minutes=600)


def clocks(stream, *sets: tuple[TimeLimitsDefined, Any]) -> OrderClocks:
    """The clocks of an order, by sets of limits that became known at some moment each; without any as shipped."""
    rules, projected = LimitStream(), Projected(LATE_AFTER)
    for one, known_at in sets:
        rules.add(one, known_at)
    projected.take(stream.messages)
    return clocks_of(projected.taken, LimitHistory.of(rules.messages), LATE_AFTER)


def by_limit(stream, *limits: TimeLimit) -> OrderClocks:
    return clocks(stream, (make_rules(*limits), BEGIN))


def judged(found: OrderClocks) -> dict[str, bool | None]:
    """By clock that has stopped whether it was in time; the last turn of a clock that runs more than once."""
    return {row.clock: row.is_in_time for row in _stopped(found) if row.limit_us is not None}


def measured(found: OrderClocks, clock: SlaClock) -> list[float]:
    """Seconds from the beginning to the end of a clock, where they are known."""
    return [row.microseconds / 1e6 for row in _stopped(found) if row.clock == clock and row.stopped_by == "arrived"]


def _stopped(found: OrderClocks) -> Iterable[ClockRow]:
    return (row for row in found.present.values() if row.state == "stopped")


def at_the_door(make_stream, status: Status = Status.DISPATCHED, **created: Any):
    """An urban order that came to a status within no time."""
    return make_stream("o-1", status, at=BEGIN, step=0, **created)


@pytest.mark.parametrize(("minutes", "is_in_time"), [(45, True), (45.01, False)])
def test_an_urban_order_is_to_be_reached_within_45_minutes_as_shipped(make_stream, minutes, is_in_time):
    stream = at_the_door(make_stream)
    stream.after(minutes=minutes).add(e.WorkOrderArrived())
    stream.after(minutes=9).add(e.WorkOrderArrived())
    found = clocks(stream)
    assert judged(found) == {"arrive": is_in_time}
    assert measured(found, SlaClock.ARRIVE) == [minutes * 60]
    assert found.present["arrive", 1].work_area_id == "north"


def test_a_completion_ends_the_clock_of_an_unreported_arrival_and_measures_none(make_stream):
    stream = at_the_door(make_stream, Status.PROCESSING)
    stream.after(minutes=50).add(make_completed())
    found = clocks(stream)
    assert judged(found) == {"arrive": False}
    assert measured(found, SlaClock.ARRIVE) == []


def test_an_arrival_without_a_limit_is_measured_and_not_judged(make_stream):
    stream = at_the_door(make_stream, demand_type="complaint")
    stream.after(minutes=50).add(e.WorkOrderArrived())
    found = clocks(stream)
    assert judged(found) == {}
    assert (found.present["arrive", 1].limit_us, found.present["arrive", 1].is_in_time) == (None, None)
    assert measured(found, SlaClock.ARRIVE) == [3000]


def test_an_arrival_is_measured_also_when_its_limit_was_taken_away_meanwhile(make_stream):
    stream = at_the_door(make_stream)
    stream.after(minutes=50).add(e.WorkOrderArrived())
    found = clocks(stream, (make_rules(), BEGIN + timedelta(minutes=5)))
    assert judged(found) == {}
    assert measured(found, SlaClock.ARRIVE) == [3000]


@pytest.mark.parametrize(("minutes", "is_in_time"), [(20, True), (20.01, False)])
def test_no_clock_runs_while_an_order_rests(make_stream, minutes, is_in_time):
    stream = at_the_door(make_stream, Status.PROCESSING)
    stream.after(minutes=40).add(e.WorkOrderSuspended(reason="x", until=BEGIN + timedelta(days=9)))
    resting = by_limit(stream, TimeLimit(clock=SlaClock.COMPLETE, minutes=60)).present["complete", 1]
    assert (resting.state, resting.due_at) == ("paused", None)
    stream.after(days=3).add(e.WorkOrderResumed())
    stream.after(minutes=minutes).add(make_completed())
    found = by_limit(stream, TimeLimit(clock=SlaClock.COMPLETE, minutes=60))
    assert found.present["complete", 1].is_in_time is is_in_time


@pytest.mark.parametrize(("minutes", "is_in_time"), [(75, True), (76, False)])
def test_an_extension_is_added_to_the_limit_of_its_clock(make_stream, minutes, is_in_time):
    stream = at_the_door(make_stream, Status.PROCESSING)
    stream.add(e.WorkOrderExtended(request_id="r", clock=SlaClock.COMPLETE, minutes=15, reason="x"))
    stream.add(e.WorkOrderExtended(request_id="s", clock=SlaClock.REPLY, minutes=99, reason="x"))
    stream.after(minutes=minutes).add(make_completed())
    row = by_limit(stream, TimeLimit(clock=SlaClock.COMPLETE, minutes=60)).present["complete", 1]
    assert (row.is_in_time, row.extension_count, row.limit_us) == (is_in_time, 1, 75 * 60_000_000)


def test_a_work_area_that_sends_an_order_back_has_not_missed_to_accept_it(make_stream):
    stream = at_the_door(make_stream)
    stream.after(minutes=31).add(make_rejected())
    stream.add(e.WorkOrderRedispatchRequested(is_misdispatch_valid=True, remark="x"))
    stream.after(minutes=5).add(make_dispatched(work_area_id="south"))
    stream.after(minutes=30).add(e.WorkOrderStarted())
    found = by_limit(stream, TimeLimit(clock=SlaClock.ACCEPT, minutes=30))
    first, second = found.present["accept", 1], found.present["accept", 2]
    assert (first.state, first.is_in_time, first.work_area_id) == ("void", None, "north")
    assert (second.state, second.is_in_time, second.work_area_id) == ("stopped", True, "south")


def test_an_acceptance_stops_its_clock_and_the_start_of_work_does_without_one(make_stream):
    accept, contact = TimeLimit(clock=SlaClock.ACCEPT, minutes=30), TimeLimit(clock=SlaClock.CONTACT, minutes=30)
    stream = at_the_door(make_stream)
    stream.after(minutes=20).add(e.WorkOrderAccepted())
    stream.add(e.WorkOrderContacted())
    stream.after(minutes=20).add(e.WorkOrderStarted())
    found = by_limit(stream, accept, contact)
    assert judged(found) == {"accept": True, "contact": True}
    assert {row.stopped_by for row in found.present.values()} == {"accepted", "contacted"}
    late = at_the_door(make_stream)
    late.after(minutes=40).add(e.WorkOrderStarted())
    late.add(e.WorkOrderContacted())
    assert judged(by_limit(late, accept, contact)) == {"accept": False, "contact": False}


@pytest.mark.parametrize(("hours", "is_in_time"), [(95, True), (95.01, False)])
def test_a_complaint_is_answered_when_the_subscriber_was_called_back(make_stream, hours, is_in_time):
    """From Monday to Friday, 16:00 in Shanghai, are four working days of eight hours."""
    stream = at_the_door(make_stream, Status.PROCESSING, demand_type="complaint")
    stream.after(hours=1).add(make_completed(is_called_back=False))
    stream.add(e.WorkOrderRedispatchRequested(reason="x"))
    stream.add(make_dispatched())
    stream.add(e.WorkOrderStarted())
    assert clocks(stream).present["reply", 1].state == "running"
    stream.after(hours=hours).add(make_completed(is_called_back=True))
    found = clocks(stream)
    assert judged(found) == {"contact": True, "reply": is_in_time}
    assert found.present["reply", 1].microseconds == round((hours + 1) * 3600) * 1_000_000


def test_an_archive_answers_a_complaint_without_a_call_back(make_stream):
    stream = at_the_door(make_stream, Status.PROCESSING, demand_type="complaint")
    stream.after(hours=1).add(make_completed(is_called_back=False))
    stream.after(hours=1).add(e.WorkOrderArchived())
    row = clocks(stream).present["reply", 1]
    assert (row.state, row.stopped_by, row.is_in_time) == ("stopped", "archived", True)


def test_a_cancelled_order_was_neither_in_time_nor_late(make_stream):
    stream = at_the_door(make_stream)
    stream.after(hours=5).add(e.WorkOrderCancelled(request_id="r", reason="x"))
    found = clocks(stream)
    assert {row.state for row in found.present.values()} == {"void"}
    assert judged(found) == {}


def test_limits_that_apply_from_the_past_judge_what_is_over_and_both_judgements_are_kept(make_stream):
    stream = at_the_door(make_stream)
    stream.after(minutes=50).add(e.WorkOrderArrived())
    later = BEGIN + timedelta(days=2)
    found = clocks(stream, (make_rules(ARRIVE_IN_AN_HOUR), later))
    assert judged(found) == {"arrive": True}
    known = [(row.is_in_time, row.since_known_at, row.until_known_at) for row in found.rows() if row.state == "stopped"]
    assert known == [(False, BEGIN + timedelta(minutes=50), later), (True, later, None)]


def test_limits_that_apply_later_leave_an_order_as_it_was_judged(make_stream):
    stream = at_the_door(make_stream)
    stream.after(minutes=50).add(e.WorkOrderArrived())
    for known_at in (BEGIN, BEGIN + timedelta(days=2)):
        found = clocks(stream, (make_rules(ARRIVE_IN_AN_HOUR, applies_from=BEGIN + timedelta(days=1)), known_at))
        assert judged(found) == {"arrive": False}


def test_an_event_before_the_latest_change_of_a_clock_takes_no_time_back(make_stream):
    stream = at_the_door(make_stream, Status.PROCESSING)
    stream.after(minutes=40).add(e.WorkOrderSuspended(reason="x", until=BEGIN + timedelta(days=9)))
    stream.after(minutes=-20).add(e.WorkOrderResumed())
    row = by_limit(stream, TimeLimit(clock=SlaClock.COMPLETE, minutes=60)).present["complete", 1]
    assert (row.began_at[-1], row.ended_at) == (BEGIN + timedelta(minutes=40), [BEGIN + timedelta(minutes=40)])
    assert row.due_at == BEGIN + timedelta(minutes=60)
