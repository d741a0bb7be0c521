"""What quality decides, and what it is refused."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from contracts import events as e
from contracts.handling import SHIPPED, Consequences
from contracts.lifecycle import STEPS, Act, ActNotAllowed, Status
from contracts.order import WorkOrder
from qa.domain import quality
from qa.domain.quality import AuditWorkOrder
from work_orders.testing_streams import Stream, make_completed, make_dispatched, make_order


def make_audit(verdict: e.AuditVerdict = e.AuditVerdict.PASSED, auditor: str = "auditor-7") -> AuditWorkOrder:
    return AuditWorkOrder(verdict=verdict, remark="处理及时", auditor=auditor)


DECISIONS: dict[Act, Callable[[WorkOrder], object]] = {
    Act.SUBMIT_FOR_AUDIT: quality.submit_for_audit,
    Act.PASS_AUDIT: lambda order: quality.audit(order, make_audit()),
    Act.FAIL_AUDIT: lambda order: quality.audit(order, make_audit(e.AuditVerdict.FAILED)),
    Act.REDISPATCH: lambda order: quality.redispatch(order, "仍有故障"),
    Act.ARCHIVE: lambda order: quality.archive(order, SHIPPED),
}


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("act", DECISIONS)
def test_an_act_is_decided_where_the_table_has_it_and_refused_everywhere_else(act: Act, status: Status) -> None:
    order = make_order(status=status)
    if (status, act) in STEPS:
        DECISIONS[act](order)
        return
    with pytest.raises(ActNotAllowed) as refused:
        DECISIONS[act](order)
    assert refused.value.context["act"] == act


def test_an_audit_carries_its_verdict_and_remark() -> None:
    audited = quality.audit(make_order(status=Status.AUDITING), make_audit(e.AuditVerdict.FAILED))
    assert audited == e.WorkOrderAudited(verdict=e.AuditVerdict.FAILED, remark="处理及时")


def test_a_redispatch_after_completion_carries_its_reason() -> None:
    event = quality.redispatch(make_order(status=Status.COMPLETED), "仍有故障")
    assert event == e.WorkOrderRedispatchRequested(reason="仍有故障")


def test_an_audited_order_can_be_submitted_again_or_archived() -> None:
    passed = e.WorkOrderAudited(verdict=e.AuditVerdict.PASSED, remark="good")
    order = make_order(passed, status=Status.AUDITING)
    quality.submit_for_audit(order)
    quality.archive(order, SHIPPED)


def _auditing(completed_by: str, *staff_ids: str) -> Stream:
    stream = Stream().until(Status.PROCESSING)
    stream.add(make_completed(staff_ids=staff_ids), sub=completed_by)
    stream.add(e.WorkOrderAuditRequested(), sub="auditor-7")
    return stream


@pytest.mark.parametrize("verdict", e.AuditVerdict)
@pytest.mark.parametrize(("completed_by", "staff_id"), [("auditor-7", "north-1"), ("north-1", "auditor-7")])
def test_nobody_audits_an_order_that_they_completed(verdict, completed_by: str, staff_id: str) -> None:
    order = _auditing(completed_by, staff_id).order
    with pytest.raises(quality.AuditorCompletedOrder):
        quality.audit(order, make_audit(verdict))
    assert quality.allowed_acts(order, "auditor-7") == ()
    assert quality.allowed_acts(order, "auditor-8") == (Act.PASS_AUDIT, Act.FAIL_AUDIT)


def test_who_submitted_an_order_may_audit_it() -> None:
    quality.audit(_auditing("north-1", "north-1").order, make_audit())


def test_who_did_the_work_before_it_was_done_again_may_audit_it() -> None:
    stream = _auditing("auditor-7", "north-1")
    for event in (
        e.WorkOrderAudited(verdict=e.AuditVerdict.FAILED, remark="bad"),
        make_dispatched(),
        e.WorkOrderStarted(),
        make_completed(),
        e.WorkOrderAuditRequested(),
    ):
        stream.add(event)
    quality.audit(stream.order, make_audit())


def test_the_form_offers_what_quality_can_do_and_no_other_services_act() -> None:
    own = (Act.SUBMIT_FOR_AUDIT, Act.REDISPATCH, Act.ARCHIVE)
    assert quality.allowed_acts(make_order(status=Status.COMPLETED), "auditor-7") == own
    assert quality.allowed_acts(make_order(status=Status.DISPATCHED), "auditor-7") == ()


@pytest.mark.parametrize("facts", [{"is_resolved": False}, {"is_petitioned": True}])
def test_what_is_unresolved_or_petitioned_is_not_archived_without_an_audit_after_it(facts) -> None:
    stream = Stream().until(Status.PROCESSING)
    stream.add(make_completed(**facts))
    with pytest.raises(quality.AuditNeeded):
        quality.archive(stream.order, SHIPPED)
    stream.add(e.WorkOrderAuditRequested(), sub="auditor-7")
    stream.add(e.WorkOrderAudited(verdict=e.AuditVerdict.PASSED, remark="good"), sub="auditor-8")
    quality.archive(stream.order, SHIPPED)


def test_rules_may_let_the_unresolved_and_the_petitioned_go_unaudited() -> None:
    order = make_order(make_completed(is_resolved=False, is_petitioned=True), status=Status.PROCESSING)
    free = Consequences(needs_audit=False)
    quality.archive(order, replace(SHIPPED, unresolved=free, petitioned=free))
    with pytest.raises(quality.AuditNeeded):
        quality.archive(order, replace(SHIPPED, unresolved=free))


def test_an_audit_of_the_work_before_does_not_count_for_the_work_after() -> None:
    stream = _auditing("north-1", "north-1")
    for event in (
        e.WorkOrderAudited(verdict=e.AuditVerdict.PASSED, remark="good"),
        e.WorkOrderRedispatchRequested(reason="again"),
        make_dispatched(),
        e.WorkOrderStarted(),
        make_completed(is_resolved=False),
    ):
        stream.add(event)
    with pytest.raises(quality.AuditNeeded):
        quality.archive(stream.order, SHIPPED)
