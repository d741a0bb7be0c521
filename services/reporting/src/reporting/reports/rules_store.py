"""The rules of reports: one row; and the working days that schedules count by."""

from datetime import datetime
from typing import Any

import msgspec

from chassis.database import Statements
from contracts.limits import SHIPPED, SUBJECT, TimeLimitsDefined
from reporting.record import event_store
from reporting.reports.rules import FilingCalendar, KeptRules, ReportRules

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


async def get_filing_calendar(statements: Statements) -> FilingCalendar:
    sets = [
        (message.entity_version or 0, message.body)
        for message in await event_store.messages_of(statements, [SUBJECT])
        if isinstance(message.body, TimeLimitsDefined)
    ]
    version, newest = max(sets, key=lambda one: one[0], default=(0, SHIPPED))
    return FilingCalendar(newest.calendar, version)
