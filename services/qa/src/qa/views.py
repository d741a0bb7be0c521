"""Reads: the lists of quality, and the form of an order."""

from dataclasses import dataclass

from chassis.database import Database
from chassis.request_context import RequestContext
from contracts.directory import Names
from contracts.lifecycle import Act, Status
from contracts.order import WorkOrder
from qa.domain import quality
from work_orders.clocks_shown import ShownClocks
from work_orders.directory import TypeNames, find_staff, find_type_names, find_work_areas
from work_orders.facts_views import latest_facts
from work_orders.sealing import Opening, WorkOrderShown, opening_for
from work_orders.search import Search
from work_orders.subscribers import OrderForm, subscriber_fields
from work_orders.views import most_recent, most_urgent

TO_AUDIT = (Status.COMPLETED, Status.AUDITING)
CLOSED = frozenset({Status.ARCHIVED, Status.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedWorkArea:
    work_area_id: str
    names: Names


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedStaff:
    staff_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditForm(OrderForm):
    """The form of an order as an auditor reads it; who is not in the directory's copy yet has no name here."""

    work_areas: tuple[NamedWorkArea, ...]
    """Every work area that the order has been through."""
    staff: tuple[NamedStaff, ...]
    """The staff whom it was assigned to or who completed it."""
    type_names: TypeNames
    allowed_acts: tuple[Act, ...]
    """What the caller can do with it here, at this version."""


async def orders_page(
    db: Database, search: Search, opening: Opening, clocks: ShownClocks, *, cursor: str | None, limit: int
) -> bytes:
    """The archive latest first, all other lists most urgent first."""
    page = most_recent if CLOSED.issuperset(search.statuses) else most_urgent
    return await page(db, search, opening, clocks, cursor=cursor, limit=limit)


async def form_of(order: WorkOrderShown, context: RequestContext) -> AuditForm:
    async with context.db.statements() as statements:
        areas = await find_work_areas(statements, _work_area_ids(order))
        staff = await find_staff(statements, _staff_ids(order))
        type_names = await find_type_names(statements, order.device_type, order.demand_type)
    return AuditForm(
        order=order,
        **await subscriber_fields(order, context.app, token=context.caller.token),
        facts=await latest_facts(context.db, order.id, opening_for(context.request)),
        work_areas=tuple(NamedWorkArea(work_area_id=one.work_area_id, names=one.names) for one in areas.values()),
        staff=tuple(NamedStaff(staff_id=one.staff_id, name=one.name) for one in staff.values()),
        type_names=type_names,
        allowed_acts=quality.allowed_acts(order, context.caller.sub),
    )


def _work_area_ids(order: WorkOrder) -> set[str]:
    been = {part.work_area_id for part in (*order.rejections, *order.completions)}
    return been | ({order.work_area_id} if order.work_area_id else set())


def _staff_ids(order: WorkOrder) -> set[str]:
    given = set(order.assignment.staff_ids) if order.assignment else set()
    return given.union(*(completion.staff_ids for completion in order.completions))
