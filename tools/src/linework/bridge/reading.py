"""A switch's files, from the cursor to the delivery, and what is said about it afterwards."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Protocol

from contracts.message import Message
from linework.bridge.asterisk import Line, Translator
from linework.bridge.queue_log import LogFile, Odd, in_order, load_cursor, save_cursor

_BATCH_LINES = 500
_POLL_SECONDS = 0.3
_MOST_SHOWN = 20


class Sink(Protocol):
    async def send(self, messages: Sequence[Message]) -> None: ...


@dataclass(slots=True)
class Summary:
    """What was read in this run."""

    line_count: int = 0
    event_count: int = 0
    verbs: Counter[str] = field(default_factory=Counter)
    unknown_verbs: Counter[str] = field(default_factory=Counter)
    odd_line_count: int = 0
    odd_lines: list[str] = field(default_factory=list)
    """The first of them, with their places."""
    unfinished_lines: list[str] = field(default_factory=list)
    """Files whose last line has no end yet; it is read once it has."""

    def note_odd(self, path: Path, odd: Odd) -> None:
        self.odd_line_count += 1
        if len(self.odd_lines) < _MOST_SHOWN:
            self.odd_lines.append(f"{path}:{odd.number}: {odd.reason}")

    def as_json(self) -> str:
        # Of a Counter `asdict` makes a count of its pairs.
        plain = replace(self, verbs=dict(self.verbs), unknown_verbs=dict(self.unknown_verbs))
        return json.dumps(asdict(plain), ensure_ascii=False, indent=2)

    def as_text(self) -> str:
        verbs = ", ".join(f"{verb} {count}" for verb, count in sorted(self.verbs.items())) or "none"
        lines = [f"{self.line_count} lines became {self.event_count} events.", f"Verbs: {verbs}."]
        lines += [f"{verb} is not known: {count} lines were left out." for verb, count in self.unknown_verbs.items()]
        lines += self.odd_lines
        lines += [f"{path}: the last line has no end yet and was left." for path in self.unfinished_lines]
        return "\n".join(lines)


class QueueLogs:
    """The queue_log files of one switch."""

    def __init__(self, paths: Sequence[Path], partner_id: str, cursor: Path, summary: Summary) -> None:
        self._cursor_path = cursor
        self._cursor = load_cursor(cursor)
        self._files = list(in_order(list(paths), self._cursor))
        self._translator = Translator(partner_id, self._cursor.state)
        self._summary = summary

    async def deliver(self, sink: Sink, *, follow: bool = False) -> None:
        """Everything that is new, file after file; with `follow` until it is cancelled."""
        try:
            await self._read(sink)
            while follow:
                for file in self._files:
                    file.follow()
                await asyncio.sleep(_POLL_SECONDS)
                await self._read(sink)
        finally:
            self._summary.unfinished_lines = [str(file.path) for file in self._files if file.unfinished]
            for file in self._files:
                file.close()

    async def _read(self, sink: Sink) -> None:
        for file in self._files:
            while lines := file.lines(_BATCH_LINES):
                await sink.send(self._events(file, lines))
                # Only now: what was read and not delivered is read again.
                save_cursor(self._cursor_path, self._cursor)

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
        self._summary.event_count += len(found)
        return found
