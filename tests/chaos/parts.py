"""What the system under test consists of: servers and processes that are killed, stopped, continued and started."""

import asyncio
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

import psutil
from tests.chaos.planted import Bug

from linework.embedded.server import EmbeddedServer
from linework.runtime.installation import REPOSITORY, LocalInstallation
from linework.runtime.program import Program, answers_ready
from linework.stopped import Stopped

_START_AGAIN_SECONDS = 0.5


class Process(Program):
    """A program whose clock can be moved and in which a bug can be planted, both by files that its entry reads."""

    entry = ("tests.chaos.process",)
    dies_with_parent = True

    def __init__(self, installation: LocalInstallation, name: str, module: str, env: Mapping[str, str]) -> None:
        self._clock, self._bug = (installation.state_folder / f"{name}.{what}" for what in ("clock", "bug"))
        files = {"CHAOS_CLOCK": str(self._clock), "CHAOS_BUG": str(self._bug), "PYTHONPATH": str(REPOSITORY)}
        super().__init__(installation, name, module, {**env, **files})
        self.set_clock(0)
        self.plant(None)

    def set_clock(self, seconds: float) -> None:
        self._clock.write_text(f"{seconds:.3f}")

    @property
    def bug(self) -> str:
        """What is planted in it when it starts next; empty for nothing."""
        return self._bug.read_text()

    def plant(self, bug: Bug | None) -> None:
        self._bug.write_text(bug or "")


class Part:
    """A server or a process that is started again when it is gone, sooner or later."""

    def __init__(self, thing: EmbeddedServer | Process) -> None:
        self.thing = thing
        self.name = thing.name
        self.is_wanted = True
        self.is_stopped = False
        self.may_die = False
        """Whether its end is the consequence of a fault, such as a disk that is full."""
        self.deaths: list[str] = []
        """Each time it ended by itself."""
        self._start_at = 0.0
        self._starting: asyncio.Task[None] | None = None

    @property
    def is_up(self) -> bool:
        return self._starting is None and self.thing.exit_code() is None

    async def start(self) -> None:
        await asyncio.to_thread(self.thing.start)

    def kill(self, back_after: float) -> None:
        self._start_at = time.monotonic() + back_after
        self.is_stopped = False
        self.thing.kill()

    def freeze(self) -> None:
        """SIGSTOP to the process and its children: PostgreSQL is a family."""
        self.is_stopped = True
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        if self.is_stopped:
            self.is_stopped = False
            self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            process = psutil.Process(self.thing.pid)
            family = [process, *process.children(recursive=True)]
            for one in family:
                with suppress(psutil.NoSuchProcess):
                    one.send_signal(number)

    def tend(self, say: Callable[[str], None]) -> None:
        """Starts it again when it is gone and its time has come."""
        if self._starting is not None:
            if not self._starting.done():
                return
            error = self._starting.exception()
            self._starting = None
            if error is not None:
                if not isinstance(error, Stopped):
                    raise error
                self._start_at = time.monotonic() + _START_AGAIN_SECONDS
            return
        if not self.is_wanted or self.thing.exit_code() is None:
            return
        if self._start_at == 0.0:
            self._start_at = time.monotonic() + _START_AGAIN_SECONDS
            what = f"{self.name} ended by itself with status {self.thing.exit_code()}"
            say(what)
            if not self.may_die:
                self.deaths.append(what)
        elif time.monotonic() >= self._start_at:
            self._start_at = 0.0
            self._starting = asyncio.create_task(self.start(), name=f"start {self.name}")


async def all_ready(processes: Iterable[Process], seconds: float) -> list[str]:
    """Waits until every process says that it is ready; the names of those that do not in time."""
    give_up_at, waiting = time.monotonic() + seconds, list(processes)
    while waiting and time.monotonic() < give_up_at:
        ready = await asyncio.gather(*(asyncio.to_thread(answers_ready, process.port) for process in waiting))
        waiting = [process for process, is_ready in zip(waiting, ready, strict=True) if not is_ready]
        await asyncio.sleep(0.1)
    return [process.name for process in waiting]
