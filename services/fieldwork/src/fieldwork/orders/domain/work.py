"""Decisions about the work on an order: start 处理, reject 反单, complete 完成."""

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.directory import StaffDefined
from contracts.events import (
    RejectionReason,
    WorkOrderCompleted,
    WorkOrderRejected,
    WorkOrderStarted,
)
from contracts.lifecycle import Act
from contracts.order import WorkOrder
from contracts.refusals import Conflict, Invalid, Unavailable

_ACTS = (Act.START, Act.ARRIVE, Act.REJECT, Act.COMPLETE, Act.SUSPEND, Act.RESUME, Act.NOTE, Act.ACCEPT, Act.CONTACT)


class BindingAssignment(Conflict):
    """A supervisor's dispatch to work area {work_area_id} is binding; the order cannot be rejected."""

    zh = "主管已将工单强制派给工区 {work_area_id}，不能再反单。"


class StaffRepeated(Invalid):
    """Each member of staff is named once; {staff_ids} is named more often."""

    zh = "每位维修人员只能填写一次；{staff_ids} 重复。"


class StaffOutsideWorkArea(Invalid):
    """Staff {staff_ids} do not belong to work area {work_area_id}."""

    zh = "维修人员 {staff_ids} 不属于工区 {work_area_id}。"


class StaffNotArrived(Unavailable):
    """The entries of staff {staff_ids} have not arrived at this service yet; retry."""

    zh = "工单所派维修人员 {staff_ids} 的资料尚未到达本服务，请稍后重试。"


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectWorkOrder:
    reason: RejectionReason
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteWorkOrder:
    staff_ids: tuple[str, ...]
    """Who did it, at least one; also somebody who has left since."""
    handling: str
    is_resolved: bool
    is_petitioned: bool
    is_called_back: bool


def start(order: WorkOrder) -> WorkOrderStarted:
    order.advance(Act.START)
    return WorkOrderStarted()


def reject(order: WorkOrder, command: RejectWorkOrder) -> WorkOrderRejected:
    order.advance(Act.REJECT)
    if _is_binding(order):
        raise BindingAssignment(work_area_id=order.work_area_id)
    return WorkOrderRejected(reason=command.reason, explanation=command.explanation)


def complete(order: WorkOrder, command: CompleteWorkOrder, known: Mapping[str, StaffDefined]) -> WorkOrderCompleted:
    """`known` are those of the staff named in the command that the directory knows."""
    order.advance(Act.COMPLETE)
    repeated = {staff_id for staff_id in command.staff_ids if command.staff_ids.count(staff_id) > 1}
    if repeated:
        raise StaffRepeated(staff_ids=sorted(repeated))
    not_arrived = [staff_id for staff_id in awaited_staff(order, command) if staff_id not in known]
    if not_arrived:
        raise StaffNotArrived(staff_ids=not_arrived)
    outside = [
        staff_id
        for staff_id in command.staff_ids
        if staff_id not in known or known[staff_id].work_area_id != order.work_area_id
    ]
    if outside:
        raise StaffOutsideWorkArea(staff_ids=outside, work_area_id=order.work_area_id)
    return WorkOrderCompleted(
        staff_ids=command.staff_ids,
        handling=command.handling,
        is_resolved=command.is_resolved,
        is_petitioned=command.is_petitioned,
        is_called_back=command.is_called_back,
    )


def awaited_staff(order: WorkOrder, command: CompleteWorkOrder) -> tuple[str, ...]:
    """Who of the staff named exists for certain, because dispatch gave them the order."""
    assigned = order.assignment.staff_ids if order.assignment else ()
    return tuple(staff_id for staff_id in command.staff_ids if staff_id in assigned)


def allowed_acts(order: WorkOrder) -> tuple[Act, ...]:
    """What the work area can do with the order at this moment."""
    return tuple(act for act in order.allowed_acts if act in _ACTS and not (act is Act.REJECT and _is_binding(order)))


def _is_binding(order: WorkOrder) -> bool:
    return order.assignment is not None and order.assignment.is_binding
