"""The rules of reports over HTTP: the centre's name, who signs, targets, names of queues, schedules."""

from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from chassis.field_types import Code, Line
from chassis.problems import Responses
from chassis.request_context import Context
from contracts.directory import Names
from contracts.refusals import Invalid
from reporting.figures.parameters import PresentRules
from reporting.metrics import REGISTRY
from reporting.ratios import ShareBeyondOne, check_share
from reporting.reports import use_cases
from reporting.reports.plan import Format
from reporting.reports.rules import FilingCalendar, KeptRules, ReportRules
from reporting.reports.rules_store import get_filing_calendar, get_report_rules
from reporting.reports.schedule import Scheduled, next_due
from reporting.reports.words import Language
from work_orders.routes import ANY

router = APIRouter(prefix="/v1/rules/reports", tags=["rules"])
_MOST_SCHEDULES = 50
Reader = Literal["supervisor", "operator", "auditor", "dispatcher", "technician"]


class ScheduleIdRepeated(Invalid):
    """Two schedules have the id {schedule}."""

    zh = "有两个计划使用同一编号 {schedule}。"


class ScheduleRepeatsItself(Invalid):
    """Schedule {schedule} lists a language, format or reader twice."""

    zh = "计划 {schedule} 的语言、格式或读者有重复。"


class TargetRepeated(Invalid):
    """Metric {metric} has two targets."""

    zh = "指标 {metric} 有两个目标。"


class TargetMetricUnknown(Invalid):
    """There is no metric {metric} for a target."""

    zh = "没有可设目标的指标 {metric}。"


_REFUSALS = (ScheduleIdRepeated, ScheduleRepeatsItself, TargetRepeated, TargetMetricUnknown, ShareBeyondOne)


class NamesBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    en: Line
    zh: Line


class TargetBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    metric: str = Field(max_length=64, pattern=r"^[a-z0-9_]+$", description="One of `/v1/metrics`.")
    value: float = Field(ge=0, le=1e12, strict=True, description="A share as 0.8, a time in seconds, else a number.")
    is_at_least: bool = Field(True, description="False: at most so much.")


class ScheduleBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: Code
    kind: Scheduled
    minute: int = Field(
        480, ge=0, le=1439, description="Of the local day in the zone of the rules of figures: 480 is 08:00."
    )
    weekday: int = Field(0, ge=0, le=6, description="Of a weekly one; 0 is Monday.")
    working_day: int = Field(
        1,
        ge=1,
        le=31,
        description="Of a monthly, quarterly or yearly one: the n-th working day after the period; the "
        "last day of that month where it has fewer.",
    )
    languages: list[Language] = Field([Language.ZH], min_length=1, max_length=2)
    formats: list[Format] = Field([Format.PDF, Format.XLSX], min_length=1, max_length=3)
    readers: list[Reader] = Field(
        ["supervisor", "operator"],
        min_length=1,
        max_length=5,
        description="Roles that find it; it holds what each may see.",
    )
    areas: list[Code] | None = Field(
        None, min_length=1, max_length=200, description="Of these work areas; default: of all."
    )


class ReportRulesBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    centre: NamesBody
    prepared_by: Line | None = Field(None, description="The name at 制表; default: a line to write it on.")
    reviewed_by: Line | None = None
    approved_by: Line | None = None
    targets: list[TargetBody] = Field([], max_length=100)
    queues: dict[Line, NamesBody] = Field({}, max_length=1000, description="By a queue's name at the switch.")
    teams: dict[Line, NamesBody] = Field({}, max_length=1000)
    kept_days: int = Field(1100, ge=1, le=7300, description="After so long the file of a report is deleted.")
    schedules: list[ScheduleBody] = Field([], max_length=_MOST_SCHEDULES)


class NextRun(BaseModel):
    schedule: str
    due_at: datetime
    first_day: date
    """Of the period that will be filed."""


class WorkingCalendarShown(BaseModel):
    time_limits_version: int
    """The set of time limits that it is from; 0 is the one that is shipped."""
    covered_until: date | None
    """Until when days off are announced, or the last that was entered. Working days after it follow from the week
    alone."""


class ReportRulesShown(ReportRulesBody):
    version: int
    changed_by: str | None
    """None: as shipped."""
    changed_at: datetime | None
    next_runs: list[NextRun]
    working_calendar: WorkingCalendarShown


def _check(body: ReportRulesBody) -> None:
    """Raises what is wrong with rules that are each well-formed."""
    schedule_ids, metrics = set[str](), set[str]()
    for schedule in body.schedules:
        if schedule.id in schedule_ids:
            raise ScheduleIdRepeated(schedule=schedule.id)
        schedule_ids.add(schedule.id)
        if any(len(set(values)) < len(values) for values in (schedule.languages, schedule.formats, schedule.readers)):
            raise ScheduleRepeatsItself(schedule=schedule.id)
    for target in body.targets:
        if target.metric not in REGISTRY:
            raise TargetMetricUnknown(metric=target.metric)
        if target.metric in metrics:
            raise TargetRepeated(metric=target.metric)
        metrics.add(target.metric)
        metric = REGISTRY[target.metric][-1]
        if metric.unit == "share":
            check_share(Names(en=metric.name_en, zh=metric.name_zh), target.value)


def _shown(kept: KeptRules, calendar: FilingCalendar, zone: ZoneInfo, now: datetime) -> ReportRulesShown:
    found = [(one.id, next_due(one, now=now, zone=zone, calendar=calendar.days)) for one in kept.rules.schedules]
    return ReportRulesShown.model_validate(
        {
            **msgspec.to_builtins(kept.rules),
            "version": kept.version,
            "changed_by": kept.changed_by,
            "changed_at": kept.changed_at,
            "next_runs": [
                {"schedule": schedule_id, "due_at": due.moment, "first_day": due.first}
                for schedule_id, due in found
                if due
            ],
            "working_calendar": {
                "time_limits_version": calendar.set_version,
                "covered_until": calendar.covered_until,
            },
        }
    )


@router.get("", responses=Responses.of(ANY))
async def get_rules_of_reports(context: Context, rules: PresentRules) -> ReportRulesShown:
    """The centre's name, who signs, targets, names of queues and teams, schedules; and when each is due next."""
    async with context.db.statements() as statements:
        kept, calendar = await get_report_rules(statements), await get_filing_calendar(statements)
    return _shown(kept, calendar, ZoneInfo(rules.time_zone), context.clock.now())


@router.put("", responses=Responses.of((*ANY, *_REFUSALS)))
async def set_rules_of_reports(body: ReportRulesBody, context: Context, rules: PresentRules) -> ReportRulesShown:
    """Changes them as a whole, for reports that are asked for or fall due from then on.

    A schedule that is added, or whose time is changed, owes nothing of before.
    """
    _check(body)
    wanted = msgspec.convert(body.model_dump(mode="json"), ReportRules)
    kept, calendar = await use_cases.set_report_rules(wanted, uow=context.uow)
    return _shown(kept, calendar, ZoneInfo(rules.time_zone), context.clock.now())
