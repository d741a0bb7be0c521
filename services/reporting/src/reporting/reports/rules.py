"""Rules for reports that operators edit: names of the centre, targets, and schedules.

One row that a supervisor or operator changes as a whole. A report keeps the rules of the time it was requested.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from contracts.calendar import WorkingDays
from contracts.directory import Names
from reporting.reports.schedule import Schedule


class Target(msgspec.Struct, frozen=True, kw_only=True):
    metric: str
    value: float
    """A share as 0.8, a time in seconds, else a number."""
    is_at_least: bool = True
    """False: at most so much."""


_SHIPPED_SCHEDULES = (
    Schedule(id="daily", kind="daily"),
    Schedule(id="weekly", kind="weekly", weekday=0),
    Schedule(id="monthly", kind="monthly", working_day=3),
    Schedule(id="call-analysis", kind="call_analysis", working_day=3),
    Schedule(id="quarterly", kind="quarterly", working_day=5),
)


class ReportRules(msgspec.Struct, frozen=True, kw_only=True):
    centre: Names = Names(en="Call centre", zh="呼叫中心")
    prepared_by: str | None = None
    """The name that stands at 制表; None: a line to write it on."""
    reviewed_by: str | None = None
    approved_by: str | None = None
    targets: tuple[Target, ...] = ()
    queues: Mapping[str, Names] = msgspec.field(default_factory=dict)
    """By a queue's name at the switch, what a reader calls it."""
    teams: Mapping[str, Names] = msgspec.field(default_factory=dict)
    kept_days: int = 1100
    """So long after it was made the file of a report is deleted."""
    schedules: tuple[Schedule, ...] = _SHIPPED_SCHEDULES

    def target_of(self, metric_id: str) -> Target | None:
        return next((target for target in self.targets if target.metric == metric_id), None)


@dataclass(frozen=True, slots=True)
class KeptRules:
    """The rules with when each schedule began to hold, and who changed them."""

    rules: ReportRules
    since: Mapping[str, datetime]
    """By schedule, the moment before which it filed nothing and owes nothing."""
    version: int
    changed_by: str | None
    changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class FilingCalendar:
    """The days that are worked, by the newest set of time limits that has come from dispatch."""

    days: WorkingDays
    set_version: int
    """0: the set that is shipped, which has no holidays."""

    @property
    def covered_until(self) -> str | None:
        """Until when days off are announced, or the last that was entered; after it the week alone decides."""
        if self.days.covered_until is not None:
            return self.days.covered_until.isoformat()
        entered = (*self.days.holidays, *self.days.make_up_days)
        return max(entered).isoformat() if entered else None
