"""The rules of the wallboard over HTTP: thresholds of measures and of agents' states, and the colour of each level."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from chassis.problems import Responses
from chassis.request_context import Context
from reporting.ratios import ShareBeyondOne
from reporting.wallboard import use_cases
from reporting.wallboard.levels import (
    SHIPPED_COLOURS,
    ColourUnreadable,
    Level,
    Measure,
    Thresholds,
    ThresholdsInverted,
    TimedState,
    WallboardRules,
)
from reporting.wallboard.rules_store import StoredRules, get_wallboard_rules
from work_orders.routes import ANY

router = APIRouter(prefix="/v1/rules", tags=["rules"])

Threshold = Annotated[
    float | None,
    Field(
        ge=0, le=1e9, allow_inf_nan=False, strict=True, description="Shares from 0 to 1, times in seconds; null: never."
    ),
]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$", description="Such as #ffb454, readable on a dark page.")]


class ThresholdsBody(BaseModel):
    """A value beyond a threshold has its level: above it, or below it where a low value is bad."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    warning: Threshold = None
    alarm: Threshold = None


class WallboardRulesBody(BaseModel):
    model_config = ConfigDict(extra="forbid", from_attributes=True)

    thresholds: dict[Measure, ThresholdsBody] = Field(description="A measure that is left out has no threshold.")
    states: dict[TimedState, ThresholdsBody] = Field(description="After how many seconds a state is too long.")
    colours: dict[Level, Colour] = Field(description="A level that is left out has the colour that is shipped.")

    def rules(self) -> WallboardRules:
        return WallboardRules(
            thresholds={measure: Thresholds(**one.model_dump()) for measure, one in self.thresholds.items()},
            states={state: Thresholds(**one.model_dump()) for state, one in self.states.items()},
            colours={**SHIPPED_COLOURS, **self.colours},
        )


class WallboardRulesShown(WallboardRulesBody):
    version: int
    changed_by: str | None
    """Null: as shipped."""
    changed_at: datetime | None


def _shown(stored: StoredRules) -> WallboardRulesShown:
    body = WallboardRulesBody.model_validate(stored.rules)
    return WallboardRulesShown(
        **body.model_dump(), version=stored.version, changed_by=stored.changed_by, changed_at=stored.changed_at
    )


@router.get("/wallboard", responses=Responses.of(ANY))
async def get_rules_of_wallboard(context: Context) -> WallboardRulesShown:
    """When a value on the wallboard is a warning or an alarm, and how each level is coloured."""
    async with context.db.statements() as statements:
        return _shown(await get_wallboard_rules(statements))


@router.put("/wallboard", responses=Responses.of((*ANY, ThresholdsInverted, ShareBeyondOne, ColourUnreadable)))
async def set_rules_of_wallboard(body: WallboardRulesBody, context: Context) -> WallboardRulesShown:
    """Replaces the rules; every wallboard shows the new ones at its next snapshot."""
    return _shown(await use_cases.set_wallboard_rules(body.rules(), uow=context.uow))
