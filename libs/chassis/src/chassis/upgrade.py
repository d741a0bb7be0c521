"""Migrates the database of DATABASE_URL to the newest schema, or waits for another process to do so.

    python -m chassis.upgrade ALEMBIC_INI [--wait SECONDS]

A migration job migrates; processes that need the schema use --wait. A database with an unknown revision was migrated
by a later release: after a rollback the earlier release runs on it, because migrations only expand.
"""

import argparse
import asyncio
import sys
import time
from enum import StrEnum
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from chassis.database import TRANSIENT, driver_url, url_from_environment
from chassis.migrations.revisions import Revisions

_LOOK_EVERY_SECONDS = 1.0


class Stand(StrEnum):
    """Where a database is, seen from some code's migrations."""

    BEHIND = "behind"
    NEWEST = "newest"
    AHEAD = "ahead"
    """It names a revision that the code does not have."""
    AWAY = "away"


def stand_of(ini: Path, url: str) -> Stand:
    """Where the database stands; raises `CommandError` for migrations that cannot be read."""
    config = Config(ini)
    revisions = Revisions(config, ScriptDirectory.from_config(config))
    try:
        present = asyncio.run(_revisions(url))
    except TRANSIENT:
        return Stand.AWAY
    if not revisions.are_known(present):
        return Stand.AHEAD
    return Stand.NEWEST if revisions.are_complete(present) else Stand.BEHIND


async def _revisions(url: str) -> set[str]:
    connection = await asyncpg.connect(driver_url(url), timeout=10)
    try:
        return {row["version_num"] for row in await connection.fetch("select version_num from alembic_version")}
    except asyncpg.UndefinedTableError:
        return set()
    finally:
        await connection.close()


def upgrade(ini: Path, url: str) -> Stand:
    """Runs what is missing; nothing when the database is ahead."""
    stand = stand_of(ini, url)
    if stand in (Stand.BEHIND, Stand.AWAY):
        command.upgrade(Config(ini), "heads")
        return Stand.NEWEST
    return stand


def wait(ini: Path, url: str, seconds: float) -> Stand:
    """Returns once the schema is what this code needs, or as it stands when the time is over."""
    give_up_at = time.monotonic() + seconds
    while (stand := stand_of(ini, url)) in (Stand.BEHIND, Stand.AWAY) and time.monotonic() < give_up_at:
        time.sleep(_LOOK_EVERY_SECONDS)
    return stand


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m chassis.upgrade", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("ini", type=Path, metavar="ALEMBIC_INI")
    parser.add_argument(
        "--wait", type=float, metavar="SECONDS", help="wait for another process to migrate; exit 1 after the time"
    )
    options = parser.parse_args(arguments)
    url = url_from_environment()
    try:
        stand = upgrade(options.ini, url) if options.wait is None else wait(options.ini, url, options.wait)
    except CommandError as error:
        sys.exit(f"the migrations of {options.ini} cannot be run: {error}")
    print(f"the schema is {stand}")
    return 0 if stand in (Stand.NEWEST, Stand.AHEAD) else 1


if __name__ == "__main__":
    sys.exit(main())
