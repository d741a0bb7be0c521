"""Facts about an order: what was observed, measured, used or remarked. They stand beside the order and never conflict.

A fact travels on the order's own stream without an order version. The service that receives it publishes it, in any
status of the order and under any custodian; it is applied once by the id of its message. It changes neither the order
nor its version, and stops no clock: an arrival that does is the event `WorkOrderArrived`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.device_time import DeviceTime
from contracts.sealing import FreeText


class FactKind(StrEnum):
    REMARK = "remark"
    DEPARTURE = "departure"
    ETA = "eta"
    NOTE = "note"
    READING = "reading"
    PART = "part"
    ACCEPTANCE = "acceptance"
    CONTACT = "contact"
    ARRIVAL = "arrival"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderRemarked:
    """A remark 备注 by a person who may see the order."""

    remark: FreeText


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderDeparted:
    """Staff are on their way."""

    device: DeviceTime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderEtaRevised:
    """When staff expect to be on site; the latest counts."""

    expected_at: datetime
    reason: FreeText
    device: DeviceTime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderNoteRecorded:
    """A note on an order that the work area does not hold at present; else it is `WorkOrderNoteAdded`."""

    note: FreeText
    device: DeviceTime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderReadingTaken:
    """What an instrument or a meter showed."""

    quantity: str
    """A code, such as `signal_level`."""
    value: str
    """A decimal number, such as `-12.5`."""
    unit: str | None = None
    """Such as `dBmV`."""
    device: DeviceTime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderPartUsed:
    part_no: str
    count: str
    """A decimal number above 0, such as `1` or `12.5`."""
    unit: str | None = None
    """Such as `m`; None for pieces."""
    device: DeviceTime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderAcceptanceRecorded:
    """Accepted, but reported when the order could not be accepted any more; stops no clock."""

    device: DeviceTime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderContactRecorded:
    """The subscriber was contacted, but this was reported when the work area did not hold the order; stops no clock."""

    note: FreeText | None = None
    device: DeviceTime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderArrivalRecorded:
    """An arrival that was reported when the work area did not hold the order; stops no clock."""

    place: FreeText | None = None
    device: DeviceTime | None = None


WorkOrderFact = (
    WorkOrderRemarked
    | WorkOrderDeparted
    | WorkOrderEtaRevised
    | WorkOrderNoteRecorded
    | WorkOrderReadingTaken
    | WorkOrderPartUsed
    | WorkOrderAcceptanceRecorded
    | WorkOrderContactRecorded
    | WorkOrderArrivalRecorded
)

KINDS: Mapping[type, FactKind] = {
    WorkOrderRemarked: FactKind.REMARK,
    WorkOrderDeparted: FactKind.DEPARTURE,
    WorkOrderEtaRevised: FactKind.ETA,
    WorkOrderNoteRecorded: FactKind.NOTE,
    WorkOrderReadingTaken: FactKind.READING,
    WorkOrderPartUsed: FactKind.PART,
    WorkOrderAcceptanceRecorded: FactKind.ACCEPTANCE,
    WorkOrderContactRecorded: FactKind.CONTACT,
    WorkOrderArrivalRecorded: FactKind.ARRIVAL,
}
"""What kind of fact each message is of."""
