"""What the order routes of every service have in common: their parameters, models and refusals."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, cast

from fastapi import Depends, Path, Query, Request, Response
from pydantic import BaseModel, Field

from chassis.any_route import ANY
from chassis.commands import (
    IdempotencyKeyBroken,
    IdempotencyKeyReused,
    Reply,
    command_headers,
    documents_command_headers,
)
from chassis.entity_tags import NoVersionNamed
from chassis.field_types import Body, Line, Moment, Name, PastMoment, Reference
from chassis.guard import Caller
from chassis.paging import CursorBroken
from chassis.problems import Responses, VersionRequired
from chassis.request_context import CommandRequestContext, RequestContext
from chassis.wait_for_version import NotCaughtUp
from contracts.events import Channel, Urgency, Zone
from contracts.lifecycle import ActNotAllowed, Status
from work_orders.clocks_shown import clocks_for
from work_orders.commit import BeforeTheLastAct, StaleVersion, WorkOrderNotFound
from work_orders.counts import WorkOrderCounts, counts_of
from work_orders.sealing import WorkOrderShown, opening_for
from work_orders.sealing_keys import SealingKeyNotArrived, SubscriberErased
from work_orders.search import Search
from work_orders.unit_of_work import OrderUnitOfWork
from work_orders.views import most_urgent, one_order

READ_REFUSALS = (*ANY, WorkOrderNotFound, NotCaughtUp)
VERSION_READ = Responses.of(READ_REFUSALS, shows_version=True)
"""The responses of a route that reads an order, or its form, with its version."""
LIST_REFUSALS = (*ANY, CursorBroken)
ACT_REFUSALS = (
    *ANY,
    ActNotAllowed,
    BeforeTheLastAct,
    IdempotencyKeyBroken,
    IdempotencyKeyReused,
    NoVersionNamed,
    SealingKeyNotArrived,
    StaleVersion,
    SubscriberErased,
    VersionRequired,
    WorkOrderNotFound,
)

FACT_REFUSALS = tuple(
    one
    for one in ACT_REFUSALS
    if one not in (ActNotAllowed, BeforeTheLastAct, NoVersionNamed, StaleVersion, VersionRequired)
)
"""Of what needs no version and is refused by no status."""

OrderId = Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9._-]+$", description="The order's id.")]
AtLeast = Annotated[
    int | None, Query(ge=1, le=1_000_000, description="Wait briefly until this order version has arrived here.")
]
Cursor = Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=200, description="Orders a page.")]
_SOUGHT = Query(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
SearchText = Annotated[Line | None, _SOUGHT]
SearchReference = Annotated[Reference | None, _SOUGHT]
"""In the spelling in which a number or an id is stored."""
SearchName = Annotated[Name | None, _SOUGHT]
"""In the spelling in which a name or an address is stored."""


class ActBody(Body):
    """What every act takes besides its own fields."""

    occurred_at: PastMoment | None = Field(
        None, description="When it was done, if not at this moment; not before the order's last act."
    )


class WorkOrderPage(BaseModel):
    items: list[WorkOrderShown]
    next_cursor: str | None


class Filters(BaseModel):
    """What a list or its counts are narrowed to; all that is given has to hold."""

    status: list[Status] | None = Field(None, max_length=9)
    work_area_id: SearchReference = None
    subscriber_no: SearchReference = None
    order_no: SearchReference = None
    external_reference: SearchReference = None
    device_type: SearchReference = None
    demand_type: SearchReference = None
    channel: Channel | None = None
    zone: Zone | None = None
    urgency: Urgency | None = None
    staff_id: SearchReference = Field(None, description="Assigned to this member of staff.")
    is_mine: bool = Field(False, description="Assigned to the caller, as the staff with their subject.")
    is_urged: bool | None = Field(None, description="Whether it was urged.")
    is_suspended: bool | None = Field(None, description="Whether its work rests.")
    is_unresolved: bool | None = Field(None, description="Whether the last completion says that it is not resolved.")
    is_petitioned: bool | None = Field(None, description="Whether the last completion says that it was petitioned.")
    created_from: Moment | None = Field(None, description="Created at this time or later.")
    created_until: Moment | None = Field(None, description="Before this time.")
    changed_from: Moment | None = Field(None, description="Last changed at this time or later.")
    changed_until: Moment | None = Field(None, description="Before this time.")
    appointment_from: Moment | None = Field(None, description="The appointment begins at this time or later.")
    appointment_until: Moment | None = Field(None, description="The appointment begins before this time.")
    text: SearchText = Field(
        None,
        description="A part of the order number, the subscriber number or the external reference. Sealed texts, such as"
        " the content, are not searched.",
    )

    def search(self, caller: Caller, *, default: Sequence[Status]) -> Search:
        """The search within the caller's areas; `default` are the statuses when none was asked for."""
        return Search(
            statuses=tuple(self.status or default),
            areas=caller.areas,
            work_area_id=self.work_area_id,
            subscriber_nos=[self.subscriber_no] if self.subscriber_no else None,
            order_no=self.order_no,
            external_reference=self.external_reference,
            device_type=self.device_type,
            demand_type=self.demand_type,
            facets=self._facets(caller),
            created_from=self.created_from,
            created_until=self.created_until,
            changed_from=self.changed_from,
            changed_until=self.changed_until,
            appointment_from=self.appointment_from,
            appointment_until=self.appointment_until,
            text=self.text,
        )

    def _facets(self, caller: Caller) -> dict[str, Any]:
        staff = [one for one in (self.staff_id, caller.sub if self.is_mine else None) if one is not None]
        named = ("channel", "zone", "urgency", "is_urged", "is_suspended", "is_unresolved", "is_petitioned")
        facets = {name: value for name in named if (value := getattr(self, name)) is not None}
        return facets | ({"staff_id": staff} if staff else {})


