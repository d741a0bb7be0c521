"""Outages, links between orders, duplicate candidates, and the numbers of the desk over HTTP."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from chassis.any_route import ANY
from chassis.commands import IdempotencyKeyBroken, IdempotencyKeyReused
from chassis.field_types import Code, Moment, PastMoment, Prose, Reference
from chassis.problems import Responses
from chassis.request_context import Context
from contracts.lifecycle import Status
from contracts.links import LinkKind
from contracts.sealing import SealedText
from intake import desk_store, ties
from intake.api_calls import doing_of
from intake.call_models import OutageShown
from intake.domain.creation import SubscriberNotFound
from intake.domain.desk import (
    DeskRules,
    LinkedToNothing,
    LinkKnown,
    LinkNotFound,
    LinkToItself,
    LinkUndone,
    OutageChanged,
    OutageEnded,
    OutageNotFound,
    OutageTimesInverted,
)
from intake.domain.duplicates import Reason
from intake.ties import Intended, NewLink, Outage
from work_orders.commit import WorkOrderNotFound
from work_orders.http import answered
from work_orders.routes import CommandContext, OrderId, SearchText, read_order
from work_orders.sealing import opening_for
from work_orders.sealing_keys import SealingKeyNotArrived, SubscriberErased

_ACT = (*ANY, IdempotencyKeyBroken, IdempotencyKeyReused)
_LINKING = (
    *_ACT,
    SealingKeyNotArrived,
    SubscriberErased,
    WorkOrderNotFound,
    OutageNotFound,
    LinkKnown,
    LinkToItself,
    LinkedToNothing,
)

router = APIRouter(prefix="/v1", tags=["ties"])


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewOutage(_Body):
    territories: Annotated[list[Reference], Field(min_length=1, max_length=200)]
    cause: Prose
    began_at: PastMoment
    restore_by: Moment | None = None


class OutageChange(_Body):
    restore_by: Moment | None = None
    is_over: bool = False


class Outages(BaseModel):
    items: list[OutageShown]


class LinkToMake(_Body):
    kind: LinkKind
    other_order_id: Code | None = None
    outage_id: Code | None = None
    reason: Prose


class LinkShown(BaseModel):
    id: str
    order_id: str
    kind: LinkKind
    other_order_id: str | None
    outage_id: str | None
    reason: str
    linked_by: str
    linked_at: datetime
    undone_by: str | None
    undone_at: datetime | None
    sealed_text: SealedText | None = None


class Links(BaseModel):
    items: list[LinkShown]


class OrderIntended(_Body):
    subscriber_no: Reference
    demand_type: Code
    device_type: Code | None = None


class CandidateShown(BaseModel):
    order_id: str
    order_no: str
    status: Status
    is_open: bool
    score: int
    reasons: list[Reason]


class Candidates(BaseModel):
    items: list[CandidateShown]


class DeskNumbers(_Body):
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


@router.post(
    "/outages", status_code=201, response_model=OutageShown, responses=Responses.of((*_ACT, OutageTimesInverted))
)
async def announce_outage(body: NewOutage, context: CommandContext) -> Response:
    """Tells of an outage 停电信息: who calls from inside its territories is told, and orders can be linked to it."""
    outage = Outage(tuple(dict.fromkeys(body.territories)), body.cause, body.began_at, body.restore_by)
    return (await ties.announce_outage(outage, doing_of(context))).response()


@router.get("/outages", responses=Responses.of(ANY))
async def list_outages(context: Context, territory: SearchText = None) -> Outages:
    """The outages that have not ended, of a territory or of all; the newest first, at most 200."""
    async with context.db.statements() as statements:
        return Outages.model_validate({"items": await ties.open_outages(statements, territory)})


@router.post(
    "/outages/{outage_id}/change",
    response_model=OutageShown,
    responses=Responses.of((*_ACT, OutageNotFound, OutageEnded, OutageChanged, OutageTimesInverted)),
)
async def change_outage(outage_id: OrderId, body: OutageChange, context: CommandContext) -> Response:
    """Another planned time of restoration, or the end of it; `If-Match`, if it is sent, names the version it was
    changed on."""
    answer = await ties.change_outage(outage_id, doing_of(context), restore_by=body.restore_by, is_over=body.is_over)
    return answer.response()


@router.post(
    "/work-orders/{order_id}/links", status_code=201, response_model=LinkShown, responses=Responses.of(_LINKING)
)
async def link_work_order(order_id: OrderId, body: LinkToMake, context: CommandContext) -> Response:
    """Says that the order belongs together with another or with an outage; it can be undone and destroys nothing."""
    new = NewLink(order_id, body.kind, body.other_order_id, body.outage_id, body.reason, context.caller.areas)
    return await answered(await ties.link(new, doing_of(context)), context.request)


@router.get("/work-orders/{order_id}/links", responses=Responses.of((*ANY, WorkOrderNotFound)))
async def list_links(order_id: OrderId, context: Context) -> Links:
    """The links of an order, those that were undone included; not those with an order that the caller may not see."""
    await read_order(context, order_id, None)
    async with context.db.statements() as statements:
        links = await ties.links_of(statements, order_id, context.caller.areas)
    opened = await opening_for(context.request).things([(one["order_id"], one) for one in links])
    return Links.model_validate({"items": opened})


@router.post(
    "/links/{link_id}/undo",
    response_model=LinkShown,
    responses=Responses.of((*_ACT, LinkNotFound, LinkUndone)),
)
async def undo_link(link_id: OrderId, context: CommandContext) -> Response:
    """Takes a link back."""
    return await answered(await ties.undo_link(link_id, context.caller.areas, doing_of(context)), context.request)


@router.post("/duplicate-checks", responses=Responses.of((*ANY, SubscriberNotFound)))
async def check_for_duplicates(body: OrderIntended, context: Context) -> Candidates:
    """Orders that the one about to be created may be, with a score of 100 and why; the likeliest first.

    A caller who sees phone numbers masked gets no candidates by a number: `same_phone` would reveal it.
    """
    intended = Intended(body.subscriber_no, body.demand_type, body.device_type)
    async with context.db.statements() as statements:
        found = await ties.duplicate_candidates(
            statements, intended, now=context.clock.now(), areas=context.caller.areas, roles=context.caller.roles
        )
    return Candidates.model_validate({"items": found}, from_attributes=True)


@router.get("/rules/desk", responses=Responses.of(ANY))
async def get_desk_rules(context: Context) -> DeskRulesShown:
    """The numbers of the desk: warnings before a promise, when a silent call is closed, duplicates."""
    async with context.db.statements() as statements:
        return DeskRulesShown.model_validate(await desk_store.desk_rules(statements), from_attributes=True)


@router.put("/rules/desk", responses=Responses.of(ANY))
async def set_desk_rules(body: DeskNumbers, context: Context) -> DeskRulesShown:
    """Changes them; what is under way is judged by the new ones from then on."""
    async with context.db.statements() as statements:
        written = await desk_store.put_desk_rules(statements, DeskRules(**body.model_dump()))
    return DeskRulesShown.model_validate(written, from_attributes=True)
