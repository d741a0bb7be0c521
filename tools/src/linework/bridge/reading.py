"""Reads a switch's files from the cursor on, delivers the events and summarises the result."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from contracts.message import Message
from linework.bridge.asterisk import Translator
from linework.bridge.cursor import CursorLock, load_cursor, save_cursor
from linework.bridge.lines import Line
from linework.bridge.progress import ReadingProgress
from linework.bridge.queue_log import LogFile, Odd
from linework.bridge.rotation import in_order

_BATCH_LINES = 500
# A crash costs what was read since: it becomes the same events again. A large cursor is not written with every batch.
_SAVED_SECONDS = 1.0
_POLL_SECONDS = 0.3
_MOST_SHOWN = 20
_MOST_AGENTS = 1000


class Sink(Protocol):
    async def send(self, messages: Sequence[Message]) -> None: ...


@dataclass(slots=True)
class ReadingSummary:
    """What was read in this run."""

    line_count: int = 0
    event_count: int = 0
    verbs: Counter[str] = field(default_factory=Counter)
    unknown_verbs: Counter[str] = field(default_factory=Counter)
    odd_line_count: int = 0
    odd_lines: list[str] = field(default_factory=list)
    """The first of them, with their places."""
    agents: dict[str, None] = field(default_factory=dict)
    """The switch's names of the agents that were seen, up to a limit."""
    unfinished_lines: list[str] = field(default_factory=list)
    """Files with an incomplete last line, which is read once it is complete."""

    def note_odd(self, path: Path, odd: Odd) -> None:
        self.odd_line_count += 1
        if len(self.odd_lines) < _MOST_SHOWN:
            self.odd_lines.append(f"{path}:{odd.number}: {odd.reason}")

    def note_agents(self, messages: Iterable[Message]) -> None:
        if len(self.agents) < _MOST_AGENTS:
            names = (getattr(message.body, "agent", None) for message in messages)
            self.agents |= {name: None for name in names if name}

    def as_json(self) -> str:
        # Of a Counter `asdict` makes a count of its pairs.
        plain = replace(self, verbs=dict(self.verbs), unknown_verbs=dict(self.unknown_verbs))
        return json.dumps({**asdict(plain), "agents": sorted(self.agents)}, ensure_ascii=False, indent=2)

    def as_text(self) -> str:
        verbs = ", ".join(f"{verb} {count}" for verb, count in sorted(self.verbs.items())) or "none"
        lines = [f"{self.line_count} lines became {self.event_count} events.", f"Verbs: {verbs}."]
        lines += [f"{verb} is not known: {count} lines were left out." for verb, count in self.unknown_verbs.items()]
        if self.agents:
            lines.append(f"Agents: {', '.join(sorted(self.agents))}.")
        lines += self.odd_lines
        lines += [f"{path}: the last line has no end yet and was left." for path in self.unfinished_lines]
        return "\n".join(lines)


class QueueLogs:
    """The queue_log files of one switch."""

    def __init__(
        self,
        paths: Sequence[Path],
        partner_id: str,
        cursor: Path,
        summary: ReadingSummary,
        progress: ReadingProgress | None = None,
    ) -> None:
        """Raises `Stopped` for files or a cursor that cannot be read, and for a cursor that is in use."""
        self._cursor_path = cursor
        self._lock = CursorLock(cursor)
        try:
            self._cursor = load_cursor(cursor)
            self._logs = in_order(list(paths), self._cursor)
        except BaseException:
            self._lock.release()
            raise
        self._translator = Translator(partner_id, self._cursor.state)
        self._summary = summary
        self._progress = progress or ReadingProgress()
        self._is_delivered = True
        self._saved_at = 0.0
        self._saved_present = dict(self._cursor.present)

    async def deliver(self, sink: Sink, *, follow: bool = False) -> None:
        """Everything that is new, file after file; with `follow` until it is cancelled.

        Raises `Stopped` where lines are missing or cannot be read; what stands before has been delivered then.
        """
        self._progress.begin()
        try:
            await self._read(sink)
            while follow:
                await asyncio.sleep(_POLL_SECONDS)
                await self._read(sink)
        finally:
            self._close()

    def _close(self) -> None:
        self._summary.unfinished_lines = [str(log.path) for log in self._logs if log.has_unfinished_line]
        try:
            # What was translated and did not reach Kafka is translated again, from the cursor as it was.
            if self._is_delivered:
                save_cursor(self._cursor_path, self._cursor)
        finally:
            for log in self._logs:
                log.close()
            self._lock.release()

    async def _read(self, sink: Sink) -> None:
        before = self._summary.line_count
        for log in self._logs:
            for file in log.files():
                await self._drain(file, sink)
        await self._send(sink, self._translator.end_older_files)
        if self._summary.line_count != before:
            self._save()

    async def _drain(self, file: LogFile, sink: Sink) -> None:
        if self._cursor.present != self._saved_present:
            # Before its first line is sent: killed and rotated after that, this is the file to go on with.
            self._save()
        await file.check()
        is_begun = False
        while lines := file.lines(_BATCH_LINES):
            if not is_begun:
                self._translator.begin_file(file.began, is_next=file.is_next)
                is_begun = True
            await self._send(sink, partial(self._events, file, lines))
            self._progress.tell(
                file.path,
                line_count=self._summary.line_count,
                event_count=self._summary.event_count,
                share=file.share,
            )
            if time.monotonic() - self._saved_at > _SAVED_SECONDS:
                self._save()

    async def _send(self, sink: Sink, translate: Callable[[], list[Message]]) -> None:
        self._is_delivered = False
        messages = translate()
        if messages:
            await sink.send(messages)
        self._summary.event_count += len(messages)
        self._summary.note_agents(messages)
        self._is_delivered = True

    def _save(self) -> None:
        save_cursor(self._cursor_path, self._cursor)
        self._saved_at = time.monotonic()
        self._saved_present = dict(self._cursor.present)

    def _events(self, file: LogFile, lines: Sequence[Line | Odd]) -> list[Message]:
        found: list[Message] = []
        for line in lines:
            self._summary.line_count += 1
            if isinstance(line, Odd):
                self._summary.note_odd(file.path, line)
                continue
            events = self._translator.events(line)
            (self._summary.verbs if events is not None else self._summary.unknown_verbs)[line.verb] += 1
            found += events or []
        return found