class Wanted(Filters):
    """What a list is asked for: filters, and which page."""

    is_overdue: bool = Field(False, description="A limit is over whose clock still runs.")
    near_minutes: int | None = Field(
        None, ge=1, le=525_600, description="The next limit is over within so long; with `is_overdue` also before."
    )
    cursor: Cursor = None
    limit: Limit = 50

    def by_limit(self, search: Search, now: datetime) -> Search:
        """The search narrowed by the next limit as well, if it was asked for."""
        until = now + timedelta(minutes=self.near_minutes) if self.near_minutes else now
        if self.is_overdue:
            return replace(search, limit_until=until)
        return replace(search, limit_from=now, limit_until=until) if self.near_minutes else search


class CountsWanted(Filters):
    """What counts are asked for."""

    near_minutes: int = Field(
        60, ge=1, le=525_600, description="So long before its next limit an order is counted as near."
    )


ListWanted = Annotated[Wanted, Query()]
WantedCounts = Annotated[CountsWanted, Query()]


async def list_orders(context: RequestContext, wanted: Wanted, *, default: Sequence[Status]) -> Response:
    """A page of `WorkOrderPage` within the caller's areas, the most urgent first; raises `LIST_REFUSALS`."""
    search = search_of(context, wanted, default=default)
    opening = opening_for(context.request)
    page = await most_urgent(
        context.db, search, opening, clocks_for(context.request), cursor=wanted.cursor, limit=wanted.limit
    )
    return Response(page, media_type="application/json")


def search_of(context: RequestContext, wanted: Wanted, *, default: Sequence[Status]) -> Search:
    return wanted.by_limit(wanted.search(context.caller, default=default), context.clock.now())


async def count_orders(context: RequestContext, wanted: CountsWanted, *, default: Sequence[Status]) -> WorkOrderCounts:
    """The counts of a list within the caller's areas."""
    search = wanted.search(context.caller, default=default)
    near = timedelta(minutes=wanted.near_minutes)
    return await counts_of(context.db, search, now=context.clock.now(), near=near)


async def read_order(context: RequestContext, order_id: str, at_least: int | None) -> Reply:
    """The order as this service has it, within the caller's areas; raises `READ_REFUSALS`."""
    return await one_order(
        context.db,
        order_id,
        areas=context.caller.areas,
        at_least=at_least,
        opening=opening_for(context.request),
        clocks=clocks_for(context.request),
        wakeup=context.wakeup,
        seconds=context.settings.catch_up_seconds,
    )


class OrderContext(CommandRequestContext):
    """The context of a command in a service with orders."""

    __slots__ = ()

    @property
    def uow(self) -> OrderUnitOfWork:
        return cast(OrderUnitOfWork, super().uow)  # `work_orders.http` has it built so


@documents_command_headers
async def _order_context(request: Request) -> OrderContext:
    return OrderContext(request, await command_headers(request))


CommandContext = Annotated[OrderContext, Depends(_order_context)]
