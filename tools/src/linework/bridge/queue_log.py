"""Files that grow, end or are rotated, read line by line from where the last reading ended.

A file is known by its first line, not by its name: rotated under another name it goes on where it was. A last
line without its end is left until it has one. The cursor is written once what was read has been delivered; after a
crash in between the same lines are read again and become the same events. A file that cannot be read to its end, such
as a packed one that was cut off, ends the reading once the lines before have been delivered: what stands behind
could not be told in its order.
"""

import contextlib
import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypeVar

import msgspec

from linework.bridge.asterisk import Line, State, Unreadable, parsed
from linework.stopped import Stopped

# A packed file that is cut off, one that is damaged, and a disk that does not give it.
_UNREADABLE = (EOFError, zlib.error, OSError)
_COUNTED_SECONDS = 3600
_MOST_COUNTED = 20_000


@dataclass(slots=True)
class Place:
    """How far a file was read."""

    offset: int = 0
    line_count: int = 0
    alike: dict[str, tuple[int, float]] = field(default_factory=dict)
    """How often each line of the last hour stood in it, and when: two calls of one second can look the same."""


@dataclass(slots=True)
class Cursor:
    """Where the reading of all files of a switch is, and what is known from what was read."""

    files: dict[str, Place] = field(default_factory=dict)
    state: State = field(default_factory=State)


C = TypeVar("C", bound=Cursor)


def load_cursor(path: Path, kind: type[C] = Cursor) -> C:  # type: ignore[assignment]
    """The cursor of a file; a new one when there is none. Raises `Stopped` for one that cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return kind()
    except (OSError, msgspec.DecodeError) as error:
        raise Stopped(f"The cursor {path} cannot be read: {error}.") from error


def save_cursor(path: Path, cursor: Cursor) -> None:
    """Replaces the file as a whole: it is the old cursor or the new one, whatever happens meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    with beside.open("wb") as file:
        file.write(msgspec.json.encode(cursor))
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


@dataclass(frozen=True, slots=True)
class Odd:
    """A line that is not one of a queue_log."""

    number: int
    reason: str


class LogFile:
    """One path, and the file that was found under it."""

    def __init__(self, path: Path, cursor: Cursor) -> None:
        self.path = path
        self._cursor = cursor
        self._file: IO[bytes] | None = None
        self._place = Place()
        self._damage: Stopped | None = None
        self.unfinished = b""
        """What stands behind the last whole line."""

    def first_time(self) -> float:
        """When its first readable line was written; far ahead for a file without one. Raises `Stopped`."""
        try:
            with _opened(self.path) as file:
                for line in file:
                    try:
                        return parsed(line.decode("utf-8", "replace").rstrip("\r\n")).at
                    except Unreadable:
                        continue
        except _UNREADABLE as error:
            raise self._stopped(error) from error
        return float("inf")

    def lines(self, most: int) -> list[Line | Odd]:
        """The next whole lines, at most so many; none when there is nothing new.

        Raises `Stopped` where the file cannot be read any further, after it has given what stands before.
        """
        found: list[Line | Odd] = []
        try:
            while self._damage is None and len(found) < most and (line := self._next()) is not None:
                found.append(line)
        except _UNREADABLE as error:
            self._damage = self._stopped(error)
        if self._damage is not None and not found:
            raise self._damage
        return found

    def _stopped(self, error: Exception) -> Stopped:
        return Stopped(f"{self.path} cannot be read beyond line {self._place.line_count}: {error}.")

    def _next(self) -> Line | Odd | None:
        if self._file is None and not self._open():
            return None
        assert self._file is not None
        raw = self._file.readline()
        if not raw.endswith(b"\n"):
            self._file.seek(self._place.offset)
            self.unfinished = raw
            return None
        self._place.offset += len(raw)
        self._place.line_count += 1
        return self._line(raw.decode("utf-8", "replace").rstrip("\r\n"))

    def _line(self, text: str) -> Line | Odd | None:
        try:
            line = parsed(text)
        except Unreadable as error:
            return Odd(self._place.line_count, str(error))
        alike = self._place.alike
        number = alike.get(text, (0, 0.0))[0] + 1
        alike[text] = (number, line.at)
        if len(alike) > _MOST_COUNTED:
            newest = max(at for _, at in alike.values())
            self._place.alike = {kept: count for kept, count in alike.items() if count[1] >= newest - _COUNTED_SECONDS}
        return parsed(text, number)

    def _open(self) -> bool:
        """Opens what is under the path and goes on where it was; False while there is no whole line in it."""
        try:
            file = _opened(self.path)
        except FileNotFoundError:
            return False
        first = file.readline()
        if not first.endswith(b"\n"):
            self.unfinished = first
            file.close()
            return False
        name = hashlib.sha256(first).hexdigest()[:32]
        self._place = self._cursor.files.setdefault(name, Place())
        self._file = file
        _check(self.path)
        file.seek(self._place.offset)
        return True

    def follow(self) -> None:
        """Lets go of a file that has been rotated away or emptied; to be called when it had nothing new."""
        if self._file is None:
            return
        try:
            present, own = self.path.stat(), os.fstat(self._file.fileno())
        except FileNotFoundError:
            return
        is_another = (present.st_dev, present.st_ino) != (own.st_dev, own.st_ino)
        if is_another or present.st_size < self._place.offset:
            self.close()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _check(path: Path) -> None:
    """Raises for a packed file that is damaged: only its end says whether what stands before is what was packed.

    One that was cut off has no such end; it is right as far as it goes.
    """
    if path.suffix == ".gz":
        with contextlib.suppress(EOFError), gzip.open(path, "rb") as file:
            while file.read(1 << 20):
                pass


def _opened(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        return gzip.open(path, "rb")  # type: ignore[return-value]
    return path.open("rb")


def in_order(paths: list[Path], cursor: Cursor) -> Iterator[LogFile]:
    """The files, the one with the oldest beginning first; raises `Stopped` for one that is not there."""
    files = [LogFile(path, cursor) for path in paths]
    for file in files:
        if not file.path.is_file():
            raise Stopped(f"{file.path} is not a file.")
    return iter(sorted(files, key=LogFile.first_time))
