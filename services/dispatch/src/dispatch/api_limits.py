"""Time limits and their working calendar over HTTP: one set, changed as a whole."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from chassis.field_types import Body, Code, Line, Moment
from chassis.problems import Responses
from chassis.request_context import Context
from contracts.calendar import Hours, WorkingTime
from contracts.events import SlaClock, Zone
from contracts.limits import TimeLimit, TimeLimitsDefined
from dispatch import use_cases, views
from dispatch.domain import limits
from work_orders.routes import ANY

router = APIRouter(prefix="/v1/rules", tags=["rules"])
_MOST_MINUTES = 100_000

Minute = Annotated[int, Field(ge=0, le=1440, description="Since local midnight; 1440 is the end of the day.")]
Days = Annotated[list[date], Field(max_length=2000)]


class LimitBody(Body):
    """Without a zone or a demand type it is for all of them. The first that fits an order holds for its clock."""

    clock: SlaClock
    minutes: int | None = Field(ge=1, le=_MOST_MINUTES, description="null: no limit for these orders.")
    is_working_time: bool = Field(False, description="Counted in the hours of the calendar, else around the clock.")
    zone: Zone | None = None
    demand_type: Code | None = None


class HoursBody(Body):
    begin_minute: Minute
    end_minute: Minute


class CalendarBody(Body):
    time_zone: Line = Field(description="Such as Asia/Shanghai.")
    days_off: list[Annotated[int, Field(ge=0, le=6)]] = Field(max_length=7, description="0 is Monday.")
    holidays: Days = []
    make_up_days: Days = Field([], description="Worked although the week or a holiday says otherwise 调休上班.")
    hours: list[HoursBody] = Field(min_length=1, max_length=10)


class TimeLimitsBody(Body):
    applies_from: Moment | None = Field(
        None,
        description="Judges the orders that were created then or later, from this moment on unless it is said. "
        "With a moment of the past, orders since then are judged anew, finished ones as well.",
    )
    limits: list[LimitBody] = Field(max_length=1000)
    calendar: CalendarBody
    longest_extension_minutes: int = Field(
        ge=0, le=_MOST_MINUTES, description="All extensions of one clock of an order together."
    )

    def rules(self, now: datetime) -> TimeLimitsDefined:
        calendar = self.calendar
        return TimeLimitsDefined(
            applies_from=self.applies_from or now,
            limits=tuple(TimeLimit(**limit.model_dump()) for limit in self.limits),
            calendar=WorkingTime(
                time_zone=calendar.time_zone,
                days_off=tuple(sorted(set(calendar.days_off))),
                holidays=tuple(sorted(set(calendar.holidays))),
                make_up_days=tuple(sorted(set(calendar.make_up_days))),
                hours=tuple(Hours(**part.model_dump()) for part in calendar.hours),
            ),
            longest_extension_minutes=self.longest_extension_minutes,
        )


@router.get("/time-limits", responses=Responses.of(ANY))
async def get_time_limits(context: Context) -> views.TimeLimits:
    """The newest set of time limits 时限, as it is published; version 0 is what was shipped."""
    return await views.time_limits(context.db)


@router.put(
    "/time-limits",
    responses=Responses.of((*ANY, limits.CalendarTimeZoneUnknown, limits.HoursOverlap, limits.TooLittleWorkingTime)),
)
async def set_time_limits(body: TimeLimitsBody, context: Context) -> views.TimeLimits:
    """Defines the next set and tells everybody. Earlier sets go on judging the orders that were created before it
    applies. Said again unchanged, without a new `applies_from`, it makes no new version."""
    rules = body.rules(context.clock.now())
    is_dated = body.applies_from is not None
    await use_cases.set_time_limits(rules, is_dated=is_dated, uow=context.uow)
    return await views.time_limits(context.db)
