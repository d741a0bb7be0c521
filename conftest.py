"""What every tier shares: one real PostgreSQL and one real Kafka a run, and a fence around the network.

The servers start when the first test asks for them and stop with the run. Tests make databases
and topics of their own; whoever kills or stops a server starts it again before the test ends.
"""

import gc
import os
import socket
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from tests.server_folders import server_folder
from xdist.scheduler import LoadScopeScheduling

from chassis.testing_fixtures import (  # noqa: F401
    asked,
    databases,
    meanwhile,
    new_database,
    restored_database,
    topic_prefix,
)

if TYPE_CHECKING:
    from linework.embedded import EmbeddedKafka, EmbeddedPostgres

# How long examples take to draw says how busy the machine is, and nothing of what is tested.
hypothesis.settings.register_profile("linework", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("quick", hypothesis.settings.get_profile("linework"), max_examples=30)
hypothesis.settings.load_profile("linework")

LOOPBACK = ("127.", "::1", "localhost")

# No test speaks TLS to a stranger. Reading the certificates of all authorities takes a tenth of a second of processor
# time for every client that is made; a folder without any takes none. Processes that tests start inherit it.
if not any(name.startswith("LINEWORK_E2E_") for name in os.environ):
    os.environ["SSL_CERT_DIR"] = str(Path(__file__).parent / "tests")
    os.environ.pop("SSL_CERT_FILE", None)


UNIT = tuple(Path(__file__).parent.glob("services/*/tests/unit"))
"""Where decisions are tested: `make unit`. Nothing there connects to anything."""


class ReachesOutside(Exception):
    """A test connects to another machine: it would fail where there is no network, and be slow where there is."""


# Each of these tests takes long and shares nothing with the others of its file.
SINGLE = ("tests/access", "tests/fuzz")


# These share one installation.
TOGETHER = ("tests/e2e",)


# What takes longest comes first: what began last would leave the other processes without work.
LONGEST: tuple[str | tuple[str, ...], ...] = (
    "tests/e2e",
    "tests/chaos/test_chaos.py",
    "tests/operators/test_lost_topic.py",
    "tests/interop/test_keycloak.py",
    "tests/chaos/test_planted_bugs.py",
    # These stay mixed: they are about as long.
    SINGLE,
)


class GroupScheduling(LoadScopeScheduling):
    """Tests of a file stay together in one process of `make test`, except the single ones and whole folders."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(SINGLE):
            return nodeid
        return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid.split("::", 1)[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupScheduling:
    return GroupScheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begins with what takes longest, so that the processes end together; else the order is random."""
    items.sort(key=_rank)


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: the collector of garbage looks through it no more."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _rank(item: pytest.Item) -> int:
    return next((rank for rank, part in enumerate(LONGEST) if item.nodeid.startswith(part)), len(LONGEST))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Half of a surrogate pair in a captured log cannot be sent from one process of `make test` to the other."""
    report = yield
    report.sections = [(name, _as_unicode(text)) for name, text in report.sections]
    if report.failed and report.longrepr is not None and _as_unicode(report.longreprtext) != report.longreprtext:
        report.longrepr = _as_unicode(report.longreprtext)
    return report


def _as_unicode(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


@pytest.fixture(scope="session")
def postgres_server() -> "Iterator[EmbeddedPostgres]":
    """A PostgreSQL of its own: `.url`, `.database_url(name)`, `.restart()`, `.kill()`, `.start()`."""
    from linework.embedded import EmbeddedPostgres
    from linework.ports import free_port

    with server_folder("postgres") as folder:
        server = EmbeddedPostgres(
            Path(folder), free_port(), shared_buffers="32MB", dies_with_parent=True, is_throwaway=True
        )
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="session")
def kafka_server() -> "Iterator[EmbeddedKafka]":
    """A Kafka of its own: `.bootstrap_servers`, `.stop()`, `.start()`, `.kill()`."""
    from linework.embedded import EmbeddedKafka
    from linework.ports import free_port

    with server_folder("kafka") as folder:
        server = EmbeddedKafka(Path(folder), free_port(), free_port(), dies_with_parent=True)
        server.start()
        yield server
        server.stop()


@pytest.fixture(autouse=True)
def _only_loopback(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    # Session fixtures are made before this one, so the embedded Kafka may still fetch its jars.
    # uvloop connects below Python and passes the fence; the suite runs on asyncio's own loop.
    if _is_story_told_elsewhere(request.path):
        return
    allowed = () if any(request.path.is_relative_to(folder) for folder in UNIT) else LOOPBACK
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, _fenced(getattr(socket.socket, name), allowed))


def _is_story_told_elsewhere(path: Path) -> bool:
    """The end-to-end stories also run against an installation on another machine."""
    return "e2e" in path.parts and any(name.startswith("LINEWORK_E2E_") for name in os.environ)


def _fenced(connect: Any, allowed: tuple[str, ...]) -> Any:
    def connect_if_allowed(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(allowed):
            raise ReachesOutside(f"a test connects to {address[0]}:{address[1]}")
        return connect(self, address)

    return connect_if_allowed
