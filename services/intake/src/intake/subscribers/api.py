"""Subscribers over HTTP."""

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StringConstraints

from chassis.commands import IdempotencyKeyBroken, IdempotencyKeyReused
from chassis.field_types import Body, Name, Prose, Reference
from chassis.identity import new_id
from chassis.paging import CursorBroken
from chassis.problems import Responses, VersionRequired
from chassis.request_context import Context
from contracts.events import Zone
from intake.subscribers import domain, store, use_cases, views
from intake.subscribers.domain import Subscriber, as_seen_by, not_searchable
from intake.subscribers.models import NOT_SEARCHED, Phone
from intake.subscribers.phone_numbers import searched_number
from intake.subscribers.use_cases import TiedCaller
from intake.subscribers.views import SubscriberOfOrder
from work_orders.routes import ANY, CommandContext, Cursor, Limit, OrderId, SearchName, SearchReference, SearchText

router = APIRouter(prefix="/v1", tags=["subscribers"])


class NewSubscriber(Body):
    subscriber_no: Reference
    name: Name
    phones: Annotated[list[Phone], Field(max_length=10)] = []
    address: Name
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")] = "household"
    zone: Zone = Zone.URBAN
    territory: Reference | None = None
    notes: Prose | Literal[""] = ""


class NewCaller(Body):
    """Whatever the caller says of themselves; a place or thing says where it is."""

    kind: Literal["place", "anonymous"]
    name: Name | Literal[""] = ""
    phones: Annotated[list[Phone], Field(max_length=10)] = []
    address: Name | Literal[""] = ""
    zone: Zone = Zone.URBAN
    territory: Reference | None = None
    notes: Prose | Literal[""] = ""


class TieCaller(Body):
    subscriber_no: Reference


class SubscriberChanges(Body):
    """What is left out stays as it is."""

    # Defaults by a factory are not in the OpenAPI document: clients would send them.
    name: Name = Field(default_factory=str)
    phones: list[Phone] = Field(default_factory=list, max_length=10)
    address: Name = Field(default_factory=str)
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")] = Field(default_factory=str)
    zone: Zone = Field(default_factory=lambda: Zone.URBAN)
    territory: Reference | None = None
    notes: Prose | Literal[""] = Field(default_factory=lambda: "")


class SubscriberPage(BaseModel):
    items: list[SubscriberOfOrder]
    next_cursor: str | None
    not_searched: list[str] = NOT_SEARCHED


@router.post(
    "/subscribers",
    status_code=201,
    response_model=SubscriberOfOrder,
    responses=Responses.of(
        (*ANY, domain.KindReserved, domain.SubscriberNoTaken, IdempotencyKeyBroken, IdempotencyKeyReused)
    ),
)
async def create_subscriber(body: NewSubscriber, context: CommandContext) -> Response:
    """Registers a subscriber 用户."""
    subscriber = Subscriber(id=new_id(), version=1, **body.model_dump(mode="json"))
    return (await use_cases.create_subscriber(subscriber, uow=context.uow)).response()


@router.post(
    "/callers",
    status_code=201,
    response_model=SubscriberOfOrder,
    responses=Responses.of(
        (*ANY, domain.PlaceMissing, domain.SubscriberNoTaken, IdempotencyKeyBroken, IdempotencyKeyReused)
    ),
)
async def register_caller(body: NewCaller, context: CommandContext) -> Response:
    """Registers a caller without a number 无证号来电人: a place or a thing, or who reports anonymously 匿名举报.

    The answer has a generated `subscriber_no`, by which orders are created for them as for any subscriber."""
    subscriber_id = new_id()
    number = domain.generated_number(body.kind, subscriber_id)
    values = body.model_dump(mode="json")
    caller = Subscriber(id=subscriber_id, version=1, subscriber_no=number, **values)
    return (await use_cases.register_caller(caller, uow=context.uow)).response()


@router.post(
    "/callers/{subscriber_id}/tie",
    response_model=TiedCaller,
    responses=Responses.of(
        (
            *ANY,
            domain.NotACaller,
            domain.SubscriberIdNotFound,
            domain.SubscriberNotFound,
            IdempotencyKeyBroken,
            IdempotencyKeyReused,
        )
    ),
)
async def tie_caller(subscriber_id: OrderId, body: TieCaller, context: CommandContext) -> Response:
    """Ties a caller without a number to the subscriber that they turned out to be. Their orders keep their number, are
    found by the subscriber's as well, and are erased with the subscriber. A later tie takes the place of this one."""
    return (await use_cases.tie_caller(subscriber_id, body.subscriber_no, uow=context.uow)).response()


@router.patch(
    "/subscribers/{subscriber_id}",
    response_model=SubscriberOfOrder,
    responses=Responses.of(
        (
            *ANY,
            domain.SubscriberIdNotFound,
            domain.SubscriberChanged,
            domain.KindReserved,
            VersionRequired,
            IdempotencyKeyBroken,
            IdempotencyKeyReused,
        )
    ),
)
async def change_subscriber(subscriber_id: OrderId, body: SubscriberChanges, context: CommandContext) -> Response:
    """Changes a subscriber's data; `If-Match` names the version that the change was made on."""
    changes = body.model_dump(mode="json", exclude_unset=True)
    return (await use_cases.change_subscriber(subscriber_id, changes, uow=context.uow)).response()


@router.get("/subscribers", responses=Responses.of((*ANY, CursorBroken)))
async def search_subscribers(
    context: Context,
    subscriber_no: SearchReference = None,
    phone: SearchReference = None,
    name: SearchName = None,
    address: SearchName = None,
    kind: SearchReference = None,
    notes: SearchText = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> SubscriberPage:
    """Subscribers by number, phone or kind exactly, by name or address from its beginning, by words of notes; masked
    by role. A search by a field that the caller sees masked finds nothing, and `not_searched` names the field."""
    searched = {"phone": phone, "name": name, "address": address, "notes": notes}
    if hidden := not_searchable(searched, context.caller.roles):
        return SubscriberPage(items=[], next_cursor=None, not_searched=hidden)
    number = await searched_number(context.db, phone)
    wanted = views.SubscriberSearch(subscriber_no, number, name, address, kind, notes)
    found, next_cursor = await views.subscribers(context.db, wanted, cursor=cursor, limit=limit)
    items = [_shown(as_seen_by(subscriber, context.caller.roles)) for subscriber in found]
    return SubscriberPage(items=items, next_cursor=next_cursor)


@router.get(
    "/subscribers/{subscriber_id}",
    responses=Responses.of((*ANY, domain.SubscriberIdNotFound)),
)
async def get_subscriber(subscriber_id: OrderId, context: Context) -> SubscriberOfOrder:
    """One subscriber, as the caller's role may see them."""
    async with context.db.statements() as statements:
        subscriber = await store.find_subscriber(statements, subscriber_id)
    if subscriber is None:
        raise domain.SubscriberIdNotFound(subscriber_id=subscriber_id)
    return _shown(as_seen_by(subscriber, context.caller.roles))


def _shown(subscriber: Subscriber) -> SubscriberOfOrder:
    return SubscriberOfOrder.model_validate(subscriber, from_attributes=True)
