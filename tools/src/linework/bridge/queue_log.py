"""Files that grow, end or are rotated, read line by line from where the last reading ended.

A file is known by its first line, not by its name: rotated under another name it goes on where it was. A last
line without its end is left until it has one. The cursor is written once what was read has been delivered; after a
crash in between the same lines are read again and become the same events.
"""

import gzip
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypeVar

import msgspec

from linework.bridge.asterisk import Line, State, Unreadable, parsed
from linework.stopped import Stopped

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
        self.unfinished = b""
        """What stands behind the last whole line."""

    def first_time(self) -> float:
        """When its first readable line was written; far ahead for a file without one."""
        with _opened(self.path) as file:
            for line in file:
                try:
                    return parsed(line.decode("utf-8", "replace").rstrip("\r\n")).at
                except Unreadable:
                    continue
        return float("inf")

    def lines(self, most: int) -> list[Line | Odd]:
        """The next whole lines, at most so many; none when there is nothing new."""
        found = []
        while len(found) < most and (line := self._next()) is not None:
            found.append(line)
        return found

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
        file.seek(self._place.offset)
        self._file = file
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
