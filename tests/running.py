"""An installation whose programs run by themselves: here, under `linework up`, or elsewhere.

With LINEWORK_E2E_INTAKE_URL and the same for the other services and the issuer, tests use that installation.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

import psutil

from linework.client_addresses import Addresses, find_addresses
from linework.ports import OFFSETS, free_port, setting_of
from linework.processes import find_recorded
from linework.runtime.installation import REPOSITORY
from linework.runtime.preparation import database_urls

_ELSEWHERE = "LINEWORK_E2E_"


class Running:
    """`environment` is what a `linework` command needs to find it; `checkout` is the repository whose code it is."""

    def __init__(self, environment: Mapping[str, str], state_folder: Path | None, checkout: Path = REPOSITORY) -> None:
        programs = Path(sys.executable).parent if checkout == REPOSITORY else checkout / ".venv/bin"
        self.checkout = checkout
        self.environment = {
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "COLUMNS": "200",
            **environment,
        }
        self.state_folder = state_folder
        """None when it runs elsewhere."""

    @classmethod
    def here(cls, state_folder: Path, *, checkout: Path = REPOSITORY, **settings: str) -> Self:
        """On free ports; `up` starts it."""
        ports = {setting_of(part): str(free_port()) for part in OFFSETS}
        # Killed outright, a test runs no clean-up: what a runbook starts stops itself.
        own = {"LINEWORK_STATE_FOLDER": str(state_folder), "LINEWORK_WITH_PROCESS": str(os.getpid())}
        return cls(ports | own | settings, state_folder, checkout)

    @classmethod
    def elsewhere(cls) -> Self | None:
        """The installation that the environment names."""
        named = {name: value for name, value in os.environ.items() if name.startswith(_ELSEWHERE)}
        if not named:
            return None
        return cls({name.replace(_ELSEWHERE, "LINEWORK_"): value for name, value in named.items()}, None)

    @contextlib.contextmanager
    def up(self, *options: str) -> Iterator[Self]:
        """It runs and is ready within the block."""
        try:
            self.linework("up", "--detach", "--with-process", str(os.getpid()), *options)
            yield self
        finally:
            self.linework("down")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.checkout, env=self.environment, capture_output=True, text=True, timeout=300, check=False
        )

    def must(self, *command: str) -> str:
        """What the command prints; it has to succeed."""
        done = self.run(*command)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def linework(self, *arguments: str) -> str:
        return self.must("linework", *arguments)

    def process(self, program: str) -> psutil.Process:
        assert self.state_folder is not None
        found = find_recorded(self.state_folder / "run" / f"{program}.json")
        assert found is not None, f"{program} does not run"
        return found[0]

    def kill(self, program: str) -> None:
        """kill -9; the supervisor starts it again."""
        self.process(program).kill()

    @property
    def addresses(self) -> Addresses:
        return find_addresses(self.state_folder, self.environment)

    @property
    def ports(self) -> dict[str, int]:
        return {part: int(self.environment[setting_of(part)]) for part in OFFSETS}

    @property
    def database_urls(self) -> dict[str, str]:
        """On the server that it was given; empty where it has its own, or runs elsewhere."""
        given = self.environment.get("DATABASE_URL")
        return database_urls(given) if given and self.state_folder else {}
