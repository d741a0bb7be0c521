"""People's data over HTTP: revealing it, holding it, erasing it, and how long it is kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from chassis.commands import IdempotencyKeyBroken, IdempotencyKeyReused
from chassis.field_types import Body, Prose
from chassis.paging import CursorBroken, from_cursor, json_page, page_of
from chassis.problems import Responses
from chassis.request_context import Context, RequestContext
from contracts.sealing import SealedText
from intake.privacy import erasure, pii_access, store
from intake.privacy.domain import (
    Ground,
    Hold,
    LegalHoldLifted,
    LegalHoldNotFound,
    Purpose,
    RevealRecord,
    SubscriberHasOpenOrders,
    SubscriberOnLegalHold,
)
from intake.privacy.pii_access import Reveal
from intake.subscribers.domain import SubscriberIdNotFound
from intake.subscribers.views import SubscriberOfOrder
from work_orders.commit import WorkOrderNotFound
from work_orders.order_table import to_order
from work_orders.routes import ANY, CommandContext, Cursor, Limit, OrderId, SearchReference, read_order
from work_orders.sealing import opening_for
from work_orders.sealing_keys import SealingKeyNotArrived, SubscriberErased

router = APIRouter(prefix="/v1", tags=["people's data"])

_WRITES = (*ANY, IdempotencyKeyBroken, IdempotencyKeyReused, SealingKeyNotArrived, SubscriberErased)
HoldId = Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9._-]+$", description="The hold's id.")]


class RevealWanted(Body):
    purpose: Purpose = Field(description="What it is needed for.")
    reason: Prose | None = Field(None, description="Details for the readers of the list of reveals.")


class RevealMade(BaseModel):
    id: str
    subscriber_id: str
    work_order_id: str | None
    purpose: Purpose
    reason: str | None
    revealed_by: str
    revealed_by_name: str
    role: str
    revealed_at: datetime
    sealed_text: SealedText | None = None


class RevealPage(BaseModel):
    items: list[RevealMade]
    next_cursor: str | None


class HoldWanted(Body):
    reason: Prose


class LegalHold(BaseModel):
    id: str
    subscriber_id: str
    reason: str
    set_by: str
    set_at: datetime
    lift_reason: str | None
    lifted_by: str | None
    lifted_at: datetime | None
    sealed_text: SealedText | None = None


class LegalHoldPage(BaseModel):
    items: list[LegalHold]
    next_cursor: str | None


class ErasureWanted(Body):
    ground: Ground = Field(description="Why.")


class Erasure(BaseModel):
    """The evidence: nothing in it is the subscriber's own."""

    subscriber_id: str
    ground: str
    erased_by: str
    role: str
    erased_at: datetime
    order_count: int = Field(description="Orders whose texts cannot be read any more.")


class ErasurePage(BaseModel):
    items: list[Erasure]
    next_cursor: str | None


@router.post(
    "/subscribers/{subscriber_id}/reveals",
    response_model=SubscriberOfOrder,
    responses=Responses.of((*_WRITES, SubscriberIdNotFound)),
)
async def reveal_subscriber(subscriber_id: OrderId, body: RevealWanted, context: CommandContext) -> Response:
    """The subscriber whole, for a purpose. Who, when and what for is recorded before it is shown."""
    wanted = Reveal(subscriber_id, body.purpose, body.reason)
    return (await pii_access.reveal_subscriber(wanted, uow=context.uow)).response()


@router.post(
    "/work-orders/{order_id}/subscriber/reveals",
    response_model=SubscriberOfOrder,
    responses=Responses.of((*_WRITES, SubscriberIdNotFound, WorkOrderNotFound)),
)
async def reveal_subscriber_of_order(order_id: OrderId, body: RevealWanted, context: CommandContext) -> Response:
    """The order's subscriber whole, for a purpose; recorded. For orders that the caller may see."""
    order = to_order((await read_order(context, order_id, None)).body)
    wanted = Reveal(order.subscriber_id, body.purpose, body.reason, work_order_id=order_id)
    return (await pii_access.reveal_subscriber(wanted, uow=context.uow)).response()


