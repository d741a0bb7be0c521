"""Time limits and their working calendar over HTTP: one set, changed as a whole."""

from dataclasses import replace
from datetime import datetime
from typing import Self

from fastapi import APIRouter
from pydantic import Field, model_validator

from chassis.field_types import Body, Code, Moment
from chassis.problems import Responses
from chassis.request_context import Context
from contracts.calendar import WorkingTime
from contracts.events import SlaClock, Urgency, Zone
from contracts.limits import SHIPPED, TimeLimit, TimeLimitsDefined
from dispatch import use_cases, views
from dispatch.api_calendars import Day, WorkingTimeBody
from dispatch.domain import calendars
from work_orders.directory import CalendarNotFound
from work_orders.routes import ANY

router = APIRouter(prefix="/v1/rules", tags=["rules"])
_MOST_MINUTES = 100_000
_LIMITS_REFUSALS = (
    *ANY,
    CalendarNotFound,
    calendars.CalendarTimeZoneUnknown,
    calendars.HoursOverlap,
    calendars.TooLittleWorkingTime,
)


class LimitBody(Body):
    """Without a zone, a demand type or an urgency it is for all of them. The first that fits an order holds."""

    clock: SlaClock
    minutes: int | None = Field(ge=1, le=_MOST_MINUTES, description="null: no limit for these orders.")
    is_working_time: bool = Field(False, description="Counted in the hours of the calendar, else around the clock.")
    zone: Zone | None = None
    demand_type: Code | None = None
    urgency: Urgency | None = None
    calendar_id: Code | None = Field(
        None, description="Counts in this calendar instead of that of the set; for limits of working time."
    )

    @model_validator(mode="after")
    def _counts_working_time(self) -> Self:
        if self.calendar_id is not None and not self.is_working_time:
            raise ValueError("calendar_id is for limits with is_working_time")
        return self


class LimitsCalendarBody(WorkingTimeBody):
    covered_until: Day | None = Field(None, description="The last day whose days off are entered.")

    def working_time(self) -> WorkingTime:
        return replace(super().working_time(), covered_until=self.covered_until)


class TimeLimitsBody(Body):
    applies_from: Moment | None = Field(
        None,
        description="Judges the orders that were created then or later, from this moment on unless it is said. "
        "With a moment of the past, orders since then are judged anew, finished ones as well.",
    )
    limits: list[LimitBody] = Field(max_length=1000)
    calendar: LimitsCalendarBody | None = Field(None, description="What to count in, unless calendar_id is given.")
    calendar_id: Code | None = Field(
        None, description="Counts in this calendar; when it changes, the limits follow as of the same moment."
    )
    longest_extension_minutes: int = Field(
        ge=0, le=_MOST_MINUTES, description="All extensions of one clock of an order together."
    )

    @model_validator(mode="after")
    def _has_one_calendar(self) -> Self:
        if (self.calendar is None) == (self.calendar_id is None):
            raise ValueError("give either calendar or calendar_id")
        return self

    def rules(self, now: datetime) -> TimeLimitsDefined:
        return TimeLimitsDefined(
            applies_from=self.applies_from or now,
            limits=tuple(TimeLimit(**limit.model_dump()) for limit in self.limits),
            calendar=self.calendar.working_time() if self.calendar else SHIPPED.calendar,
            calendar_id=self.calendar_id,
            longest_extension_minutes=self.longest_extension_minutes,
        )


@router.get("/time-limits", responses=Responses.of(ANY))
async def get_time_limits(context: Context) -> views.TimeLimits:
    """The newest set of time limits 时限, as it is published; version 0 is what was shipped."""
    return await views.time_limits(context.db)


@router.put(
    "/time-limits",
    responses=Responses.of(_LIMITS_REFUSALS),
)
async def set_time_limits(body: TimeLimitsBody, context: Context) -> views.TimeLimits:
    """Defines the next set and tells everybody. Earlier sets go on judging the orders that were created before it
    applies. Said again unchanged, without a new `applies_from`, it makes no new version."""
    rules = body.rules(context.clock.now())
    is_dated = body.applies_from is not None
    await use_cases.set_time_limits(rules, is_dated=is_dated, uow=context.uow)
    return await views.time_limits(context.db)
