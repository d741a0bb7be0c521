"""The rules of quality over HTTP."""

from fastapi import APIRouter, Response

from chassis.field_types import Body
from chassis.problems import Responses
from chassis.request_context import Context
from qa import use_cases
from qa.domain.rules import QualityRules
from qa.routes import ACT_REFUSALS, ANY, Zone
from qa.store import get_quality_rules
from work_orders.routes import CommandContext

router = APIRouter(prefix="/v1/rules", tags=["rules"])


class QualityRulesBody(Body):
    time_zone: Zone


@router.get("/quality", responses=Responses.of(ANY))
async def get_rules_of_quality(context: Context) -> QualityRules:
    """The time zone of the auditors' days."""
    async with context.db.statements() as statements:
        return await get_quality_rules(statements)


@router.put("/quality", response_model=QualityRules, responses=Responses.of(ACT_REFUSALS))
async def set_rules_of_quality(body: QualityRulesBody, context: CommandContext) -> Response:
    """Changes them, for what is done from then on: a day that something was counted for stays."""
    return (await use_cases.set_quality_rules(body.time_zone, uow=context.uow)).response()
