"""Figures over HTTP: the registry, one figure, its versions side by side, the events behind it, its corrections."""

from dataclasses import asdict, replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import AfterValidator, BaseModel, Field

from chassis.field_errors import InvalidValue
from chassis.field_types import Moment
from chassis.paging import CursorBroken
from chassis.problems import Responses
from chassis.request_context import Context
from reporting import figures
from reporting.figures import FIGURE_REFUSALS, Question, details_views
from reporting.figures.parameters import (
    AsOf,
    AsOfInFuture,
    NearSeconds,
    PresentRules,
    ShortSeconds,
    SilentAfterSeconds,
    ThreeRingsSeconds,
    ThresholdSeconds,
    ZoneName,
)
from reporting.figures.rules import FigureRules
from reporting.metrics import METRICS, REGISTRY, Dimension, Grain, Metric, MetricKind
from work_orders.routes import ANY, Cursor

MetricId = Annotated[str, Path(max_length=64, pattern=r"^[a-z0-9_]+$", description="One of `/v1/metrics`.")]
RowsPerPage = Annotated[int, Query(ge=1, le=200, description="Rows a page.")]

router = APIRouter(prefix="/v1", tags=["figures"])


class MetricAsked(BaseModel):
    id: str
    version: int
    kind: MetricKind
    unit: str
    formula: str


class MetricDeclared(MetricAsked):
    name_en: str
    name_zh: str
    formula_source: str
    counted_from: str
    inputs: list[str]
    """Types of the messages that it is made from."""
    numerator: str
    denominator: str | None
    dimensions: list[Dimension]
    parameters: dict[str, int]
    """Thresholds in seconds that a question can set, and what they are otherwise by the present rules."""
    has_periods: bool
    roles: list[str]


class Metrics(BaseModel):
    items: list[MetricDeclared]


class FigureWindow(BaseModel):
    begin: datetime | None = Field(serialization_alias="from", validation_alias="from")
    to: datetime | None


class ReadUpTo(BaseModel):
    positions: dict[str, dict[str, int]]
    """By topic, the next offset of each partition."""
    message_count: int
    """Of orders."""
    call_message_count: int
    """Of calls, agents and time limits."""
    quality_message_count: int
    """Of quality."""
    recorded_at: datetime | None
    """The latest `recorded_at` of what was read."""


class FigureHeader(BaseModel):
    metric: MetricAsked
    parameters: dict[str, int]
    window: FigureWindow
    grain: Grain | None
    time_zone: str
    calendar: str
    group_by: list[Dimension]
    only: dict[Dimension, str | None]
    areas: list[str] | None
    as_of: datetime | None
    at: datetime
    """The moment that ages are measured at: `as_of`, or when it was asked."""
    generation: int
    read_up_to: ReadUpTo
    is_complete: bool
    """Whether the stream was read beyond the end of the window."""


class Figure(FigureHeader):
    rows: list[dict[str, Any]]
    """`period` and the groups, `numerator`, `denominator` and `value`; percentiles of a distribution.

    `unknown` is how many could not be counted because something of them is not known; `marked` is at how many calls
    something is odd (docs/partners.md), such as a time below zero that was counted as zero: their events say what. Of
    agents' time it is in how many of their hours an agent fell silent.

    `display` has the numbers of the row as a person reads them: with as many digits as mean something in their unit."""


class Versions(BaseModel):
    items: list[Figure]


class BehindItem(BaseModel):
    subject: str
    """The order or call."""
    moment: datetime
    known_at: datetime
    is_late: bool
    dimensions: dict[Dimension, str | None]
    numerator: float | None
    """None: not known."""
    denominator: float | None
    events: list[dict[str, Any]]


class Behind(FigureHeader):
    items: list[BehindItem]
    next_cursor: str | None


class Correction(BaseModel):
    hour: datetime
    corrected_at: datetime
    subject: str
    before: dict[str, Any]
    after: dict[str, Any]


class Corrections(FigureHeader):
    late_after_seconds: float
    items: list[Correction]
    next_cursor: str | None


def _two_parts(text: str) -> str:
    name, colon, value = text.partition(":")
    if not colon or name not in list(Dimension):
        raise InvalidValue(
            "it is DIMENSION:VALUE, with nothing behind the colon for none", "应为 DIMENSION:VALUE；冒号后留空表示无值"
        )
    if any(not character.isprintable() for character in value):
        raise InvalidValue("control characters are not allowed", "不允许控制字符")
    return text


Only = Annotated[str, AfterValidator(_two_parts)]


def _given(**thresholds: int | None) -> dict[str, int]:
    return {name: seconds for name, seconds in thresholds.items() if seconds is not None}


