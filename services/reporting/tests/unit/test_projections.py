"""What each event does to an order's stays, and that the contracts' fold agrees."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chassis.subscribe import Poison
from contracts import events as e
from contracts.lifecycle import Status
from contracts.order import CannotApply, apply
from linework.recount.orders import Life
from reporting.projections.orders import Projected, advance, created
from reporting.projections.stays import StayRow
from work_orders.testing_streams import BEGIN, make_completed, make_dispatched, make_rejected

LATE_AFTER = timedelta(minutes=5)


def _stays(stream) -> list[StayRow]:
    projected = Projected(LATE_AFTER)
    projected.take(stream.messages)
    return projected.added


def _ended(stream) -> list[StayRow]:
    return _stays(stream)[:-1]


def _life(stream) -> Life:
    """The same order, folded by the contracts for the recount."""
    life, order = Life("o-1", "s-1", "test"), None
    for message in stream.messages:
        before, order = order, apply(order, message)
        life.take(before, message, order)
    return life


@pytest.mark.parametrize("status", list(Status))
def test_stays_agree_with_the_contracts_fold(make_stream, status):
    stream = make_stream(status=status)
    stays, steps = _stays(stream), _life(stream).steps
    assert (stays[-1].status, stays[-1].work_area_id) == (stream.order.status, stream.order.work_area_id)
    assert [(stay.from_status, stay.status, stay.entered_at, stay.work_area_id) for stay in stays] == [
        (step.before, step.after, step.at, step.names["work_area_id"]) for step in steps
    ]
    assert [stay.microseconds for stay in stays[:-1]] == [step.microseconds for step in steps[1:]]


def test_stays_of_an_order_touch_each_other_and_add_up_to_its_age(make_stream):
    stream = make_stream(status=Status.ARCHIVED)
    stays = _ended(stream)
    assert [stay.status for stay in stays] == ["created", "dispatched", "processing", "completed"]
    assert [stay.left_at for stay in stays[:-1]] == [stay.entered_at for stay in stays[1:]]
    assert [stay.until_known_at for stay in stays[:-1]] == [stay.since_known_at for stay in stays[1:]]
    spent = sum((stay.left_at - stay.entered_at for stay in stays), timedelta())
    assert spent == stream.order.changed.at - stream.order.created.at


def test_a_stay_has_the_area_of_its_time(make_stream):
    stream = make_stream(status=Status.REDISPATCHING)
    stream.add(make_dispatched(work_area_id="south", staff_ids=("south-2", "south-1")))
    stream.add(make_rejected())
    areas = [(stay.status, stay.work_area_id, stay.staff_id, stay.dispatch_count) for stay in _ended(stream)]
    assert areas == [
        ("created", None, None, 0),
        ("dispatched", "north", "north-1", 1),
        ("rejected", "north", "north-1", 1),
        ("redispatching", "north", "north-1", 1),
        ("dispatched", "south", "south-2", 2),
    ]


def test_an_event_that_was_recorded_long_after_it_happened_is_late(make_stream):
    stream = make_stream(status=Status.DISPATCHED)
    started = stream.add(e.WorkOrderStarted())
    assert [stay.is_since_late for stay in _stays(stream)] == [False, False, False]
    stream.messages[-1] = replace(started, recorded_at=started.occurred_at + timedelta(minutes=5, microseconds=1))
    assert [stay.is_since_late for stay in _stays(stream)] == [False, False, True]
    assert [stay.is_until_late for stay in _stays(stream)] == [False, True, None]


def test_what_is_known_of_an_order_never_becomes_less(make_stream):
    stream = make_stream(status=Status.DISPATCHED)
    started = stream.add(e.WorkOrderStarted())
    stream.messages[-1] = replace(started, recorded_at=started.recorded_at - timedelta(days=1))
    stays = _stays(stream)
    assert stays[2].since_known_at == stays[1].since_known_at


def test_urges_notes_and_suspensions_end_no_stay(make_stream):
    stream = make_stream(status=Status.PROCESSING)
    before = len(_ended(stream))
    stream.add(e.WorkOrderUrged(request_id="u-1", reason="x"))
    stream.add(e.WorkOrderNoteAdded(note="x"))
    stream.add(e.WorkOrderSuspended(reason="x", until=BEGIN))
    assert _stays(stream)[-1].is_suspended is True
    stream.add(e.WorkOrderResumed())
    assert _stays(stream)[-1].is_suspended is False
    assert len(_ended(stream)) == before


def test_only_a_stored_stay_that_has_changed_is_written_again(make_stream):
    stream = make_stream(status=Status.PROCESSING)
    projected = Projected(LATE_AFTER, {"o-1": _stays(stream)[-1]})
    projected.take([stream.add(e.WorkOrderNoteAdded(note="x"))])
    assert (projected.changed, projected.added) == ({}, [])
    projected.take([stream.add(e.WorkOrderSuspended(reason="x", until=BEGIN)), stream.add(e.WorkOrderResumed())])
    projected.take([stream.add(make_completed()), stream.add(e.WorkOrderArchived())])
    assert projected.changed["o-1"].next_status == "completed"
    assert [stay.status for stay in projected.added] == ["completed", "archived"]


def test_a_clock_that_went_back_makes_a_stay_of_nothing_and_none_below(make_stream):
    stream = make_stream(status=Status.DISPATCHED)
    stream.after(hours=-5).add(e.WorkOrderStarted())
    stay = _ended(stream)[-1]
    assert (stay.left_at, stay.microseconds) == (stay.entered_at, 0)
    assert _life(stream).steps[-1].at == stay.left_at


def test_an_event_that_cannot_follow_changes_nothing(make_stream):
    stream = make_stream(status=Status.COMPLETED)
    stay = created(stream.messages[0], LATE_AFTER)
    before = replace(stay)
    for message in stream.messages[2:]:
        with pytest.raises(CannotApply):
            advance(stay, message, LATE_AFTER)
    assert stay == before


def test_an_order_is_created_first_and_once(make_stream):
    stream = make_stream(status=Status.DISPATCHED)
    with pytest.raises(Poison, match="never created"):
        Projected(LATE_AFTER).take(stream.messages[1:])
    with pytest.raises(Poison, match="does not change order"):
        Projected(LATE_AFTER).take([stream.messages[0], stream.messages[0]])
