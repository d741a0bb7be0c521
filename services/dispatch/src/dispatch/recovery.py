"""What dispatch takes back from the directory after a restore, and emits again when the topic was lost.

Both are about work areas and staff, which dispatch alone defines.
"""

from collections.abc import Sequence
from datetime import datetime

from chassis.database import Transaction
from contracts.directory import StaffDefined, WorkAreaDefined
from contracts.lifecycle import Service
from contracts.message import Message
from contracts.topics import DIRECTORY
from dispatch import store
from work_orders.recovery import re_emitted


async def take_back(messages: Sequence[Message], tx: Transaction) -> None:
    """Each entity as it was last published; what the backup has of the same or a later version stays."""
    # Areas first: staff belong to them, and the two stand in different partitions.
    for message in messages:
        if isinstance(message.body, WorkAreaDefined):
            await _take_work_area(tx, message.body, message.entity_version)
    for message in messages:
        if isinstance(message.body, StaffDefined):
            await _take_staff(tx, message.body, message.entity_version)


async def _take_work_area(tx: Transaction, area: WorkAreaDefined, version: int | None) -> None:
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


async def _take_staff(tx: Transaction, member: StaffDefined, version: int | None) -> None:
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


async def directory(tx: Transaction, after: str, now: datetime) -> tuple[Sequence[Message], str]:
    """All at once: they are as many as a province has people."""
    if after:
        return [], after
    areas = await tx.fetch("select * from work_areas order by id for update")
    staff = await tx.fetch("select *, id as staff_id from staff order by id for update")
    entities = [(f"work_area:{row['id']}", store.to_work_area(row), row["version"]) for row in areas]
    entities += [(f"staff:{row['id']}", store.to_staff(row), row["version"]) for row in staff]
    return re_emitted(entities, service=Service.DISPATCH, now=now), "all"


RE_EMITTED = {DIRECTORY.name: directory}
