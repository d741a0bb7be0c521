"""Golden records of handling an order: reassigned, suspended, supervised, recalled, reopened; and of its rules."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from contracts import events as e
from contracts import requests as r
from contracts.access import Role
from contracts.device_time import DeviceTime
from contracts.directory import Names, StaffDefined
from contracts.events import Urgency
from contracts.handling import (
    SHIPPED,
    SUBJECT,
    Completer,
    Consequences,
    HandlingRulesDefined,
    SuspensionReason,
    UrgencySetters,
)
from contracts.holders import Holder
from contracts.lifecycle import Service
from contracts.message import Actor

RULES: tuple[HandlingRulesDefined, ...] = (
    SHIPPED,
    HandlingRulesDefined(
        suspension_reasons=(
            SuspensionReason(code="parts", names=Names("waiting for parts", "等待备件")),
            SuspensionReason(code="ferry", names=Names("no ferry", "停航"), is_active=False),
        ),
        longest_suspension_minutes=1440,
        most_suspensions=2,
        completers=(Completer.AREA_STAFF, Completer.LEAD, Completer.DISPATCHER),
        unresolved=Consequences(needs_audit=False),
        petitioned=Consequences(tells_supervisor=False),
    ),
)

RULES_OF_PHONES = HandlingRulesDefined(
    suspension_reasons=RULES[1].suspension_reasons,
    longest_suspension_minutes=1440,
    most_suspensions=2,
    completers=RULES[1].completers,
    unresolved=RULES[1].unresolved,
    petitioned=RULES[1].petitioned,
    late_report_minutes=90,
    device_clock_tolerance_seconds=30,
)
RULES_OF_URGENCY = replace(
    RULES_OF_PHONES, urgency_setters=(UrgencySetters(urgency=Urgency.URGENT, roles=(Role.AGENT,)),)
)

LEAD = StaffDefined(
    staff_id="staff-50",
    name="赵敏",
    work_area_id="north",
    skills=("digital",),
    is_active=False,
    person_id="u-zhao",
    is_lead=True,
)

_SUPERVISOR = Actor("supervisor-1", "supervisor", "刘洋")
_LEAD = Actor("u-zhao", "technician", "赵敏")
_CLOCK = Actor("fieldwork", "service")
_OVER = datetime(2026, 3, 3, 1, 0, tzinfo=UTC)
_PHONE = DeviceTime(device_id="phone-7", sequence=40, said_at=datetime(2026, 3, 3, 2, 0, tzinfo=UTC))
_WEATHER = e.WorkOrderSuspended(reason="大雾", until=_OVER, held_by=Holder.HOUSE, reason_code="weather", device=_PHONE)

HANDLED: tuple[tuple[Service, Actor, Any], ...] = (
    (
        Service.DISPATCH,
        _SUPERVISOR,
        e.WorkOrderSupervised(request_id="supervision-1", reply_by=_OVER, reason="用户已上访"),
    ),
    (Service.DISPATCH, _SUPERVISOR, e.WorkOrderDispatched(work_area_id="north", staff_ids=("staff-31",))),
    (Service.FIELDWORK, _LEAD, e.WorkOrderReassigned(staff_ids=("staff-50", "staff-32"), reason="王强请假")),
    (
        Service.FIELDWORK,
        _LEAD,
        e.WorkOrderSupervisionAnswered(supervision_id="supervision-1", answer="今天下午上门"),
    ),
    (Service.FIELDWORK, _LEAD, _WEATHER),
    (Service.FIELDWORK, _CLOCK, e.WorkOrderResumed(ended_at=_OVER)),
    (Service.FIELDWORK, _SUPERVISOR, e.WorkOrderRecalled(request_id="recall-1", reason="需要光纤班")),
    (Service.DISPATCH, _SUPERVISOR, e.WorkOrderDispatched(work_area_id="east", staff_ids=("staff-40",))),
    (Service.FIELDWORK, _LEAD, _WEATHER),
    (Service.FIELDWORK, _LEAD, e.WorkOrderResumed(ended_at=_OVER, device=_PHONE)),
    (Service.FIELDWORK, _LEAD, _WEATHER),
    (
        Service.FIELDWORK,
        _SUPERVISOR,
        e.WorkOrderRecalled(request_id="recall-2", reason="No boat.", ended_at=_OVER),
    ),
)

REQUESTS: tuple[tuple[Service, Actor, Any], ...] = (
    (Service.INTAKE, _SUPERVISOR, r.WorkOrderRecallRequested(request_id="recall-1", reason="需要光纤班")),
    (Service.QA, _SUPERVISOR, r.WorkOrderRecallRequested(request_id="recall-3", reason="Too late.", hop=2)),
    (
        Service.INTAKE,
        _SUPERVISOR,
        r.WorkOrderSupervisionRequested(request_id="supervision-1", reply_by=_OVER, reason="用户已上访"),
    ),
    (
        Service.DISPATCH,
        _SUPERVISOR,
        r.WorkOrderSupervisionRequested(request_id="supervision-2", reply_by=_OVER, reason="Again.", hop=1),
    ),
    (Service.INTAKE, _SUPERVISOR, r.WorkOrderReopenRequested(request_id="reopen-1", reason="仍无信号")),
    (Service.FIELDWORK, _SUPERVISOR, r.WorkOrderReopenRequested(request_id="reopen-2", reason="Still dark.", hop=1)),
)

SUSPENDED = (
    Service.FIELDWORK,
    Actor("tech-5", "technician"),
    e.WorkOrderSuspended(reason="用户外出", until=datetime(2026, 3, 3, 9, tzinfo=UTC), held_by=Holder.SUBSCRIBER),
)

__all__ = ["HANDLED", "LEAD", "REQUESTS", "RULES", "RULES_OF_PHONES", "RULES_OF_URGENCY", "SUBJECT", "SUSPENDED"]
