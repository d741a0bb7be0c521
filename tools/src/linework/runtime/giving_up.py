"""The one flag that ends everything that waits."""

import time


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
