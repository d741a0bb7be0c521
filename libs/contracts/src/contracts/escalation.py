"""Alarms of time limits 预警、超时、升级: the ladder as data that an operator edits, and the events of its steps.

A step fires once for the due time of a clock that it belongs to. A due time that moves arms every step again. Until
an operator has defined rules, `SHIPPED` holds as version 0.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.calendar import Hours
from contracts.events import SlaClock

SUBJECT = "escalation_rules"
"""The key of the rules: they are one stream with versions 1, 2, 3 …"""


class Receiver(StrEnum):
    """Who is notified of an alarm."""

    STAFF = "staff"
    """The staff that the order was given to."""
    AREA_LEAD = "area_lead"
    DISPATCHER = "dispatcher"
    SUPERVISOR = "supervisor"


class AlarmChannel(StrEnum):
    APPLICATION = "application"
    EMAIL = "email"
    SMS = "sms"
    WEBHOOK = "webhook"


class AlarmCause(StrEnum):
    TIME = "time"
    """Its moment came."""
    LIMITS_CHANGED = "limits_changed"
    """Another set of limits put its moment into the past."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationStep:
    minutes: int
    """After the due time, around the clock: below zero warns, zero is the breach, above zero escalates."""
    tell: tuple[Receiver, ...]
    """Who is notified."""
    channels: tuple[AlarmChannel, ...] = (AlarmChannel.APPLICATION,)
    """By which channels they are notified."""
    clock: SlaClock | None = None
    """Of this clock. A clock with steps of its own has no others; None: of every clock without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationRulesDefined:
    steps: tuple[EscalationStep, ...]
    """The ladder, in any order; a clock has no two steps at the same minutes."""
    warning_hours: tuple[Hours, ...] = ()
    """Warnings wait for these hours of the day, and are left out when the limit is over by then; empty: any hour.
    Breaches and escalations never wait."""
    time_zone: str = "Asia/Shanghai"
    """Whose hours they are."""


_DAY = 24 * 60
_LONG = (SlaClock.CONTACT, SlaClock.REPLY, SlaClock.FOLLOW_UP)

SHIPPED = EscalationRulesDefined(
    steps=(
        EscalationStep(minutes=-15, tell=(Receiver.STAFF,)),
        EscalationStep(minutes=0, tell=(Receiver.STAFF, Receiver.AREA_LEAD)),
        EscalationStep(minutes=30, tell=(Receiver.AREA_LEAD, Receiver.DISPATCHER)),
        EscalationStep(minutes=60, tell=(Receiver.SUPERVISOR,)),
        *(
            EscalationStep(minutes=minutes, tell=tell, clock=clock)
            for clock in _LONG
            for minutes, tell in (
                (-4 * 60, (Receiver.STAFF,)),
                (0, (Receiver.STAFF, Receiver.AREA_LEAD)),
                (4 * 60, (Receiver.DISPATCHER,)),
                (_DAY, (Receiver.SUPERVISOR,)),
            )
        ),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockAlarm:
    """A step of the ladder that fired; the subject is the order."""

    alarm_id: str
    """Its id, by which it is acknowledged."""
    order_no: str
    clock: SlaClock
    """Whose limit it is about."""
    due_at: datetime
    """When the limit is over, or was."""
    minutes: int
    """The step: so long after the due time; below zero before it."""
    tell: tuple[Receiver, ...]
    """Who is notified."""
    channels: tuple[AlarmChannel, ...]
    """By which channels they are notified."""
    demand_type: str
    limits_version: int
    """The set of time limits that the due time follows from; 0 is what was shipped."""
    escalation_version: int
    """The escalation rules that the step is of; 0 is what was shipped."""
    work_area_id: str | None = None
    """The area that the order was given to last; None before any."""
    staff_ids: tuple[str, ...] = ()
    """The staff that it was given to last."""
    cause: AlarmCause = AlarmCause.TIME
    """Why it fires at this moment."""
    late_seconds: int = 0
    """So long after its moment; more than a second or two after a downtime, or when limits were changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockWarned(ClockAlarm):
    """A limit will be over soon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockBreached(ClockAlarm):
    """A limit is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockEscalated(ClockAlarm):
    """A limit was over so long ago that others are notified."""

    level: int = 1
    """1, 2, 3 … among the steps after the due time."""
