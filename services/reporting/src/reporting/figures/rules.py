"""The numbers that figures use where a question gives none."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureRules:
    threshold_seconds: int
    """Y of a service level."""
    short_seconds: int
    """A short abandon is at most so long."""
    near_seconds: int
    """A limit is near when it is over within so long."""
    late_after_seconds: int
    """An event that was recorded so long after it happened corrects figures that may have been read."""
    time_zone: str
    silent_after_seconds: int = 14_400
    """An agent of whom nothing was heard for longer counts nowhere until the next sign. The rules of a report that was
    asked for before there was such a rule have none: they take what is shipped, as its figures do."""
    three_rings_seconds: int = 15
    """Three rings 三声: the ringing tone of China is one second on and four off."""
    version: int = 1
    changed_by: str | None = None
    """None: as shipped."""
    changed_at: datetime | None = None

    @property
    def thresholds(self) -> dict[str, int]:
        """Those that a question can set, in seconds."""
        return {
            "threshold_seconds": self.threshold_seconds,
            "short_seconds": self.short_seconds,
            "near_seconds": self.near_seconds,
            "silent_after_seconds": self.silent_after_seconds,
            "three_rings_seconds": self.three_rings_seconds,
        }
