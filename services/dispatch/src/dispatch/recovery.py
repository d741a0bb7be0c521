"""What dispatch takes back from the directory after a restore, and emits again when the topic was lost.

Both are about work areas, staff, calendars and the rules of handling orders, which dispatch alone defines.
"""

from collections.abc import Sequence
from datetime import datetime

from chassis.database import Transaction
from chassis.one_statement import execute_together
from contracts.directory import CalendarDefined, StaffDefined, WorkAreaDefined
from contracts.handling import SUBJECT as HANDLING_RULES
from contracts.lifecycle import Service
from contracts.message import Message
from contracts.topics import DIRECTORY
from dispatch import recovery_store, store
from work_orders.handling_rules import HANDLING
from work_orders.recovery import re_emitted


async def take_back(messages: Sequence[Message], tx: Transaction) -> None:
    """Each entity as it was last published; what the backup has of the same or a later version stays."""
    # Areas first: staff belong to them, and the two stand in different partitions.
    for message in messages:
        if isinstance(message.body, WorkAreaDefined):
            await recovery_store.take_back_work_area(tx, message.body, message.entity_version)
    for message in messages:
        if isinstance(message.body, StaffDefined):
            await recovery_store.take_back_staff(tx, message.body, message.entity_version)
        elif isinstance(message.body, CalendarDefined):
            await recovery_store.take_back_calendar(tx, message.body, message.entity_version)
    await execute_together(tx, HANDLING.added(messages))


async def directory(tx: Transaction, after: str, now: datetime) -> tuple[Sequence[Message], str]:
    """All at once: they are as many as a province has people."""
    if after:
        return [], after
    areas, staff = await recovery_store.lock_directory(tx)
    calendars = await recovery_store.lock_calendars(tx)
    await HANDLING.lock(tx)
    rules = await HANDLING.newest(tx)
    entities = [
        *((f"work_area:{row['id']}", store.to_work_area(row), row["version"]) for row in areas),
        *((f"staff:{row['id']}", store.to_staff(row), row["version"]) for row in staff),
        *((f"calendar:{row['id']}", store.to_calendar(row), row["version"]) for row in calendars),
        *([(HANDLING_RULES, rules.rules, rules.version)] if rules.version else ()),
    ]
    return re_emitted(entities, service=Service.DISPATCH, now=now), "all"


RE_EMITTED = {DIRECTORY.name: directory}
