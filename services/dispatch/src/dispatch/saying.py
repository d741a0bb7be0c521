"""What dispatch can say again from its own tables when the topic was lost: work areas and staff."""

from collections.abc import Sequence
from datetime import datetime

from chassis.database import Transaction
from contracts.lifecycle import Service
from contracts.message import Message
from contracts.topics import DIRECTORY
from dispatch import store
from work_orders.directory import re_emitted


async def directory(tx: Transaction, after: str, now: datetime) -> tuple[Sequence[Message], str]:
    """All at once: they are as many as a province has people."""
    if after:
        return [], after
    areas = await tx.fetch("select * from work_areas order by id for update")
    staff = await tx.fetch("select *, id as staff_id from staff order by id for update")
    entities = [(f"work_area:{row['id']}", store.to_work_area(row), row["version"]) for row in areas]
    entities += [(f"staff:{row['id']}", store.to_staff(row), row["version"]) for row in staff]
    return re_emitted(entities, service=Service.DISPATCH, now=now), "all"


PAGES = {DIRECTORY.name: directory}
