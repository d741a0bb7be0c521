"""Golden records of the rules of handling orders, and of staff with a token and a lead."""

from dataclasses import replace
from datetime import UTC, datetime

from contracts.access import Role
from contracts.directory import Names, StaffDefined
from contracts.events import Urgency, WorkOrderSuspended
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

SUSPENDED = (
    Service.FIELDWORK,
    Actor("tech-5", "technician"),
    WorkOrderSuspended(reason="用户外出", until=datetime(2026, 3, 3, 9, tzinfo=UTC), held_by=Holder.SUBSCRIBER),
)

__all__ = ["LEAD", "RULES", "RULES_OF_PHONES", "RULES_OF_URGENCY", "SUBJECT", "SUSPENDED"]
