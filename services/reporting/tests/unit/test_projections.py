"""What each event does to an order's facts and intervals, and that the contracts' fold agrees."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chassis.subscribe import Poison
from contracts import events as e
from contracts.lifecycle import Status
from contracts.order import CannotApply
from custody.testing import BEGIN, make_dispatched, make_rejected
from reporting.projections import INTERVAL_COLUMNS, Projected, advance, created
from reporting.recount import stays_of


def _projected(stream) -> Projected:
    projected = Projected()
    projected.take(stream.messages)
    return projected


def _intervals(stream) -> list[dict]:
    return [dict(zip(INTERVAL_COLUMNS, interval, strict=True)) for interval in _projected(stream).intervals]


@pytest.mark.parametrize("status", list(Status))
def test_facts_and_intervals_agree_with_the_contracts_fold(make_stream, status):
    stream = make_stream(status=status)
    order, stays = stays_of(stream.messages)
    facts = _projected(stream).facts["o-1"]
    assert (facts.status, facts.version, facts.work_area_id) == (order.status, order.version, order.work_area_id)
    assert [(row["status"], row["entered_at"], row["left_at"]) for row in _intervals(stream)] == [
        (stay.order.status, stay.entered_at, stay.left_at) for stay in stays
    ]


def test_intervals_of_an_order_touch_each_other_and_add_up_to_its_age(make_stream):
    stream = make_stream(status=Status.ARCHIVED)
    rows = _intervals(stream)
    assert [row["status"] for row in rows] == ["created", "dispatched", "processing", "completed"]
    assert [row["left_at"] for row in rows[:-1]] == [row["entered_at"] for row in rows[1:]]
    spent = sum((row["left_at"] - row["entered_at"] for row in rows), timedelta())
    assert spent == stream.order.changed.at - stream.order.created.at


def test_an_interval_has_the_area_of_its_time(make_stream):
    stream = make_stream(status=Status.REDISPATCHING)
    stream.add(make_dispatched(work_area_id="south"))
    stream.add(make_rejected())
    areas = [(row["status"], row["work_area_id"]) for row in _intervals(stream)]
    assert areas == [
        ("created", None),
        ("dispatched", "north"),
        ("rejected", "north"),
        ("redispatching", "north"),
        ("dispatched", "south"),
    ]


def test_urges_notes_and_suspensions_end_no_interval(make_stream):
    stream = make_stream(status=Status.PROCESSING)
    before = len(_intervals(stream))
    stream.add(e.WorkOrderUrged(request_id="u-1", reason="x"))
    stream.add(e.WorkOrderNoteAdded(note="x"))
    stream.add(e.WorkOrderSuspended(reason="x", until=BEGIN))
    assert _projected(stream).facts["o-1"].is_suspended is True
    stream.add(e.WorkOrderResumed())
    assert _projected(stream).facts["o-1"].is_suspended is False
    assert len(_intervals(stream)) == before


def test_a_clock_that_went_back_makes_an_interval_of_nothing_and_none_below(make_stream):
    stream = make_stream(status=Status.DISPATCHED)
    stream.after(hours=-5).add(e.WorkOrderStarted())
    row = _intervals(stream)[-1]
    assert row["left_at"] == row["entered_at"]
    assert stays_of(stream.messages)[1][-1].left_at == row["left_at"]


def test_an_event_that_cannot_follow_changes_nothing(make_stream):
    stream = make_stream(status=Status.COMPLETED)
    facts = created(stream.messages[0])
    before = replace(facts)
    for message in stream.messages[2:]:
        with pytest.raises(CannotApply):
            advance(facts, message)
    assert facts == before


def test_an_order_is_created_first_and_once(make_stream):
    stream = make_stream(status=Status.DISPATCHED)
    with pytest.raises(Poison, match="never created"):
        Projected().take(stream.messages[1:])
    with pytest.raises(Poison, match="does not change order"):
        Projected().take([stream.messages[0], stream.messages[0]])
