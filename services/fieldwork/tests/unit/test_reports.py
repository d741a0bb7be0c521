"""What the field reports: an event where the order takes it, a fact everywhere else, and hardly ever a refusal."""

from datetime import datetime, timedelta

import pytest

from contracts import events as e
from contracts import facts as f
from contracts.lifecycle import Status
from contracts.order import WorkOrder
from fieldwork.facts.domain import reports
from fieldwork.facts.domain.reports import BeforeTheOrder, FieldReport, OrderLetGo
from work_orders.testing_streams import BEGIN, make_completed, make_dispatched, make_order, make_rejected

LATER = BEGIN + timedelta(hours=1)
DAY = timedelta(days=1)
NORTH, SOUTH = ("north",), ("south",)


def moved_on() -> WorkOrder:
    """Rejected by the north at 08:02, and dispatched to the south at 08:04."""
    return make_order(
        make_dispatched(),
        make_rejected(),
        e.WorkOrderRedispatchRequested(),
        make_dispatched(work_area_id="south"),
        status=Status.CREATED,
    )


def takes(order: WorkOrder, report: FieldReport, areas: tuple[str, ...] | None = NORTH, at: datetime = LATER) -> bool:
    return reports.takes_event(order, report, areas=areas, occurred_at=at)


@pytest.mark.parametrize("status", Status)
def test_an_arrival_moves_the_order_while_its_area_holds_it(status: Status) -> None:
    is_held = status in (Status.DISPATCHED, Status.PROCESSING)
    assert takes(make_order(status=status), reports.arrival("gate")) == is_held


def test_an_acceptance_moves_the_order_until_work_begins() -> None:
    assert takes(make_order(status=Status.DISPATCHED), reports.acceptance())
    assert not takes(make_order(status=Status.PROCESSING), reports.acceptance())


def test_while_work_rests_a_note_moves_the_order_and_an_arrival_is_a_fact() -> None:
    order = make_order(e.WorkOrderSuspended(reason="parts", until=LATER), status=Status.PROCESSING)
    assert takes(order, reports.note("x"))
    assert not takes(order, reports.arrival(None))


def test_people_of_another_area_move_nothing_and_those_of_every_area_do() -> None:
    order = make_order(status=Status.DISPATCHED)
    assert not takes(order, reports.arrival(None), SOUTH)
    assert takes(order, reports.arrival(None), None)


def test_what_happened_before_the_dispatch_stops_no_clock() -> None:
    order = make_order(status=Status.DISPATCHED)
    assert not takes(order, reports.arrival(None), at=BEGIN)


def test_a_departure_never_moves_the_order() -> None:
    assert not takes(make_order(status=Status.DISPATCHED), FieldReport(fact=f.WorkOrderDeparted()))


@pytest.mark.parametrize("minutes", [1, 2, 60, 24 * 60 + 2])
def test_an_area_that_lost_the_order_reports_what_happened_until_a_while_after(minutes: int) -> None:
    at = BEGIN + timedelta(minutes=minutes)
    reports.check_reportable(moved_on(), areas=NORTH, occurred_at=at, grace=DAY)


def test_what_happened_long_after_an_area_lost_the_order_is_not_its_to_report() -> None:
    at = BEGIN + timedelta(minutes=24 * 60 + 3)
    with pytest.raises(OrderLetGo) as refused:
        reports.check_reportable(moved_on(), areas=NORTH, occurred_at=at, grace=DAY)
    assert refused.value.context["until"] == (BEGIN + timedelta(minutes=2)).isoformat()
    reports.check_reportable(moved_on(), areas=SOUTH, occurred_at=at, grace=DAY)


def test_nothing_happened_before_the_order_was_created() -> None:
    with pytest.raises(BeforeTheOrder):
        reports.check_reportable(moved_on(), areas=None, occurred_at=BEGIN - DAY, grace=DAY)


def test_an_area_has_had_an_order_that_it_holds_rejected_or_completed() -> None:
    assert reports.has_had(moved_on(), NORTH)
    assert reports.has_had(moved_on(), SOUTH)
    assert not reports.has_had(moved_on(), ("west",))
    assert not reports.has_had(make_order(status=Status.CREATED), NORTH)
    sent_on = make_order(
        e.WorkOrderStarted(),
        make_completed(),
        e.WorkOrderRedispatchRequested(),
        make_dispatched(work_area_id="south"),
        status=Status.DISPATCHED,
    )
    assert reports.has_had(sent_on, NORTH)


def test_a_clock_that_is_a_little_behind_does_not_put_an_arrival_before_its_dispatch() -> None:
    order = make_order(status=Status.DISPATCHED)
    dispatched = BEGIN + timedelta(minutes=1)
    near, far = dispatched - timedelta(seconds=30), dispatched - timedelta(seconds=90)
    tolerance = timedelta(minutes=1)
    assert reports.since_dispatch(order, near, tolerance=tolerance) == dispatched
    assert reports.since_dispatch(order, far, tolerance=tolerance) == far
    assert reports.since_dispatch(order, LATER, tolerance=tolerance) == LATER
