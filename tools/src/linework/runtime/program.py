"""The Python processes of an installation: the issuer, and each service's HTTP process and worker."""

import base64
import contextlib
import http.client
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile

from linework.ports import LOOPBACK, SERVICES
from linework.processes import Child
from linework.runtime.giving_up import GivingUp
from linework.runtime.installation import AUDIENCE, LocalInstallation
from linework.stopped import ComponentDied

READY_SECONDS = 90


class Program:
    """One of them. It is ready when its `/readyz` says so."""

    entry: Sequence[str] = ()
    """A module that runs the program's own."""
    dies_with_parent = False

    def __init__(self, installation: LocalInstallation, name: str, module: str, env: Mapping[str, str]) -> None:
        self.name = name
        self.port = installation.ports[name]
        self.log = installation.logs / f"{name}.log"
        self._child = Child(
            name,
            [sys.executable, "-m", *self.entry, module],
            log=self.log,
            records=installation.records,
            env={**os.environ, **env},
            cwd=installation.state_folder,
            dies_with_parent=self.dies_with_parent,
        )

    @property
    def pid(self) -> int:
        return self._child.pid

    def start(self) -> None:
        """Start it and return at once: every service can start before the others."""
        self._child.spawn()

    def wait_ready(self, given_up: GivingUp) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not given_up.is_set():
            if self.exit_code() is not None:
                raise ComponentDied(self.name, self.log, self.exit_code())
            if answers_ready(self.port):
                return
            if time.monotonic() > deadline:
                raise ComponentDied(self.name, self.log)
            given_up.wait(0.1)

    def exit_code(self) -> int | None:
        return self._child.exit_code()

    def kill(self) -> None:
        """kill -9, as a crash would."""
        self._child.kill()

    def signal_stop(self) -> None:
        self._child.signal_stop()

    def wait_stopped(self, seconds: float) -> None:
        self._child.wait_stopped(seconds)


def answers_ready(port: int, seconds: float = 2) -> bool:
    """Whether the process behind this port says that it is ready."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=seconds)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def service_environment(installation: LocalInstallation, service: str, database_url: str) -> dict[str, str]:
    """The whole configuration of a service. Its HTTP process, its worker and its migrations get the same."""
    return {
        "DATABASE_URL": database_url,
        "KAFKA_BOOTSTRAP_SERVERS": installation.bootstrap_servers,
        "TOPIC_PREFIX": installation.topic_prefix,
        "HTTP_HOST": LOOPBACK,
        "HTTP_PORT": str(installation.ports[service]),
        "WORKER_PORT": str(installation.ports[f"{service}_worker"]),
        "WORKER_ID": os.environ.get("WORKER_ID") or "0",
        "ENVIRONMENT": "local",
        "OIDC_ISSUER": installation.address("issuer"),
        "OIDC_AUDIENCE": AUDIENCE,
        "INTAKE_URL": installation.address("intake"),
        "SEALING_MASTER_KEYS": sealing_master_keys(installation.state_folder),
    }


def sealing_master_keys(state_folder: Path) -> str:
    """What SEALING_MASTER_KEYS says, or a master key of this state folder's own, made at its first start."""
    given = os.environ.get("SEALING_MASTER_KEYS")
    if given:
        return given
    file = state_folder / "sealing-master-keys"
    if not file.exists():
        # Whole or not at all: half a key would seal nothing, and be taken for one at the next start. Of several starts
        # at the same time the first makes the key of all.
        with NamedTemporaryFile("w", dir=state_folder) as new, contextlib.suppress(FileExistsError):
            new.write("local:" + base64.b64encode(os.urandom(32)).decode() + "\n")
            new.flush()
            os.link(new.name, file)
    return file.read_text().strip()


def issuer_environment(installation: LocalInstallation) -> dict[str, str]:
    return {
        "HTTP_PORT": str(installation.ports["issuer"]),
        "OIDC_ISSUER": installation.address("issuer"),
        "OIDC_AUDIENCE": AUDIENCE,
        "LINEWORK_ISSUER_KEY": str(installation.state_folder / "issuer-key.pem"),
    }


def make_programs(installation: LocalInstallation, environments: Mapping[str, Mapping[str, str]]) -> list[Program]:
    programs = [Program(installation, "issuer", "linework.issuer", issuer_environment(installation))]
    for service in SERVICES:
        programs.append(Program(installation, service, f"{service}.main", environments[service]))
        programs.append(Program(installation, f"{service}_worker", f"{service}.worker", environments[service]))
    return [program for program in programs if program.name not in installation.without]
