"""The fold: what a reader knows after each event."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts import events as e
from contracts import requests as r
from contracts.catalogue import BY_BODY, CATALOGUE, MessageKind
from contracts.device_time import DeviceTime
from contracts.lifecycle import Act, Service, Status
from contracts.message import Actor, Message
from contracts.order import (
    ACTS,
    Arrival,
    Audit,
    CannotApply,
    Decision,
    Done,
    Extension,
    Note,
    Pause,
    Reassignment,
    Recall,
    Redispatch,
    SubscriberContact,
    Suspension,
    Urge,
    WorkOrder,
    apply,
)

BEGIN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
WHO = Actor("u-1", "technician", "王强")
CREATED = e.WorkOrderCreated(
    order_no="1",
    subscriber_id="s-1",
    subscriber_no="111",
    device_type="digital",
    demand_type="test",
    content="没有图像",
    channel=e.Channel.PHONE,
    zone=e.Zone.RURAL,
    territory="east",
    appointment=e.Appointment(BEGIN, BEGIN + timedelta(hours=2)),
    external_reference="x-1",
)
DISPATCHED = e.WorkOrderDispatched(work_area_id="north", staff_ids=("a", "b"), remark="soon", is_binding=True)
STARTED = e.WorkOrderStarted()
REJECTED = e.WorkOrderRejected(reason=e.RejectionReason.UNSAFE, explanation="dog")
RULED = e.WorkOrderRedispatchRequested(is_misdispatch_valid=False, remark="go again")
COMPLETED = e.WorkOrderCompleted(
    staff_ids=("a",), handling="done", is_resolved=True, is_petitioned=False, is_called_back=True
)
AUDITING = e.WorkOrderAuditRequested()
PASSED = e.WorkOrderAudited(verdict=e.AuditVerdict.PASSED, remark="good")
FAILED = e.WorkOrderAudited(verdict=e.AuditVerdict.FAILED, remark="bad")
REDISPATCH = e.WorkOrderRedispatchRequested(reason="not repaired")
ARCHIVED = e.WorkOrderArchived()
CANCELLED = e.WorkOrderCancelled(request_id="r-1", reason="mistake")
URGED = e.WorkOrderUrged(request_id="r-2", reason="again")
SUSPENDED = e.WorkOrderSuspended(reason="parts", until=BEGIN + timedelta(days=1))
RESUMED = e.WorkOrderResumed()
NOTED = e.WorkOrderNoteAdded(note="gate code")

TO_COMPLETED = (CREATED, DISPATCHED, STARTED, COMPLETED)


def _at(version: int) -> Done:
    return Done(WHO, BEGIN + timedelta(minutes=version))


def make_message(body: Any, service: str, version: int = 1, **overrides: Any) -> Message:
    moment = BEGIN + timedelta(minutes=version)
    kind = BY_BODY[type(body)].type if body is not None else "linework.work_order.painted.v1"
    facts: dict[str, Any] = {"id": f"m-{version}", "type": kind, "subject": "o-1", "data": b"{}", "body": body}
    facts |= {"source": f"/linework/{service}", "order_version": version, "prev_hash": "0" * 64, "actor": WHO}
    facts |= {"occurred_at": moment, "recorded_at": moment + timedelta(seconds=9)}
    return Message(**(facts | overrides))


def fold(*bodies: Any) -> WorkOrder:
    order: WorkOrder | None = None
    for version, body in enumerate(bodies, start=1):
        service = order.custodian if order and order.custodian else Service.INTAKE
        order = apply(order, make_message(body, service, version))
    assert order is not None
    return order


def test_a_created_order_has_everything_that_was_said() -> None:
    order = fold(CREATED)
    assert (order.id, order.order_no, order.version, order.status) == ("o-1", "1", 1, Status.CREATED)
    assert order.custodian is Service.DISPATCH
    assert order.allowed_acts == (
        Act.DISPATCH,
        Act.CANCEL,
        Act.URGE,
        Act.EXTEND,
        Act.SUPERVISE,
        Act.ANSWER_SUPERVISION,
        Act.AMEND,
    )
    assert order.created == order.changed == _at(1)
    for name in CREATED.__slots__:
        assert getattr(order, name) == getattr(CREATED, name)
    assert order.work_area_id is None


def test_a_dispatched_order_has_its_assignment() -> None:
    order = fold(CREATED, DISPATCHED)
    assert (order.version, order.status, order.custodian) == (2, Status.DISPATCHED, Service.FIELDWORK)
    assert order.assignment is not None
    assert (order.work_area_id, order.assignment.staff_ids) == ("north", ("a", "b"))
    assert (order.assignment.remark, order.assignment.is_binding) == ("soon", True)
    assert order.assignment.dispatched == order.changed == _at(2)


def test_a_started_order_knows_since_when() -> None:
    order = fold(CREATED, DISPATCHED, STARTED)
    assert (order.status, order.started) == (Status.PROCESSING, _at(3))


def test_a_rejection_names_the_area_that_rejected_and_keeps_the_assignment() -> None:
    order = fold(CREATED, DISPATCHED, REJECTED)
    (rejection,) = order.rejections
    assert (order.status, order.custodian, order.work_area_id) == (Status.REJECTED, Service.DISPATCH, "north")
    assert (rejection.work_area_id, rejection.reason, rejection.explanation) == ("north", "unsafe", "dog")
    assert (rejection.rejected, rejection.ruled, rejection.is_misdispatch_valid) == (_at(3), None, None)


def test_a_ruling_is_written_to_the_last_rejection_only() -> None:
    again = (DISPATCHED, REJECTED)
    order = fold(CREATED, *again, RULED, *again)
    assert [rejection.is_misdispatch_valid for rejection in order.rejections] == [False, None]
    assert (order.rejections[0].ruling_remark, order.rejections[0].ruled) == ("go again", _at(4))
    assert order.redispatches == ()


def test_a_dispatch_after_a_rejection_begins_anew() -> None:
    order = fold(CREATED, DISPATCHED, STARTED, REJECTED, RULED, replace(DISPATCHED, work_area_id="east"))
    assert (order.status, order.work_area_id, order.started) == (Status.DISPATCHED, "east", None)
    assert [rejection.work_area_id for rejection in order.rejections] == ["north"]


def test_a_completion_has_the_three_answers() -> None:
    (completion,) = fold(*TO_COMPLETED).completions
    assert (completion.work_area_id, completion.staff_ids, completion.handling) == ("north", ("a",), "done")
    assert (completion.is_resolved, completion.is_petitioned, completion.is_called_back) == (True, False, True)
    assert completion.completed == _at(4)


def test_a_passed_audit_leads_back_to_completed() -> None:
    order = fold(*TO_COMPLETED, AUDITING, PASSED)
    assert (order.status, order.audit_requested) == (Status.COMPLETED, _at(5))
    assert order.audits == (Audit(verdict=e.AuditVerdict.PASSED, remark="good", audited=_at(6)),)


def test_a_failed_audit_sends_the_order_to_redispatch() -> None:
    order = fold(*TO_COMPLETED, AUDITING, FAILED)
    assert (order.status, order.custodian) == (Status.REDISPATCHING, Service.DISPATCH)
    assert order.audits[-1].verdict is e.AuditVerdict.FAILED
    assert order.redispatches == ()


def test_a_redispatch_after_completion_keeps_the_completion() -> None:
    order = fold(*TO_COMPLETED, REDISPATCH)
    assert (order.status, len(order.completions)) == (Status.REDISPATCHING, 1)
    assert order.redispatches == (Redispatch(reason="not repaired", requested=_at(5)),)
    assert order.rejections == ()


def test_a_second_completion_stands_behind_the_first() -> None:
    again = (DISPATCHED, STARTED, replace(COMPLETED, handling="really done"))
    assert [item.handling for item in fold(*TO_COMPLETED, REDISPATCH, *again).completions] == ["done", "really done"]


def test_an_archived_order_is_held_by_nobody() -> None:
    order = fold(*TO_COMPLETED, ARCHIVED)
    assert (order.status, order.custodian, order.allowed_acts) == (Status.ARCHIVED, None, ())
    assert order.archived == _at(5)


def test_a_cancelled_order_has_its_request_and_is_no_longer_suspended() -> None:
    order = fold(CREATED, DISPATCHED, SUSPENDED, CANCELLED)
    assert (order.status, order.custodian, order.suspension) == (Status.CANCELLED, None, None)
    assert order.cancellation is not None
    assert (order.cancellation.request_id, order.cancellation.cancelled) == ("r-1", _at(4))
    assert order.cancellation.status_before is Status.DISPATCHED


def test_urges_and_notes_are_kept_and_the_status_stays() -> None:
    order = fold(CREATED, URGED, DISPATCHED, NOTED, URGED)
    assert order.status is Status.DISPATCHED
    assert order.urges == tuple(Urge(request_id="r-2", reason="again", urged=_at(version)) for version in (2, 5))
    assert order.notes == (Note(note="gate code", noted=_at(4)),)


def test_a_suspension_that_is_over_stays_as_a_pause() -> None:
    order = fold(CREATED, DISPATCHED, SUSPENDED, RESUMED, STARTED, SUSPENDED)
    assert order.pauses == (Pause(since=_at(3).at, until=_at(4).at),)
    assert order.suspension is not None


def test_arrivals_and_extensions_are_kept_and_the_status_stays() -> None:
    extended = e.WorkOrderExtended(request_id="r-3", clock=e.SlaClock.REPLY, minutes=60, reason="parts")
    order = fold(CREATED, extended, DISPATCHED, e.WorkOrderArrived(place="gate"), e.WorkOrderArrived())
    assert order.status is Status.DISPATCHED
    assert order.arrivals == (Arrival(place="gate", arrived=_at(4)), Arrival(place=None, arrived=_at(5)))
    assert order.extensions == (
        Extension(request_id="r-3", clock=e.SlaClock.REPLY, minutes=60, reason="parts", extended=_at(2)),
    )


def test_a_suspended_order_rests_where_it_is() -> None:
    order = fold(CREATED, DISPATCHED, STARTED, SUSPENDED)
    assert (order.status, order.custodian) == (Status.PROCESSING, Service.FIELDWORK)
    assert order.suspension == Suspension(reason="parts", until=BEGIN + timedelta(days=1), suspended=_at(4))
    assert {Act.RESUME, Act.CANCEL, Act.NOTE, Act.RECALL} <= set(order.allowed_acts)
    assert not {Act.START, Act.SUSPEND, Act.COMPLETE, Act.REJECT} & set(order.allowed_acts)


def test_a_suspended_order_can_be_urged_and_noted_and_stays_suspended() -> None:
    order = fold(CREATED, DISPATCHED, SUSPENDED, URGED, NOTED)
    assert order.suspension is not None
    assert Act.RESUME in order.allowed_acts


def test_a_resumed_order_goes_on_as_before() -> None:
    order = fold(CREATED, DISPATCHED, SUSPENDED, RESUMED)
    assert order.suspension is None
    assert order.allowed_acts == fold(CREATED, DISPATCHED).allowed_acts


@pytest.mark.parametrize("body", [STARTED, REJECTED, SUSPENDED])
def test_an_event_that_a_suspended_order_does_not_allow_cannot_follow(body: object) -> None:
    with pytest.raises(CannotApply, match="suspended"):
        fold(CREATED, DISPATCHED, SUSPENDED, body)


def test_an_order_that_is_not_suspended_cannot_be_resumed() -> None:
    with pytest.raises(CannotApply, match="Not allowed: resume"):
        fold(CREATED, DISPATCHED, RESUMED)


def test_an_order_is_created_once() -> None:
    with pytest.raises(CannotApply, match="created before"):
        fold(CREATED, CREATED)


@pytest.mark.parametrize("body", [DISPATCHED, None])
def test_nothing_follows_on_an_order_that_was_never_created(body: object) -> None:
    with pytest.raises(CannotApply, match="never created"):
        apply(None, make_message(body, "dispatch"))


@pytest.mark.parametrize("body", [COMPLETED, ARCHIVED, AUDITING, PASSED, REDISPATCH, STARTED, NOTED, SUSPENDED])
def test_an_event_that_the_table_of_steps_does_not_allow_cannot_follow(body: object) -> None:
    with pytest.raises(CannotApply, match=r"The order is created .*Not allowed: "):
        apply(fold(CREATED), make_message(body, "dispatch", 2))


def test_an_event_from_who_does_not_hold_the_order_cannot_follow() -> None:
    with pytest.raises(CannotApply, match="dispatch does not hold order o-1, fieldwork does"):
        apply(fold(CREATED, DISPATCHED), make_message(CANCELLED, "dispatch", 3))
    with pytest.raises(CannotApply, match="no service does"):
        apply(fold(*TO_COMPLETED, ARCHIVED), make_message(REDISPATCH, "qa", 6))


@pytest.mark.parametrize(
    "body",
    [
        r.WorkOrderCancelRequested(request_id="r", reason="x"),
        r.WorkOrderUrgeRequested(request_id="r", reason="x"),
        r.WorkOrderRequestRefused(request_id="r", code="x", status="created"),
    ],
)
def test_a_request_or_its_refusal_does_not_change_an_order(body: object) -> None:
    with pytest.raises(CannotApply, match="does not change an order"):
        apply(fold(CREATED), make_message(body, "dispatch", 2))


def test_an_event_of_an_unknown_type_moves_only_the_version_and_the_last_change() -> None:
    before = fold(CREATED, DISPATCHED, SUSPENDED)
    after = apply(before, make_message(None, "somebody", 4))
    assert after == replace(before, version=4, changed=_at(4), decision=Decision(version=4, at=_at(4).at, by=WHO.sub))


@pytest.mark.parametrize(
    "body",
    [
        e.WorkOrderAccepted(),
        e.WorkOrderContacted(),
        e.WorkOrderArrived(),
        NOTED,
        e.WorkOrderUrged(request_id="r", reason="again"),
        e.WorkOrderExtended(request_id="r", clock=e.SlaClock.ARRIVE, minutes=1, reason="snow"),
    ],
)
def test_what_decides_nothing_leaves_the_latest_decision_as_it_is(body: object) -> None:
    order = fold(CREATED, DISPATCHED, body)
    assert (order.version, order.decision_version) == (3, 2)


def test_every_other_event_is_the_latest_decision() -> None:
    order = fold(CREATED, DISPATCHED, STARTED)
    assert order.decision == Decision(version=3, at=_at(3).at, by=WHO.sub)


def test_a_decision_that_a_phone_sent_later_names_the_phone() -> None:
    phone = DeviceTime(device_id="phone-7", sequence=1, said_at=BEGIN)
    assert fold(CREATED, DISPATCHED, e.WorkOrderStarted(device=phone)).last_decision.device_id == "phone-7"


def test_of_a_state_without_a_decision_the_last_event_counts_as_one() -> None:
    old = replace(fold(CREATED, DISPATCHED), decision=None)
    assert old.decision_version == 2
    assert apply(old, make_message(NOTED, "fieldwork", 3)).decision_version == 2


def test_the_first_acceptance_of_a_dispatch_counts() -> None:
    accepted = e.WorkOrderAccepted()
    assert fold(CREATED, DISPATCHED, accepted, accepted).accepted == _at(3)
    again = fold(CREATED, DISPATCHED, accepted, REJECTED, e.WorkOrderRedispatchRequested(), DISPATCHED)
    assert again.accepted is None


def test_each_contact_with_the_subscriber_is_kept() -> None:
    order = fold(CREATED, DISPATCHED, e.WorkOrderContacted(note="at three"), STARTED, e.WorkOrderContacted())
    assert order.contacts == (
        SubscriberContact(note="at three", contacted=_at(3)),
        SubscriberContact(note=None, contacted=_at(5)),
    )


def test_every_event_of_the_catalogue_but_the_first_records_an_act_and_every_act_has_an_event() -> None:
    known = {entry.body for entry in CATALOGUE if entry.kind is MessageKind.EVENT}
    assert set(ACTS) == known - {e.WorkOrderCreated}
    assert sorted(act for acts in ACTS.values() for act in acts) == sorted(Act)


REASSIGNED = e.WorkOrderReassigned(staff_ids=("c",), reason="ill")
RECALLED = e.WorkOrderRecalled(request_id="r-3", reason="wrong trade")
SUPERVISED = e.WorkOrderSupervised(request_id="r-4", reply_by=BEGIN + timedelta(hours=1), reason="petition")
ANSWERED = e.WorkOrderSupervisionAnswered(supervision_id="r-4", answer="tomorrow")


def test_a_reassigned_order_has_other_staff_and_goes_on_as_it_was() -> None:
    order = fold(CREATED, DISPATCHED, STARTED, REASSIGNED)
    assert (order.status, order.started, order.work_area_id) == (Status.PROCESSING, _at(3), "north")
    assert order.assignment is not None
    assert (order.assignment.staff_ids, order.assignment.dispatched) == (("c",), _at(2))
    assert order.reassignments == (Reassignment(staff_ids=("a", "b"), reason="ill", reassigned=_at(4)),)


def test_a_recalled_order_waits_to_be_dispatched_again_and_was_not_rejected() -> None:
    order = fold(CREATED, DISPATCHED, STARTED, RECALLED)
    assert (order.status, order.custodian, order.rejections) == (Status.REDISPATCHING, Service.DISPATCH, ())
    assert order.recalls == (Recall(request_id="r-3", work_area_id="north", reason="wrong trade", recalled=_at(4)),)


def test_a_recall_ends_a_suspension_at_its_end_or_at_once() -> None:
    order = fold(CREATED, DISPATCHED, SUSPENDED, RECALLED)
    assert (order.suspension, order.pauses) == (None, (Pause(since=_at(3).at, until=_at(4).at),))
    over = BEGIN + timedelta(seconds=200)
    order = fold(CREATED, DISPATCHED, SUSPENDED, replace(RECALLED, ended_at=over))
    assert order.pauses == (Pause(since=_at(3).at, until=over),)


def test_a_suspension_that_ended_by_itself_ended_at_its_end_whenever_that_is_told() -> None:
    over = BEGIN + timedelta(seconds=200)
    suspended = replace(SUSPENDED, until=over, reason_code="parts")
    order = fold(CREATED, DISPATCHED, suspended, URGED, e.WorkOrderResumed(ended_at=over))
    assert order.pauses == (Pause(since=_at(3).at, until=over, reason_code="parts"),)
    assert order.changed == _at(5)


def test_a_supervision_is_open_until_it_is_answered_and_outlives_a_hand_over() -> None:
    asked = fold(CREATED, SUPERVISED)
    assert asked.open_supervision == asked.supervisions[0]
    order = fold(CREATED, SUPERVISED, DISPATCHED, ANSWERED)
    assert order.open_supervision is None
    assert (order.supervisions[0].answer, order.supervisions[0].answered) == ("tomorrow", _at(4))


def test_a_supervision_that_is_not_open_cannot_be_answered() -> None:
    for bodies in ((CREATED,), (CREATED, SUPERVISED, ANSWERED)):
        with pytest.raises(CannotApply, match="no open supervision"):
            apply(fold(*bodies), make_message(ANSWERED, Service.DISPATCH, len(bodies) + 1))
