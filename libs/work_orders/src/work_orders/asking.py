"""Asking the custodian of an order from a service that is not: the request goes onto the order's own stream.

Intake keeps every request with its answer, from any service: it is read at intake's `/v1/requests/{id}`.
"""

from dataclasses import dataclass
from typing import Literal

from chassis.commands import Reply
from contracts.order import WorkOrder
from contracts.requests import WorkOrderRequest
from work_orders.commit import lock_order
from work_orders.sealing import sealed
from work_orders.unit_of_work import OrderUnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSent:
    """A request that is on its way to the order's custodian."""

    request_id: str
    """Its answer is at `/v1/requests/{request_id}` of intake."""
    order_id: str
    state: Literal["pending"] = "pending"


async def ask_custodian(order: WorkOrder, request: WorkOrderRequest, *, uow: OrderUnitOfWork) -> Reply:
    """Publishes a request, with its texts sealed, behind everything that this service has published of the order.

    Raises what `sealed` raises.
    """
    body = await sealed(request, uow.sealing_keys, subject=order.id, subscriber_id=order.subscriber_id)
    async with uow.command() as command:
        await lock_order(command.tx, order.id)
        command.publish(body, subject=order.id)
        command.reply_with(RequestSent(request_id=request.request_id, order_id=order.id), status=202)
    return command.reply
