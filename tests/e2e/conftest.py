"""The city in which the stories happen: a whole installation, known by its addresses only.

Without further words the suite starts one of its own. With LINEWORK_E2E_INTAKE_URL, …_DISPATCH_URL,
…_FIELDWORK_URL, …_QA_URL, …_REPORTING_URL and …_ISSUER_URL it uses an installation that is already
there, here or elsewhere.
"""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.e2e.city import City, open_city

from linework.ports import SERVICES, free_port

_PARTS = ("issuer", *SERVICES)


@pytest.fixture(scope="session")
def installation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The address of each part of the installation."""
    elsewhere = {part: os.environ.get(f"LINEWORK_E2E_{part.upper()}_URL") for part in _PARTS}
    if all(elsewhere.values()):
        yield elsewhere
        return
    postgres, kafka = request.getfixturevalue("postgres_server"), request.getfixturevalue("kafka_server")
    ports = {part: free_port() for part in (*_PARTS, *(f"{service}_worker" for service in SERVICES))}
    environment = {f"LINEWORK_{part.upper()}_PORT": str(port) for part, port in ports.items()}
    environment |= {
        "DATABASE_URL": postgres.url,
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "TOPIC_PREFIX": f"e2e-{ports['issuer']}.",
        "LINEWORK_STATE_FOLDER": str(tmp_path_factory.mktemp("installation")),
        # What must be in no log is to be in none at any level.
        "LOG_LEVEL": "DEBUG",
    }
    _linework("up", "--detach", "--empty", "--with-process", str(os.getpid()), environment=environment)
    try:
        yield {part: f"http://127.0.0.1:{ports[part]}" for part in _PARTS} | {
            "state_folder": environment["LINEWORK_STATE_FOLDER"],
            "topic_prefix": environment["TOPIC_PREFIX"],
        }
    finally:
        _linework("down", environment=environment)


def _linework(*arguments: str, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("linework")), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
async def city(installation: dict[str, str]) -> AsyncIterator[City]:
    """Two work areas, their staff, and somebody in every role; a subscriber of this story's own."""
    async with open_city(installation) as opened:
        yield opened
