"""What a report says of the centre, what it is measured against, and when reports are filed: rules that operators edit.

One row that a supervisor or operator changes as a whole. A report keeps the rules of when it was asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from chassis.database import Statements
from contracts.calendar import WorkingDays
from contracts.directory import Names
from contracts.limits import SHIPPED, SUBJECT, TimeLimitsDefined
from reporting.record import event_store
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


_RULES = msgspec.json.Decoder(ReportRules)
_SINCE = msgspec.json.Decoder(dict[str, datetime])


async def get_report_rules(statements: Statements) -> KeptRules:
    return _kept(await statements.fetchrow("select * from report_rules"))


async def lock_report_rules(statements: Statements) -> KeptRules:
    """Held until the transaction ends: of two workers one files at a time."""
    return _kept(await statements.fetchrow("select * from report_rules for update"))


def _kept(row: Any) -> KeptRules:
    rules = _RULES.decode(row["body"])
    since = {one.id: row["installed_at"] for one in rules.schedules} | _SINCE.decode(row["since"])
    return KeptRules(rules, since, row["version"], row["changed_by"], row["changed_at"])


async def put_report_rules(statements: Statements, rules: ReportRules, *, by: str, now: datetime) -> KeptRules:
    """A schedule that is added, or whose time is changed, owes nothing of before."""
    present = await lock_report_rules(statements)
    times = {one.id: one.time for one in present.rules.schedules}
    since = {one.id: present.since[one.id] if times.get(one.id) == one.time else now for one in rules.schedules}
    row = await statements.fetchrow(
        """update report_rules set body = $1, since = $2, version = version + 1, changed_by = $3, changed_at = $4
           returning *""",
        msgspec.json.encode(rules).decode(),
        msgspec.json.encode(since).decode(),
        by,
        now,
    )
    return _kept(row)


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """The days that are worked, by the newest set of time limits that has come from dispatch."""

    days: WorkingDays
    set_version: int
    """0: the set that is shipped, which has no holidays."""

    @property
    def covered_until(self) -> str | None:
        """The last holiday or make-up day that was entered: working days after it follow from the week alone."""
        entered = (*self.days.holidays, *self.days.make_up_days)
        return max(entered).isoformat() if entered else None


async def get_working_calendar(statements: Statements) -> WorkingCalendar:
    sets = [
        (message.entity_version or 0, message.body)
        for message in await event_store.messages_of(statements, [SUBJECT])
        if isinstance(message.body, TimeLimitsDefined)
    ]
    version, newest = max(sets, key=lambda one: one[0], default=(0, SHIPPED))
    return WorkingCalendar(newest.calendar, version)
