"""The process of an embedded server: start, stop, kill and restart."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from linework.processes import Child
from linework.stopped import ComponentDied

READY_SECONDS = 60


class EmbeddedServer(ABC):
    name: str

    def __init__(self, folder: Path, port: int, log: Path | None, records: Path | None, dies_with_parent: bool) -> None:
        self.folder = folder.resolve()
        self.port = port
        self.log = log or self.folder / f"{self.name}.log"
        self._records = records
        self._dies_with_parent = dies_with_parent
        self._child: Child | None = None

    @abstractmethod
    def start(self) -> None:
        """Start it, on an empty folder after making what it needs, and return when it serves clients."""

    def _run(self, child: Child, says_ready: Callable[[], bool]) -> None:
        self._child = child
        child.spawn()
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if child.exit_code() is not None:
                raise ComponentDied(self.name, self.log, child.exit_code())
            if says_ready():
                return
            time.sleep(0.05)
        raise ComponentDied(self.name, self.log)

    @property
    def pid(self) -> int:
        """Of its first process, once it has been started."""
        assert self._child is not None, f"{self.name} has not been started"
        return self._child.pid

    def exit_code(self) -> int | None:
        """How it ended; None while it runs, and before it was ever started."""
        return self._child.exit_code() if self._child else None

    def signal_stop(self) -> None:
        if self._child:
            self._child.signal_stop()

    def wait_stopped(self, seconds: float) -> None:
        if self._child:
            self._child.wait_stopped(seconds)

    def stop(self, seconds: float = 20) -> None:
        """A clean stop: clients are told, everything is written."""
        self.signal_stop()
        self.wait_stopped(seconds)

    def kill(self) -> None:
        """kill -9, as a crash would."""
        if self._child:
            self._child.kill()

    def restart(self) -> None:
        self.stop()
        self.start()
