"""Progress of a long read, on standard error."""

import time
from collections.abc import Callable
from pathlib import Path

import typer

_FIRST_SECONDS, _LONGEST_SECONDS = 2.0, 30.0


class ReadingProgress:
    """Prints to standard error after two seconds, then at growing intervals; nothing for a shorter read."""

    def __init__(
        self,
        say: Callable[[str], object] = lambda text: typer.echo(text, err=True),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._say = say
        self._clock = clock
        self.begin()

    def begin(self) -> None:
        """Starts a step that may take long."""
        self._said_at, self._pause = self._clock(), _FIRST_SECONDS

    def tell(self, path: Path, *, line_count: int, event_count: int, share: float | None) -> None:
        """`share` is how much of the file was read, from 0 to 1; None where its whole length is unknown."""
        part = "" if share is None else f", {share:.0%} of it"
        self._print_if_due(f"{path}{part}: {line_count:,} lines, {event_count:,} events so far.")

    def wait(self, reason: str) -> None:
        self._print_if_due(reason)

    def _print_if_due(self, text: str) -> None:
        now = self._clock()
        if now - self._said_at >= self._pause:
            self._said_at, self._pause = now, min(2 * self._pause, _LONGEST_SECONDS)
            self._say(text)
