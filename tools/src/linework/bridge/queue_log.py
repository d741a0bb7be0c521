"""Reads a switch's log file line by line from the stored position.

A file is identified by its first line and not by its name, so that reading resumes after a rotation. An incomplete last
line is left until it is complete. The cursor is written after delivery; after a crash the same lines are read again and
yield the same events. If a file cannot be read to its end, such as a truncated archive, reading stops after the lines
before have been delivered: later files would arrive out of order.
"""

import asyncio
import contextlib
import gzip
import hashlib
import os
import zlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from linework.bridge.cursor import Cursor, Place
from linework.bridge.lines import LONGEST_LINE, Line, Unreadable, digest_of, parsed
from linework.stopped import Stopped

# A packed file that is cut off, one that is damaged, and a disk that does not give it.
UNREADABLE = (EOFError, zlib.error, OSError)
_COUNTED_SECONDS = 3600
_MOST_COUNTED = 20_000
_SEARCHED_LINES = 1000
_MOST_BYTES = 4 << 20
"""Of lines that are held at a time, but for the last of them."""
_CHUNK = 1 << 20


class LinesMissing(Stopped):
    """Lines are missing. The cursor has been moved past them and must be saved, so that it is reported once."""


@dataclass(frozen=True, slots=True)
class Odd:
    """A line that is not one of a queue_log."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Beginning:
    """The identity of a file, and its place in time."""

    digest: str
    at: float | None
    """The time of its first readable line; None where none of the first lines is readable."""


def beginning_of(path: Path) -> Beginning | None:
    """How the file begins; None for one without a whole line. Raises what opening and reading raise."""
    with opened(path) as file:
        return _beginning(file)


def _beginning(file: IO[bytes]) -> Beginning | None:
    first = file.readline(LONGEST_LINE)
    if not first.endswith(b"\n") and len(first) < LONGEST_LINE:
        return None
    at = _time_of(first)
    for _ in range(_SEARCHED_LINES):
        if at is not None or not (line := file.readline(LONGEST_LINE)):
            break
        at = _time_of(line)
    return Beginning(_digest(first), at)


def _digest(first_line: bytes) -> str:
    return hashlib.sha256(first_line).hexdigest()[:32]


def _time_of(line: bytes) -> float | None:
    try:
        return parsed(_text(line)).at
    except Unreadable:
        return None


def _text(raw: bytes) -> str:
    """A line without its end, and without the zeros that a crash of the machine leaves in front of the next one."""
    return raw.decode("utf-8", "replace").rstrip("\r\n").lstrip("\0")


class LogFile:
    """One path, and the file that was found under it."""

    def __init__(self, path: Path, cursor: Cursor) -> None:
        self.path = path
        self.digest: str | None = None
        self.began: float | None = None
        self.place = Place()
        self.unfinished = False
        """Whether something stands behind the last whole line."""
        self.is_next = False
        """Whether it continues what was read before, regardless of its times: a clock can go back."""
        self._cursor = cursor
        self._file: IO[bytes] | None = None
        self._damage: Stopped | None = None

    def began_at(self) -> float:
        """When its first readable line was written; far ahead for a file without one. Raises `Stopped`."""
        try:
            beginning = beginning_of(self.path)
        except FileNotFoundError:
            return float("inf")
        except UNREADABLE as error:
            raise self._stopped(error) from error
        return float("inf") if beginning is None or beginning.at is None else beginning.at

    def lines(self, most: int) -> list[Line | Odd]:
        """The next whole lines, at most so many; none when there is nothing new.

        Raises `Stopped` where the file cannot be read any further, after it has given what stands before.
        """
        found: list[Line | Odd] = []
        size = 0
        try:
            while self._damage is None and len(found) < most and size < _MOST_BYTES:
                before = self.place.offset
                if (line := self._next()) is None:
                    break
                found.append(line)
                size += self.place.offset - before
        except UNREADABLE as error:
            self._damage = self._stopped(error)
        except Stopped as stopped:
            self._damage = stopped
        if self._damage is not None and not found:
            raise self._damage
        return found

    def _stopped(self, error: Exception) -> Stopped:
        return Stopped(f"{self.path} cannot be read beyond line {self.place.line_count}: {error}.")

    def _next(self) -> Line | Odd | None:
        if self._file is None and not self._open():
            return None
        assert self._file is not None
        raw = self._file.readline(LONGEST_LINE)
        size = len(raw) if raw.endswith(b"\n") or len(raw) < LONGEST_LINE else self._skip(len(raw))
        if not raw.endswith(b"\n") and size == len(raw):
            self._file.seek(self.place.offset)
            self.unfinished = bool(raw)
            return None
        self.place.offset += size
        self.place.line_count += 1
        self.unfinished = False
        if size > len(raw):
            return Odd(self.place.line_count, f"it is longer than {LONGEST_LINE} bytes")
        return self._line(_text(raw))

    def _skip(self, size: int) -> int:
        """Reads on to the end of a line that is too long: its whole size, or the same while it has no end."""
        assert self._file is not None
        whole = size
        while rest := self._file.readline(LONGEST_LINE):
            whole += len(rest)
            if rest.endswith(b"\n"):
                return whole
        return size

    def _line(self, text: str) -> Line | Odd | None:
        try:
            line = parsed(text)
        except Unreadable as error:
            return Odd(self.place.line_count, str(error))
        place, digest = self.place, digest_of(text)
        # A cursor of an earlier version has the lines themselves.
        known = place.alike.get(digest) or place.alike.get(text)
        number = known[0] + 1 if known else 1
        place.alike[digest] = (number, line.at)
        place.newest_at = max(place.newest_at, line.at)
        if len(place.alike) > 2 * _MOST_COUNTED:
            kept = [entry for entry in place.alike.items() if entry[1][1] >= place.newest_at - _COUNTED_SECONDS]
            place.alike = dict(kept[-_MOST_COUNTED:])
        return parsed(text, number) if number > 1 else line

    @property
    def is_open(self) -> bool:
        return self._file is not None

    def open(self) -> bool:
        """Opens what is under the path; False while there is no whole line in it. Raises `Stopped`."""
        try:
            return self._open()
        except UNREADABLE as error:
            raise self._stopped(error) from error

    def _open(self) -> bool:
        try:
            file = opened(self.path)
        except FileNotFoundError:
            return False
        try:
            beginning = _beginning(file)
        except UNREADABLE:
            file.close()
            raise
        if beginning is None:
            self.unfinished = self.path.suffix == ".gz" or os.fstat(file.fileno()).st_size > 0
            file.close()
            return False
        self._file, self.digest, self.began = file, beginning.digest, beginning.at
        self.place = self._cursor.files.setdefault(beginning.digest, Place())
        self._check_size(file)
        # The lines that were read for the beginning are read again unless the cursor is behind them.
        file.seek(self.place.offset)
        return True

    async def check(self) -> None:
        """Raises `Stopped` for a packed file that is damaged; to be called before it is read.

        Only its end says whether what stands before is what was packed. One that was cut off has no such end; it is
        right as far as it goes. A signal to end is heard between two pieces.
        """
        if self.path.suffix != ".gz" or self.is_open:
            return
        try:
            with contextlib.suppress(EOFError, FileNotFoundError), gzip.open(self.path, "rb") as file:
                for _ in iter(partial(file.read, _CHUNK), b""):
                    await asyncio.sleep(0)
        except UNREADABLE as error:
            raise self._stopped(error) from error

    @property
    def share(self) -> float | None:
        """How much of the file was read, from 0 to 1; None for a packed one."""
        if self._file is None or self.path.suffix == ".gz":
            return None
        return self.place.offset / max(1, self.place.offset, os.fstat(self._file.fileno()).st_size)

    def _check_size(self, file: IO[bytes]) -> None:
        """Raises for a file that has become shorter: its lines are no longer where they were."""
        if self.path.suffix == ".gz" or (size := os.fstat(file.fileno()).st_size) >= self.place.offset:
            return
        was, self.place.offset = self.place.offset, _end_of_lines(file, size)
        raise LinesMissing(
            f"{self.path} was read to byte {was} (line {self.place.line_count}) and has {size} bytes now: it was "
            "truncated or replaced, and new lines up to there were not read. The same command continues after them."
        )

    def is_rotated(self) -> bool:
        """Whether another file with a line in it stands under the path, or the open file was truncated."""
        with contextlib.suppress(*UNREADABLE):
            beginning = beginning_of(self.path)
            return beginning is not None and beginning.digest != self.digest
        return False

    def has_shrunk(self) -> bool:
        """Whether the open file has become shorter than it was read, with the first line that it had."""
        if self._file is None or self.path.suffix == ".gz":
            return False
        with contextlib.suppress(*UNREADABLE):
            beginning = beginning_of(self.path)
            is_same = beginning is not None and beginning.digest == self.digest
            return is_same and self.path.stat().st_size < self.place.offset
        return False

    def is_emptied(self) -> bool:
        """Whether the open file itself begins with another line now: it was copied and truncated."""
        if self._file is None:
            return False
        try:
            self._file.seek(0)
            return _digest(self._file.readline(LONGEST_LINE)) != self.digest
        finally:
            self._file.seek(self.place.offset)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _end_of_lines(file: IO[bytes], size: int) -> int:
    """Where the last whole line of a file ends."""
    file.seek(0)
    end = place = 0
    while place < size and (chunk := file.read(_CHUNK)):
        if (last := chunk.rfind(b"\n")) >= 0:
            end = place + last + 1
        place += len(chunk)
    return end


def opened(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        return gzip.open(path, "rb")  # type: ignore[return-value]
    return path.open("rb")
