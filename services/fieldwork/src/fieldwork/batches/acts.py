"""The acts of a batch: those of the field's own routes, so that there is one way to carry each of them out."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

from chassis.command_route import shape_of
from chassis.commands import CommandHeaders
from contracts.access import Grants
from contracts.refusals import Invalid
from fieldwork.access import ROUTES
from fieldwork.batches.use_cases import ActBodyInvalid
from fieldwork.facts import api as facts
from fieldwork.orders import api as orders
from work_orders.device_acts import DeviceAct
from work_orders.routes import OrderContext
from work_orders.unit_of_work import OrderUnitOfWork

BATCHES = "POST /v1/field-batches"
_PREFIX = "/v1/work-orders/{order_id}/"


class OccurredAtInBatch(Invalid):
    """An act of a batch says when it was done by device_time, not by occurred_at."""

    zh = "批量中的操作以 device_time 表示发生时间，不能使用 occurred_at。"


class DeviceContext(OrderContext):
    """The context of a route for an act that a phone sends later."""

    __slots__ = ("_device",)

    def __init__(self, request: Request, headers: CommandHeaders, device: DeviceAct) -> None:
        super().__init__(request, headers)
        self._device = device

    @property
    def uow(self) -> OrderUnitOfWork:
        # The phone has all that it acts on from this service: nothing that is on its way is waited for.
        return replace(super().uow, device=self._device, catch_up_seconds=0)


@dataclass(frozen=True, slots=True)
class BatchedAct:
    """A route, called without a request of its own."""

    body_model: type[BaseModel]
    is_decision: bool
    _endpoint: Callable[..., Awaitable[Response]]
    _body: str
    _context: str

    async def carry_out(self, order_id: str, body: Mapping[str, Any], context: DeviceContext) -> Response:
        """Raises what the route raises, and `ActBodyInvalid` of a body that does not fit."""
        try:
            given = self.body_model.model_validate(body)
        except ValidationError as error:
            raise ActBodyInvalid(error.errors(), body) from error
        if getattr(given, "occurred_at", None) is not None:
            raise OccurredAtInBatch()
        return await self._endpoint(order_id=order_id, **{self._body: given, self._context: context})


def _acts_of(router: APIRouter, *, are_decisions: bool) -> dict[str, BatchedAct]:
    """The commands on an order by the end of their path, as far as everybody who may send batches may use them."""
    found = {}
    for route in router.routes:
        if not isinstance(route, APIRoute) or not route.path.startswith(_PREFIX) or "POST" not in route.methods:
            continue
        shape = shape_of(route.endpoint)
        if shape is not None and _grants(BATCHES).items() <= _grants(f"POST {route.path}").items():
            act = BatchedAct(shape.body_model, are_decisions, route.endpoint, shape.body, shape.context)
            found[route.path.removeprefix(_PREFIX)] = act
    return found


def _grants(row: str) -> Grants:
    return ROUTES[row] or {}


ACTS: Mapping[str, BatchedAct] = {
    **_acts_of(orders.router, are_decisions=True),
    **_acts_of(facts.router, are_decisions=False),
}
"""By the end of their route's path, such as `arrive`."""
