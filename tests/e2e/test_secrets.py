"""Secrets are in the environment and in files of their owner: in no command line, and in no log at any level.

The installation of these stories logs at DEBUG, and every command line of the machine is looked at while they run.
"""

import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from tests.installation import Installation, Person
from tests.running import Running


@dataclass(frozen=True)
class Secrets:
    """Secrets by name, and the places that could leak them."""

    texts: Mapping[str, str]
    logs: tuple[Path, ...]

    def places(self) -> list[str]:
        written = [*_command_lines(), *((str(log), log.read_bytes().decode(errors="replace")) for log in self.logs)]
        return [f"{what}: {place}" for place, text in written for what, secret in self.texts.items() if secret in text]


def _command_lines() -> Iterator[tuple[str, str]]:
    for process in psutil.process_iter(["cmdline"]):
        yield f"process {process.pid}", "\0".join(process.info["cmdline"] or ())


@pytest.fixture
def servers(here: Running, request: pytest.FixtureRequest) -> tuple[Any, Any]:
    """PostgreSQL and Kafka; as parameters they would be made first, also for an installation elsewhere."""
    return request.getfixturevalue("postgres_server"), request.getfixturevalue("kafka_server")


@pytest.fixture
def secrets(here: Running, servers: tuple[Any, Any], installation: Installation) -> Secrets:
    postgres_server, kafka_server = servers
    token = installation.agent.token
    password = urlsplit(postgres_server.url).password
    assert password
    texts = {
        "password of the database": password,
        "master key": (here.state_folder / "sealing-master-keys").read_text().strip().split(":")[1],
        "issuer's key": (here.state_folder / "issuer-key.pem").read_text().splitlines()[1],
        "token": token,
        "signature of a token": token.rsplit(".", 1)[1],
    }
    logs = (*sorted((here.state_folder / "logs").iterdir()), postgres_server.log, kafka_server.log)
    return Secrets(texts, logs)


async def test_no_secret_is_in_a_command_line_or_a_log(installation: Installation, secrets: Secrets) -> None:
    order = await installation.processing()
    await installation.supervisor.see("fieldwork", order)
    token = installation.agent.token
    signature = token.rsplit(".", 1)[1]
    for spoiled in (token + "x", token.removesuffix(f".{signature}"), "x" + token):
        for service in ("intake", "dispatch", "reporting"):
            answer = await Person(installation, spoiled).ask("GET", service, f"/work-orders/{order['id']}")
            assert answer.status_code == 401
            assert signature not in answer.text
    debugged = [log.name for log in secrets.logs if b'"level":"DEBUG"' in log.read_bytes()]
    assert len(debugged) >= 5, "the processes were to log at DEBUG"
    assert secrets.places() == []


def test_a_secret_that_is_told_is_found(secrets: Secrets, tmp_path: Path) -> None:
    password = secrets.texts["password of the database"]
    log = tmp_path / "careless.log"
    log.write_text(f"connecting to postgresql://linework:{password}@localhost\n")
    careless = Secrets(secrets.texts, (log,))
    assert careless.places() == [f"password of the database: {log}"]
    with subprocess.Popen([sys.executable, "-c", "input()", password], stdin=subprocess.PIPE) as process:
        assert f"password of the database: process {process.pid}" in careless.places()
        process.communicate(b"\n")


def test_what_is_kept_in_files_is_readable_by_its_owner_only(here: Running, servers: tuple[Any, Any]) -> None:
    files = [
        here.state_folder / "sealing-master-keys",
        here.state_folder / "issuer-key.pem",
        servers[0].folder / "password",
    ]
    assert [file.name for file in files if stat.S_IMODE(file.stat().st_mode) & 0o077] == []
