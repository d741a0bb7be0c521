"""The rules of figures over HTTP: thresholds, when an event is late, and the usual time zone."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from chassis.problems import Responses
from chassis.request_context import Context
from reporting.figures.periods import TimeZoneUnknown
from reporting.figures.rules import FigureRules, get_figure_rules, put_figure_rules
from work_orders.routes import ANY

router = APIRouter(prefix="/v1/rules", tags=["rules"])

ThresholdSeconds = Annotated[int, Field(ge=0, le=86_400, description="Y of a service level.")]
ShortSeconds = Annotated[int, Field(ge=0, le=86_400, description="A short abandon is at most so long.")]
NearSeconds = Annotated[int, Field(ge=0, le=8_640_000, description="A limit is near when it is over within so long.")]
SilentAfterSeconds = Annotated[
    int, Field(ge=300, le=86_400, description="An agent of whom nothing was heard for longer counts nowhere.")
]
ThreeRingsSeconds = Annotated[int, Field(ge=1, le=300, description="How long three rings last.")]
ZoneName = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$", description="Such as Asia/Shanghai.")]


class FigureRulesBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    threshold_seconds: ThresholdSeconds
    short_seconds: ShortSeconds
    near_seconds: NearSeconds
    late_after_seconds: int = Field(
        ge=0, le=86_400, description="An event that was recorded later than so long after it happened is late."
    )
    time_zone: ZoneName
    silent_after_seconds: SilentAfterSeconds | None = Field(default=None, description="Left out: stays as it is.")
    three_rings_seconds: ThreeRingsSeconds | None = Field(default=None, description="Left out: stays as it is.")


class FigureRulesShown(FigureRulesBody):
    silent_after_seconds: int
    three_rings_seconds: int
    version: int
    changed_by: str | None
    """None: as shipped."""
    changed_at: datetime | None


async def _present(context: Context) -> FigureRules:
    async with context.db.statements() as statements:
        return await get_figure_rules(statements)


Rules = Annotated[FigureRules, Depends(_present)]
"""The rules as they are at this request."""


@router.get("/figures", responses=Responses.of(ANY))
async def get_rules_of_figures(rules: Rules) -> FigureRulesShown:
    """What figures are counted with where a question says nothing else."""
    return FigureRulesShown.model_validate(rules, from_attributes=True)


@router.put("/figures", responses=Responses.of((*ANY, TimeZoneUnknown)))
async def set_rules_of_figures(body: FigureRulesBody, context: Context) -> FigureRulesShown:
    """Changes them: every question from then on is answered by the new ones, also of days that are long over.

    `late_after_seconds` judges what is recorded from then on.
    """
    async with context.db.statements() as statements:
        written = await put_figure_rules(statements, body.model_dump(), by=context.caller.sub, now=context.clock.now())
    return FigureRulesShown.model_validate(written, from_attributes=True)
