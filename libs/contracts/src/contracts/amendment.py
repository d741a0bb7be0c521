"""Amending an order: what was entered is corrected 变更, or the appointment moved 改约.

The custodian decides, whoever asks. What changes takes the place of what was there; the event says both.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from contracts.events import OrderDetails, WorkOrderAmended
from contracts.lifecycle import Act
from contracts.order import DETAILS, WorkOrder
from contracts.refusals import Conflict, Invalid
from contracts.requests import WorkOrderAmendRequested


class NothingAmended(Invalid):
    """The amendment changes nothing: give at least one detail a value that the order does not have."""

    zh = "变更内容为空：请至少填写一项与工单现有内容不同的信息。"


class AppointmentInverted(Invalid):
    """The appointment ends at {end:time}, not after its start at {start:time}."""

    zh = "预约结束时间 {end:time}不晚于开始时间 {start:time}。"


class AppointmentMovedAndWithdrawn(Invalid):
    """The amendment names an appointment and withdraws it; it can do only one of the two."""

    zh = "不能在填写预约时间的同时取消预约，请只选其一。"


class DeviceTypeUnknown(Invalid):
    """Device type {device_type} is unknown or inactive."""

    zh = "设备类型 {device_type} 不在列表中或已停用。"


class DemandTypeUnknown(Invalid):
    """Demand type {demand_type} is unknown or inactive."""

    zh = "需求类型 {demand_type} 不在列表中或已停用。"


class AmendedMeanwhile(Conflict):
    """The order was amended at version {amended_version}, after version {seen_version} that the request is based on."""

    zh = "工单在您所依据的版本 {seen_version} 之后已有变更（版本 {amended_version}）。"


class VersionNotReached(Invalid):
    """The order is at version {present_version} and has no version {seen_version} yet."""

    zh = "工单当前版本为 {present_version}，尚无版本 {seen_version}。"


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendWorkOrder:
    reason: str
    details: OrderDetails
    """What it is to have; None: as it is."""
    is_appointment_withdrawn: bool = False


def check_amendment(command: AmendWorkOrder) -> None:
    """What can be checked without the order; raises `NothingAmended`, or what is wrong with the appointment."""
    window = command.details.appointment
    if command.details == OrderDetails() and not command.is_appointment_withdrawn:
        raise NothingAmended()
    if window is not None and command.is_appointment_withdrawn:
        raise AppointmentMovedAndWithdrawn()
    if window is not None and window.end <= window.start:
        raise AppointmentInverted(start=window.start.isoformat(), end=window.end.isoformat())


@dataclass(frozen=True, slots=True)
class TypesInUse:
    """Whether the device type and the demand type that were asked for are in the lists, and not switched off."""

    device_type: bool
    demand_type: bool

    def check(self, device_type: str | None, demand_type: str | None) -> None:
        """Raises `DeviceTypeUnknown` or `DemandTypeUnknown`; None is not checked."""
        if device_type is not None and not self.device_type:
            raise DeviceTypeUnknown(device_type=device_type)
        if demand_type is not None and not self.demand_type:
            raise DemandTypeUnknown(demand_type=demand_type)


def amend(order: WorkOrder, command: AmendWorkOrder, *, request_id: str | None = None) -> WorkOrderAmended:
    """Details that the order already has are left out; a sealed text cannot be compared and stays."""
    order.advance(Act.AMEND)
    check_amendment(command)
    changes = {
        name: value
        for name in DETAILS
        if (value := getattr(command.details, name)) is not None and value != getattr(order, name)
    }
    is_withdrawn = command.is_appointment_withdrawn and order.appointment is not None
    if not changes and not is_withdrawn:
        raise NothingAmended()
    changed = [*changes, "appointment"] if is_withdrawn else changes
    return WorkOrderAmended(
        reason=command.reason,
        before=details_of(order, changed),
        is_appointment_withdrawn=is_withdrawn,
        request_id=request_id,
        **changes,
    )


def grant_amendment(order: WorkOrder, request: WorkOrderAmendRequested) -> WorkOrderAmended:
    """What grants the request; raises `AmendedMeanwhile` if it was based on an order before the last amendment."""
    order.advance(Act.AMEND)
    if request.seen_version > order.version:
        raise VersionNotReached(seen_version=request.seen_version, present_version=order.version)
    last = order.amendments[-1].version if order.amendments else 0
    if last > request.seen_version:
        raise AmendedMeanwhile(seen_version=request.seen_version, amended_version=last)
    return amend(order, asked_by(request), request_id=request.request_id)


def asked_by(request: WorkOrderAmendRequested) -> AmendWorkOrder:
    return AmendWorkOrder(
        reason=request.reason,
        details=OrderDetails(**{name: getattr(request, name) for name in DETAILS}),
        is_appointment_withdrawn=request.is_appointment_withdrawn,
    )


def amendment_requested(command: AmendWorkOrder, *, request_id: str, seen_version: int) -> WorkOrderAmendRequested:
    return WorkOrderAmendRequested(
        request_id=request_id,
        reason=command.reason,
        seen_version=seen_version,
        is_appointment_withdrawn=command.is_appointment_withdrawn,
        **{name: getattr(command.details, name) for name in DETAILS},
    )


def details_present(order: WorkOrder, request: WorkOrderAmendRequested) -> OrderDetails:
    """What the order has, of the details that the request was to change."""
    asked = [name for name in DETAILS if getattr(request, name) is not None]
    return details_of(order, [*asked, "appointment"] if request.is_appointment_withdrawn else asked)


def details_of(order: WorkOrder, names: Iterable[str]) -> OrderDetails:
    return OrderDetails(**{name: getattr(order, name) for name in names})
