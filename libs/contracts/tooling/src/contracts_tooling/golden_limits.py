"""Golden bodies of arrival, extension, time limits and calendars; `contracts_tooling.golden` records them."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from contracts import escalation as x
from contracts import events as e
from contracts import requests as r
from contracts.calendar import Hours, WorkingTime
from contracts.directory import CalendarDefined, Names
from contracts.lifecycle import Service
from contracts.limits import SHIPPED, SUBJECT, LimitCalendar, TimeLimit, TimeLimitsDefined
from contracts.message import Actor

_AGENT = Actor("agent-7", "agent", "陈静")
_TECHNICIAN = Actor("technician-31", "technician", "王强")

EXTENDED: tuple[tuple[Service, Actor, Any], ...] = (
    (
        Service.DISPATCH,
        _AGENT,
        e.WorkOrderExtended(request_id="extension-1", clock=e.SlaClock.REPLY, minutes=480, reason="等待厂家答复"),
    ),
    (
        Service.DISPATCH,
        Actor("dispatcher-2", "dispatcher"),
        e.WorkOrderDispatched(work_area_id="west", staff_ids=("staff-9",)),
    ),
    (Service.FIELDWORK, _TECHNICIAN, e.WorkOrderArrived()),
    (Service.FIELDWORK, _TECHNICIAN, e.WorkOrderArrived(place="At the gate, 东门")),
)

REQUESTS: tuple[tuple[Service, Actor, Any], ...] = (
    (
        Service.INTAKE,
        _AGENT,
        r.WorkOrderExtensionRequested(
            request_id="extension-1", clock=e.SlaClock.REPLY, minutes=480, reason="等待厂家答复"
        ),
    ),
    (
        Service.DISPATCH,
        _TECHNICIAN,
        r.WorkOrderExtensionRequested(
            request_id="extension-2", clock=e.SlaClock.COMPLETE, minutes=60, reason="No ladder.", hop=1
        ),
    ),
)

LIMITS: tuple[TimeLimitsDefined, ...] = (
    SHIPPED,
    TimeLimitsDefined(
        applies_from=datetime(2026, 9, 1, tzinfo=UTC),
        limits=(
            TimeLimit(clock=e.SlaClock.ACCEPT, minutes=30),
            TimeLimit(clock=e.SlaClock.ARRIVE, minutes=None, demand_type="test"),
            TimeLimit(clock=e.SlaClock.COMPLETE, minutes=960, is_working_time=True, zone=e.Zone.REMOTE),
        ),
        calendar=WorkingTime(
            time_zone="Asia/Shanghai",
            days_off=(6,),
            holidays=(date(2026, 10, 1), date(2026, 10, 2)),
            make_up_days=(date(2026, 9, 27),),
            hours=(Hours(begin_minute=0, end_minute=1440),),
        ),
        longest_extension_minutes=120,
    ),
)

_ALARM: dict[str, Any] = {
    "alarm_id": "alarm-1",
    "order_no": "20260302-000001",
    "clock": e.SlaClock.ARRIVE,
    "due_at": datetime(2026, 3, 2, 8, 45, tzinfo=UTC),
    "tell": (x.Receiver.STAFF, x.Receiver.AREA_LEAD),
    "channels": (x.AlarmChannel.APPLICATION,),
    "demand_type": "fault_repair",
    "limits_version": 0,
    "escalation_version": 1,
}
_KNOWN: dict[str, Any] = {
    "work_area_id": "north",
    "staff_ids": ("staff-9",),
    "cause": x.AlarmCause.LIMITS_CHANGED,
    "late_seconds": 90,
}
_FIRED: tuple[x.ClockAlarm, ...] = (
    x.ClockWarned(**_ALARM, minutes=-15),
    x.ClockWarned(**_ALARM, **_KNOWN, minutes=-15),
    x.ClockBreached(**_ALARM, minutes=0),
    x.ClockBreached(**_ALARM, **_KNOWN, minutes=0),
    x.ClockEscalated(**_ALARM, minutes=30),
    x.ClockEscalated(**_ALARM, **_KNOWN, minutes=60, level=2),
)
_LADDERS: tuple[x.EscalationRulesDefined, ...] = (
    x.SHIPPED,
    x.EscalationRulesDefined(
        steps=(x.EscalationStep(minutes=0, tell=(x.Receiver.SUPERVISOR,), channels=(x.AlarmChannel.SMS,)),),
        warning_hours=(Hours(begin_minute=480, end_minute=1320),),
        time_zone="Asia/Urumqi",
    ),
)

_CHINA = Names("Working days in China", "中国工作日")
CALENDARS: tuple[CalendarDefined, ...] = (
    CalendarDefined(calendar_id="cn", names=_CHINA, working_time=SHIPPED.calendar),
    CalendarDefined(
        calendar_id="cn",
        names=_CHINA,
        working_time=WorkingTime(
            time_zone="Asia/Shanghai",
            days_off=(5, 6),
            holidays=(date(2026, 1, 1), date(2026, 1, 2), date(2027, 1, 1)),
            make_up_days=(date(2026, 1, 4),),
            hours=(Hours(begin_minute=510, end_minute=1080),),
        ),
        statutory_days=(date(2026, 1, 1), date(2027, 1, 1)),
        announced_years=(2026,),
        provisional_years=(2027,),
    ),
)
_NAMED = LimitCalendar("cn", CALENDARS[1].covered_working_time)
_LIMITS_OF_CALENDARS = replace(
    LIMITS[1],
    limits=(
        TimeLimit(clock=e.SlaClock.RESTORE, minutes=240),
        TimeLimit(clock=e.SlaClock.FOLLOW_UP, minutes=480, is_working_time=True, calendar_id="cn"),
    ),
    calendar=CALENDARS[1].working_time,
    calendar_id="cn",
    calendars=(_NAMED,),
)
_LIMITS_OF_CALENDAR = replace(LIMITS[1], calendar=CALENDARS[1].working_time, calendar_id="cn")
OF_CALENDARS = (("limits-of-calendar", _LIMITS_OF_CALENDAR), ("limits-of-calendars", _LIMITS_OF_CALENDARS))
ALARMS: tuple[tuple[str | None, int | None, int, Any], ...] = (
    *((x.SUBJECT, number, number, ladder) for number, ladder in enumerate(_LADDERS, start=1)),
    *((None, None, number, alarm) for number, alarm in enumerate(_FIRED, start=1)),
)
"""With key, version and number; of an order without key and version."""

__all__ = [
    "ALARMS",
    "CALENDARS",
    "EXTENDED",
    "LIMITS",
    "OF_CALENDARS",
    "REQUESTS",
    "SUBJECT",
]
