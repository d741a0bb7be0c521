"""Restarts processes that die, until they die too often."""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from linework.processes import rotate
from linework.stopped import Stopped, last_line

DEATHS_ALLOWED = 5
WITHIN_SECONDS = 60
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5


class Component(Protocol):
    """Anything an installation runs: an embedded server or a program."""

    name: str
    log: Path

    def start(self) -> None: ...
    def exit_code(self) -> int | None: ...
    def signal_stop(self) -> None: ...
    def wait_stopped(self, seconds: float) -> None: ...


class DiesAgainAndAgain(Stopped):
    """Starting it once more would not help."""

    def __init__(self, component: Component) -> None:
        super().__init__(
            f"{component.name} died {DEATHS_ALLOWED} times within {WITHIN_SECONDS} seconds, so everything is stopped; "
            f"its log is {component.log} and ends with: {last_line(component.log)}"
        )


class Watch:
    def __init__(self, components: Sequence[Component], say: Callable[[str], None]) -> None:
        self._components = components
        self._say = say
        self._deaths: dict[str, deque[float]] = defaultdict(deque)
        self._due_at: dict[str, float] = {}

    def tend(self) -> None:
        """Look once at everything; call it again and again."""
        for component in self._components:
            rotate(component.log)
            if component.exit_code() is None:
                continue
            if component.name not in self._due_at:
                self._note_death(component)
            elif time.monotonic() >= self._due_at[component.name]:
                self._start_again(component)

    def _note_death(self, component: Component) -> None:
        now = time.monotonic()
        deaths = self._deaths[component.name]
        deaths.append(now)
        while deaths[0] < now - WITHIN_SECONDS:
            deaths.popleft()
        if len(deaths) >= DEATHS_ALLOWED:
            raise DiesAgainAndAgain(component)
        self._due_at[component.name] = now + min(FIRST_PAUSE_SECONDS * 2 ** (len(deaths) - 1), LONGEST_PAUSE_SECONDS)
        self._say(
            f"{component.name} died (exit status {component.exit_code()}) and is started again; "
            f"its log is {component.log}"
        )

    def _start_again(self, component: Component) -> None:
        del self._due_at[component.name]
        try:
            component.start()
        except Stopped as error:
            # It died while it started: the next look counts that as one more death.
            self._say(str(error))
