"""Work areas, staff and rules over HTTP."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from chassis.field_types import Body, Code, Line, Name, Reference
from chassis.paging import CursorBroken
from chassis.problems import Responses
from chassis.request_context import Context
from contracts.directory import Names, StaffDefined, WorkAreaDefined
from dispatch import store, use_cases, views
from dispatch.domain.assignment import WorkAreaUnknown
from dispatch.views import StaffMember, StaffNotFound, StaffPage, WorkArea, WorkAreaNotFound, WorkAreas
from work_orders.routes import ANY, Cursor, Limit

router = APIRouter(prefix="/v1")

Lines = Annotated[list[Reference], Field(max_length=500)]
Codes = Annotated[list[Code], Field(max_length=500)]


class WorkAreaDefinition(Body):
    """An empty list means all."""

    name_en: Line
    name_zh: Line
    territories: Lines = []
    demand_types: Codes = []
    device_types: Codes = []
    is_open: bool = True

    def entity(self, work_area_id: str) -> WorkAreaDefined:
        return WorkAreaDefined(
            work_area_id=work_area_id,
            names=Names(en=self.name_en, zh=self.name_zh),
            territories=_as_set(self.territories),
            demand_types=_as_set(self.demand_types),
            device_types=_as_set(self.device_types),
            is_open=self.is_open,
        )


class StaffDefinition(Body):
    name: Name
    work_area_id: Code
    skills: Codes = []
    is_active: bool = True
    person_id: Line | None = Field(None, description="The subject of their token, so that rules know who they are.")
    is_lead: bool = Field(False, description="Leads the work area 工区负责人.")

    def entity(self, staff_id: str) -> StaffDefined:
        return StaffDefined(
            staff_id=staff_id,
            name=self.name,
            work_area_id=self.work_area_id,
            skills=_as_set(self.skills),
            is_active=self.is_active,
            person_id=self.person_id,
            is_lead=self.is_lead,
        )


def _as_set(items: list[str]) -> tuple[str, ...]:
    # Sorted, so that the same set said in another order is not a change.
    return tuple(sorted(set(items)))


class BudgetDefinition(Body):
    budget: int = Field(ge=1, le=100, description="So many rejections of an order, then a supervisor decides.")


class RejectionBudget(BaseModel):
    budget: int
    version: int
    changed_by: str
    changed_at: datetime

    @classmethod
    def of(cls, rule: store.NumberRule) -> "RejectionBudget":
        return cls(budget=rule.value, version=rule.version, changed_by=rule.changed_by, changed_at=rule.changed_at)


@router.get("/work-areas", tags=["work areas"], responses=Responses.of((*ANY, CursorBroken)))
async def list_work_areas(context: Context, cursor: Cursor = None, limit: Limit = 50) -> WorkAreas:
    """The work areas 工区 by id, each with all its staff."""
    return await views.list_work_areas(context.db, cursor=cursor, limit=limit)


@router.get("/work-areas/{work_area_id}", tags=["work areas"], responses=Responses.of((*ANY, WorkAreaNotFound)))
async def get_work_area(work_area_id: Code, context: Context) -> WorkArea:
    """One work area with all its staff."""
    return await views.get_work_area(context.db, work_area_id)


@router.put("/work-areas/{work_area_id}", tags=["work areas"], responses=Responses.of(ANY))
async def define_work_area(work_area_id: Code, body: WorkAreaDefinition, context: Context) -> WorkArea:
    """Adds a work area or changes it. Said again unchanged it makes no new version; a closed area keeps the
    orders it has and gets no new ones."""
    await use_cases.define_work_area(body.entity(work_area_id), uow=context.uow)
    return await views.get_work_area(context.db, work_area_id)


@router.get("/staff", tags=["staff"], responses=Responses.of((*ANY, CursorBroken)))
async def list_staff(
    context: Context,
    work_area_id: Annotated[Code | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> StaffPage:
    """The repair staff 维修人员 by id, of one work area or of all."""
    return await views.list_staff(context.db, work_area_id=work_area_id, cursor=cursor, limit=limit)


@router.get("/staff/{staff_id}", tags=["staff"], responses=Responses.of((*ANY, StaffNotFound)))
async def get_staff(staff_id: Code, context: Context) -> StaffMember:
    """One member of the repair staff."""
    return await views.get_staff(context.db, staff_id)


@router.put("/staff/{staff_id}", tags=["staff"], responses=Responses.of((*ANY, WorkAreaUnknown)))
async def define_staff(staff_id: Code, body: StaffDefinition, context: Context) -> StaffMember:
    """Adds a staff member or changes them. Said again unchanged it makes no new version; an inactive member
    stays on the orders they have and gets no new ones."""
    await use_cases.define_staff(body.entity(staff_id), uow=context.uow)
    return await views.get_defined_staff(context.db, staff_id)


@router.get("/rules/rejection-budget", tags=["rules"], responses=Responses.of(ANY))
async def get_rejection_budget(context: Context) -> RejectionBudget:
    """How often an order may be rejected before only a supervisor may dispatch it, for good."""
    async with context.db.statements() as statements:
        return RejectionBudget.of(await store.get_rule(statements, store.REJECTION_BUDGET))


@router.put("/rules/rejection-budget", tags=["rules"], responses=Responses.of(ANY))
async def set_rejection_budget(body: BudgetDefinition, context: Context) -> RejectionBudget:
    """Changes the budget; it holds for every dispatch from here on, also of orders rejected before."""
    rule = await use_cases.set_rejection_budget(body.budget, uow=context.uow)
    return RejectionBudget.of(rule)