@router.get("/reveals", response_model=RevealPage, responses=Responses.of((*ANY, CursorBroken)))
async def list_reveals(
    context: Context,
    subscriber_id: SearchReference = None,
    revealed_by: SearchReference = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Who revealed whose data, when and what for; latest first."""
    (before,) = from_cursor("reveals", cursor, str) if cursor else (None,)
    async with context.db.statements() as statements:
        rows = await store.reveals(
            statements, subscriber_id=subscriber_id, revealed_by=revealed_by, before=before, limit=limit + 1
        )
    return await _page("reveals", rows, limit, context)


@router.post(
    "/subscribers/{subscriber_id}/legal-holds",
    status_code=201,
    response_model=LegalHold,
    responses=Responses.of((*_WRITES, SubscriberIdNotFound)),
)
async def set_legal_hold(subscriber_id: OrderId, body: HoldWanted, context: CommandContext) -> Response:
    """Keeps everything of a subscriber until the hold is lifted: neither erasure nor retention touches it."""
    return (await pii_access.set_legal_hold(subscriber_id, body.reason, uow=context.uow)).response()


@router.post(
    "/legal-holds/{hold_id}/lift",
    response_model=LegalHold,
    responses=Responses.of((*_WRITES, LegalHoldNotFound, LegalHoldLifted)),
)
async def lift_legal_hold(hold_id: HoldId, body: HoldWanted, context: CommandContext) -> Response:
    """Lifts a legal hold; it stays in the list with who lifted it and why."""
    return (await pii_access.lift_legal_hold(hold_id, body.reason, uow=context.uow)).response()


@router.get("/legal-holds", response_model=LegalHoldPage, responses=Responses.of((*ANY, CursorBroken)))
async def list_legal_holds(
    context: Context,
    subscriber_id: SearchReference = None,
    is_standing: Annotated[bool | None, Query(description="Only those that stand, or only those lifted.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Legal holds, also those that were lifted; latest first."""
    (before,) = from_cursor("legal-holds", cursor, str) if cursor else (None,)
    async with context.db.statements() as statements:
        rows = await store.holds(
            statements, subscriber_id=subscriber_id, is_standing=is_standing, before=before, limit=limit + 1
        )
    return await _page("legal-holds", rows, limit, context)


async def _page(name: str, rows: Sequence[RevealRecord | Hold], limit: int, context: RequestContext) -> Response:
    """A page of rows that hold a sealed reason each, opened for the caller."""
    shown, next_cursor = page_of(name, rows, limit, lambda row: (row.id,))
    stored = [(row.id, msgspec.json.encode(row).decode()) for row in shown]
    items = await opening_for(context.request).objects(stored)
    return Response(json_page(items, next_cursor), media_type="application/json")


@router.post(
    "/subscribers/{subscriber_id}/erasure",
    responses=Responses.of((*ANY, SubscriberIdNotFound, SubscriberOnLegalHold, SubscriberHasOpenOrders)),
)
async def erase_subscriber(subscriber_id: OrderId, body: ErasureWanted, context: Context) -> Erasure:
    """Erases a subscriber: their data go, and every text about them becomes unreadable in every service.

    Orders and their timelines stay and still verify. Asked again, it answers with the same evidence.
    """
    evidence = await erasure.erase_subscriber(subscriber_id, body.ground, uow=context.uow)
    return Erasure.model_validate(evidence, from_attributes=True)


@router.get("/erasures", responses=Responses.of((*ANY, CursorBroken)))
async def list_erasures(context: Context, cursor: Cursor = None, limit: Limit = 50) -> ErasurePage:
    """The evidence of every erasure, latest registered subscriber first."""
    (before,) = from_cursor("erasures", cursor, str) if cursor else (None,)
    async with context.db.statements() as statements:
        rows = await store.erasures(statements, before=before, limit=limit + 1)
    items, next_cursor = page_of("erasures", rows, limit, lambda row: (row.subscriber_id,))
    return ErasurePage.model_validate({"items": items, "next_cursor": next_cursor}, from_attributes=True)
