"""What the order routes of every service have in common: their parameters, models and refusals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from chassis.acts import ActHeaders, Answer, IdempotencyKeyBroken, IdempotencyKeyReused, act_headers
from chassis.any_route import ANY
from chassis.auth import Principal
from chassis.catch_up import NotCaughtUp
from chassis.paging import CursorBroken
from chassis.problems import VersionRequired
from chassis.texts import PastMoment
from contracts.lifecycle import ActNotAllowed, Status
from contracts.order import WorkOrder
from custody.record import Act, BeforeTheLastAct, Orders, StaleVersion, WorkOrderNotFound
from custody.views import Search, one_order

READ_REFUSALS = (*ANY, WorkOrderNotFound, NotCaughtUp)
LIST_REFUSALS = (*ANY, CursorBroken)
ACT_REFUSALS = (
    *ANY,
    ActNotAllowed,
    BeforeTheLastAct,
    IdempotencyKeyBroken,
    IdempotencyKeyReused,
    StaleVersion,
    VersionRequired,
    WorkOrderNotFound,
)

OrderId = Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9._-]+$", description="The order's id.")]
Headers = Annotated[ActHeaders, Depends(act_headers)]
AtLeast = Annotated[
    int | None, Query(ge=1, le=1_000_000, description="Wait briefly until this order version has arrived here.")
]
Cursor = Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=200, description="Orders a page.")]
SearchText = Annotated[str | None, Query(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class ActBody(BaseModel):
    """What every act takes besides its own fields."""

    model_config = ConfigDict(extra="forbid")

    occurred_at: PastMoment | None = Field(
        None, description="When it was done, if not at this moment; not before the order's last act."
    )


class WorkOrderPage(BaseModel):
    items: list[WorkOrder]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list was asked for: filters, and which page."""

    statuses: tuple[Status, ...]
    filters: dict[str, str | None]
    subscriber_no: str | None
    cursor: str | None
    limit: int

    def search(self, caller: Principal, *, default: Sequence[Status]) -> Search:
        """The search within the caller's scope; `default` are the statuses when none was asked for."""
        return Search(
            statuses=self.statuses or tuple(default),
            areas=scope_of(caller),
            subscriber_nos=[self.subscriber_no] if self.subscriber_no else None,
            **self.filters,
        )


async def _wanted(
    status: Annotated[list[Status] | None, Query(max_length=9)] = None,
    work_area_id: SearchText = None,
    subscriber_no: SearchText = None,
    order_no: SearchText = None,
    external_reference: SearchText = None,
    device_type: SearchText = None,
    demand_type: SearchText = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Wanted:
    filters = {
        "work_area_id": work_area_id,
        "order_no": order_no,
        "external_reference": external_reference,
        "device_type": device_type,
        "demand_type": demand_type,
    }
    return Wanted(tuple(status or ()), filters, subscriber_no, cursor, limit)


ListWanted = Annotated[Wanted, Depends(_wanted)]


async def read_order(request: Request, order_id: str, caller: Principal, at_least: int | None) -> Answer:
    """The order as this service has it, within the caller's scope; raises `READ_REFUSALS`."""
    state = request.app.state
    return await one_order(
        state.db,
        order_id,
        areas=scope_of(caller),
        at_least=at_least,
        wakeup=state.wakeup,
        seconds=state.settings.catch_up_seconds,
    )


_SEES_EVERY_AREA = ("agent", "dispatcher", "auditor", "supervisor", "operator")


def scope_of(principal: Principal) -> tuple[str, ...] | None:
    """The work areas whose orders the caller may see; None for all.

    Areas named in the token narrow any role; repair staff see no order without one.
    """
    if principal.areas is None and not principal.has(*_SEES_EVERY_AREA):
        return ()
    return principal.areas


def act_on(
    order_id: str, principal: Principal, headers: ActHeaders, *roles: str, occurred_at: datetime | None = None
) -> Act:
    """The act of a caller in the first of the roles that they have."""
    return Act(
        order_id=order_id,
        actor=principal.acting(*roles),
        headers=headers,
        areas=scope_of(principal),
        occurred_at=occurred_at,
    )


async def _orders(request: Request) -> Orders:
    return request.app.state.orders


OwnOrders = Annotated[Orders, Depends(_orders)]
