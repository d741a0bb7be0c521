"""Liveness of a consumer: the broker responds, and every partition with pending records advances.

Invariant: liveness fails only where a restart may help. An unavailable broker recovers without a restart, and a
record that cannot be applied is not changed by it. So both make the process not ready and raise an alert, but cause no
restart, or only after a much longer time.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

_LONGEST_APPLY_COUNTED_SECONDS = 1.0
"""Of the time that a batch took: while one waits for the database, the other partitions have no turn to move in."""


@dataclass(slots=True)
class _Partition:
    next_offset: int
    end: int
    moved_at: float
    has_moved: bool = False
    """Whether this process has read something of it. One that never moved is not mended by another process."""


@dataclass(slots=True)
class Progress:
    """Fed by the poll loop, read by the probes. All times are in seconds of `clock`."""

    clock: Callable[[], float] = time.monotonic
    answered_at: float = field(init=False)
    """When a broker last answered."""
    _uncounted: float = 0.0
    _busy_since: float | None = None
    _partitions: dict[int, _Partition] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.answered_at = self.clock()

    def answered(self) -> None:
        self.answered_at = self.clock()

    def silent_seconds(self) -> float:
        """How long no broker has answered."""
        return 0.0 if self._busy_since is not None else self.clock() - self.answered_at

    def begin(self) -> None:
        """A batch is being applied, or its writer is being held back: nothing is asked meanwhile."""
        self._busy_since = self.clock()

    def end(self, *, counted_seconds: float = _LONGEST_APPLY_COUNTED_SECONDS) -> None:
        """It is done; of the time that it took so much at most counts as time in which partitions could have moved."""
        if self._busy_since is not None:
            took = self.clock() - self._busy_since
            self._uncounted += max(0.0, took - counted_seconds)
            # No broker was asked meanwhile, so none has failed to answer.
            self.answered_at += took
            self._busy_since = None

    def busy_seconds(self) -> float:
        return 0.0 if self._busy_since is None else self.clock() - self._busy_since

    def forget(self) -> None:
        """The partitions were taken away."""
        self._partitions.clear()

    def note(self, next_offsets: Mapping[int, int], ends: Mapping[int, int]) -> None:
        """The offsets of the process, and the present end of the partitions."""
        now = self._counted()
        for number, next_offset in next_offsets.items():
            place = self._partitions.setdefault(number, _Partition(next_offset, next_offset, now))
            place.end = ends.get(number, place.end)
            if next_offset != place.next_offset:
                place.next_offset, place.moved_at, place.has_moved = next_offset, now, True
            elif place.end <= next_offset:
                place.moved_at = now

    def stalled(self, seconds: float, *, has_moved: bool = False) -> list[int]:
        """The partitions that have not moved for so long while they end further on; only such as this process has
        moved before, where that is asked."""
        now = self._counted()
        return sorted(
            number
            for number, place in self._partitions.items()
            if place.end > place.next_offset and now - place.moved_at > seconds and (place.has_moved or not has_moved)
        )

    def _counted(self) -> float:
        busy = max(0.0, self.busy_seconds() - _LONGEST_APPLY_COUNTED_SECONDS)
        return self.clock() - self._uncounted - busy
