"""The first bridging of a new partner: what the operator sees, and that SIGTERM ends it."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chassis.testing import create_topics, eventually, records_of
from linework.processes import die_with_parent

TOPIC = "partner.fresh.in"
_CALLS = 5000


class Bridge:
    """`linework bridge asterisk` as a process that knows nothing but Kafka."""

    def __init__(self, log: Path, bootstrap_servers: str, prefix: str) -> None:
        environment = {name: text for name, text in os.environ.items() if not name.startswith(("LINEWORK_", "KAFKA_"))}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "linework", "bridge", "asterisk", str(log), "--partner", "fresh"],
            env=environment | {"KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers, "TOPIC_PREFIX": prefix},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=die_with_parent,
        )
        self.log = log
        self.lines: list[str] = []
        """What was written to standard error so far."""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.lines.append(line.rstrip("\n"))

    def end(self, number: int | None = None) -> tuple[int, str]:
        if number is not None:
            self._process.send_signal(number)
        assert self._process.stdout is not None
        output = self._process.stdout.read()
        code = self._process.wait(timeout=60)
        self._reader.join()
        self._process.stdout.close()
        assert self._process.stderr is not None
        self._process.stderr.close()
        return code, output

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self.end()


@pytest.fixture
def bridge(tmp_path: Path, kafka_server: Any, topic_prefix: str) -> Iterator[Callable[[], Bridge]]:
    log = tmp_path / "queue_log"
    log.write_text("".join(f"{1795400000 + n}|{n}.1|support|NONE|ENTERQUEUE||13800001111|1\n" for n in range(_CALLS)))
    started: list[Bridge] = []

    def start() -> Bridge:
        started.append(Bridge(log, kafka_server.bootstrap_servers, topic_prefix))
        return started[-1]

    yield start
    for one in started:
        one.kill()


async def test_a_bridge_that_waits_for_its_topic_says_so_and_nothing_else_and_ends_when_it_is_told_to(
    bridge: Callable[[], Bridge], topic_prefix: str
) -> None:
    waiting = bridge()
    await eventually(lambda: list(waiting.lines), seconds=60)
    code, output = waiting.end(signal.SIGTERM)
    assert (code, output.splitlines()[0]) == (0, "0 lines became 0 events.")
    assert waiting.lines[-1] == "Stopped; run the same command to resume."
    assert {line.split(",")[0] for line in waiting.lines[:-1]} == {f"Waiting for the topic {topic_prefix}{TOPIC}"}


async def test_a_topic_that_has_just_been_made_gets_every_call_without_a_warning(
    bridge: Callable[[], Bridge], kafka_server: Any, topic_prefix: str
) -> None:
    first = bridge()
    await eventually(lambda: list(first.lines), seconds=60)
    await create_topics(kafka_server.bootstrap_servers, [topic_prefix + TOPIC])
    code, output = await asyncio.to_thread(first.end)
    assert (code, output.splitlines()[0]) == (0, f"{_CALLS} lines became {2 * _CALLS} events.")
    assert all(line.startswith(("Waiting for the topic ", f"{first.log}, ")) for line in first.lines)
    assert len(await records_of(kafka_server.bootstrap_servers, topic_prefix + TOPIC)) == 2 * _CALLS
