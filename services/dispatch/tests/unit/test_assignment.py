"""Giving an order to an area and its staff, and ruling on rejections: every rule, and what passes them all."""

from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.directory import Names, StaffDefined, WorkAreaDefined
from contracts.events import (
    Channel,
    RejectionReason,
    WorkOrderDispatched,
    WorkOrderRecalled,
    WorkOrderRedispatchRequested,
    Zone,
)
from contracts.lifecycle import CUSTODIANS, STEPS, Act, ActNotAllowed, Status, allowed_acts
from contracts.message import Actor
from contracts.order import Done, Rejection, WorkOrder
from contracts.refusals import Conflict, Forbidden, Invalid, Refusal
from dispatch.domain.assignment import (
    BindingNeedsSupervisor,
    Circumstances,
    DispatchWorkOrder,
    RejectionBudgetSpent,
    SendToRedispatch,
    StaffInactive,
    StaffMissing,
    StaffOutsideWorkArea,
    StaffRepeated,
    StaffUnknown,
    WorkAreaClosed,
    WorkAreaRejectedBefore,
    WorkAreaUnknown,
    dispatch,
    has_rejected,
    is_budget_spent,
    send_to_redispatch,
)
from work_orders.testing_streams import make_order as order_after

DONE = Done(Actor("u-1", "agent"), datetime(2026, 3, 2, 8, tzinfo=UTC))


def make_work_order(*, rejected_by: tuple[str, ...] = (), **overrides: Any) -> WorkOrder:
    status = overrides.get("status", Status.REDISPATCHING if rejected_by else Status.CREATED)
    facts: dict[str, Any] = {
        "id": "o-1",
        "order_no": "20260302-000001",
        "version": 1 + 3 * len(rejected_by),
        "status": status,
        "custodian": CUSTODIANS[status],
        "allowed_acts": allowed_acts(status),
        "subscriber_id": "s-1",
        "subscriber_no": "111",
        "device_type": "digital",
        "demand_type": "test",
        "content": "测试",
        "channel": Channel.PHONE,
        "zone": Zone.URBAN,
        "territory": None,
        "appointment": None,
        "external_reference": None,
        "created": DONE,
        "changed": DONE,
        "rejections": tuple(map(make_rejection, rejected_by)),
    }
    return WorkOrder(**facts | overrides)


def make_rejection(work_area_id: str) -> Rejection:
    return Rejection(
        work_area_id=work_area_id, reason=RejectionReason.OUTSIDE_AREA, explanation="not ours", rejected=DONE
    )


def make_area(**overrides: Any) -> WorkAreaDefined:
    return WorkAreaDefined(**{"work_area_id": "north", "names": Names(en="North", zh="北区")} | overrides)


def make_staff(staff_id: str = "wang", **overrides: Any) -> StaffDefined:
    return StaffDefined(**{"staff_id": staff_id, "name": "王强", "work_area_id": "north"} | overrides)


def make_command(**overrides: Any) -> DispatchWorkOrder:
    return DispatchWorkOrder(**{"work_area_id": "north", "staff_ids": ("wang",)} | overrides)


def make_circumstances(*staff: StaffDefined, **overrides: Any) -> Circumstances:
    known = {member.staff_id: member for member in staff or (make_staff(),)}
    return Circumstances(**{"area": make_area(), "staff": known, "rejection_budget": 2} | overrides)


def refusal_of(
    order: WorkOrder, command: DispatchWorkOrder, known: Circumstances, *, is_supervisor: bool = False
) -> type[Refusal] | None:
    try:
        dispatch(order, command, known, is_supervisor=is_supervisor)
    except Refusal as refusal:
        return type(refusal)
    return None


def test_a_dispatch_names_area_staff_and_remark() -> None:
    known = make_circumstances(make_staff("wang"), make_staff("li"))
    command = make_command(staff_ids=("wang", "li"), remark="测试派单")
    assert dispatch(make_work_order(), command, known, is_supervisor=False) == WorkOrderDispatched(
        work_area_id="north", staff_ids=("wang", "li"), remark="测试派单", is_binding=False
    )


@pytest.mark.parametrize("is_supervisor", [False, True])
@pytest.mark.parametrize("status", Status)
def test_an_order_is_dispatched_from_the_statuses_of_the_table_and_no_other(
    status: Status, is_supervisor: bool
) -> None:
    refused = refusal_of(
        make_work_order(status=status), make_command(), make_circumstances(), is_supervisor=is_supervisor
    )
    assert refused is (None if (status, Act.DISPATCH) in STEPS else ActNotAllowed)


@pytest.mark.parametrize("is_supervisor", [False, True])
@pytest.mark.parametrize(
    ("command", "known", "refused"),
    [
        (make_command(), make_circumstances(area=None), WorkAreaUnknown),
        (make_command(), make_circumstances(area=make_area(is_open=False)), WorkAreaClosed),
        (make_command(staff_ids=()), make_circumstances(), StaffMissing),
        (make_command(staff_ids=("nobody",)), make_circumstances(), StaffUnknown),
        (make_command(), make_circumstances(make_staff(work_area_id="south")), StaffOutsideWorkArea),
        (make_command(), make_circumstances(make_staff(is_active=False)), StaffInactive),
        (make_command(staff_ids=("wang", "wang")), make_circumstances(), StaffRepeated),
        (
            make_command(staff_ids=("wang", "li")),
            make_circumstances(make_staff("wang"), make_staff("li", work_area_id="south")),
            StaffOutsideWorkArea,
        ),
        (
            make_command(staff_ids=("wang", "li")),
            make_circumstances(make_staff("wang"), make_staff("li", is_active=False)),
            StaffInactive,
        ),
        (make_command(staff_ids=("wang", "li")), make_circumstances(make_staff("wang")), StaffUnknown),
    ],
)
def test_what_the_directory_does_not_have_is_refused_to_everybody(
    command: DispatchWorkOrder, known: Circumstances, refused: type[Refusal], is_supervisor: bool
) -> None:
    assert refusal_of(make_work_order(), command, known, is_supervisor=is_supervisor) is refused


