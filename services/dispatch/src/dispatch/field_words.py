"""What fields of dispatch's API mean beside the common vocabulary, see `chassis.field_words`."""

from collections.abc import Mapping
from typing import Any

TAGS: Mapping[str, str] = {
    "calendars": "Working calendars: hours, days off, holidays and make-up days.",
    "work orders": "Orders that wait for dispatch 派单, and rulings on rejections.",
    "work areas": "Work areas 工区: what they cover and whether they are open.",
    "staff": "The repair staff 维修人员 of the work areas.",
    "rules": "The budget of rejections, the time limits, and the rules of handling orders.",
}
"""What each group of routes is about."""

WORDS: Mapping[str, str] = {
    "announced_years": "Years whose holidays the state has announced.",
    "calendar_id": "The working calendar's id.",
    "provisional_years": "Years whose holidays are expected and not announced yet.",
    "statutory_days": "The holidays on which the law pays threefold.",
    "covered_until": "The last day whose days off are announced; what is counted beyond it may move.",
    "CalendarDay.day": "The day.",
    "CalendarDay.is_worked": "Whether it is a working day.",
    "CalendarDay.kind": "Which kind of day it is.",
    "CalendarDay.name_en": "What the kind is called in English.",
    "CalendarDay.name_zh": "What the kind is called in Chinese.",
    "CalendarDays.items": "The days in their order.",
    "is_lead": "Whether they lead their work area 工区负责人.",
    "person_id": "The subject of their token; null while it is not known.",
    "ConsequencesBody.needs_audit": "Whether the order cannot be archived without an audit.",
    "ConsequencesBody.tells_supervisor": "Whether supervisors are told of it.",
    "HandlingRulesBody.completers": "Who may complete an order 完成.",
    "SuspensionReasonBody.code": "What messages and requests name it by.",
    "Candidate.staff": "The members of its staff who are in service.",
    "CalendarBody.hours": "The parts of a working day, in their order and none touching another.",
    "DispatchForm.order": "The order that is to be dispatched.",
    "DispatchForm.rejection_budget": "After so many rejections of an order a supervisor decides.",
    "DispatchForm.work_areas": "The work areas that can take the order.",
    "DispatchWorkOrder.remark": "What the dispatcher writes to the work area.",
    "DispatchWorkOrder.staff_ids": "Who is to do it: staff of the work area.",
    "RejectionBudget.budget": "So many rejections of an order, then a supervisor decides.",
    "SendToRedispatch.remark": "What the dispatcher writes to the ruling.",
    "StaffDefinition.is_active": "Whether orders may be assigned to them.",
    "StaffMember.is_active": "Whether orders may be assigned to them.",
    "TimeLimits.rules": "The time limits themselves.",
    "TimeLimitsBody.calendar": "The working time that limits of working time are counted in.",
    "WorkArea.is_open": "Whether orders may be dispatched to it.",
    "WorkArea.staff": "Everybody who belongs to it.",
    "WorkAreaDefinition.is_open": "Whether orders may be dispatched to it.",
    "list_days_of_calendar.first": "The first day.",
    "list_days_of_calendar.last": "The last day; at most 400 days are shown.",
    "list_staff.work_area_id": "Only the staff of this work area.",
}

EXAMPLES: Mapping[str, Any] = {
    "budget": 3,
    "TimeLimitsBody.calendar_id": "city",
    "days_off": 5,
    "HoursBody.begin_minute": 510,
    "HoursBody.end_minute": 1050,
    "CalendarBody.days_off": [5, 6],
    "CalendarBody.holidays": ["2026-10-01"],
    "longest_extension_minutes": 2880,
    "StaffDefinition.skills": ["digital"],
    "SendToRedispatch.remark": "属实，改派",
    "WorkAreaDefinition.territories": ["漕溪"],
}
