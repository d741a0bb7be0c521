"""Links between orders, and duplicate candidates, over HTTP."""

from dataclasses import asdict
from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import BaseModel

from chassis.any_route import ANY
from chassis.commands import IdempotencyKeyBroken, IdempotencyKeyReused
from chassis.field_types import Body, Code, Prose, Reference
from chassis.identity import new_id
from chassis.problems import Responses
from chassis.request_context import Context
from contracts.lifecycle import Status
from contracts.links import LinkKind
from contracts.sealing import SealedText
from intake.links import use_cases, views
from intake.links.domain.duplicates import Intended, Reason
from intake.links.domain.links import Link, LinkedToNothing, LinkKnown, LinkNotFound, LinkToItself, LinkUndone
from intake.outages.domain import OutageNotFound
from intake.subscribers.domain import SubscriberNotFound
from work_orders.commit import WorkOrderNotFound
from work_orders.http import answered
from work_orders.routes import CommandContext, OrderId, read_order
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


class LinkToMake(Body):
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


class OrderIntended(Body):
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


@router.post(
    "/work-orders/{order_id}/links", status_code=201, response_model=LinkShown, responses=Responses.of(_LINKING)
)
async def link_work_order(order_id: OrderId, body: LinkToMake, context: CommandContext) -> Response:
    """Links the order to another order or to an outage. A link can be undone and changes neither."""
    link = Link(
        id=new_id(),
        order_id=order_id,
        linked_by=context.caller.sub,
        linked_at=context.clock.now(),
        **body.model_dump(),
    )
    return await answered(await use_cases.link_work_order(link, uow=context.uow), context.request)


@router.get("/work-orders/{order_id}/links", responses=Responses.of((*ANY, WorkOrderNotFound)))
async def list_links(order_id: OrderId, context: Context) -> Links:
    """The links of an order, those that were undone included; not those with an order that the caller may not see."""
    await read_order(context, order_id, None)
    async with context.db.statements() as statements:
        links = await views.links_of(statements, order_id, context.caller.areas)
    opened = await opening_for(context.request).things([(link.order_id, asdict(link)) for link in links])
    return Links.model_validate({"items": opened})


@router.post(
    "/links/{link_id}/undo",
    response_model=LinkShown,
    responses=Responses.of((*_ACT, LinkNotFound, LinkUndone)),
)
async def undo_link(link_id: OrderId, context: CommandContext) -> Response:
    """Takes a link back."""
    return await answered(await use_cases.undo_link(link_id, uow=context.uow), context.request)


@router.post("/duplicate-checks", responses=Responses.of((*ANY, SubscriberNotFound)))
async def check_for_duplicates(body: OrderIntended, context: Context) -> Candidates:
    """Orders that the one about to be created may be, with a score of 100 and why; the likeliest first.

    A caller who sees phone numbers masked gets no candidates by a number: `same_phone` would reveal it.
    """
    intended = Intended(**body.model_dump())
    async with context.db.statements() as statements:
        found = await views.duplicate_candidates(
            statements, intended, now=context.clock.now(), areas=context.caller.areas, roles=context.caller.roles
        )
    return Candidates.model_validate({"items": found}, from_attributes=True)
