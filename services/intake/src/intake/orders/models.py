"""The body of an order that is to be created."""

from pydantic import Field

from chassis.field_types import Body, Code, PastMoment, Prose, Reference
from contracts.events import Appointment, Channel, Urgency, Zone
from intake.orders.domain import creation
from work_orders.amendment import Window


class CreateWorkOrder(Body):
    subscriber_no: Reference
    device_type: Code
    demand_type: Code
    content: Prose
    channel: Channel = Channel.PHONE
    appointment: Window | None = None
    external_reference: Reference | None = None
    zone: Zone | None = Field(None, description="Where the work is, when not where the subscriber lives.")
    territory: Reference | None = None
    urgency: Urgency = Field(Urgency.NORMAL, description="紧急程度; who may set which is a handling rule.")
    occurred_at: PastMoment | None = Field(None, description="When it was asked for, if not at this moment.")

    def command(self) -> creation.CreateWorkOrder:
        values = self.model_dump(exclude={"appointment", "occurred_at"})
        window = self.appointment
        return creation.CreateWorkOrder(**values, appointment=Appointment(window.start, window.end) if window else None)
