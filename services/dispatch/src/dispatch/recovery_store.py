"""Rows of work areas and staff as a restored database takes them back, and as a lost topic is filled with them."""

from asyncpg import Record

from chassis.database import Transaction
from contracts.directory import StaffDefined, WorkAreaDefined


async def take_back_work_area(tx: Transaction, area: WorkAreaDefined, version: int | None) -> None:
    await tx.execute(
        """insert into work_areas (id, version, name_en, name_zh, territories, demand_types, device_types, is_open)
           values ($1, $2, $3, $4, $5, $6, $7, $8)
           on conflict (id) do update set version = excluded.version, name_en = excluded.name_en,
               name_zh = excluded.name_zh, territories = excluded.territories,
               demand_types = excluded.demand_types, device_types = excluded.device_types,
               is_open = excluded.is_open
           where work_areas.version < excluded.version""",
        area.work_area_id,
        version,
        area.names.en,
        area.names.zh,
        list(area.territories),
        list(area.demand_types),
        list(area.device_types),
        area.is_open,
    )


async def take_back_staff(tx: Transaction, member: StaffDefined, version: int | None) -> None:
    await tx.execute(
        """insert into staff (id, version, name, work_area_id, skills, is_active) values ($1, $2, $3, $4, $5, $6)
           on conflict (id) do update set version = excluded.version, name = excluded.name,
               work_area_id = excluded.work_area_id, skills = excluded.skills, is_active = excluded.is_active
           where staff.version < excluded.version""",
        member.staff_id,
        version,
        member.name,
        member.work_area_id,
        list(member.skills),
        member.is_active,
    )


async def lock_directory(tx: Transaction) -> tuple[list[Record], list[Record]]:
    """All work areas and all staff, locked until the transaction ends."""
    areas = await tx.fetch("select * from work_areas order by id for update")
    return areas, await tx.fetch("select *, id as staff_id from staff order by id for update")
