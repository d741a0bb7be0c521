"""Reads: the form of an order, and the work areas with their staff."""

from dataclasses import dataclass

from chassis.request_context import RequestContext
from contracts.lifecycle import Act
from fieldwork.orders.domain import work
from work_orders.directory import TypeNames, WorkAreaWithStaff, find_type_names, find_work_areas_with_staff
from work_orders.facts_views import latest_facts
from work_orders.sealing import WorkOrderShown, opening_for
from work_orders.subscribers import OrderForm, subscriber_fields


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldworkForm(OrderForm):
    """The form of an order as the work area fills it in."""

    work_area: WorkAreaWithStaff | None
    """The order's area and everybody who belongs to it; None before dispatch, or while it has not arrived."""
    type_names: TypeNames
    allowed_acts: tuple[Act, ...]
    """What the caller can do with it here, at this version."""


async def form_of(order: WorkOrderShown, context: RequestContext) -> FieldworkForm:
    async with context.db.statements() as statements:
        areas = await find_work_areas_with_staff(statements, [order.work_area_id] if order.work_area_id else [])
        type_names = await find_type_names(statements, order.device_type, order.demand_type)
    return FieldworkForm(
        order=order,
        **await subscriber_fields(order, context.app, token=context.caller.token),
        facts=await latest_facts(context.db, order.id, opening_for(context.request)),
        work_area=areas[0] if areas else None,
        type_names=type_names,
        allowed_acts=work.allowed_acts(order) if context.may("POST /v1/work-orders/{order_id}/start") else (),
    )
