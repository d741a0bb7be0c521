"""What the work area decides, and what it is refused."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from contracts import events as e
from contracts.directory import StaffDefined
from contracts.handling import SHIPPED
from contracts.lifecycle import STEPS, Act, ActNotAllowed, Status
from contracts.order import WorkOrder
from fieldwork.orders.domain import suspension, work
from fieldwork.orders.domain.suspension import SuspendWorkOrder
from fieldwork.orders.domain.work import CompleteWorkOrder, RejectWorkOrder
from work_orders.testing_streams import BEGIN, make_dispatched, make_order

NORTH = {"north-1": StaffDefined(staff_id="north-1", name="王强", work_area_id="north")}
TOMORROW = BEGIN + timedelta(days=1)
REJECTION = RejectWorkOrder(reason=e.RejectionReason.UNSAFE, explanation="有狗")
SUSPENSION = SuspendWorkOrder(reason="等待配件", until=TOMORROW)


def make_completion(**overrides) -> CompleteWorkOrder:
    values = {"staff_ids": ("north-1",), "handling": "修好", "is_resolved": True, "is_petitioned": False}
    return CompleteWorkOrder(**(values | {"is_called_back": True} | overrides))


DECISIONS: dict[Act, Callable[[WorkOrder], object]] = {
    Act.START: work.start,
    Act.REJECT: lambda order: work.reject(order, REJECTION),
    Act.COMPLETE: lambda order: work.complete(order, make_completion(), NORTH),
    Act.SUSPEND: lambda order: suspension.suspend(order, SUSPENSION, SHIPPED, at=BEGIN, now=BEGIN),
    Act.RESUME: lambda order: suspension.resume(order, at=BEGIN),
}


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("act", DECISIONS)
def test_an_act_is_decided_where_the_table_has_it_and_refused_everywhere_else(act: Act, status: Status) -> None:
    order = make_order(status=status)
    if (status, act) in STEPS and act is not Act.RESUME:
        DECISIONS[act](order)
        return
    with pytest.raises(ActNotAllowed) as refused:
        DECISIONS[act](order)
    assert refused.value.context["allowed_acts"] == [one.value for one in order.allowed_acts]


@pytest.mark.parametrize("status", [Status.DISPATCHED, Status.PROCESSING])
@pytest.mark.parametrize("act", DECISIONS)
def test_a_suspended_order_can_be_resumed_and_nothing_else(act: Act, status: Status) -> None:
    order = make_order(e.WorkOrderSuspended(reason="等待配件", until=TOMORROW), status=status)
    if act is Act.RESUME:
        DECISIONS[act](order)
        return
    with pytest.raises(ActNotAllowed) as refused:
        DECISIONS[act](order)
    assert refused.value.context["order_status"] == "suspended"


def test_a_rejection_carries_its_reason_and_explanation() -> None:
    rejected = work.reject(make_order(status=Status.DISPATCHED), REJECTION)
    assert rejected == e.WorkOrderRejected(reason=e.RejectionReason.UNSAFE, explanation="有狗")


def _bound() -> WorkOrder:
    return make_order(make_dispatched(is_binding=True), status=Status.CREATED)


def test_a_binding_assignment_cannot_be_rejected() -> None:
    with pytest.raises(work.BindingAssignment, match="north"):
        work.reject(_bound(), REJECTION)
    with pytest.raises(work.BindingAssignment):
        work.reject(
            make_order(make_dispatched(is_binding=True), e.WorkOrderStarted(), status=Status.CREATED), REJECTION
        )


def test_an_order_that_came_back_and_was_dispatched_freely_can_be_rejected() -> None:
    order = make_order(
        make_dispatched(is_binding=True),
        e.WorkOrderStarted(),
        e.WorkOrderCompleted(
            staff_ids=("north-1",), handling="x", is_resolved=False, is_petitioned=False, is_called_back=False
        ),
        e.WorkOrderRedispatchRequested(reason="again"),
        make_dispatched(),
        status=Status.CREATED,
    )
    assert work.reject(order, REJECTION).explanation == "有狗"


def test_a_completion_carries_who_did_it_what_was_done_and_three_answers() -> None:
    completed = work.complete(make_order(status=Status.PROCESSING), make_completion(), NORTH)
    assert completed == e.WorkOrderCompleted(
        staff_ids=("north-1",), handling="修好", is_resolved=True, is_petitioned=False, is_called_back=True
    )


def test_nobody_is_named_twice_in_a_completion() -> None:
    with pytest.raises(work.StaffRepeated) as refused:
        work.complete(make_order(status=Status.PROCESSING), make_completion(staff_ids=("north-1", "north-1")), NORTH)
    assert refused.value.context == {"staff_ids": ["north-1"]}


def test_staff_of_another_work_area_cannot_have_completed_it() -> None:
    known = NORTH | {"south-1": StaffDefined(staff_id="south-1", name="李勇", work_area_id="south")}
    with pytest.raises(work.StaffOutsideWorkArea) as refused:
        work.complete(make_order(status=Status.PROCESSING), make_completion(staff_ids=("north-1", "south-1")), known)
    assert refused.value.context == {"staff_ids": ["south-1"], "work_area_id": "north"}


def test_a_person_whom_nobody_knows_cannot_have_completed_it() -> None:
    with pytest.raises(work.StaffOutsideWorkArea):
        work.complete(make_order(status=Status.PROCESSING), make_completion(staff_ids=("nobody",)), NORTH)


def test_the_staff_it_was_given_to_are_waited_for_when_their_entries_have_not_arrived() -> None:
    with pytest.raises(work.StaffNotArrived) as refused:
        work.complete(make_order(status=Status.PROCESSING), make_completion(), {})
    assert refused.value.context == {"staff_ids": ["north-1"]}


def test_a_colleague_who_has_left_since_may_have_completed_it() -> None:
    left = {"north-1": StaffDefined(staff_id="north-1", name="王强", work_area_id="north", is_active=False)}
    assert work.complete(make_order(status=Status.PROCESSING), make_completion(), left).staff_ids == ("north-1",)


def test_the_form_offers_what_the_work_area_can_do_and_no_request_or_other_services_act() -> None:
    assert work.allowed_acts(make_order(status=Status.DISPATCHED)) == (
        Act.START,
        Act.REJECT,
        Act.SUSPEND,
        Act.NOTE,
        Act.ARRIVE,
        Act.ACCEPT,
        Act.CONTACT,
    )
    assert work.allowed_acts(make_order(status=Status.COMPLETED)) == ()


def test_the_form_does_not_offer_to_reject_a_binding_assignment() -> None:
    assert work.allowed_acts(_bound()) == (Act.START, Act.SUSPEND, Act.NOTE, Act.ARRIVE, Act.ACCEPT, Act.CONTACT)
