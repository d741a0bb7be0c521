"""Progress of `up`: a live line per step on a terminal, else a plain line per finished step."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

Report = Callable[[int, int], None]


class Steps:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._lock = threading.Lock()
        self._active_count = 0

    @contextmanager
    def step(self, title: str) -> Iterator[Report]:
        """Show a step from its start to its end; gives what reports how many of how many are done."""
        started = time.monotonic()
        task = self._begin(title)
        try:
            yield lambda done, of: self._live.update(task, completed=done, total=of)
        finally:
            self._end(task)
        self.say(f"[green]✓[/] {title} [dim]({time.monotonic() - started:.1f} s)[/]")

    # Steps run side by side, and the moving lines exist only while one of them does:
    # an installation that merely runs must not redraw its terminal ten times a second.

    def _begin(self, title: str) -> TaskID:
        with self._lock:
            self._active_count += 1
            if self._active_count == 1:
                self._live.start()
            return self._live.add_task(title, total=None)

    def _end(self, task: TaskID) -> None:
        with self._lock:
            self._active_count -= 1
            self._live.remove_task(task)
            if self._active_count == 0:
                self._live.stop()

    def say(self, text: str) -> None:
        # The terminal may be gone by the time we stop; that must not keep us from stopping in order.
        with suppress(OSError):
            self._console.print(text, highlight=False)

    def show(self, what: Table | str) -> None:
        """Print a table, or a line that must stay whole to be copied."""
        with suppress(OSError):
            if isinstance(what, Table):
                self._console.print(what)
            else:
                self._console.print(what, soft_wrap=True, markup=False, highlight=False)
