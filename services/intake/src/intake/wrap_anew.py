"""Wraps every sealing key with a new first master key at once, instead of in the nightly run.

    python -m intake.wrap_anew

With the environment of intake. Intake's worker publishes the keys.
"""

import asyncio
import sys

from chassis.clock import SystemClock
from chassis.database import TRANSIENT, CatchingUp, Database
from chassis.settings import Settings
from chassis.wakeup import Wakeup
from intake.privacy import retention


async def _run() -> int:
    settings = Settings.from_environment()
    db = Database(settings.database_url, pool_size=1, application_name="linework wrap anew")
    try:
        uow = retention.unit_of_work(db, Wakeup(settings.database_url), SystemClock())
        return await retention.wrap_all_anew(settings.master_keys, uow=uow)
    finally:
        await db.close()


def main() -> None:
    try:
        count = asyncio.run(_run())
    except (*TRANSIENT, CatchingUp) as error:
        sys.exit(f"not every key was wrapped; run it again: {type(error).__name__}: {error}")
    print(f"{count} keys were wrapped with the first master key")


if __name__ == "__main__":
    main()
