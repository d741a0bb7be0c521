"""The read position in a switch's files: stored beside them, replaced atomically, locked by one process."""

import fcntl
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

from linework.bridge.asterisk import State
from linework.stopped import Stopped


@dataclass(slots=True)
class Place:
    """How far a file was read."""

    offset: int = 0
    line_count: int = 0
    alike: dict[str, tuple[int, float]] = field(default_factory=dict)
    """How often each line of the last hour occurred, and when: two calls of one second can look the same."""
    newest_at: float = 0.0
    """The time of the latest line."""


@dataclass(slots=True)
class Cursor:
    """The read position in all files of a switch, and the state from the lines before."""

    files: dict[str, Place] = field(default_factory=dict)
    """By the digest of a file's first line, which survives a rotation to another name."""
    state: State = field(default_factory=State)
    present: dict[str, str] = field(default_factory=dict)
    """By the path of a file that grows, the digest of the first line that it had when it was read last."""


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
    """Replaces the file atomically: after a crash it is the old cursor or the new one."""
    beside = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(msgspec.json.encode(cursor))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise Stopped(f"The cursor {path} cannot be written: {error}.") from error


class CursorLock:
    """Held while a cursor is in use: two bridges on one cursor would each undo what the other has noted.

    The kernel lets go of it when the process dies, however it dies.
    """

    def __init__(self, cursor: Path) -> None:
        """Raises `Stopped` while another process, or another reading of this one, holds it."""
        path = cursor.with_name(cursor.name + ".lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("wb")
        except OSError as error:
            raise Stopped(f"The cursor {cursor} cannot be locked: {error}.") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise Stopped(f"Another bridge uses the cursor {cursor}; choose a different --cursor.") from error

    def release(self) -> None:
        self._file.close()
