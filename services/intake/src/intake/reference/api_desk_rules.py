"""The numbers of the desk over HTTP."""

from fastapi import APIRouter
from pydantic import Field

from chassis.any_route import ANY
from chassis.field_types import Body
from chassis.problems import Responses
from chassis.request_context import Context
from intake.reference import store, use_cases
from intake.reference.domain import DeskRules

router = APIRouter(prefix="/v1", tags=["ties"])


class DeskNumbers(Body):
    warn_before_minutes: int = Field(ge=1, le=43_200)
    call_closes_after_hours: int = Field(ge=1, le=720)
    duplicate_hours: int = Field(ge=1, le=8_760)
    duplicate_least_score: int = Field(ge=1, le=100)
    country_code: str | None = Field(
        None, pattern="^[1-9][0-9]{0,2}$", description="Numbers are written with or without it; left out, it stays."
    )


class DeskRulesShown(DeskNumbers):
    country_code: str
    version: int


@router.get("/rules/desk", responses=Responses.of(ANY))
async def get_desk_rules(context: Context) -> DeskRulesShown:
    """The numbers of the desk: warnings before a promise, when a silent call is closed, duplicates."""
    async with context.db.statements() as statements:
        return DeskRulesShown.model_validate(await store.desk_rules(statements), from_attributes=True)


@router.put("/rules/desk", responses=Responses.of(ANY))
async def set_desk_rules(body: DeskNumbers, context: Context) -> DeskRulesShown:
    """Changes them; what is under way is judged by the new ones from then on."""
    written = await use_cases.set_desk_rules(DeskRules(**body.model_dump()), uow=context.uow)
    return DeskRulesShown.model_validate(written, from_attributes=True)
