"""Migrates each service's database to the newest schema."""

import os
import sys
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from linework.processes import Child
from linework.runtime.giving_up import GivingUp
from linework.runtime.installation import LocalInstallation
from linework.stopped import Stopped, last_line

MIGRATION_SECONDS = 600


def migrate(installation: LocalInstallation, service: str, env: Mapping[str, str], given_up: GivingUp) -> None:
    """Run what is missing; nothing at all when the database already names the newest revision."""
    ini = migrations_of(service)
    # Five Alembic processes are most of a second start, and a look at the version is enough.
    if needs_nothing(ini, env["DATABASE_URL"]):
        return
    child = Child(
        f"{service}_migrations",
        [sys.executable, "-m", "alembic", "-c", str(ini), "upgrade", "heads"],
        log=installation.logs / f"{service}_migrations.log",
        records=installation.records,
        env={**os.environ, **env},
        cwd=installation.state_folder,
    )
    deadline = time.monotonic() + MIGRATION_SECONDS
    child.spawn()
    while child.exit_code() is None and not given_up.is_set() and time.monotonic() < deadline:
        given_up.wait(0.05)
    child.signal_stop()
    child.wait_stopped(10)
    if child.exit_code() != 0 and not given_up.is_set():
        raise Stopped(f"The migrations of {service} failed; their log is {child.log}: {last_line(child.log)}")


def migrations_of(service: str) -> Path:
    """The service's `alembic.ini`: inside an installed package, beside `src` in a checkout."""
    spec = find_spec(service)
    if spec is None or spec.origin is None:
        raise Stopped(f"{service} is not installed; install linework-{service}.")
    package = Path(spec.origin).parent
    for folder in (package, package.parents[1]):
        if (folder / "alembic.ini").exists():
            return folder / "alembic.ini"
    raise Stopped(f"{service} has no migrations: there is no alembic.ini in {package}.")


def needs_nothing(ini: Path, database_url: str) -> bool:
    """Whether the database is at the newest revision of these migrations, or beyond. Any doubt is a no."""
    import asyncpg
    from alembic.util import CommandError

    from chassis.upgrade import Stand, stand_of

    try:
        return stand_of(ini, database_url) in (Stand.NEWEST, Stand.AHEAD)
    except (CommandError, asyncpg.PostgresError):
        return False
