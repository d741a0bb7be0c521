"""Figures over HTTP, and their recount."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from chassis.desk import Desk
from chassis.problems import Responses
from chassis.texts import Moment
from custody.routes import ANY
from reporting import figures, recount
from reporting.figures import FIGURE_REFUSALS, Question
from reporting.metrics import REGISTRY, Dimension, Grain

MetricId = Annotated[str, Path(max_length=64, pattern=r"^[a-z0-9_]+$", description="One of `/v1/figures`.")]

router = APIRouter(prefix="/v1/figures", tags=["figures"])


class MetricAsked(BaseModel):
    id: str
    version: int
    unit: str
    formula: str


class MetricDeclared(MetricAsked):
    name_en: str
    name_zh: str
    dimensions: list[Dimension]
    measures: list[str]
    has_periods: bool
    roles: list[str]


class Metrics(BaseModel):
    items: list[MetricDeclared]


class Window(BaseModel):
    begin: datetime | None = Field(serialization_alias="from", validation_alias="from")
    to: datetime | None


class ReadUpTo(BaseModel):
    positions: dict[str, int]
    """The next offset of each partition of `work-orders`."""
    message_count: int
    recorded_at: datetime | None
    """The latest `recorded_at` of what was read."""


class Figure(BaseModel):
    metric: MetricAsked
    window: Window
    grain: Grain | None
    time_zone: str
    calendar: str
    group_by: list[Dimension]
    areas: list[str] | None
    generation: int
    read_up_to: ReadUpTo
    rows: list[dict[str, Any]]


class Recount(Figure):
    recounted: list[dict[str, Any]]
    differences: list[dict[str, Any]]
    is_equal: bool


async def question(
    metric: MetricId,
    desk: Desk,
    begin: Annotated[Moment | None, Query(alias="from", description="Included; default: the beginning.")] = None,
    to: Annotated[Moment | None, Query(description="Not included; default: all that was read.")] = None,
    group_by: Annotated[list[Dimension] | None, Query(max_length=6, description="Any combination.")] = None,
    grain: Annotated[Grain | None, Query(description="Period by period; default: the window as a whole.")] = None,
    time_zone: Annotated[str, Query(max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$")] = "Asia/Shanghai",
) -> Question:
    """What is asked, in the caller's scope."""
    return Question(
        metric=figures.metric_of(metric, roles=desk.caller.roles),
        group_by=tuple(dict.fromkeys(group_by or ())),
        grain=grain,
        begin=begin,
        end=to,
        time_zone=time_zone,
        areas=desk.caller.areas,
    )


Asked = Annotated[Question, Depends(question)]


@router.get("", responses=Responses.of(ANY))
async def get_metrics() -> Metrics:
    """The registry: every metric with version, formula, unit and what it can be grouped by."""
    return Metrics(
        items=[
            MetricDeclared(
                id=metric.id,
                version=metric.version,
                unit=metric.unit,
                formula=metric.formula,
                name_en=metric.name_en,
                name_zh=metric.name_zh,
                dimensions=list(metric.dimensions),
                measures=[*metric.sums, *metric.percentiles, *([metric.quotient.name] if metric.quotient else [])],
                has_periods=metric.moment is not None,
                roles=list(metric.roles),
            )
            for metric in REGISTRY.values()
        ]
    )


@router.get("/{metric}", responses=Responses.of((*ANY, *FIGURE_REFUSALS)))
async def get_figure(asked: Asked, desk: Desk) -> Figure:
    """One figure. Sums and counts add up over periods and groups; percentiles do not.

    Agents see counts of orders and no durations. Repair staff see their own work areas, everybody else all,
    unless the token names areas.
    """
    return Figure.model_validate(await figures.figure(desk.db, asked))


@router.get("/{metric}/recount", responses=Responses.of((*ANY, *FIGURE_REFUSALS)))
async def get_recount(asked: Asked, desk: Desk) -> Recount:
    """The figure as it is shown and as it is counted again from the raw events, both of one moment.

    Reads the whole record: seconds for 100,000 events.
    """
    return Recount.model_validate(await recount.recount(desk.db, asked))
