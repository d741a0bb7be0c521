"""Progress of a long command: a bar on a terminal, else a line every ten seconds."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

_LINE_EVERY_SECONDS = 10.0


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.0f}/s" if speed else "–/s")


class Bar:
    """One progress bar; `advance` is cheap enough to be called for each item."""

    def __init__(self, console: Console, title: str, total: int | None) -> None:
        self._console = console
        self._title = title
        self._total = total
        self._done = 0
        self._began_at = self._printed_at = time.monotonic()
        self._live = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            _Rate(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            refresh_per_second=4,
            disable=not console.is_terminal,
        )
        self._task = self._live.add_task(title, total=total)

    def advance(self, count: int = 1) -> None:
        self._done += count
        self._live.advance(self._task, count)
        now = time.monotonic()
        if not self._console.is_terminal and now - self._printed_at >= _LINE_EVERY_SECONDS:
            self._printed_at = now
            self._console.print(self._line(now), highlight=False)

    def _line(self, now: float) -> str:
        rate = self._done / max(now - self._began_at, 0.001)
        if self._total is None:
            return f"{self._title}: {self._done}, {rate:.0f}/s"
        left = (self._total - self._done) / rate if rate else 0
        return f"{self._title}: {self._done} of {self._total}, {rate:.0f}/s, {left:.0f} s left"

    @contextmanager
    def shown(self) -> Iterator["Bar"]:
        with self._live:
            yield self
