"""A place in the changes of a database, by which a reader resumes without losing one.

Transactions get their numbers when they begin to write and become visible when they commit, in another order. So a
place is not the highest number that was seen but what was seen: every number up to `newest` except those that were
`missing`, because they were running. Numbers above `newest` were not seen, whatever has become of them: the highest
number that is known is always that of a change, and `recorded_us` names this change. Where it is no longer there (a
database that was restored, or lost its last commits, or has forgotten it) the numbers after it may have been given
to other transactions, and so the place is lost.
"""

import re
from dataclasses import dataclass, replace
from typing import Self

_NUMBERS = re.compile(r"[0-9a-f]{1,15}(-[0-9a-f]{1,15}){1,500}")


class PlaceLost(Exception):
    """What changed since cannot be told: the reader starts again with what there is."""


@dataclass(frozen=True, slots=True)
class PlaceInChanges:
    newest: int
    """0: no change was there."""
    recorded_us: int
    """When that change was recorded, in microseconds since 1970."""
    missing: frozenset[int] = frozenset()

    def sees(self, number: int) -> bool:
        return number <= self.newest and number not in self.missing

    def then(self, snapshot: str) -> Self:
        """The place as this snapshot of PostgreSQL (`xmin:xmax:running,…`) sees it."""
        running = snapshot.rsplit(":", 1)[1]
        numbers = map(int, running.split(",")) if running else ()
        return replace(self, missing=frozenset(number for number in numbers if number <= self.newest))

    def text(self) -> str:
        """In a form that fits into a header."""
        numbers = (self.newest, self.recorded_us, *sorted(self.newest - number for number in self.missing))
        return "-".join(f"{number:x}" for number in numbers)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises `PlaceLost`."""
        if not _NUMBERS.fullmatch(text):
            raise PlaceLost()
        newest, recorded_us, *ages = (int(number, 16) for number in text.split("-"))
        return cls(newest, recorded_us, frozenset(newest - age for age in ages))