async def window(
    context: Context,
    rules: PresentRules,
    begin: Annotated[Moment | None, Query(alias="from", description="Included; default: the beginning.")] = None,
    to: Annotated[Moment | None, Query(description="Not included; default: all that was read.")] = None,
    group_by: Annotated[list[Dimension] | None, Query(max_length=6, description="Any combination.")] = None,
    only: Annotated[list[Only] | None, Query(max_length=6, description="DIMENSION:VALUE; counts only these.")] = None,
    grain: Annotated[Grain | None, Query(description="Period by period; default: the window as a whole.")] = None,
    time_zone: Annotated[ZoneName | None, Query(description="Default: that of the rules.")] = None,
    as_of: AsOf = None,
    threshold_seconds: Annotated[ThresholdSeconds | None, Query()] = None,
    short_seconds: Annotated[ShortSeconds | None, Query()] = None,
    near_seconds: Annotated[NearSeconds | None, Query()] = None,
    silent_after_seconds: Annotated[SilentAfterSeconds | None, Query()] = None,
    three_rings_seconds: Annotated[ThreeRingsSeconds | None, Query()] = None,
) -> Question:
    """What is asked, of any metric, in the caller's scope."""
    return Question(
        metric=METRICS[0],
        rules=rules,
        group_by=tuple(dict.fromkeys(group_by or ())),
        only=tuple((Dimension(name), value or None) for name, _, value in (one.partition(":") for one in only or ())),
        grain=grain,
        begin=begin,
        end=to,
        time_zone=time_zone or rules.time_zone,
        areas=context.caller.areas,
        as_of=as_of,
        at=as_of or context.clock.now(),
        parameters=_given(
            threshold_seconds=threshold_seconds,
            short_seconds=short_seconds,
            near_seconds=near_seconds,
            silent_after_seconds=silent_after_seconds,
            three_rings_seconds=three_rings_seconds,
        ),
    )


async def question(
    metric: MetricId,
    context: Context,
    asked: Annotated[Question, Depends(window)],
    version: Annotated[int | None, Query(ge=1, le=1000, description="Default: the newest.")] = None,
) -> Question:
    """What is asked of one metric."""
    return replace(asked, metric=figures.metric_of(metric, version, roles=context.caller.roles))


AskedQuestion = Annotated[Question, Depends(question)]
_FIGURE_RESPONSES = Responses.of((*ANY, *FIGURE_REFUSALS, AsOfInFuture))
_PAGED_RESPONSES = Responses.of((*ANY, *FIGURE_REFUSALS, AsOfInFuture, CursorBroken))


@router.get("/metrics", responses=Responses.of(ANY))
async def get_metrics(rules: PresentRules) -> Metrics:
    """The registry: every metric with version, formula, where it is from, and what it can be grouped by."""
    return Metrics(items=[_declared(metric, rules) for metric in METRICS])


def _declared(metric: Metric, rules: FigureRules) -> MetricDeclared:
    return MetricDeclared.model_validate(
        asdict(metric)
        | {
            "counted_from": metric.source.name,
            "inputs": metric.source.inputs,
            "parameters": {name: rules.thresholds[name] for name in metric.parameters},
            "has_periods": metric.has_periods,
        }
    )


@router.get("/figures/{metric}", responses=_FIGURE_RESPONSES)
async def get_figure(
    asked: AskedQuestion,
    context: Context,
    with_buckets: Annotated[bool, Query(description="With the histogram behind percentiles.")] = False,
) -> Figure:
    """One figure, period by period and group by group. Numerators and denominators add up; so do buckets.

    `value` is empty where there is nothing to divide by. Agents see counts of orders and no durations. Repair
    staff see their own work areas, other roles all, unless the token names areas.
    """
    return Figure.model_validate(await figures.figure(context.db, asked, with_buckets=with_buckets))


@router.get("/figures/{metric}/versions", responses=_FIGURE_RESPONSES)
async def get_versions(asked: AskedQuestion, context: Context) -> Versions:
    """The same question under every version of the metric, the oldest first."""
    versions = [replace(asked, metric=metric) for metric in REGISTRY[asked.metric.id]]
    return Versions(items=[Figure.model_validate(await figures.figure(context.db, one)) for one in versions])


@router.get("/figures/{metric}/events", responses=_PAGED_RESPONSES)
async def get_events_behind(
    asked: AskedQuestion, context: Context, cursor: Cursor = None, limit: RowsPerPage = 50
) -> Behind:
    """What a figure is made of: each order or call with what it adds, and the messages that say so.

    To go down from one row, ask for its period by `from` and `to` and for its group by `only`.
    """
    return Behind.model_validate(await details_views.rows_behind(context.db, asked, cursor=cursor, limit=limit))


@router.get("/figures/{metric}/corrections", responses=_PAGED_RESPONSES)
async def get_corrections(
    asked: AskedQuestion, context: Context, cursor: Cursor = None, limit: Annotated[int, Query(ge=1, le=20)] = 10
) -> Corrections:
    """What late events have changed in the hours of the window, newest first: the hour before and after each."""
    return Corrections.model_validate(await details_views.corrections(context.db, asked, cursor=cursor, limit=limit))
