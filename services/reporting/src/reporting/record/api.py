"""The record over HTTP: an order's timeline, its proof, and every message page by page."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from chassis.problems import Responses
from chassis.request_context import Context, RequestContext
from contracts.sealing import SealedText
from reporting.record import views
from reporting.record.event_store import Stored
from work_orders.routes import ANY, READ_REFUSALS, AtLeast, OrderId
from work_orders.sealing import opening_for

router = APIRouter(prefix="/v1", tags=["the record"])


class Who(BaseModel):
    sub: str
    role: str
    name: str


class TimelineEntry(BaseModel):
    id: str
    type: str
    service: str
    order_version: int | None
    occurred_at: datetime
    recorded_at: datetime
    actor: Who
    prev_hash: str | None
    hash: str | None
    correlation_id: str | None
    causation_id: str | None
    data: Any
    sealed_text: SealedText | None


class Timeline(BaseModel):
    order_id: str
    items: list[TimelineEntry]


class ChainedEvent(BaseModel):
    prev_hash: str | None
    id: str
    type: str
    source: str
    subject: str
    order_version: int | None
    time: str
    recorded_time: str
    actor: str
    actor_role: str
    actor_name: str
    data: str


class Proof(BaseModel):
    format: str
    order_id: str
    exported_at: datetime
    events: list[ChainedEvent]
    final_hash: str


class RecordedMessage(ChainedEvent):
    place: int
    hash: str | None
    correlation_id: str | None
    causation_id: str | None
    traceparent: str | None
    entity_version: int | None
    """Of a fact of a call or an agent: its stream's version."""


class RecordPage(BaseModel):
    items: list[RecordedMessage]
    next_after: int


async def _timeline(order_id: str, context: RequestContext, at_least: int | None) -> list[Stored]:
    return await views.timeline(
        context.db,
        order_id,
        areas=context.caller.areas,
        at_least=at_least,
        wakeup=context.wakeup,
        seconds=context.settings.catch_up_seconds,
    )


@router.get("/work-orders/{order_id}/timeline", response_model=Timeline, responses=Responses.of(READ_REFUSALS))
async def get_timeline(order_id: OrderId, context: Context, at_least: AtLeast = None) -> Response:
    """Who did what when: every event, request and refusal of an order, oldest first, with the events' hashes.

    A caller who sees some work areas only, such as repair staff, sees the orders that were ever dispatched to one; once
    an order was dispatched elsewhere, up to that moment. Links to orders that they may not see are left out.
    """
    found = await _timeline(order_id, context, at_least)
    opening = opening_for(context.request)
    shown = await views.timeline_json(order_id, found, opening, waits=at_least is not None)
    return Response(shown, media_type="application/json")


@router.get("/work-orders/{order_id}/proof", response_model=Proof, responses=Responses.of(READ_REFUSALS))
async def get_proof(order_id: OrderId, context: Context, at_least: AtLeast = None) -> Response:
    """The order's events as a file that anyone can verify: `python verify_timeline.py FILE`.

    Free texts are in it sealed: once the subscriber is erased the file still verifies, but the texts are unreadable.

    For a caller limited to some work areas it ends where their timeline does; this part verifies too.

    Each event is chained to the one before by its hash. Nothing follows the last one: note `final_hash`
    in a place that is protected from changes, and give it to the script as the second argument.
    """
    found = await _timeline(order_id, context, at_least)
    return Response(
        views.proof_json(order_id, found, exported_at=context.clock.now()),
        media_type="application/json",
        headers={"content-disposition": f'attachment; filename="timeline-{order_id}.json"'},
    )


@router.get("/events", response_model=RecordPage, responses=Responses.of(ANY))
async def get_events(
    context: Context,
    after: Annotated[int, Query(ge=0, le=2**62, description="`next_after` of the page before.")] = 0,
    topic: Annotated[
        Literal["work-orders", "calls", "deadlines", "quality"] | None, Query(description="Default: all.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Messages a page.")] = 500,
) -> Response:
    """Every message as it travelled, in the order in which it was stored; the events of an order in their versions.

    Places have no gaps and are given in the order of commits: a client that follows `next_after` misses nothing. A page
    ends after 8 MiB of data too; only an empty one is the end.
    """
    return Response(
        await views.record_page(context.db, after=after, topic=topic, limit=limit), media_type="application/json"
    )
