"""`GET /v1/changes/stream` of every service with orders: which orders changed, as server-sent events."""

import time
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse, format_sse_event

from chassis.any_route import ANY
from chassis.problems import Responses
from chassis.rate_limits import TooManyStreams
from chassis.request_context import Context, RequestContext
from work_orders.changes import ChangeFeed, OrderChange
from work_orders.places import PlaceInChanges, PlaceLost

router = APIRouter(tags=["work orders"])

_LOOK_SECONDS = 1.0
"""How soon a stream notices that its process leaves."""
_SIGN_OF_LIFE_SECONDS = 15.0
_COME_BACK_MILLISECONDS = 2_000
_ORDERS_AN_EVENT = 500

LastEventId = Annotated[
    str | None, Header(max_length=8_000, description="The id of the last event that was received, to go on after it.")
]


@router.get(
    "/v1/changes/stream",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Events `reload` and `changes`.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **Responses.of((*ANY, TooManyStreams)),
    },
)
async def stream_changes(context: Context, last_event_id: LastEventId = None) -> StreamingResponse:
    """The orders of the caller's work areas that changed, in commit order, as server-sent events.

    `reload` comes first, and again where a place is too old or lost: read your lists now, what changes from here on is
    told. `changes` has `orders`, each with `order_id`, `version` and `has_left`: it went to a work area that you do not
    see. A client that reconnects with `Last-Event-ID` misses nothing. The stream ends with the token.
    """
    context.hold_stream()
    feed: ChangeFeed = context.state.change_feed
    return EventSourceResponse(_events(context, feed, last_event_id), headers={"x-accel-buffering": "no"})


async def _events(context: RequestContext, feed: ChangeFeed, last_event_id: str | None) -> AsyncIterator[bytes]:
    yield format_sse_event(retry=_COME_BACK_MILLISECONDS)
    place = _place_of(last_event_id)
    alive_at = time.monotonic()
    async with feed.listening():
        while await context.may_go_on():
            try:
                if place is None:
                    place = await feed.present_place()
                    yield _event(place, "reload", {})
                batch = await feed.after(place, _LOOK_SECONDS)
            except PlaceLost:
                place = None
                continue
            orders: Sequence[OrderChange] = []
            if batch is not None:
                place, orders = batch.place, batch.seen_by(context.caller.areas)
            if orders:
                if not await context.may_go_on():
                    return
                for event in _changes(place, orders):
                    yield event
                alive_at = time.monotonic()
            elif time.monotonic() - alive_at > _SIGN_OF_LIFE_SECONDS:
                # An id without data: no event, but the client remembers the place.
                yield format_sse_event(id=place.text())
                alive_at = time.monotonic()


def _place_of(last_event_id: str | None) -> PlaceInChanges | None:
    try:
        return PlaceInChanges.parse(last_event_id) if last_event_id else None
    except PlaceLost:
        return None


def _changes(place: PlaceInChanges, orders: Sequence[OrderChange]) -> list[bytes]:
    """The events of one batch; only the last one has the place, so that a broken stream resumes before them all."""
    begins = range(0, len(orders), _ORDERS_AN_EVENT)
    return [
        _event(place if begin == begins[-1] else None, "changes", {"orders": orders[begin : begin + _ORDERS_AN_EVENT]})
        for begin in begins
    ]


def _event(place: PlaceInChanges | None, kind: Literal["reload", "changes"], data: object) -> bytes:
    return format_sse_event(id=place.text() if place else None, event=kind, data_str=msgspec.json.encode(data).decode())
