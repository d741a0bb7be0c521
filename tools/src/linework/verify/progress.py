"""Progress of a check: each step, and its progress every few seconds."""

import time
from collections.abc import Callable

Say = Callable[[str], None]
_EVERY_SECONDS = 2.0


class VerifyProgress:
    def __init__(self, say: Say) -> None:
        self.step = "starting"
        """The step under way, for a sentence such as "stopped while …"."""
        self._say = say
        self._last_said_at = 0.0

    def begin(self, step: str) -> None:
        self.step = step
        self._tell(step)

    def count(self, done: int, total: int | None = None) -> None:
        """The progress of the step; printed every two seconds at most."""
        if time.monotonic() - self._last_said_at >= _EVERY_SECONDS:
            self._tell(f"{self.step}: {done:,}" + (f" of {total:,}" if total is not None else ""))

    def _tell(self, text: str) -> None:
        self._last_said_at = time.monotonic()
        self._say(text)
