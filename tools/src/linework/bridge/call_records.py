"""Reads the call records that were added since the cursor was written, and delivers them.

For a CSV file, which grows and is rotated, the cursor stores the position; for every other file, its size and
modification time. It advances after Kafka has acknowledged. A file without a call record is reported in every run
until it is repaired or removed. Invalid CSV lines are stored unchanged in a file beside the cursor, so that they can be
repaired and passed to the same command.
"""

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from contracts.message import Message
from linework.bridge import cursor as cursors
from linework.bridge.cursor import CursorLock, load_cursor, save_cursor
from linework.bridge.freeswitch import NotACallRecord, events
from linework.bridge.progress import ReadingProgress
from linework.bridge.queue_log import LinesMissing, LogFile, Odd
from linework.bridge.reading import ReadingSummary, Sink
from linework.bridge.record_formats import Record, SwitchSettings, csv_record, json_record, xml_record
from linework.bridge.rotation import Log
from linework.stopped import Stopped

_BATCH_EVENTS = 1000
_BATCH_LINES = 500
_LARGEST_RECORD = 16 << 20
"""Bytes; the record of a call has a few thousand."""
_ENDINGS = frozenset({".json", ".xml", ".csv"})


@dataclass(slots=True)
class RecordsCursor(cursors.Cursor):
    whole: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By path, size and time of last change, in nanoseconds, of a file that was read to its end."""


@dataclass(frozen=True, slots=True)
class CsvRow:
    number: int
    text: str


class CsvFile(LogFile):
    """A file of CSV, read line by line from where the last reading ended."""

    def _line(self, text: str) -> CsvRow:  # type: ignore[override]
        # Its times are columns in the switch's own zone; when it was written is enough to tell its files' order.
        assert self._file is not None
        self.place.newest_at = os.fstat(self._file.fileno()).st_mtime
        return CsvRow(self.place.line_count, text)


class CallRecords:
    """The call records of one switch."""

    def __init__(
        self, paths: Sequence[Path], partner_id: str, cursor: Path, summary: ReadingSummary, settings: SwitchSettings
    ) -> None:
        self._paths = list(_files(paths))
        self._lock = CursorLock(cursor)
        self._partner_id = partner_id
        self._cursor_path = cursor
        try:
            self._cursor: RecordsCursor = load_cursor(cursor, RecordsCursor)
        except BaseException:
            self._lock.release()
            raise
        self._summary = summary
        self._settings = settings
        self._waiting: list[Message] = []
        self._read: dict[str, tuple[int, int]] = {}
        self._odd_rows: list[str] = []
        self._progress = ReadingProgress()
        self._present = self._cursor_path
        """What is read at the moment."""

    async def deliver(self, sink: Sink) -> None:
        """Everything that is new, in the order of the files' names."""
        self._progress.begin()
        try:
            for path in self._paths:
                self._present = path
                if ".csv" in path.suffixes:  # also Master.csv.2026-03-02-16-00-00, as it is rotated
                    await self._csv(path, sink)
                else:
                    await self._whole(path, sink)
            await self._send(sink)
        except LinesMissing:
            await self._send(sink)  # what was read before, and the cursor past the gap
            raise
        finally:
            self._lock.release()

    async def _whole(self, path: Path, sink: Sink) -> None:
        known = path.stat()
        stamp = (known.st_size, known.st_mtime_ns)
        name = str(path.resolve())
        if self._cursor.whole.get(name) == stamp:
            return
        is_good = True
        for number, found in _records(path):
            is_good = self._take(path, number, found) and is_good
            if len(self._waiting) >= _BATCH_EVENTS:
                await self._send(sink)
        if is_good:
            self._read[name] = stamp

    async def _csv(self, path: Path, sink: Sink) -> None:
        log = Log(path, self._cursor, CsvFile)
        try:
            for file in log.files():
                # Before its first line is sent: killed and rotated after that, this is the file to go on with.
                save_cursor(self._cursor_path, self._cursor)
                await self._rows(file, sink)
        finally:
            if log.has_unfinished_line:
                self._summary.unfinished_lines.append(str(path))
            log.close()

    async def _rows(self, file: LogFile, sink: Sink) -> None:
        await file.check()
        while rows := file.lines(_BATCH_LINES):
            for row in rows:
                if isinstance(row, CsvRow):
                    if not self._take(file.path, row.number, row.text):
                        self._odd_rows.append(row.text)
                elif isinstance(row, Odd):
                    self._summary.note_odd(file.path, row)
            await self._send(sink)

    def _take(self, path: Path, number: int, found: Record | str | NotACallRecord) -> bool:
        """Puts the events of a record with those that wait to be sent; whether it was a record."""
        self._summary.line_count += 1
        try:
            if isinstance(found, NotACallRecord):
                raise found
            record = csv_record(found, self._settings) if isinstance(found, str) else found
            self._waiting += events(record, self._partner_id, self._settings.inbound_contexts)
        except NotACallRecord as error:
            self._summary.note_odd(path, Odd(number, str(error)))
            return False
        return True

    async def _send(self, sink: Sink) -> None:
        await sink.send(self._waiting)
        self._summary.event_count += len(self._waiting)
        self._summary.note_agents(self._waiting)
        self._waiting.clear()
        self._progress.tell(
            self._present,
            line_count=self._summary.line_count,
            event_count=self._summary.event_count,
            share=None,
        )
        # Before the cursor: a line that is written twice is harmless, one that is lost is not.
        self._keep_odd_rows()
        self._cursor.whole |= self._read
        self._read.clear()
        save_cursor(self._cursor_path, self._cursor)

    def _keep_odd_rows(self) -> None:
        if self._odd_rows:
            beside = self._cursor_path.with_name(self._cursor_path.name + ".odd.csv")
            with beside.open("a", encoding="utf-8") as file:
                file.writelines(f"{row}\n" for row in self._odd_rows)
            self._odd_rows.clear()


def _records(path: Path) -> Iterator[tuple[int, Record | NotACallRecord]]:
    """Each record with its first line; for an invalid record, the reason."""
    is_small = path.stat().st_size <= _LARGEST_RECORD
    if path.suffix == ".xml":
        too_large = NotACallRecord(f"it has more than {_LARGEST_RECORD} bytes")
        yield 1, _or_why(xml_record, path.read_bytes()) if is_small else too_large
        return
    whole = _or_why(json_record, path.read_bytes()) if is_small else NotACallRecord("it is no single record")
    if not isinstance(whole, NotACallRecord):
        yield 1, whole
        return
    with path.open("rb") as file:
        for number in itertools.count(1):
            if not (line := file.readline(_LARGEST_RECORD)):
                return
            if line.strip():
                yield number, _or_why(json_record, line)


def _or_why(read: Callable[[bytes], Record], content: bytes) -> Record | NotACallRecord:
    try:
        return read(content)
    except NotACallRecord as error:
        return error


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            inside = (one for one in path.iterdir() if one.is_file() and not one.name.startswith("."))
            yield from sorted(one for one in inside if _ENDINGS.intersection(one.suffixes))
        elif path.is_file():
            yield path
        else:
            raise Stopped(f"{path} is neither a file nor a folder.")
