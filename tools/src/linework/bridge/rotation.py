"""Follows a log through rotation: each file is read to its end before the next.

A file is identified by its first line. When another file is at the path, because the log was renamed, compressed or
copied and truncated, possibly while the bridge was not running, the rest of the former file and its successors are
searched for beside the path. A missing file is reported with the position up to which it was read; it is never skipped
silently.
"""

import contextlib
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from linework.bridge.cursor import Cursor, Place
from linework.bridge.queue_log import UNREADABLE, LinesMissing, LogFile, beginning_of
from linework.stopped import Stopped

# What a rotation adds: .1, .1.gz, -20260302, .2026-03-02-16-00-00, .1772438400
_MARK = r"[.\-_]\d[\d\-_.T:]*"
_NUMBERED = re.compile(r"\.(\d{1,4})(?:\.gz)?$")
_ROTATED = re.compile(rf"{_MARK}(\.gz)?$|\.gz$")


@dataclass(frozen=True, slots=True)
class Archive:
    """A file beside a log that may be one of its former files."""

    path: Path
    digest: str
    at: float


class Log:
    """A path on the command line, and the files that have to be read for it."""

    def __init__(self, path: Path, cursor: Cursor, kind: type[LogFile] = LogFile) -> None:
        self.path = path
        self._cursor = cursor
        self._kind = kind
        self._file = kind(path, cursor)
        # A file that was rotated already is what it is: under its name there will rightly be another one.
        self._grows = _ROTATED.search(path.name) is None
        self._name = str(path.absolute())
        self._of_earlier_version = bool(cursor.files) and not cursor.present
        self._drained: str | None = None
        self._was_looked_for = False

    @property
    def is_known(self) -> bool:
        return self._name in self._cursor.present

    @property
    def has_unfinished_line(self) -> bool:
        return self._file.unfinished

    def began_at(self) -> float:
        return self._file.began_at()

    def files(self) -> Iterator[LogFile]:
        """The files to be read, each to its end before the next is asked for. Raises `Stopped` where lines are gone."""
        if self._grows:
            was_known = self.is_known
            yield from self._let_go()
            yield from self._former_files()
            self._file.is_next = was_known
            if self._file.digest is not None:
                self._cursor.present[self._name] = self._file.digest
        yield self._file

    def _let_go(self) -> Iterator[LogFile]:
        """Of a file that was rotated away, which is read to its end first."""
        if not self._file.is_open:
            return
        if self._file.is_rotated():
            # The switch has closed it: the new file has a line.
            if not self._file.is_emptied():
                self._file.is_next = True
                yield self._file
                self._drained = self._file.digest
        elif not self._file.has_shrunk():
            return
        self._file.close()
        self._file = self._kind(self.path, self._cursor)

    def _former_files(self) -> Iterator[LogFile]:
        if self._file.is_open:
            return
        known = set(self._cursor.files)
        former = self._cursor.present.get(self._name)
        if not self._file.open():
            yield from self._former_of_nothing(former)
        elif former is None and self._of_earlier_version and self._file.digest not in known:
            yield from self._read_archives(self._latest_known(known))
        elif former is not None and self._file.digest != former:
            archives = self._archives()
            if former != self._drained and former not in {archive.digest for archive in archives}:
                self._raise_gap(former, archives)
            read = self._from(former, archives)
            yield from self._read_archives(read)
            self._check_end(read, archives)

    def _former_of_nothing(self, former: str | None) -> Iterator[LogFile]:
        """The log was rotated, and there is no line in the new file yet."""
        if former is None or self._was_looked_for:
            return
        self._was_looked_for = True
        archives = self._archives()
        if former in {archive.digest for archive in archives}:
            yield from self._read_archives(self._from(former, archives))

    def _read_archives(self, archives: Sequence[Archive]) -> Iterator[LogFile]:
        for place, archive in enumerate(archives):
            if place and (missing := _between(archives[place - 1], archive)):
                self._raise_missing(missing, archive.digest, archive.path, archive.at)
            self._cursor.present[self._name] = archive.digest
            file = self._kind(archive.path, self._cursor)
            file.is_next = True
            try:
                yield file
            finally:
                file.close()
            # It has ended: no line will be in it again.
            file.place.alike.clear()

    def _check_end(self, read: Sequence[Archive], archives: Sequence[Archive]) -> None:
        """Raises `LinesMissing` for files between the latest archive and the present log."""
        if read and self._file.digest is not None and (missing := _behind(read[-1], archives)):
            self._raise_missing(missing, self._file.digest, self.path, self._file.began)

    def _from(self, former: str, archives: list[Archive]) -> list[Archive]:
        """The former file and those that came after it; earlier files were never requested."""
        own = [archive.at for archive in archives if archive.digest == former]
        first = own[0] if own else self._cursor.files.get(former, Place()).newest_at
        return [archive for archive in archives if archive.at >= first]

    def _latest_known(self, known: Collection[str]) -> list[Archive]:
        """The same for a cursor of an earlier version, which did not record the present file."""
        archives = self._archives()
        first = max((archive.at for archive in archives if archive.digest in known), default=float("inf"))
        return [archive for archive in archives if archive.at >= first]

    def _archives(self) -> list[Archive]:
        """The files beside the log that are named after it, by the time of their first line; none of them twice."""
        real = self.path.resolve()
        names = {self.path.name, _ROTATED.sub("", real.name)}
        found: dict[str, Archive] = {}
        for folder in {self.path.absolute().parent, real.parent}:
            with contextlib.suppress(OSError):
                # Unpacked files first: while a file is being packed, both are there.
                for path in sorted(folder.iterdir(), key=lambda path: (path.suffix == ".gz", path.name)):
                    if any(_is_of(path.name, name) for name in names) and path.is_file():
                        self._note(found, path)
        found.pop(self._file.digest or "", None)
        return sorted(found.values(), key=lambda archive: archive.at)

    def _note(self, found: dict[str, Archive], path: Path) -> None:
        with contextlib.suppress(*UNREADABLE):
            if (beginning := beginning_of(path)) is not None:
                at = path.stat().st_mtime if beginning.at is None else beginning.at
                found.setdefault(beginning.digest, Archive(path, beginning.digest, at))

    def _raise_gap(self, former: str, archives: list[Archive]) -> None:
        place, after = self._cursor.files.get(former, Place()), self._from(former, archives)
        next_path, until = (after[0].path, after[0].at) if after else (self.path, self._file.began)
        # Reported once: the next command reads the files that are left.
        digest = after[0].digest if after else self._file.digest
        assert digest is not None
        self._cursor.present[self._name] = digest
        self._cursor.files.setdefault(digest, Place())
        times = f"from {_local(place.newest_at)}" + (f" to {_local(until)}" if until else "")
        raise LinesMissing(
            f"{self.path} was rotated, and its former file is missing: the lines after line {place.line_count} "
            f"({times}) were not read. If you find the file, read it with a separate command. The same command as now "
            f"continues with {next_path}."
        )

    def _raise_missing(self, names: Sequence[str], digest: str, path: Path, at: float | None) -> None:
        self._cursor.present[self._name] = digest
        self._cursor.files.setdefault(digest, Place())
        times = f" before {_local(at)}" if at else ""
        raise LinesMissing(
            f"{self.path} was rotated more than once, and {' and '.join(names)} is missing: its lines{times} were not "
            f"read. If you find the file, read it with a separate command. The same command as now continues with "
            f"{path}."
        )

    def close(self) -> None:
        self._file.close()


