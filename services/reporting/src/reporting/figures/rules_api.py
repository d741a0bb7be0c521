"""The rules of figures over HTTP: thresholds, when an event is late, and the usual time zone."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from chassis.problems import Responses
from chassis.request_context import Context
from reporting.figures import use_cases
from reporting.figures.parameters import (
    NearSeconds,
    PresentRules,
    ShortSeconds,
    SilentAfterSeconds,
    ThreeRingsSeconds,
    ThresholdSeconds,
    ZoneName,
)
from reporting.figures.periods import TimeZoneUnknown
from work_orders.routes import ANY

router = APIRouter(prefix="/v1/rules", tags=["rules"])


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


@router.get("/figures", responses=Responses.of(ANY))
async def get_rules_of_figures(rules: PresentRules) -> FigureRulesShown:
    """The defaults that figures are counted with."""
    return FigureRulesShown.model_validate(rules, from_attributes=True)


@router.put("/figures", responses=Responses.of((*ANY, TimeZoneUnknown)))
async def set_rules_of_figures(body: FigureRulesBody, context: Context) -> FigureRulesShown:
    """Changes them: every question from then on is answered by the new ones, also of days that are long over.

    `late_after_seconds` judges what is recorded from then on.
    """
    written = await use_cases.set_figure_rules(body.model_dump(), uow=context.uow)
    return FigureRulesShown.model_validate(written, from_attributes=True)
