"""`linework up --detach`: the same supervisor in a session of its own, followed until it is ready."""

import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from linework.processes import Child
from linework.runtime.installation import Installation
from linework.runtime.supervisor import read_phase


def start_detached(installation: Installation, options: Sequence[str]) -> None:
    """Start it and show what it says until it is ready or has given up."""
    log = installation.logs / "up.log"
    installation.make_folders()
    log.unlink(missing_ok=True)
    columns = str(shutil.get_terminal_size((120, 24)).columns)
    child = Child(
        "up", [sys.executable, "-m", "linework", "up", *options], log=log, env={**os.environ, "COLUMNS": columns}
    )
    child.spawn()
    shown = 0
    while child.exit_code() is None and read_phase(installation) != "ready":
        shown = _show_more(log, shown)
        time.sleep(0.1)
    if child.exit_code() is None:
        time.sleep(0.3)  # it prints its last table after it has become ready
    _show_more(log, shown)
    if child.exit_code() is not None:
        raise SystemExit(1)  # its own last sentence has just been shown


def _show_more(log: Path, shown: int) -> int:
    with log.open("rb") as file:
        file.seek(shown)
        more = file.read()
    sys.stdout.write(more.decode(errors="replace"))
    sys.stdout.flush()
    return shown + len(more)
