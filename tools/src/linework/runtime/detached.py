"""`linework up --detach`: runs the supervisor in a separate session and waits until the installation is ready."""

import fcntl
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer

from linework.ports import SERVICES
from linework.processes import Child, find_recorded
from linework.runtime.installation import LocalInstallation, existing_installation
from linework.runtime.supervisor import read_phase, supervisor_record
from linework.stopped import Stopped

_LOOK_EVERY_SECONDS = 0.1


def start_detached(installation: LocalInstallation, options: Sequence[str]) -> None:
    """Start it, or find it running, and show what it says until it is ready or has given up.

    Of two at once one starts it, and the other waits until it is ready.
    """
    installation.make_folders()
    log = installation.logs / "up.log"
    with _one_at_a_time(installation):
        child = None if _is_running(installation) else _spawned(installation, log, options)
    if child is None:
        _wait_for_other(installation)
        return
    shown = 0
    while child.exit_code() is None and read_phase(installation) != "ready":
        shown = _show_more(log, shown)
        time.sleep(_LOOK_EVERY_SECONDS)
    if child.exit_code() is None:
        time.sleep(0.3)  # it prints its last table after it has become ready
    _show_more(log, shown)
    if child.exit_code() is not None:
        raise SystemExit(1)  # its own last sentence has just been shown


@contextmanager
def _one_at_a_time(installation: LocalInstallation) -> Iterator[None]:
    """Held until it is known whether the supervisor runs: a second call finds it running."""
    with (installation.state_folder / "detach.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_running(installation: LocalInstallation) -> bool:
    return find_recorded(supervisor_record(installation)) is not None


def _spawned(installation: LocalInstallation, log: Path, options: Sequence[str]) -> Child:
    """The supervisor, once it has recorded itself as the supervisor or has ended."""
    log.unlink(missing_ok=True)
    columns = str(shutil.get_terminal_size((120, 24)).columns)
    child = Child(
        "up", [sys.executable, "-m", "linework", "up", *options], log=log, env={**os.environ, "COLUMNS": columns}
    )
    child.spawn()
    while child.exit_code() is None and not _is_running(installation):
        time.sleep(_LOOK_EVERY_SECONDS)
    return child


def _wait_for_other(installation: LocalInstallation) -> None:
    folder = installation.state_folder
    typer.echo(f"The installation in {folder} is already running; nothing was started, and options are not applied.")
    while (phase := read_phase(installation)) != "ready":
        if phase == "stopping" or not _is_running(installation):
            raise Stopped(f"The installation in {folder} is being stopped, or did not become ready; start it again.")
        time.sleep(_LOOK_EVERY_SECONDS)
    running = existing_installation(folder, None)
    for part in ("issuer", *SERVICES):
        typer.echo(f"{part:10} {running.address(part)}")


def _show_more(log: Path, shown: int) -> int:
    with log.open("rb") as file:
        file.seek(shown)
        more = file.read()
    sys.stdout.write(more.decode(errors="replace"))
    sys.stdout.flush()
    return shown + len(more)
