"""Rows of dispatch besides the orders themselves: work areas, staff, rules.

An entity's version grows only when something about it changes; the row is locked until the commit either
way, so that its messages stand in the outbox in the order of its versions.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from chassis.database import Statements, Transaction
from contracts.directory import Names, StaffDefined, WorkAreaDefined
from dispatch.domain.assignment import Circumstances, DispatchWorkOrder, WorkAreaUnknown

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
               a.is_open, s.id as staff_id, s.name, s.work_area_id, s.skills, s.is_active
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
    )


async def put_work_area(tx: Transaction, area: WorkAreaDefined) -> Put:
    version = await tx.fetchval(
        """insert into work_areas (id, version, name_en, name_zh, territories, demand_types, device_types, is_open)
           values ($1, 1, $2, $3, $4, $5, $6, $7)
           on conflict (id) do update set version = work_areas.version + 1, name_en = excluded.name_en,
               name_zh = excluded.name_zh, territories = excluded.territories,
               demand_types = excluded.demand_types, device_types = excluded.device_types,
               is_open = excluded.is_open
           where (work_areas.name_en, work_areas.name_zh, work_areas.territories, work_areas.demand_types,
                  work_areas.device_types, work_areas.is_open)
               <> (excluded.name_en, excluded.name_zh, excluded.territories, excluded.demand_types,
                   excluded.device_types, excluded.is_open)
           returning version""",
        area.work_area_id,
        area.names.en,
        area.names.zh,
        list(area.territories),
        list(area.demand_types),
        list(area.device_types),
        area.is_open,
    )
    return await _put(tx, version, "work_areas", area.work_area_id)


async def put_staff(tx: Transaction, member: StaffDefined) -> Put:
    """Raises `WorkAreaUnknown`."""
    try:
        version = await tx.fetchval(
            """insert into staff (id, version, name, work_area_id, skills, is_active) values ($1, 1, $2, $3, $4, $5)
               on conflict (id) do update set version = staff.version + 1, name = excluded.name,
                   work_area_id = excluded.work_area_id, skills = excluded.skills, is_active = excluded.is_active
               where (staff.name, staff.work_area_id, staff.skills, staff.is_active)
                   <> (excluded.name, excluded.work_area_id, excluded.skills, excluded.is_active)
               returning version""",
            member.staff_id,
            member.name,
            member.work_area_id,
            list(member.skills),
            member.is_active,
        )
    except asyncpg.ForeignKeyViolationError as error:
        raise WorkAreaUnknown(work_area_id=member.work_area_id) from error
    return await _put(tx, version, "staff", member.staff_id)


async def _put(tx: Transaction, version: int | None, table: str, entity_id: str) -> Put:
    if version is not None:
        return Put(version, is_changed=True)
    return Put(await tx.fetchval(f"select version from {table} where id = $1", entity_id), is_changed=False)


@dataclass(frozen=True, slots=True)
class Rule:
    """A number that operators change."""

    value: int
    version: int
    changed_by: str
    changed_at: datetime


async def get_rule(statements: Statements, name: str) -> Rule:
    row = await statements.fetchrow("select value, version, changed_by, changed_at from rules where name = $1", name)
    return Rule(**dict(row))


async def lock_time_limits(tx: Transaction) -> None:
    """Two operators at the same time make two versions, one after the other."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended('time_limits', 4))")


async def put_rule(statements: Statements, name: str, value: int, *, by: str, at: datetime) -> Rule:
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
