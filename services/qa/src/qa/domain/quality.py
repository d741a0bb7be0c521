"""Quality: submit for audit 审核, audit, redispatch after completion 重复派单, archive 归档."""

from dataclasses import dataclass

from contracts.events import (
    AuditVerdict,
    WorkOrderArchived,
    WorkOrderAudited,
    WorkOrderAuditRequested,
    WorkOrderRedispatchRequested,
)
from contracts.handling import HandlingRulesDefined
from contracts.lifecycle import Act
from contracts.order import WorkOrder
from contracts.refusals import Conflict, Forbidden

_ACTS = (Act.SUBMIT_FOR_AUDIT, Act.PASS_AUDIT, Act.FAIL_AUDIT, Act.REDISPATCH, Act.ARCHIVE)
_AUDITS = (Act.PASS_AUDIT, Act.FAIL_AUDIT)


class AuditorCompletedOrder(Forbidden):
    """{auditor} worked on this order and may not audit it."""

    zh = "{auditor} 参与了此工单，不能审核。"


class AuditNeeded(Conflict):
    """The order cannot be archived without an audit: resolved {is_resolved}, petitioned {is_petitioned}."""

    zh = "此工单未经审核不能归档：是否完成 {is_resolved}，是否上访 {is_petitioned}。"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditWorkOrder:
    verdict: AuditVerdict
    remark: str
    auditor: str
    """The subject of the auditor's token."""


def submit_for_audit(order: WorkOrder) -> WorkOrderAuditRequested:
    order.advance(Act.SUBMIT_FOR_AUDIT)
    return WorkOrderAuditRequested()


def audit(order: WorkOrder, command: AuditWorkOrder) -> WorkOrderAudited:
    """Passed, it is completed and audited; failed, it waits to be dispatched again."""
    order.advance(Act.PASS_AUDIT if command.verdict is AuditVerdict.PASSED else Act.FAIL_AUDIT)
    if has_worked_on(order, command.auditor):
        raise AuditorCompletedOrder(auditor=command.auditor)
    return WorkOrderAudited(verdict=command.verdict, remark=command.remark)


def redispatch(order: WorkOrder, reason: str) -> WorkOrderRedispatchRequested:
    order.advance(Act.REDISPATCH)
    return WorkOrderRedispatchRequested(reason=reason)


def archive(order: WorkOrder, rules: HandlingRulesDefined) -> WorkOrderArchived:
    """Closes it for good, audited or not, unless the rules want an audit of what was not resolved or petitioned."""
    order.advance(Act.ARCHIVE)
    last = order.completions[-1]
    needs_audit = (rules.unresolved.needs_audit and not last.is_resolved) or (
        rules.petitioned.needs_audit and last.is_petitioned
    )
    is_audited = bool(order.audits) and order.audits[-1].audited.at >= last.completed.at
    if needs_audit and not is_audited:
        raise AuditNeeded(is_resolved=last.is_resolved, is_petitioned=last.is_petitioned)
    return WorkOrderArchived()


def has_worked_on(order: WorkOrder, sub: str) -> bool:
    """Whether this person reported the last completion, or is named in it as staff."""
    if not order.completions:
        return False
    last = order.completions[-1]
    return sub == last.completed.by.sub or sub in last.staff_ids


def allowed_acts(order: WorkOrder, sub: str) -> tuple[Act, ...]:
    """What this person can do with the order at this moment."""
    is_own_work = has_worked_on(order, sub)
    return tuple(act for act in order.allowed_acts if act in _ACTS and not (is_own_work and act in _AUDITS))
