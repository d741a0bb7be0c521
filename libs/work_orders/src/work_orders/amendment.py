"""What the routes that amend an order have in common."""

from typing import Any

from pydantic import Field

from chassis.field_types import Body, Code, Moment, Prose
from contracts.amendment import AmendWorkOrder, AppointmentInverted, AppointmentMovedAndWithdrawn, NothingAmended
from contracts.events import Appointment, OrderDetails, Urgency
from contracts.handling import UrgencyNotAllowed

AMEND_REFUSALS = (AppointmentInverted, AppointmentMovedAndWithdrawn, NothingAmended, UrgencyNotAllowed)


class Window(Body):
    start: Moment
    end: Moment

    def appointment(self) -> Appointment:
        return Appointment(self.start, self.end)


class Amended(Body):
    """What is to change; what is left out stays as it is."""

    content: Prose | None = None
    appointment: Window | None = None
    is_appointment_withdrawn: bool = Field(False, description="The order is to have no appointment any more.")
    urgency: Urgency | None = None
    device_type: Code | None = None
    demand_type: Code | None = None
    reason: Prose

    def command(self) -> AmendWorkOrder:
        details: dict[str, Any] = {
            "content": self.content,
            "appointment": self.appointment.appointment() if self.appointment else None,
            "urgency": self.urgency,
            "device_type": self.device_type,
            "demand_type": self.demand_type,
        }
        return AmendWorkOrder(
            reason=self.reason,
            details=OrderDetails(**details),
            is_appointment_withdrawn=self.is_appointment_withdrawn,
        )
