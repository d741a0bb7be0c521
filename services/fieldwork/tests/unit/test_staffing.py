"""Who has an order within its work area: who may reassign it, to whom, and who may complete it."""

import pytest

from contracts import events as e
from contracts.directory import StaffDefined
from contracts.handling import Completer
from contracts.lifecycle import ActNotAllowed, Status
from contracts.order import WorkOrder
from fieldwork.orders.domain import staffing
from fieldwork.orders.domain.staffing import ActingPerson, ReassignWorkOrder
from fieldwork.orders.domain.work import StaffOutsideWorkArea, StaffRepeated
from work_orders.testing_streams import make_dispatched, make_order

SUPERVISOR, DISPATCHER, TECHNICIAN = (
    ActingPerson(role="supervisor"),
    ActingPerson(role="dispatcher"),
    ActingPerson(role="technician"),
)
ASSIGNED_ONLY = (Completer.ASSIGNED_STAFF, Completer.SUPERVISOR)


def member(staff_id: str, **overrides) -> StaffDefined:
    return StaffDefined(**{"staff_id": staff_id, "name": staff_id, "work_area_id": "north"} | overrides)


KNOWN = {
    "north-1": member("north-1"),
    "north-2": member("north-2"),
    "away": member("away", is_active=False),
    "south-1": member("south-1", work_area_id="south"),
}


def to(*staff_ids: str) -> ReassignWorkOrder:
    return ReassignWorkOrder(staff_ids=staff_ids, reason="王强请假")


def person(*members: StaffDefined) -> ActingPerson:
    return ActingPerson(role="technician", members=members)


def order_of(*staff_ids: str) -> WorkOrder:
    return make_order(make_dispatched(staff_ids=staff_ids), e.WorkOrderStarted(), status=Status.CREATED)


@pytest.mark.parametrize("by", [SUPERVISOR, DISPATCHER, person(member("boss", is_lead=True))])
@pytest.mark.parametrize("status", [Status.DISPATCHED, Status.PROCESSING])
def test_a_lead_a_dispatcher_or_a_supervisor_gives_the_order_to_others_of_the_area(
    by: ActingPerson, status: Status
) -> None:
    event = staffing.reassign(make_order(status=status), to("north-2"), by, KNOWN)
    assert event == e.WorkOrderReassigned(staff_ids=("north-2",), reason="王强请假")


@pytest.mark.parametrize(
    "by",
    [
        TECHNICIAN,
        person(member("north-1")),
        person(member("boss", is_lead=True, work_area_id="south")),
        person(member("boss", is_lead=True, is_active=False)),
    ],
)
def test_staff_who_do_not_lead_the_area_do_not_reassign(by: ActingPerson) -> None:
    with pytest.raises(staffing.NotLeadOfWorkArea):
        staffing.reassign(make_order(status=Status.PROCESSING), to("north-2"), by, KNOWN)


@pytest.mark.parametrize(
    ("staff_ids", "refusal"),
    [
        (("south-1",), StaffOutsideWorkArea),
        (("nobody",), StaffOutsideWorkArea),
        (("north-2", "north-2"), StaffRepeated),
        (("away",), staffing.StaffNotInService),
        (("north-1",), staffing.StaffUnchanged),
    ],
)
def test_an_order_is_reassigned_to_others_in_service_in_its_area(staff_ids, refusal) -> None:
    with pytest.raises(refusal):
        staffing.reassign(make_order(status=Status.PROCESSING), to(*staff_ids), SUPERVISOR, KNOWN)


@pytest.mark.parametrize("status", [Status.CREATED, Status.REJECTED, Status.COMPLETED, Status.ARCHIVED])
def test_an_order_outside_the_field_is_not_reassigned(status: Status) -> None:
    with pytest.raises(ActNotAllowed):
        staffing.reassign(make_order(status=status), to("north-2"), SUPERVISOR, KNOWN)


def may_complete(by: ActingPerson, completers=ASSIGNED_ONLY, assigned=(member("north-1", person_id="u-1"),)) -> bool:
    try:
        staffing.check_completer(order_of("north-1"), by, completers, assigned)
    except staffing.CompletionNotPermitted:
        return False
    return True


def test_assigned_staff_complete_an_order_and_their_colleagues_do_not() -> None:
    assert may_complete(person(member("north-1", person_id="u-1")))
    assert not may_complete(person(member("north-2", person_id="u-2")))
    assert not may_complete(TECHNICIAN), "everybody who is assigned is known, and this is somebody else"


def test_nobody_is_locked_out_while_the_directory_does_not_say_who_the_assigned_staff_are() -> None:
    assert may_complete(TECHNICIAN, assigned=(member("north-1"),))
    assert may_complete(TECHNICIAN, assigned=())


def test_a_person_who_is_a_member_of_two_areas_completes_in_both() -> None:
    both = person(member("north-1", person_id="u-1"), member("south-7", person_id="u-1", work_area_id="south"))
    assert may_complete(both)


@pytest.mark.parametrize(
    ("by", "completers"),
    [
        (SUPERVISOR, (Completer.SUPERVISOR,)),
        (DISPATCHER, (Completer.DISPATCHER,)),
        (person(member("north-2", person_id="u-2")), (Completer.AREA_STAFF,)),
        (person(member("boss", person_id="u-3", is_lead=True)), (Completer.LEAD,)),
    ],
)
def test_whoever_a_rule_names_completes_an_order_and_nobody_else(by: ActingPerson, completers) -> None:
    assert may_complete(by, completers)
    assert not may_complete(by, tuple(each for each in Completer if each not in completers and each != "area_staff"))
