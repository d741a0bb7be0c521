"""A stay of an order in a status, and what events change of it without ending it. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from contracts import events as e
from reporting.projections import holders


@dataclass(slots=True)
class StayRow:
    """The fields are the columns of the table, in their order."""

    order_id: str
    since_version: int
    until_version: int | None
    since_known_at: datetime
    until_known_at: datetime | None
    from_status: str | None
    status: str
    next_status: str | None
    entered_at: datetime
    left_at: datetime | None
    microseconds: int | None
    is_since_late: bool
    """The event that began it was recorded long after it happened."""
    is_until_late: bool | None
    is_suspended: bool
    is_misdispatch_valid: bool | None
    """The ruling that ended it, of a stay in `rejected`."""
    dispatch_count: int
    """Dispatches of the order until now, the one that began this stay among them."""
    completion_count: int
    work_area_id: str | None
    """The work area of the latest dispatch."""
    staff_id: str | None
    """Who was named first in the latest dispatch: one person answers for an order."""
    device_type: str
    demand_type: str
    channel: str
    zone: str
    subscriber_id: str
    created_at: datetime
    appointment_at: datetime | None
    """When the appointment begins that the order has."""
    held: str
    """Its parts by holder, as JSON: see `holders`."""
    urgency: str
    amended: Any
    """What an amendment gave the order during this stay, as JSON: the next stay begins with it. What has begun stays
    counted under the names that it began with, so that a past figure is the same whenever it is asked for."""
    next_staff_id: str | None = None
    """Who has it after the latest reassignment of this stay; figures of the stay are of who had it at its beginning."""
    reassign_count: int = 0
    """Reassignments during this stay."""
    urge_count: int = 0
    is_resolved: bool | None = None
    """What the completion said that began this stay."""
    is_petitioned: bool | None = None

    @property
    def present_staff_id(self) -> str | None:
        return self.next_staff_id or self.staff_id


def note(stay: StayRow, body: Any, at: datetime) -> None:
    """What an event changes of the present stay without ending it."""
    match body:
        case e.WorkOrderSuspended() | e.WorkOrderResumed():
            stay.is_suspended = isinstance(body, e.WorkOrderSuspended)
            # A suspension that ended by itself ended when it was to end.
            stay.held = holders.suspended(stay.held, body, stay, getattr(body, "ended_at", None) or at)
        case e.WorkOrderReassigned():
            stay.reassign_count += 1
            stay.next_staff_id = next(iter(body.staff_ids), None)
            stay.held = holders.reassigned(stay.held, stay, at)
        case e.WorkOrderUrged():
            stay.urge_count += 1
        case e.WorkOrderAmended():
            _amend(stay, body, at)


def _amend(stay: StayRow, body: e.WorkOrderAmended, at: datetime) -> None:
    if amended := amended_kinds(body):
        stay.amended = msgspec.json.encode({**kinds_of(stay), **amended}).decode()
    if body.appointment is not None or body.is_appointment_withdrawn:
        wanted_at = body.appointment.start if body.appointment else None
        stay.held = holders.rescheduled(stay.held, wanted_at, stay, at)
        stay.appointment_at = wanted_at


KINDS = ("device_type", "demand_type", "urgency")
"""What an order is counted under that can be amended."""


def amended_kinds(amended: e.WorkOrderAmended) -> dict[str, str]:
    return {name: str(value) for name in KINDS if (value := getattr(amended, name)) is not None}


def kinds_of(stay: StayRow) -> dict[str, str]:
    """What the order is at present, amendments of this stay among it."""
    if stay.amended is not None:
        return msgspec.json.decode(stay.amended, type=dict[str, str])
    return {name: getattr(stay, name) for name in KINDS}
