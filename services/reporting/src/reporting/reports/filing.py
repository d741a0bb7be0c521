"""Schedules file reports: what is due is asked for once, and what was kept long enough is deleted."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from chassis.database import Database, Transaction, is_transient
from chassis.wakeup import Wakeup
from reporting.figures.rules import FigureRules
from reporting.figures.rules_store import get_figure_rules
from reporting.reports import store
from reporting.reports.content import ReportRequest
from reporting.reports.edition import Edition
from reporting.reports.periods import ReportKind, period_of
from reporting.reports.plan import Format
from reporting.reports.rules import FilingCalendar, KeptRules
from reporting.reports.rules_store import get_filing_calendar, get_report_rules, lock_report_rules
from reporting.reports.schedule import MOST_OWED, Due, Schedule, due_latest_first, is_late
from reporting.reports.use_cases import FILED_BY
from reporting.reports.words import Language

log = logging.getLogger(__name__)

_LOOK_EVERY_SECONDS = 20.0


async def file_reports(db: Database, _: Wakeup) -> None:
    """A job of the worker: files what is due, and deletes what was kept long enough, for as long as it runs."""
    while True:
        try:
            await file_due(db, now=datetime.now(UTC))
            while await delete_old(db, now=datetime.now(UTC)):
                pass
        except Exception as error:
            # The record does not wait for a report: what is due stays due.
            level = logging.WARNING if is_transient(error) else logging.ERROR
            log.log(
                level, "filing of reports waits: %s: %s", type(error).__name__, error, exc_info=level > logging.WARNING
            )
        await asyncio.sleep(_LOOK_EVERY_SECONDS)


async def file_due(db: Database, *, now: datetime) -> int:
    """Asks for every report that is due and was not yet, the oldest first; how many periods.

    Once each, with however many workers: the rules are locked meanwhile, and what was filed is noted in the same
    transaction by schedule and period.
    """
    async with db.begin() as tx:
        kept = await lock_report_rules(tx)
        figure_rules, calendar = await get_figure_rules(tx), await get_filing_calendar(tx)
        count = 0
        for schedule in kept.rules.schedules:
            for due in _owed(schedule, kept, figure_rules, calendar, now):
                if await store.note_run(tx, schedule, due, now):
                    await _file(tx, schedule, due, kept, figure_rules, calendar, now)
                    count += 1
    return count


def _owed(
    schedule: Schedule, kept: KeptRules, rules: FigureRules, calendar: FilingCalendar, now: datetime
) -> Sequence[Due]:
    due = due_latest_first(
        schedule, since=kept.since[schedule.id], now=now, zone=ZoneInfo(rules.time_zone), calendar=calendar.days
    )
    return list(islice(due, MOST_OWED))[::-1]


async def _file(
    tx: Transaction,
    schedule: Schedule,
    due: Due,
    kept: KeptRules,
    rules: FigureRules,
    calendar: FilingCalendar,
    now: datetime,
) -> None:
    """All languages and formats, of the figures of the first of them."""
    kind = ReportKind(schedule.kind)
    begin, end = period_of(kind, due.first, ZoneInfo(rules.time_zone))
    roles, areas = frozenset(schedule.readers), schedule.areas
    by_working_day = kind not in (ReportKind.DAILY, ReportKind.WEEKLY)
    its = Edition(
        rules=kept.rules,
        due_at=due.moment,
        is_late=is_late(due, now),
        calendar={"covered_until": calendar.covered_until} if by_working_day else None,
    )
    first = None
    for language in schedule.languages:
        request = ReportRequest(kind, begin, end, rules.time_zone, rules, Language(language), roles, areas, now, True)
        for format in schedule.formats:
            row = await store.insert_report(tx, request, Format(format), its, by=FILED_BY, contents_of=first)
            first = first or row["id"]


async def delete_old(db: Database, *, now: datetime) -> bool:
    """Deletes some reports that were kept as long as the rules say; whether there were any."""
    async with db.statements() as statements:
        kept_days = (await get_report_rules(statements)).rules.kept_days
        return await store.delete_finished_before(statements, now - timedelta(days=kept_days))
