"""Who has an order within its work area: other staff of the same area 改派, and who may complete it 完成."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from contracts.directory import StaffDefined
from contracts.events import WorkOrderReassigned
from contracts.handling import Completer
from contracts.lifecycle import Act
from contracts.order import WorkOrder
from contracts.refusals import Conflict, Forbidden, Invalid
from fieldwork.orders.domain.work import StaffOutsideWorkArea, StaffRepeated

_SUPERVISOR, _DISPATCHER = "supervisor", "dispatcher"


class StaffNotInService(Invalid):
    """Staff {staff_ids} are not in service."""

    zh = "维修人员 {staff_ids} 不在岗。"


class StaffUnchanged(Conflict):
    """The order is assigned to exactly these staff already."""

    zh = "工单已指派给这些维修人员。"


class NotLeadOfWorkArea(Forbidden):
    """Of the staff of work area {work_area_id} only its leads may reassign its orders."""

    zh = "工区 {work_area_id} 的维修人员中，只有工区负责人可以改派工单。"


class CompletionNotPermitted(Forbidden):
    """By the handling rules, you may not complete this order."""

    zh = "按工单处理规则，您不能完成此工单。"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReassignWorkOrder:
    staff_ids: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActingPerson:
    """Who acts: the role of their token, and the members of staff that they are, if the directory says so."""

    role: str
    members: Collection[StaffDefined] = ()

    def leads(self, work_area_id: str | None) -> bool:
        return any(one.is_lead and one.is_active and one.work_area_id == work_area_id for one in self.members)


def reassign(
    order: WorkOrder, command: ReassignWorkOrder, by: ActingPerson, known: Mapping[str, StaffDefined]
) -> WorkOrderReassigned:
    """`known` are those of the staff named in the command that the directory knows."""
    order.advance(Act.REASSIGN)
    if by.role not in (_SUPERVISOR, _DISPATCHER) and not by.leads(order.work_area_id):
        raise NotLeadOfWorkArea(work_area_id=order.work_area_id)
    _check_staff(command.staff_ids, order.work_area_id, known)
    if order.assignment and set(command.staff_ids) == set(order.assignment.staff_ids):
        raise StaffUnchanged()
    return WorkOrderReassigned(staff_ids=command.staff_ids, reason=command.reason)


def _check_staff(staff_ids: Sequence[str], work_area_id: str | None, known: Mapping[str, StaffDefined]) -> None:
    repeated = sorted({staff_id for staff_id in staff_ids if staff_ids.count(staff_id) > 1})
    if repeated:
        raise StaffRepeated(staff_ids=repeated)
    outside = [each for each in staff_ids if each not in known or known[each].work_area_id != work_area_id]
    if outside:
        raise StaffOutsideWorkArea(staff_ids=outside, work_area_id=work_area_id)
    away = [each for each in staff_ids if not known[each].is_active]
    if away:
        raise StaffNotInService(staff_ids=away)


def check_completer(
    order: WorkOrder, by: ActingPerson, completers: Collection[Completer], assigned: Collection[StaffDefined]
) -> None:
    """Raises `CompletionNotPermitted` unless a rule lets this person complete the order.

    `assigned` are those of the order's staff that the directory knows.
    """
    if by.role == _SUPERVISOR:
        is_permitted = Completer.SUPERVISOR in completers
    elif by.role == _DISPATCHER:
        is_permitted = Completer.DISPATCHER in completers
    else:
        is_permitted = (
            Completer.AREA_STAFF in completers
            or (Completer.LEAD in completers and by.leads(order.work_area_id))
            or (Completer.ASSIGNED_STAFF in completers and _may_be_assigned(order, by, assigned))
        )
    if not is_permitted:
        raise CompletionNotPermitted()


def _may_be_assigned(order: WorkOrder, by: ActingPerson, assigned: Collection[StaffDefined]) -> bool:
    """Whether the person is one of the assigned staff, or may be: nobody is locked out for lack of a `person_id`."""
    staff_ids = order.assignment.staff_ids if order.assignment else ()
    if by.members:
        return any(one.staff_id in staff_ids for one in by.members)
    identified = {one.staff_id for one in assigned if one.person_id is not None}
    return not identified.issuperset(staff_ids)
