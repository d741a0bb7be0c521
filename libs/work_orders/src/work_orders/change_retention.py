"""In the worker: changes that no stream can be resumed from any more are deleted."""

import asyncio
import logging
from datetime import timedelta

from chassis.database import Database
from chassis.recovery.fence import is_passing
from chassis.settings import Settings
from chassis.wakeup import Wakeup
from chassis.worker import Job
from work_orders.change_store import forget_old_changes

log = logging.getLogger(__name__)

_LOOK_SECONDS = 600.0
_LONGEST_TRANSACTION = timedelta(hours=1)
"""A change may have been recorded so long before others saw it."""


def forgetting_changes(settings: Settings) -> Job:
    kept = timedelta(hours=settings.changes_kept_hours) + _LONGEST_TRANSACTION

    async def forget_changes(db: Database, _: Wakeup) -> None:
        while True:
            try:
                async with db.statements() as statements:
                    while await forget_old_changes(statements, kept):
                        pass
            except Exception as error:
                if not is_passing(error):
                    raise
                log.warning("old changes are not deleted, retrying: %s", type(error).__name__)
            await asyncio.sleep(_LOOK_SECONDS)

    return forget_changes
