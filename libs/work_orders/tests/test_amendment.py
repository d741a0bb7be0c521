"""Amending an order: what it takes, what it says, and what is refused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts import events as e
from contracts.amendment import (
    AmendedMeanwhile,
    AmendWorkOrder,
    AppointmentInverted,
    AppointmentMovedAndWithdrawn,
    NothingAmended,
    VersionNotReached,
    amend,
    amendment_requested,
    check_amendment,
    details_present,
    grant_amendment,
)
from contracts.lifecycle import Act, ActNotAllowed, Status
from contracts.order import Done
from contracts.refusals import Refusal
from contracts.requests import WorkOrderAmendRequested
from work_orders.order_table import RANKS, rank_of
from work_orders.testing_streams import Stream, make_created, make_order

NINE = datetime(2026, 3, 3, 1, tzinfo=UTC)
MORNING = e.Appointment(NINE, NINE + timedelta(hours=2))
AFTERNOON = e.Appointment(NINE + timedelta(hours=5), NINE + timedelta(hours=7))
OPEN = [status for status in Status if status not in (Status.ARCHIVED, Status.CANCELLED)]


def wanted(*, withdraws: bool = False, **details: Any) -> AmendWorkOrder:
    return AmendWorkOrder(reason="说错了", details=e.OrderDetails(**details), is_appointment_withdrawn=withdraws)


@pytest.mark.parametrize("status", Status)
def test_an_order_is_amended_in_any_status_but_the_closed_ones(status: Status) -> None:
    order = make_order(status=status)
    if status in OPEN:
        assert amend(order, wanted(device_type="analogue")).device_type == "analogue"
        return
    with pytest.raises(ActNotAllowed) as refused:
        amend(order, wanted(device_type="analogue"))
    assert refused.value.context["act"] == Act.AMEND


def test_an_amendment_says_what_was_and_what_is_of_the_details_that_change_only() -> None:
    order = make_order(make_created(appointment=MORNING))
    command = wanted(appointment=AFTERNOON, demand_type="complaint", device_type=order.device_type)
    assert amend(order, command) == e.WorkOrderAmended(
        reason="说错了",
        before=e.OrderDetails(appointment=MORNING, demand_type="test"),
        appointment=AFTERNOON,
        demand_type="complaint",
    )


def test_the_order_has_what_it_was_amended_to_and_keeps_what_was_before() -> None:
    stream = Stream()
    stream.add(make_created(appointment=MORNING, content="no picture"))
    for command in (wanted(appointment=AFTERNOON, urgency=e.Urgency.URGENT), wanted(content="no sound")):
        stream.add(amend(stream.order, command))
    order = stream.order
    assert (order.status, order.version) == (Status.CREATED, 3)
    assert (order.appointment, order.urgency, order.content) == (AFTERNOON, e.Urgency.URGENT, "no sound")
    first, second = order.amendments
    assert (first.version, first.reason, first.request_id) == (2, "说错了", None)
    assert first.before == e.OrderDetails(appointment=MORNING, urgency=e.Urgency.NORMAL)
    assert first.after == e.OrderDetails(appointment=AFTERNOON, urgency=e.Urgency.URGENT)
    assert first.amended == Done(stream.messages[1].actor, stream.messages[1].occurred_at)
    assert (second.before.content, second.after.content) == ("no picture", "no sound")


def test_an_appointment_is_withdrawn_and_what_it_was_stays_visible() -> None:
    stream = Stream()
    stream.add(make_created(appointment=MORNING))
    stream.add(amend(stream.order, wanted(withdraws=True)))
    assert stream.order.appointment is None
    (amendment,) = stream.order.amendments
    assert amendment.is_appointment_withdrawn
    assert amendment.before == e.OrderDetails(appointment=MORNING)


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (wanted(), NothingAmended),
        (wanted(appointment=MORNING, withdraws=True), AppointmentMovedAndWithdrawn),
        (wanted(appointment=e.Appointment(NINE, NINE)), AppointmentInverted),
    ],
)
def test_an_amendment_that_cannot_be_is_refused(command: AmendWorkOrder, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        check_amendment(command)
    with pytest.raises(refusal):
        amend(make_order(status=Status.CREATED), command)


@pytest.mark.parametrize("command", [wanted(demand_type="test"), wanted(withdraws=True), wanted(urgency="normal")])
def test_what_the_order_has_already_is_no_amendment(command: AmendWorkOrder) -> None:
    with pytest.raises(NothingAmended):
        amend(make_order(status=Status.CREATED), command)


def request(seen_version: int, **details: Any) -> WorkOrderAmendRequested:
    return amendment_requested(wanted(**details), request_id="r-1", seen_version=seen_version)


def test_a_granted_request_is_the_amendment_that_was_asked_for() -> None:
    order = make_order(status=Status.COMPLETED)
    granted = grant_amendment(order, request(1, demand_type="complaint"))
    assert granted == replace(amend(order, wanted(demand_type="complaint")), request_id="r-1")


def test_of_two_amendments_at_once_the_second_is_refused_with_what_is_there() -> None:
    stream = Stream()
    stream.add(make_created())
    first, second = request(1, demand_type="complaint"), request(1, demand_type="report", device_type="analogue")
    stream.add(grant_amendment(stream.order, first))
    with pytest.raises(AmendedMeanwhile) as refused:
        grant_amendment(stream.order, second)
    assert refused.value.context == {"seen_version": 1, "amended_version": 2}
    assert details_present(stream.order, second) == e.OrderDetails(demand_type="complaint", device_type="digital")
    assert grant_amendment(stream.order, replace(second, seen_version=2)).demand_type == "report"


def test_what_happened_besides_amendments_refuses_none() -> None:
    assert grant_amendment(make_order(status=Status.AUDITING), request(1, demand_type="complaint"))


def test_a_version_that_the_order_has_not_reached_is_refused() -> None:
    with pytest.raises(VersionNotReached):
        grant_amendment(make_order(status=Status.CREATED), request(2, demand_type="complaint"))


def test_lists_have_the_more_urgent_first_and_of_these_the_urged() -> None:
    def rank(urgency: e.Urgency, *more: e.WorkOrderEvent) -> int:
        return rank_of(make_order(make_created(urgency=urgency), *more))

    urged = e.WorkOrderUrged(request_id="r", reason="x")
    ranks = [rank(urgency, *more) for urgency in reversed(e.Urgency) for more in ((urged,), ())]
    assert ranks == sorted(ranks) == list(RANKS)
