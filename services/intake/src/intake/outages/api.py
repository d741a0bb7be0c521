"""Outages over HTTP."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, ValidationInfo, field_validator

from chassis.any_route import ANY
from chassis.commands import IdempotencyKeyBroken, IdempotencyKeyReused
from chassis.field_types import Body, Moment, Prose, Reference, not_in_the_future
from chassis.identity import new_id
from chassis.problems import Responses
from chassis.request_context import Context
from intake.outages import use_cases, views
from intake.outages.domain import Outage, OutageChanged, OutageEnded, OutageNotFound, OutageTimesInverted
from intake.outages.views import OutageShown
from work_orders.routes import CommandContext, OrderId, SearchText

_ACT = (*ANY, IdempotencyKeyBroken, IdempotencyKeyReused)

router = APIRouter(prefix="/v1", tags=["ties"])


class NewOutage(Body):
    territories: Annotated[list[Reference], Field(min_length=1, max_length=200)]
    cause: Prose
    is_planned: bool = False
    began_at: Moment
    restore_by: Moment | None = None

    @field_validator("began_at")
    @classmethod
    def _has_begun(cls, began_at: datetime, given: ValidationInfo) -> datetime:
        return began_at if given.data.get("is_planned") else not_in_the_future(began_at)


class OutageChange(Body):
    restore_by: Moment | None = None
    is_over: bool = False


class Outages(BaseModel):
    items: list[OutageShown]


@router.post(
    "/outages", status_code=201, response_model=OutageShown, responses=Responses.of((*_ACT, OutageTimesInverted))
)
async def announce_outage(body: NewOutage, context: CommandContext) -> Response:
    """Announces an outage 停电信息: agents see it for calls from its territories, and orders can be linked to it."""
    values = body.model_dump() | {"territories": tuple(dict.fromkeys(body.territories))}
    outage = Outage(id=new_id(), told_by=context.caller.sub, **values)
    return (await use_cases.announce_outage(outage, uow=context.uow)).response()


@router.get("/outages", responses=Responses.of(ANY))
async def list_outages(context: Context, territory: SearchText = None) -> Outages:
    """The outages that have not ended, of a territory or of all; the newest first, at most 200."""
    async with context.db.statements() as statements:
        found = await views.open_outages(statements, None if territory is None else [territory])
    return Outages.model_validate({"items": found}, from_attributes=True)


@router.post(
    "/outages/{outage_id}/change",
    response_model=OutageShown,
    responses=Responses.of((*_ACT, OutageNotFound, OutageEnded, OutageChanged, OutageTimesInverted)),
)
async def change_outage(outage_id: OrderId, body: OutageChange, context: CommandContext) -> Response:
    """Another planned time of restoration, or the end of it; `If-Match`, if it is sent, names the version it was
    changed on."""
    reply = await use_cases.change_outage(outage_id, restore_by=body.restore_by, is_over=body.is_over, uow=context.uow)
    return reply.response()
