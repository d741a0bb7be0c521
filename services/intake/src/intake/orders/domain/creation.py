"""Creating an order 生成表单: what must be given, and what must be so."""

from dataclasses import dataclass

from contracts.amendment import AppointmentInverted, TypesInUse
from contracts.events import Appointment, Channel, Urgency, WorkOrderCreated, Zone
from contracts.handling import HandlingRulesDefined, check_urgency


@dataclass(frozen=True, slots=True)
class CreationContext:
    """What intake knows when an order is created."""

    order_no: str
    subscriber_id: str
    subscriber_no: str
    """As it is stored, which may be an older spelling of the number in the command."""
    zone: Zone
    territory: str | None
    types: TypesInUse
    rules: HandlingRulesDefined


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateWorkOrder:
    subscriber_no: str
    device_type: str
    demand_type: str
    content: str
    channel: Channel = Channel.PHONE
    appointment: Appointment | None = None
    external_reference: str | None = None
    zone: Zone | None = None
    """Where the work is, when that is not where the subscriber lives."""
    territory: str | None = None
    urgency: Urgency = Urgency.NORMAL


def create(command: CreateWorkOrder, known: CreationContext, *, role: str) -> WorkOrderCreated:
    known.types.check(command.device_type, command.demand_type)
    check_urgency(command.urgency, role, known.rules)
    window = command.appointment
    if window is not None and window.end <= window.start:
        raise AppointmentInverted(start=window.start.isoformat(), end=window.end.isoformat())
    return WorkOrderCreated(
        order_no=known.order_no,
        subscriber_id=known.subscriber_id,
        subscriber_no=known.subscriber_no,
        device_type=command.device_type,
        demand_type=command.demand_type,
        content=command.content,
        channel=command.channel,
        zone=command.zone or known.zone,
        territory=command.territory or known.territory,
        appointment=window,
        external_reference=command.external_reference,
        urgency=command.urgency,
    )
