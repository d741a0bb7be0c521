"""Golden bodies of amendments and urgency; `contracts_tooling.golden` records them."""

from datetime import UTC, datetime
from typing import Any

from contracts import events as e
from contracts import requests as r
from contracts.lifecycle import Service
from contracts.message import Actor

_AGENT = Actor("agent-7", "agent", "陈静")
_DISPATCHER = Actor("dispatcher-2", "dispatcher")
_WINDOW = e.Appointment(datetime(2026, 3, 4, 1, tzinfo=UTC), datetime(2026, 3, 4, 3, tzinfo=UTC))
_LATER = e.Appointment(datetime(2026, 3, 5, 1, tzinfo=UTC), datetime(2026, 3, 5, 3, tzinfo=UTC))

Step = tuple[Service, Actor, Any]

AMENDED: tuple[Step, ...] = (
    (
        Service.INTAKE,
        _AGENT,
        e.WorkOrderCreated(
            order_no="20260302-000009",
            subscriber_id="subscriber-1",
            subscriber_no="111",
            device_type="digital",
            demand_type="fault_repair",
            content="没有图像",
            channel=e.Channel.PHONE,
            zone=e.Zone.URBAN,
            territory="chengdong",
            appointment=_WINDOW,
            external_reference="E-9",
            urgency=e.Urgency.URGENT,
        ),
    ),
    (
        Service.DISPATCH,
        _DISPATCHER,
        e.WorkOrderAmended(
            reason="用户改约",
            before=e.OrderDetails(appointment=_WINDOW, urgency=e.Urgency.URGENT),
            appointment=_LATER,
            urgency=e.Urgency.EMERGENCY,
        ),
    ),
    (
        Service.DISPATCH,
        _AGENT,
        e.WorkOrderAmended(
            reason="用户不在家",
            before=e.OrderDetails(content="没有图像", appointment=_LATER, demand_type="fault_repair"),
            content="没有图像，也没有声音",
            appointment=_LATER,
            is_appointment_withdrawn=True,
            contact_id="contact-1",
            urgency=e.Urgency.NORMAL,
            device_type="analogue",
            demand_type="complaint",
            request_id="amendment-1",
        ),
    ),
    (Service.DISPATCH, _DISPATCHER, e.WorkOrderAmended(reason="x", before=e.OrderDetails())),
)
"""One names every field, which no service writes: an appointment is either moved or withdrawn."""

REQUESTS: tuple[Step, ...] = (
    (
        Service.INTAKE,
        _AGENT,
        r.WorkOrderAmendRequested(
            request_id="amendment-1",
            reason="用户不在家",
            seen_version=2,
            content="没有图像，也没有声音",
            is_appointment_withdrawn=True,
            contact_id="contact-1",
            device_type="analogue",
            demand_type="complaint",
        ),
    ),
    (
        Service.DISPATCH,
        _AGENT,
        r.WorkOrderAmendRequested(
            request_id="amendment-2",
            reason="x",
            seen_version=1,
            content="没有图像",
            appointment=_LATER,
            is_appointment_withdrawn=True,
            contact_id="contact-2",
            urgency=e.Urgency.NORMAL,
            device_type="digital",
            demand_type="test",
            hop=1,
        ),
    ),
    (Service.INTAKE, _AGENT, r.WorkOrderAmendRequested(request_id="amendment-3", reason="x", seen_version=1)),
    (
        Service.FIELDWORK,
        Actor("fieldwork", "service"),
        r.WorkOrderRequestRefused(
            request_id="amendment-2",
            code="amended_meanwhile",
            status="processing",
            allowed_acts=("complete",),
            order_version=5,
            present=e.OrderDetails(appointment=_WINDOW, urgency=e.Urgency.EMERGENCY),
        ),
    ),
)
