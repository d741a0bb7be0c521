"""Sample data and traffic of the first start."""

import os
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from linework.processes import Child
from linework.runtime.installation import LocalInstallation

_SAMPLE = ("--orders", "20", "--rate", "10", "--calls", "60")


@dataclass(frozen=True)
class Load:
    title: str
    child: Child
    done_file: Path

    def mark_done(self) -> None:
        self.done_file.touch()


def first_loads(installation: LocalInstallation) -> list[Load]:
    """The loads that this state folder has not had; none of them twice, so a restart adds nothing."""
    loads = [
        _load(installation, "reference", "Reference data", ["reference", "load"]),
        _load(installation, "simulate", "Sample traffic", ["simulate", *_SAMPLE]),
    ]
    return [load for load in loads if load and not load.done_file.exists()]


def _load(installation: LocalInstallation, name: str, title: str, arguments: list[str]) -> Load | None:
    if find_spec(f"linework.{name}") is None:
        return None
    child = Child(
        name,
        [sys.executable, "-m", "linework", *arguments],
        log=installation.logs / f"{name}.log",
        records=installation.records,
        env={**os.environ, "LINEWORK_STATE_FOLDER": str(installation.state_folder)},
        cwd=installation.state_folder,
    )
    return Load(title, child, installation.state_folder / f"{name}-loaded")
