"""The subscriber on an order's form: asked of intake with the caller's own token, so that intake masks.

Personal data lives in intake only and is never kept here. When intake is away, slow, or does not show
the subscriber to this caller, the form still opens, with what the order itself carries.
"""

import asyncio
from dataclasses import dataclass
from typing import TypedDict

import httpx
import msgspec
from fastapi import FastAPI

from chassis.telemetry import traceparent
from contracts.events import Zone
from contracts.order import WorkOrder
from work_orders.facts_views import OrderFact
from work_orders.sealing import WorkOrderShown

# A person waits for the form: better without the subscriber at once than whole after a while.
_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactShown:
    """Whom to contact about the order, where that is not the subscriber."""

    id: str
    """The order's `contact_id`, or an earlier one."""
    name: str
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberShown:
    """The subscriber as intake shows them to the caller: whole, masked, or with the address only."""

    id: str
    version: int
    subscriber_no: str
    name: str
    phones: tuple[str, ...]
    address: str
    kind: str
    zone: str
    territory: str | None
    notes: str
    is_masked: bool
    contacts: tuple[ContactShown, ...] = ()
    """The contacts that the order has had, the present one first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberPlaceholder:
    """What is known of a subscriber without intake."""

    subscriber_no: str
    zone: Zone
    territory: str | None
    name: str = "***"
    address: str = "***"
    phones: tuple[str, ...] = ()
    is_masked: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderForm:
    """What the form of an order has in every service; each adds what its own people choose from."""

    order: WorkOrderShown
    subscriber: SubscriberShown | None
    subscriber_unavailable: bool
    subscriber_placeholder: SubscriberPlaceholder | None
    facts: tuple[OrderFact, ...]
    """The latest facts about the order, newest first; all are at `/v1/work-orders/{order_id}/facts`."""


class SubscriberFields(TypedDict):
    """The fields of `OrderForm` about the subscriber."""

    subscriber: SubscriberShown | None
    subscriber_unavailable: bool
    subscriber_placeholder: SubscriberPlaceholder | None


_SHOWN = msgspec.json.Decoder(SubscriberShown)


async def subscriber_fields(order: WorkOrder, app: FastAPI, *, token: str) -> SubscriberFields:
    """The order's subscriber for a form: `Form(order=order, **await subscriber_fields(…))`. Never raises.

    Costs a request to intake: at most two seconds, and no database connection may be held meanwhile.
    """
    shown = await _ask_intake(order, app.state.http, app.state.settings.intake_url, token)
    return {
        "subscriber": shown,
        "subscriber_unavailable": shown is None,
        "subscriber_placeholder": None if shown else _placeholder(order),
    }


def _placeholder(order: WorkOrder) -> SubscriberPlaceholder:
    return SubscriberPlaceholder(subscriber_no=order.subscriber_no, zone=order.zone, territory=order.territory)


async def _ask_intake(
    order: WorkOrder, client: httpx.AsyncClient, intake_url: str, token: str
) -> SubscriberShown | None:
    headers = {"authorization": f"Bearer {token}"}
    if (parent := traceparent()) is not None:
        headers["traceparent"] = parent
    try:
        # httpx limits each read on its own; an answer that trickles in would pass that.
        async with asyncio.timeout(_SECONDS):
            # What intake shows depends on where the order is: it must have read as far as the caller sees here.
            answer = await client.get(
                f"{intake_url}/v1/work-orders/{order.id}/subscriber",
                params={"at_least": order.version},
                headers=headers,
            )
        # Whatever intake refuses with, the caller has been let see the order here: the form opens.
        return _SHOWN.decode(answer.content) if answer.is_success else None
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, msgspec.DecodeError):
        return None
