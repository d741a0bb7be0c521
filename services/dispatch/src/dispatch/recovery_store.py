"""Rows of work areas, staff and calendars: as a restored database takes them back, and as a lost topic is filled."""

from asyncpg import Record

from chassis.database import Transaction
from chassis.row_store import published_of
from contracts.directory import CalendarDefined, StaffDefined, WorkAreaDefined
from dispatch.store import area_row, calendar_row, staff_row
from dispatch.tables import CALENDARS, STAFF, WORK_AREAS

_AREA, _MEMBER, _CALENDAR = (published_of(table) for table in (WORK_AREAS, STAFF, CALENDARS))


async def take_back_work_area(tx: Transaction, area: WorkAreaDefined, version: int | None) -> None:
    await tx.select(_AREA, {**area_row(area), "version": version})


async def take_back_staff(tx: Transaction, member: StaffDefined, version: int | None) -> None:
    await tx.select(_MEMBER, {**staff_row(member), "version": version})


async def take_back_calendar(tx: Transaction, calendar: CalendarDefined, version: int | None) -> None:
    await tx.select(_CALENDAR, {**calendar_row(calendar), "version": version})


async def lock_calendars(tx: Transaction) -> list[Record]:
    """All calendars, locked until the transaction ends."""
    return await tx.fetch("select * from calendars order by id for update")


async def lock_directory(tx: Transaction) -> tuple[list[Record], list[Record]]:
    """All work areas and all staff, locked until the transaction ends."""
    areas = await tx.fetch("select * from work_areas order by id for update")
    return areas, await tx.fetch("select *, id as staff_id from staff order by id for update")
