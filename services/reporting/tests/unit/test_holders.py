"""Each microsecond of an order belongs to one holder, and late events move it to whose it was."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
import pytest

from contracts import events as e
from contracts.holders import Holder
from contracts.lifecycle import Status
from contracts.order import apply
from linework.recount.holders import Minutes
from reporting.projections.holders import RULES, HeldPart
from reporting.projections.orders import Projected
from reporting.projections.stays import StayRow
from work_orders.testing_streams import BEGIN, make_completed, make_dispatched, make_rejected

LATE_AFTER = timedelta(minutes=5)
Told = list[tuple[str, str, float | None]]


def parts_of(stay: StayRow) -> list[HeldPart]:
    return msgspec.json.decode(stay.held, type=list[HeldPart])


def stays_of(stream) -> list[StayRow]:
    projected = Projected(LATE_AFTER)
    projected.take(stream.messages)
    return projected.added


def told(stays: Sequence[StayRow]) -> Told:
    """Holder, reason and minutes of every part."""
    return [
        (part.holder, part.reason, None if part.microseconds is None else part.microseconds / 60_000_000)
        for stay in stays
        for part in parts_of(stay)
    ]


def recounted(stream) -> Told:
    minutes, order = Minutes(), None
    for message in stream.messages:
        before, order = order, apply(order, message)
        minutes.take(before, message, order)
    return [(row.names["holder"], row.names["reason"], row.above / 60_000_000) for row in minutes.rows()]


def appointment(start: datetime) -> e.Appointment:
    return e.Appointment(start=start, end=start + timedelta(hours=1))


def suspended(held_by: Holder | None) -> e.WorkOrderSuspended:
    return e.WorkOrderSuspended(reason="x", until=BEGIN, held_by=held_by)


def test_every_status_that_goes_on_has_a_holder() -> None:
    assert set(Status) - set(RULES) == {Status.ARCHIVED, Status.CANCELLED}


def test_an_archived_order_has_been_with_each_holder_in_turn(make_stream) -> None:
    stream = make_stream(status=Status.ARCHIVED)
    assert told(stays_of(stream)) == [
        ("dispatch", "first_dispatch", 1),
        ("area", "start", 1),
        ("staff", "work", 1),
        ("qa", "review", 1),
    ]
    assert recounted(stream) == told(stays_of(stream))


def test_a_rejected_order_is_dispatchs_until_it_is_dispatched_again(make_stream) -> None:
    stream = make_stream(status=Status.DISPATCHED)
    stream.add(make_rejected())
    stream.after(minutes=2).add(e.WorkOrderRedispatchRequested(is_misdispatch_valid=True, remark="x"))
    stream.after(minutes=3).add(make_dispatched(work_area_id="S"))
    ended = told(stays_of(stream))[2:-1]
    assert ended == [("dispatch", "ruling", 2), ("dispatch", "redispatch", 3)]


@pytest.mark.parametrize(("held_by", "holder"), [(None, "house"), (Holder.SUBSCRIBER, "subscriber")])
def test_a_suspension_is_whose_the_rules_said(make_stream, held_by: Holder | None, holder: str) -> None:
    stream = make_stream(status=Status.PROCESSING)
    stream.after(minutes=5).add(suspended(held_by))
    stream.after(minutes=7).add(e.WorkOrderResumed())
    stream.after(minutes=2).add(make_completed())
    assert told(stays_of(stream))[2:5] == [("staff", "work", 6), (holder, "other", 7), ("staff", "work", 2)]
    assert recounted(stream) == told(stays_of(stream))[:-1]


def test_a_dispatched_order_is_the_subscribers_until_the_appointment(make_stream) -> None:
    stream = make_stream(status=Status.DISPATCHED, appointment=appointment(BEGIN + timedelta(minutes=31)))
    stream.after(minutes=58).add(e.WorkOrderStarted())
    assert told(stays_of(stream))[1:3] == [("subscriber", "appointment", 30), ("area", "start", 29)]
    assert recounted(stream) == told(stays_of(stream))[:-1]


def test_work_before_the_appointment_is_the_staffs(make_stream) -> None:
    stream = make_stream(status=Status.PROCESSING, appointment=appointment(BEGIN + timedelta(days=1)))
    stream.add(make_completed())
    assert told(stays_of(stream))[1:3] == [("subscriber", "appointment", 1), ("staff", "work", 1)]


def test_a_start_that_was_told_late_takes_the_time_from_the_work_area(make_stream) -> None:
    stream = make_stream(status=Status.DISPATCHED)
    stream.add(e.WorkOrderStarted())
    stream.after(minutes=30).add(make_completed())
    told_at = BEGIN + timedelta(hours=9)
    stream.messages[2:] = [replace(message, recorded_at=told_at) for message in stream.messages[2:]]
    stays = stays_of(stream)
    assert told(stays)[1:3] == [("area", "start", 1), ("staff", "work", 30)]
    assert (stays[1].until_known_at, stays[1].is_until_late) == (told_at, True)


def test_what_lies_after_the_end_of_a_stay_is_cut_off(make_stream) -> None:
    stream = make_stream(status=Status.PROCESSING)
    stream.after(minutes=9).add(suspended(None))
    stream.after(minutes=-4).add(e.WorkOrderCancelled(request_id="r", reason="x"))
    stays = stays_of(stream)
    assert told(stays)[2:] == [("staff", "work", 6)]
    assert recounted(stream) == told(stays)


def test_the_part_that_goes_on_has_no_length(make_stream) -> None:
    (stay,) = stays_of(make_stream())
    assert told([stay]) == [("dispatch", "first_dispatch", None)]


def test_an_appointment_that_is_moved_moves_the_subscribers_time(make_stream) -> None:
    stream = make_stream(status=Status.DISPATCHED, appointment=appointment(BEGIN + timedelta(minutes=31)))
    moved = appointment(BEGIN + timedelta(minutes=61))
    stream.after(minutes=48).add(e.WorkOrderAmended(reason="x", before=e.OrderDetails(), appointment=moved))
    stream.after(minutes=20).add(e.WorkOrderStarted())
    assert told(stays_of(stream))[1:-1] == [
        ("subscriber", "appointment", 30),
        ("area", "start", 19),
        ("subscriber", "appointment", 11),
        ("area", "start", 9),
    ]
    assert recounted(stream) == told(stays_of(stream))[:-1]
