"""A follow-up project 回访项目: whom, until when, how many, at which hours, with which questions."""

from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum

from contracts.directory import Names
from contracts.order import WorkOrder
from contracts.quality import FollowUpCause
from contracts.refusals import Conflict, Invalid
from qa.follow_up.domain.calendar import WorkingCalendar

OF_ORDERS = (FollowUpCause.COMPLETION, FollowUpCause.COMPLAINT)


class DeadlineRule(StrEnum):
    WORKING_DAYS_AFTER = "working_days_after"
    """So many working days after the completion, or after it came onto the list."""
    WORKING_DAY_OF_NEXT_MONTH = "working_day_of_next_month"
    """The so many-th working day of the month after."""


class OneCallPer(StrEnum):
    """What makes orders of one outage the same thing."""

    OUTAGE = "outage"
    """One call for the outage, however many reported it."""
    SUBSCRIBER = "subscriber"
    """One call for each subscriber who reported it."""


class ProjectPeriodInverted(Invalid):
    """The project ends at {end:time}, not after its start at {start:time}."""

    zh = "项目结束时间 {end:time}不晚于开始时间 {start:time}。"


class CallingHoursInverted(Invalid):
    """The calling hours from {calls_from} until {calls_until} are invalid."""

    zh = "拨打时段 {calls_from} 至 {calls_until} 不正确。"


class QuietHours(Conflict):
    """The local time is {local_time}; this project calls from {calls_from} until {calls_until} on working days."""

    zh = "当地时间为 {local_time}；该项目只在工作日 {calls_from} 至 {calls_until} 之间拨打。"


class QuotaReached(Conflict):
    """The quota of {quota} follow-ups per {period} is used up."""

    zh = "该项目的回访限额（{period}）为 {quota} 个，现已达到上限。"


class ProjectNotOpen(Conflict):
    """The project takes no subscribers: its period is {start:time} to {end:time}, open: {is_open}."""

    zh = "该项目不接收用户：期间为 {start:time}至 {end:time}，开放：{is_open}。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """How many follow-ups are handed out at most; None is as many as there are."""

    per_day: int | None = None
    per_month: int | None = None
    per_manager_month: int | None = None
    """To one person within a month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOut:
    """How many have been, so far."""

    today: int
    this_month: int
    to_caller_this_month: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpProject:
    id: str
    version: int
    name: str
    start: datetime
    end: datetime
    cause: FollowUpCause
    questionnaire: str
    """A version, such as `visit:2`."""
    calendar: str
    deadline_rule: DeadlineRule
    deadline_days: int
    quotas: Quotas
    calls_from: time
    calls_until: time
    working_days_only: bool
    max_attempts: int
    retry_after_minutes: int
    one_call_per: OneCallPer = OneCallPer.OUTAGE
    demand_types: tuple[str, ...] = ()
    """Orders of these only; empty: of any."""
    work_area_ids: tuple[str, ...] = ()
    is_open: bool = True

    def check(self) -> None:
        """Raises `ProjectPeriodInverted` or `CallingHoursInverted`."""
        if self.end <= self.start:
            raise ProjectPeriodInverted(start=self.start, end=self.end)
        if self.calls_until <= self.calls_from:
            raise CallingHoursInverted(calls_from=self.calls_from, calls_until=self.calls_until)

    def wants(self, order: WorkOrder, completed_at: datetime) -> bool:
        """Whether a completed order is followed up in this project."""
        return (
            self.is_open
            and self.cause in OF_ORDERS
            and self.start <= completed_at < self.end
            and (not self.demand_types or order.demand_type in self.demand_types)
            and (not self.work_area_ids or order.work_area_id in self.work_area_ids)
        )

    def due_by(self, moment: datetime, calendar: WorkingCalendar) -> datetime:
        """By when a follow-up that begins at a moment must have been called."""
        day = calendar.day_of(moment)
        if self.deadline_rule is DeadlineRule.WORKING_DAYS_AFTER:
            return calendar.end_of(calendar.after(day, self.deadline_days))
        return calendar.end_of(calendar.nth_of_next_month(day, self.deadline_days))

    def thing_of(self, order: WorkOrder, outage_id: str | None) -> str:
        """What the call is about: there is one call for each subject over all projects."""
        if outage_id is None:
            return f"order:{order.id}"
        if self.one_call_per is OneCallPer.OUTAGE:
            return f"outage:{outage_id}"
        return f"outage:{outage_id}:subscriber:{order.subscriber_no}"

    def check_may_call(self, now: datetime, calendar: WorkingCalendar) -> None:
        """Raises `QuietHours`."""
        local = now.astimezone(calendar.zone)
        is_day = not self.working_days_only or calendar.is_working_day(local.date())
        if not is_day or not self.calls_from <= local.time() < self.calls_until:
            raise QuietHours(
                local_time=f"{local:%Y-%m-%d %H:%M}", calls_from=self.calls_from, calls_until=self.calls_until
            )

    def check_quotas(self, handed_out: HandedOut) -> None:
        """Raises `QuotaReached`."""
        for quota, count, period in (
            (self.quotas.per_day, handed_out.today, Names("day", "日")),
            (self.quotas.per_month, handed_out.this_month, Names("month", "月")),
            (self.quotas.per_manager_month, handed_out.to_caller_this_month, Names("month and person", "每人每月")),
        ):
            if quota is not None and count >= quota:
                raise QuotaReached(quota=quota, period=period)

    def check_open(self, now: datetime) -> None:
        """Raises `ProjectNotOpen` while its list takes no subscribers."""
        if not self.is_open or not self.start <= now < self.end:
            raise ProjectNotOpen(start=self.start, end=self.end, is_open=self.is_open)
