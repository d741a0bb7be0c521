"""The stop flag that ends all waiting."""

import threading
import time
from contextlib import suppress

import psutil

from linework.stopped import Stopped

_LOOK_EVERY_SECONDS = 0.2


class GivingUp:
    """Set by a signal, or by the first failure.

    Not a `threading.Event`: its `set` takes a lock that the interrupted thread may hold at that
    moment. And not an exception out of the signal handler: it could fall between the start of a
    process and the note of its id, and leave that process behind.
    """

    def __init__(self) -> None:
        self._is_set = False

    def set(self) -> None:
        self._is_set = True

    def is_set(self) -> bool:
        return self._is_set

    def wait(self, seconds: float) -> None:
        """A short pause between two looks."""
        time.sleep(seconds)


def end_with(pid: int, given_up: GivingUp) -> None:
    """Gives up when this process ends, however it ends; raises `Stopped` when it has ended already."""
    try:
        process = psutil.Process(pid)
    except (psutil.Error, ValueError, OverflowError):
        raise Stopped(f"There is no process {pid} to run with.") from None

    def watch() -> None:
        with suppress(psutil.Error):
            while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                time.sleep(_LOOK_EVERY_SECONDS)
        given_up.set()

    threading.Thread(target=watch, daemon=True).start()
