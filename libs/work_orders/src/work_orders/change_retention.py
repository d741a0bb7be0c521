"""In the worker: changes that no stream can be resumed from any more are deleted."""

from datetime import timedelta

from chassis.database import Database
from chassis.jobs import repeat
from chassis.settings import Settings
from chassis.wakeup import Wakeup
from chassis.worker import Job
from work_orders.change_store import forget_old_changes

_LOOK_SECONDS = 600.0
_LONGEST_TRANSACTION = timedelta(hours=1)
"""A change may have been recorded so long before others saw it."""


def forgetting_changes(settings: Settings) -> Job:
    kept = timedelta(hours=settings.changes_kept_hours) + _LONGEST_TRANSACTION

    async def forget_all(db: Database) -> None:
        async with db.statements() as statements:
            while await forget_old_changes(statements, kept):
                pass

    async def forget_changes(db: Database, _: Wakeup) -> None:
        await repeat("deleting old changes", lambda: forget_all(db), seconds=_LOOK_SECONDS)

    return forget_changes
