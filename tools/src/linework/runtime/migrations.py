"""Bringing each service's database to the newest schema."""

import asyncio
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from linework.processes import Child
from linework.runtime.giving_up import GivingUp
from linework.runtime.installation import REPOSITORY, Installation
from linework.stopped import Stopped, last_line

MIGRATION_SECONDS = 600


def migrate(installation: Installation, service: str, env: Mapping[str, str], given_up: GivingUp) -> None:
    """Run what is missing; nothing at all when the database already names the newest revision."""
    ini = REPOSITORY / "services" / service / "alembic.ini"
    if not ini.exists():
        raise Stopped(f"{service} has no migrations: {ini} is missing.")
    # Five Alembic processes are most of a second start, and a look at the version is enough.
    if is_newest(ini, env["DATABASE_URL"]):
        return
    child = Child(
        f"{service}_migrations",
        [sys.executable, "-m", "alembic", "-c", str(ini), "upgrade", "head"],
        log=installation.logs / f"{service}_migrations.log",
        records=installation.records,
        env={**os.environ, **env},
        cwd=REPOSITORY,
    )
    deadline = time.monotonic() + MIGRATION_SECONDS
    child.spawn()
    while child.exit_code() is None and not given_up.is_set() and time.monotonic() < deadline:
        given_up.wait(0.05)
    child.signal_stop()
    child.wait_stopped(10)
    if child.exit_code() != 0 and not given_up.is_set():
        raise Stopped(f"The migrations of {service} failed; their log is {child.log}: {last_line(child.log)}")


def is_newest(ini: Path, database_url: str) -> bool:
    """Whether the database is at the newest revision of these migrations. Any doubt is a no."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    try:
        newest = set(ScriptDirectory.from_config(Config(ini)).get_heads())
    except CommandError:
        return False
    return bool(newest) and newest == asyncio.run(_revisions(database_url))


async def _revisions(database_url: str) -> set[str]:
    import asyncpg

    try:
        connection = await asyncpg.connect(database_url, timeout=10)
        try:
            return {row["version_num"] for row in await connection.fetch("select version_num from alembic_version")}
        finally:
            await connection.close()
    except (OSError, asyncpg.PostgresError):
        return set()