def _between(first: Archive, second: Archive) -> list[str]:
    """The names of those that must have stood between two that followed each other: `.2` between `.3` and `.1`."""
    numbers = sorted(number for one in (first, second) if (number := _number(one.path)) is not None)
    names = range(numbers[0] + 1, numbers[-1]) if len(numbers) == 2 else ()
    return [_numbered(first.path, number) for number in names]


def _behind(last: Archive, archives: Sequence[Archive]) -> list[str]:
    """The same for the latest file, if the present log becomes `.1` at each rotation."""
    numbers = [number for archive in archives if (number := _number(archive.path)) is not None]
    own = _number(last.path)
    # Asterisk itself counts upwards: the latest has the highest number.
    counts_upwards = any(earlier < later for earlier, later in pairwise(numbers))
    return [_numbered(last.path, number) for number in range(1, own)] if own and not counts_upwards else []


def _numbered(path: Path, number: int) -> str:
    return f"{_NUMBERED.sub('', str(path))}.{number}"


def _number(path: Path) -> int | None:
    counted = _NUMBERED.search(path.name)
    return int(counted[1]) if counted else None


def _is_of(name: str, log: str) -> bool:
    """Whether a name is that of a log with a rotation's addition, after it or before its extension."""
    stem, dot, ending = log.rpartition(".")
    inner = rf"|{re.escape(stem)}{_MARK}\.{re.escape(ending)}" if dot and stem else ""
    return re.fullmatch(rf"(?:{re.escape(log)}(?:{_MARK}|\.old)?{inner})(?:\.gz)?", name) is not None


def _local(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().isoformat(sep=" ", timespec="seconds") if at else "its beginning"


def in_order(paths: list[Path], cursor: Cursor) -> list[Log]:
    """The logs, oldest first; raises `Stopped` if one is missing."""
    logs = [Log(path, cursor) for path in paths]
    for log in logs:
        # Between the renaming and the first line of the new file there may be none.
        if not log.path.is_file() and not (log.is_known and not log.path.exists()):
            raise Stopped(f"{log.path} is not a file.")
    return sorted(logs, key=Log.began_at)
