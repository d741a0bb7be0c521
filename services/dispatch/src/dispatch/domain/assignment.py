"""Giving an order to a work area and its staff 调度, and ruling on a rejection 误派说明."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contracts.directory import StaffDefined, WorkAreaDefined
from contracts.events import WorkOrderDispatched, WorkOrderRedispatchRequested
from contracts.lifecycle import Act
from contracts.order import WorkOrder
from contracts.refusals import Conflict, Forbidden, Invalid


class WorkAreaUnknown(Invalid):
    """There is no work area {work_area_id}."""

    zh = "没有工区 {work_area_id}。"


class WorkAreaClosed(Conflict):
    """Work area {work_area_id} is closed and takes no orders."""

    zh = "工区 {work_area_id} 已关闭，不接收工单。"


class WorkAreaRejectedBefore(Conflict):
    """Work area {work_area_id} already rejected this order; only a supervisor may dispatch it there again."""

    zh = "工区 {work_area_id} 曾对此工单反单；只有主管可以再次派给它。"


class StaffMissing(Invalid):
    """An order must be dispatched to at least one staff member."""

    zh = "派单至少需要一名维修人员。"


class StaffRepeated(Invalid):
    """Staff member {staff_id} is named more than once."""

    zh = "维修人员 {staff_id} 被重复填写。"


class StaffUnknown(Invalid):
    """There is no staff member {staff_id}."""

    zh = "没有维修人员 {staff_id}。"


class StaffInactive(Conflict):
    """Staff member {staff_id} is inactive."""

    zh = "维修人员 {staff_id} 已停用。"


class StaffOutsideWorkArea(Invalid):
    """Staff member {staff_id} belongs to work area {present_work_area_id}, not to {work_area_id}."""

    zh = "维修人员 {staff_id} 属于工区 {present_work_area_id}，不属于 {work_area_id}。"


class RejectionBudgetSpent(Forbidden):
    """The order was rejected {rejection_count} time(s), the limit is {budget}: a supervisor must decide where it
    goes."""

    zh = "工单已反单 {rejection_count} 次（上限 {budget} 次），须由主管决定派单。"


class BindingNeedsSupervisor(Forbidden):
    """Only a supervisor may make a binding dispatch."""

    zh = "只有主管可以强制派单。"


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchWorkOrder:
    work_area_id: str
    staff_ids: tuple[str, ...]
    remark: str | None = None
    is_binding: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What the directory and the rules say at the moment of a dispatch."""

    area: WorkAreaDefined | None
    staff: Mapping[str, StaffDefined]
    """Those of the staff asked for that exist, by id."""
    rejection_budget: int


def dispatch(
    order: WorkOrder, command: DispatchWorkOrder, known: Circumstances, *, is_supervisor: bool
) -> WorkOrderDispatched:
    order.advance(Act.DISPATCH)
    area = _open_area(command, known)
    _check_staff(command.staff_ids, known.staff, area)
    is_spent = is_budget_spent(order, known.rejection_budget)
    if not is_supervisor:
        _check_powers(order, command, is_spent=is_spent, budget=known.rejection_budget)
    return WorkOrderDispatched(
        work_area_id=area.work_area_id,
        staff_ids=command.staff_ids,
        remark=command.remark,
        # Once the budget is spent the order must not come back again, whatever was asked for.
        is_binding=command.is_binding or is_spent,
    )


def is_budget_spent(order: WorkOrder, budget: int) -> bool:
    """Whether only a supervisor may dispatch the order, for good."""
    return len(order.rejections) >= budget


def has_rejected(work_area_id: str, order: WorkOrder) -> bool:
    return any(rejection.work_area_id == work_area_id for rejection in order.rejections)


def _open_area(command: DispatchWorkOrder, known: Circumstances) -> WorkAreaDefined:
    if known.area is None:
        raise WorkAreaUnknown(work_area_id=command.work_area_id)
    if not known.area.is_open:
        raise WorkAreaClosed(work_area_id=command.work_area_id)
    return known.area


def _check_staff(staff_ids: Sequence[str], known: Mapping[str, StaffDefined], area: WorkAreaDefined) -> None:
    if not staff_ids:
        raise StaffMissing()
    for place, staff_id in enumerate(staff_ids):
        if staff_id in staff_ids[:place]:
            raise StaffRepeated(staff_id=staff_id)
        member = known.get(staff_id)
        if member is None:
            raise StaffUnknown(staff_id=staff_id)
        if member.work_area_id != area.work_area_id:
            raise StaffOutsideWorkArea(
                staff_id=staff_id, present_work_area_id=member.work_area_id, work_area_id=area.work_area_id
            )
        if not member.is_active:
            raise StaffInactive(staff_id=staff_id)


def _check_powers(order: WorkOrder, command: DispatchWorkOrder, *, is_spent: bool, budget: int) -> None:
    """What a dispatcher may not do, and a supervisor may."""
    if is_spent:
        raise RejectionBudgetSpent(rejection_count=len(order.rejections), budget=budget)
    if command.is_binding:
        raise BindingNeedsSupervisor()
    if has_rejected(command.work_area_id, order):
        raise WorkAreaRejectedBefore(work_area_id=command.work_area_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendToRedispatch:
    is_misdispatch_valid: bool
    remark: str


def send_to_redispatch(order: WorkOrder, command: SendToRedispatch) -> WorkOrderRedispatchRequested:
    """The ruling on the last rejection; the order then waits to be dispatched again 重复派单."""
    order.advance(Act.SEND_TO_REDISPATCH)
    return WorkOrderRedispatchRequested(is_misdispatch_valid=command.is_misdispatch_valid, remark=command.remark)
