"""Rows of dispatch besides the orders themselves: work areas, staff, calendars, rules.

An entity's version grows only when something about it changes; the row is locked until the commit either
way, so that its messages stand in the outbox in the order of its versions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import msgspec
from sqlalchemy import bindparam, select

from chassis.database import Query, Statements, Transaction
from chassis.row_store import definition_of
from contracts.calendar import WorkingTime
from contracts.directory import CalendarDefined, Names, StaffDefined, WorkAreaDefined
from contracts.shipped_calendars import SHIPPED_CALENDARS
from dispatch.domain.assignment import Circumstances, DispatchWorkOrder, WorkAreaUnknown
from dispatch.tables import CALENDARS, STAFF, WORK_AREAS
from work_orders.directory import CalendarNotFound

REJECTION_BUDGET = "rejection_budget"


@dataclass(frozen=True, slots=True)
class Put:
    """What came of defining something: its version, and whether that is a new one."""

    version: int
    is_changed: bool


async def circumstances(statements: Statements, command: DispatchWorkOrder) -> Circumstances:
    """What the dispatch needs to know, in one round trip.

    Read outside the guarded statement that records the dispatch: an area that closes in that moment was
    open when the order was given to it.
    """
    rows = await statements.fetch(
        """select rules.value as budget, a.id, a.name_en, a.name_zh, a.territories, a.demand_types, a.device_types,
               a.is_open, s.id as staff_id, s.name, s.work_area_id, s.skills, s.is_active, s.person_id, s.is_lead
           from rules left join work_areas a on a.id = $1 left join staff s on s.id = any($2::text[])
           where rules.name = $3""",
        command.work_area_id,
        list(command.staff_ids),
        REJECTION_BUDGET,
    )
    return Circumstances(
        area=to_work_area(rows[0]) if rows[0]["id"] is not None else None,
        staff={row["staff_id"]: to_staff(row) for row in rows if row["staff_id"] is not None},
        rejection_budget=rows[0]["budget"],
    )


def to_work_area(row: Any) -> WorkAreaDefined:
    return WorkAreaDefined(
        work_area_id=row["id"],
        names=Names(en=row["name_en"], zh=row["name_zh"]),
        territories=tuple(row["territories"]),
        demand_types=tuple(row["demand_types"]),
        device_types=tuple(row["device_types"]),
        is_open=row["is_open"],
    )


def to_staff(row: Any) -> StaffDefined:
    return StaffDefined(
        staff_id=row["staff_id"],
        name=row["name"],
        work_area_id=row["work_area_id"],
        skills=tuple(row["skills"]),
        is_active=row["is_active"],
        person_id=row["person_id"],
        is_lead=row["is_lead"],
    )


def to_calendar(row: Any) -> CalendarDefined:
    return CalendarDefined(
        calendar_id=row["id"],
        names=Names(en=row["name_en"], zh=row["name_zh"]),
        working_time=msgspec.json.decode(row["working_time"], type=WorkingTime),
        statutory_days=tuple(row["statutory_days"]),
        announced_years=tuple(row["announced_years"]),
        provisional_years=tuple(row["provisional_years"]),
    )


_TABLES = (WORK_AREAS, STAFF, CALENDARS)
_PUT_AREA, _PUT_STAFF, _PUT_CALENDAR = (definition_of(table, changes_only=True) for table in _TABLES)
_AREA_VERSION, _STAFF_VERSION, _CALENDAR_VERSION = (
    Query(select(table.c.version).where(table.c.id == bindparam("id"))) for table in _TABLES
)


def area_row(area: WorkAreaDefined) -> dict[str, Any]:
    """The columns of a work area, but for its version."""
    return {
        "id": area.work_area_id,
        "name_en": area.names.en,
        "name_zh": area.names.zh,
        "territories": list(area.territories),
        "demand_types": list(area.demand_types),
        "device_types": list(area.device_types),
        "is_open": area.is_open,
    }


def staff_row(member: StaffDefined) -> dict[str, Any]:
    """The columns of a staff member, but for their version."""
    return {
        "id": member.staff_id,
        "name": member.name,
        "work_area_id": member.work_area_id,
        "skills": list(member.skills),
        "is_active": member.is_active,
        "person_id": member.person_id,
        "is_lead": member.is_lead,
    }


def calendar_row(calendar: CalendarDefined) -> dict[str, Any]:
    """The columns of a calendar, but for its version."""
    return {
        "id": calendar.calendar_id,
        "name_en": calendar.names.en,
        "name_zh": calendar.names.zh,
        "working_time": msgspec.json.encode(calendar.working_time).decode(),
        "statutory_days": list(calendar.statutory_days),
        "announced_years": list(calendar.announced_years),
        "provisional_years": list(calendar.provisional_years),
    }


async def put_work_area(tx: Transaction, area: WorkAreaDefined) -> Put:
    return await _put(tx, _PUT_AREA, _AREA_VERSION, area_row(area))


async def put_staff(tx: Transaction, member: StaffDefined) -> Put:
    """Raises `WorkAreaUnknown`."""
    try:
        return await _put(tx, _PUT_STAFF, _STAFF_VERSION, staff_row(member))
    except asyncpg.ForeignKeyViolationError as error:
        raise WorkAreaUnknown(work_area_id=member.work_area_id) from error


async def get_calendar(statements: Statements, calendar_id: str) -> tuple[int, CalendarDefined]:
    """The calendar and its version; 0 is what was shipped. Raises `CalendarNotFound`."""
    row = await statements.fetchrow("select * from calendars where id = $1", calendar_id)
    if row is not None:
        return row["version"], to_calendar(row)
    if (shipped := SHIPPED_CALENDARS.get(calendar_id)) is None:
        raise CalendarNotFound(id=calendar_id)
    return 0, shipped


async def put_calendar(tx: Transaction, calendar: CalendarDefined) -> Put:
    return await _put(tx, _PUT_CALENDAR, _CALENDAR_VERSION, calendar_row(calendar))


async def _put(tx: Transaction, put: Query, version: Query, values: Mapping[str, Any]) -> Put:
    for row in await tx.select(put, values):
        return Put(row["version"], is_changed=True)
    (present,) = await tx.select(version, values)
    return Put(present["version"], is_changed=False)


@dataclass(frozen=True, slots=True)
class NumberRule:
    """A number that operators change."""

    value: int
    version: int
    changed_by: str
    changed_at: datetime


async def get_rule(statements: Statements, name: str) -> NumberRule:
    row = await statements.fetchrow("select value, version, changed_by, changed_at from rules where name = $1", name)
    return NumberRule(**dict(row))


async def put_rule(statements: Statements, name: str, value: int, *, by: str, at: datetime) -> NumberRule:
    """The rule as it then is; the same value again changes nothing."""
    await statements.execute(
        """update rules set value = $2, version = version + 1, changed_by = $3, changed_at = $4
           where name = $1 and value <> $2""",
        name,
        value,
        by,
        at,
    )
    return await get_rule(statements, name)