# budget, rejected by, to an area that rejected?, binding asked?: what a dispatcher is told; None for yes.
POWERS = [
    (2, (), False, None),
    (2, (), True, BindingNeedsSupervisor),
    (2, ("south",), False, None),
    (2, ("south",), True, BindingNeedsSupervisor),
    (2, ("north",), False, WorkAreaRejectedBefore),
    (2, ("north",), True, BindingNeedsSupervisor),
    (2, ("south", "west"), False, RejectionBudgetSpent),
    (2, ("south", "west"), True, RejectionBudgetSpent),
    (2, ("north", "west"), False, RejectionBudgetSpent),
    (2, ("south", "west", "east"), False, RejectionBudgetSpent),
    (3, ("south", "west"), False, None),
    (3, ("south", "north"), False, WorkAreaRejectedBefore),
    (1, ("south",), False, RejectionBudgetSpent),
    (1, (), False, None),
]


@pytest.mark.parametrize(("budget", "rejected_by", "is_binding", "refused"), POWERS)
def test_a_dispatcher_stays_within_the_budget_and_away_from_areas_that_rejected(
    budget: int, rejected_by: tuple[str, ...], is_binding: bool, refused: type[Refusal] | None
) -> None:
    known = make_circumstances(rejection_budget=budget)
    order = make_work_order(rejected_by=rejected_by)
    assert refusal_of(order, make_command(is_binding=is_binding), known) is refused


@pytest.mark.parametrize(("budget", "rejected_by", "is_binding", "_"), POWERS)
def test_a_supervisor_may_always_and_a_spent_budget_makes_it_binding(
    budget: int, rejected_by: tuple[str, ...], is_binding: bool, _: object
) -> None:
    known = make_circumstances(rejection_budget=budget)
    order = make_work_order(rejected_by=rejected_by)
    event = dispatch(order, make_command(is_binding=is_binding), known, is_supervisor=True)
    assert event.is_binding is (is_binding or len(rejected_by) >= budget)


def test_who_rejected_is_remembered_over_later_rejections() -> None:
    order = make_work_order(rejected_by=("north", "south"))
    assert [area for area in ("north", "south", "west") if has_rejected(area, order)] == ["north", "south"]


@pytest.mark.parametrize(("count", "is_spent"), [(0, False), (1, False), (2, True), (3, True)])
def test_the_budget_is_spent_when_so_many_rejections_have_come(count: int, is_spent: bool) -> None:
    assert is_budget_spent(make_work_order(rejected_by=("south",) * count), 2) is is_spent


@pytest.mark.parametrize("is_valid", [True, False])
def test_a_ruling_says_whether_the_misdispatch_was_valid_and_why(is_valid: bool) -> None:
    order = make_work_order(status=Status.REJECTED, rejected_by=("north",))
    ruling = SendToRedispatch(is_misdispatch_valid=is_valid, remark="确认误派")
    assert send_to_redispatch(order, ruling) == WorkOrderRedispatchRequested(
        is_misdispatch_valid=is_valid, remark="确认误派"
    )


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.REJECTED])
def test_only_a_rejected_order_is_ruled_on(status: Status) -> None:
    with pytest.raises(ActNotAllowed) as refusal:
        send_to_redispatch(make_work_order(status=status), SendToRedispatch(is_misdispatch_valid=True, remark="x"))
    assert refusal.value.context["custodian"] == CUSTODIANS[status]


@pytest.mark.parametrize(
    ("refusal", "family"),
    [
        (WorkAreaUnknown, Invalid),
        (WorkAreaClosed, Conflict),
        (WorkAreaRejectedBefore, Conflict),
        (StaffMissing, Invalid),
        (StaffRepeated, Invalid),
        (StaffUnknown, Invalid),
        (StaffInactive, Conflict),
        (StaffOutsideWorkArea, Invalid),
        (RejectionBudgetSpent, Forbidden),
        (BindingNeedsSupervisor, Forbidden),
    ],
)
def test_what_is_wrong_with_the_input_the_state_and_the_person_are_told_apart(
    refusal: type[Refusal], family: type[Refusal]
) -> None:
    assert refusal.__mro__[1] is family


def test_refusals_say_their_sentence_in_both_languages() -> None:
    order, known = make_work_order(rejected_by=("south", "west")), make_circumstances()
    with pytest.raises(RejectionBudgetSpent) as refusal:
        dispatch(order, make_command(), known, is_supervisor=False)
    assert "rejected 2 time(s), the limit is 2" in refusal.value.message("en")
    assert "反单 2 次" in refusal.value.message("zh")


def test_a_recall_is_no_rejection_and_the_area_may_have_the_order_again() -> None:
    order = order_after(WorkOrderRecalled(request_id="r-1", reason="需要光纤班"), status=Status.PROCESSING)
    assert not is_budget_spent(order, 1)
    assert not has_rejected("north", order)
