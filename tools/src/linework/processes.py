"""Child processes that can be found after their parent has ended.

Each process has a record file with its id and start time. The id alone could have been reused by the operating
system: without the start time we could kill an unrelated process.
"""

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from linework.stopped import Stopped

LOG_ROTATES_AT = 20_000_000
"""Bytes. The log before is kept beside it, so a process has twice as much on disk at the most."""
_PR_SET_PDEATHSIG = 1
_MOST_PROCESSES = 2**31


class Child:
    """One child process, in a session of its own, so that Ctrl-C reaches only the process that stops it in order."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        records: Path | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        dies_with_parent: bool = False,
    ) -> None:
        self.name = name
        self.command = list(command)
        self.log = log
        self.stop_signal = stop_signal
        self._record = records / f"{name}.json" if records else None
        self._env = env
        self._cwd = cwd
        self._user = user
        self._dies_with_parent = dies_with_parent
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} has not been started"
        return self._process.pid

    def spawn(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_ROTATES_AT:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._env,
                cwd=self._cwd,
                user=self._user,
                group=_group_of(self._user),
                extra_groups=[] if self._user else None,
                start_new_session=True,
                preexec_fn=die_with_parent if self._dies_with_parent else None,
            )
        if self._record:
            write_record(self._record, self._process.pid, self.stop_signal)

    def exit_code(self) -> int | None:
        """The exit code; None while it runs."""
        return None if self._process is None else self._process.poll()

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def signal_stop(self) -> None:
        if self.is_running:
            with suppress(ProcessLookupError):
                os.kill(self.pid, self.stop_signal)

    def wait_stopped(self, seconds: float) -> None:
        """Wait for the requested end; kill what has not ended by then."""
        if self._process is None:
            return
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        self._forget()

    def kill(self) -> None:
        """kill -9 of the process and everything in its session."""
        if self._process is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._forget()

    def _forget(self) -> None:
        if self._record:
            self._record.unlink(missing_ok=True)


def rotate(log: Path, at: int = LOG_ROTATES_AT) -> None:
    """Moves the contents of a log that has grown too large aside while its process goes on writing to it.

    The process appends to the file that it has open, so that is emptied and not replaced. What it writes between the
    copy and that is lost.
    """
    try:
        if log.stat().st_size <= at:
            return
    except OSError:
        return
    # On a full disk no copy can be made, and room matters more than old lines.
    with suppress(OSError):
        shutil.copyfile(log, log.with_suffix(".log.1"))
    with suppress(OSError):
        os.truncate(log, 0)


def _group_of(user: str | None) -> int | None:
    if user is None:
        return None
    import pwd

    return pwd.getpwnam(user).pw_gid


def die_with_parent() -> None:
    """For a process that was just forked: the kernel kills it when the thread that forked it ends, however it ends.

    A test run or benchmark that is killed outright runs no finalizer, and would leave its servers running.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def write_record(record: Path, pid: int, stop_signal: signal.Signals) -> None:
    record.parent.mkdir(parents=True, exist_ok=True)
    with suppress(psutil.NoSuchProcess):
        created_at = psutil.Process(pid).create_time()
        # Whole or not at all: a reader may come at any moment.
        written = record.with_suffix(".writing")
        written.write_text(json.dumps({"pid": pid, "created_at": created_at, "stop_signal": int(stop_signal)}))
        written.replace(record)


def find_recorded(record: Path) -> tuple[psutil.Process, int] | None:
    """The very process of a record with the signal that stops it, or None when it is gone.

    Raises `Stopped` for a record that does not name a process: which one it was is not known.
    """
    try:
        pid, created_at, stop_signal = _read_record(record)
        process = psutil.Process(pid)
        if abs(process.create_time() - created_at) < 1 and process.status() != psutil.STATUS_ZOMBIE:
            return process, stop_signal
    except (FileNotFoundError, psutil.Error):
        pass
    return None


def _read_record(record: Path) -> tuple[int, float, int]:
    try:
        match json.loads(record.read_text()):
            case {"pid": int(pid), "created_at": int() | float() as created_at, "stop_signal": int(stop_signal)} if (
                1 < pid < _MOST_PROCESSES and stop_signal in iter(signal.Signals)
            ):
                return pid, float(created_at), stop_signal
        reason = "it does not name a process"
    except FileNotFoundError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        reason = str(error)
    raise Stopped(
        f"{record} is not the record of a process ({reason}); end the process of {record.stem} if it is still running, "
        "and remove the file."
    )


def stop_leftovers(records: Path, order: Sequence[str], seconds: float = 15) -> list[str]:
    """Stop what an earlier run left behind, in the given order first; returns what was stopped.

    Raises `Stopped` for a record that cannot be read, once the others are stopped.
    """
    stopped, unreadable = [], None
    place = {name: position for position, name in enumerate(order)}
    for record in sorted(records.glob("*.json"), key=lambda r: (place.get(r.stem, len(place)), r.stem)):
        try:
            found = find_recorded(record)
        except Stopped as error:
            unreadable = unreadable or error
            continue
        if found:
            stop_process(*found, seconds)
            stopped.append(record.stem)
        record.unlink(missing_ok=True)
    if unreadable:
        raise unreadable
    return stopped


def stop_process(process: psutil.Process, stop_signal: int, seconds: float) -> None:
    """Stop a process that is not our child: signal, wait, then kill."""
    with suppress(psutil.NoSuchProcess):
        process.send_signal(stop_signal)
        if not has_ended(process, seconds):
            process.kill()
            has_ended(process, 5)


def has_ended(process: psutil.Process, seconds: float) -> bool:
    """Whether it ends within this time. A zombie has ended, even if it is never reaped."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False
