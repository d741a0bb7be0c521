"""`linework run`: runs a command with the environment of a service of the local installation."""

import os
import subprocess
import sys
from pathlib import Path

from linework.embedded import EmbeddedPostgres
from linework.embedded.postgres import programs
from linework.ports import SERVICES
from linework.runtime.installation import IS_CHECKOUT, REPOSITORY, LocalInstallation
from linework.runtime.preparation import database_urls
from linework.runtime.program import service_environment
from linework.stopped import Stopped


def run_as(installation: LocalInstallation, service: str, command: list[str]) -> int:
    """The command's exit status. It runs in the checkout's folder, if there is one, and finds PostgreSQL's programs."""
    if service not in SERVICES:
        raise Stopped(f"There is no service {service}; there are {', '.join(SERVICES)}.")
    environment = {**os.environ, **service_environment(installation, service, _database_url(installation, service))}
    folders = [str(Path(sys.executable).parent), str(programs()), os.environ.get("PATH", "")]
    environment["PATH"] = os.pathsep.join(folders)
    try:
        return subprocess.run(command, env=environment, cwd=REPOSITORY if IS_CHECKOUT else None).returncode
    except OSError as error:
        raise Stopped(f"{command[0]} cannot be run: {error.strerror}.") from error


def _database_url(installation: LocalInstallation, service: str) -> str:
    outside = os.environ.get("DATABASE_URL")
    if installation.outside_database_url and not outside:
        raise Stopped("This installation uses an external PostgreSQL; see DATABASE_URL.")
    folder = installation.state_folder / "postgres"
    if not outside and not folder.exists():
        raise Stopped(f"There is no installation in {installation.state_folder}; start one with `linework up`.")
    server_url = outside or EmbeddedPostgres(folder, installation.ports["postgres"]).url
    return database_urls(server_url)[service]
