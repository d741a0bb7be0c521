"""Calendars of working days and hours 工作日历 over HTTP, for every service that counts in them."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from chassis.field_types import Body, Code, Line
from chassis.paging import CursorBroken
from chassis.problems import Responses
from chassis.request_context import Context
from contracts.calendar import Hours, WorkingTime
from contracts.directory import CalendarDefined, Names
from dispatch import use_cases, views
from dispatch.domain.calendars import REFUSALS, DaysUnclear, check_days
from dispatch.views import CalendarDays, CalendarPage, CalendarShown
from work_orders.directory import CalendarNotFound
from work_orders.routes import ANY, Cursor, Limit

router = APIRouter(prefix="/v1", tags=["calendars"])

Minute = Annotated[
    int, Field(strict=True, ge=0, le=1440, description="Since local midnight; 1440 is the end of the day.")
]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2100, 1, 1))]
Days = Annotated[list[Day], Field(max_length=2000)]
Years = Annotated[list[Annotated[int, Field(strict=True, ge=2000, le=2100)]], Field(max_length=101)]


class HoursBody(Body):
    begin_minute: Minute
    end_minute: Minute


class WorkingTimeBody(Body):
    time_zone: Line = Field(description="Such as Asia/Shanghai.")
    days_off: list[Annotated[int, Field(strict=True, ge=0, le=6)]] = Field(max_length=7, description="0 is Monday.")
    holidays: Days = Field([], description="Days that are not worked although the week says so.")
    make_up_days: Days = Field([], description="Worked although the week or a holiday says otherwise 调休上班.")
    hours: list[HoursBody] = Field(min_length=1, max_length=10, description="The parts of a working day, in order.")

    def working_time(self) -> WorkingTime:
        return WorkingTime(
            time_zone=self.time_zone,
            days_off=tuple(sorted(set(self.days_off))),
            holidays=tuple(sorted(set(self.holidays))),
            make_up_days=tuple(sorted(set(self.make_up_days))),
            hours=tuple(Hours(**part.model_dump()) for part in self.hours),
        )


class CalendarDefinition(WorkingTimeBody):
    name_en: Line
    name_zh: Line
    statutory_days: Days = Field([], description="Those of the holidays that the law names 法定节假日.")
    announced_years: Years = Field([], description="Years whose holidays and make-up days have been announced.")
    provisional_years: Years = Field([], description="Years whose holidays are known by rule only.")

    def entity(self, calendar_id: str) -> CalendarDefined:
        return CalendarDefined(
            calendar_id=calendar_id,
            names=Names(en=self.name_en, zh=self.name_zh),
            working_time=self.working_time(),
            statutory_days=tuple(sorted(set(self.statutory_days))),
            announced_years=tuple(sorted(set(self.announced_years))),
            provisional_years=tuple(sorted(set(self.provisional_years))),
        )


@router.get("/calendars", responses=Responses.of((*ANY, CursorBroken)))
async def list_calendars(context: Context, cursor: Cursor = None, limit: Limit = 50) -> CalendarPage:
    """The calendars by id."""
    return await views.list_calendars(context.db, cursor=cursor, limit=limit)


@router.get("/calendars/{calendar_id}", responses=Responses.of((*ANY, CalendarNotFound)))
async def get_calendar(calendar_id: Code, context: Context) -> CalendarShown:
    """One calendar, and until when its days off are known."""
    return await views.get_calendar(context.db, calendar_id)


@router.get("/calendars/{calendar_id}/days", responses=Responses.of((*ANY, CalendarNotFound, DaysUnclear)))
async def list_days_of_calendar(
    calendar_id: Code, context: Context, first: Annotated[Day, Query()], last: Annotated[Day, Query()]
) -> CalendarDays:
    """The kind of each day: workday, rest, statutory 法定节假日, make-up 调休上班; of at most 400 days."""
    check_days(first, last)
    return await views.list_days(context.db, calendar_id, first, last)


@router.put("/calendars/{calendar_id}", responses=Responses.of((*ANY, *REFUSALS)))
async def define_calendar(calendar_id: Code, body: CalendarDefinition, context: Context) -> CalendarShown:
    """Adds a calendar or changes it; an unchanged definition makes no new version.

    Time limits that count in it follow as of the same moment: orders are judged anew, finished ones as well.
    """
    await use_cases.define_calendar(body.entity(calendar_id), uow=context.uow)
    return await views.get_calendar(context.db, calendar_id)
