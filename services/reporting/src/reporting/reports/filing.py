"""Reports in the database: asked for, listed, revised, filed by schedules, and deleted when their time is over.

A report belongs to the caller who asked for it, or is filed: made by a schedule for everyone with one of its roles.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from chassis.database import Database, Statements, Transaction, is_transient
from chassis.guard import Caller
from chassis.wakeup import Wakeup
from contracts.refusals import Conflict, Invalid, NotFound
from reporting.figures.rules import FigureRules
from reporting.figures.rules_store import get_figure_rules
from reporting.metrics import REGISTRY
from reporting.reports import edition
from reporting.reports.building import asked_of
from reporting.reports.content import Asked
from reporting.reports.edition import Edition, Remarks
from reporting.reports.periods import ReportKind, days_of, period_of
from reporting.reports.plan import ALL_SECTIONS, Format, sections_of
from reporting.reports.rules import (
    KeptRules,
    WorkingCalendar,
    get_report_rules,
    get_working_calendar,
    lock_report_rules,
)
from reporting.reports.schedule import MOST_OWED, Due, Schedule, due_latest_first, is_late
from reporting.reports.words import Language

log = logging.getLogger(__name__)

_LOOK_EVERY_SECONDS = 20.0
_DELETED_AT_ONCE = 200
FILED_BY = "schedule"
LAST_ID = 2**62
LONGEST_DAYS = 3670
"""Ten years and a little: of free days."""
SHOWN = (
    "id, kind, begins_at, ends_at, time_zone, format, language, areas, asked_by, asked_at, state, section_count,"
    " done_count, manifest, failure, finished_at, is_filed, contents_of, revision"
)


class ReportNotFound(NotFound):
    """There is no report {report_id} that you may see."""

    zh = "没有您可以查看的报表 {report_id}。"


class ReportNotReady(Conflict):
    """Report {report_id} is {state}; its file is there once it is ready."""

    zh = "报表 {report_id} 状态为 {state}，就绪后才能下载。"


class ReportOutsideTime(Invalid):
    """A report is of a day between 2000 and ten years ahead."""

    zh = "报表日期须在 2000 年至未来十年之间。"


class ReportPeriodInvalid(Invalid):
    """Only a report of kind `period` has a last day: not before its day, and at most {longest_days} days in all."""

    zh = "仅类型为 period 的报表有结束日，不得早于起始日，且总共不超过 {longest_days} 天。"


@dataclass(frozen=True, slots=True)
class Sought:
    """Whose reports are looked for, judged by the caller's present token: their own, or those that are filed."""

    caller: Caller
    is_filed: bool = False

    @property
    def arguments(self) -> list[Any]:
        caller = self.caller
        areas = None if caller.areas is None else list(caller.areas)
        if self.is_filed:
            return [sorted(caller.roles), areas]
        return [caller.sub, areas, roles_beyond(caller.roles)]

    @property
    def condition(self) -> str:
        """SQL over `arguments`, which are the first of the statement's."""
        # What is of some work areas is for a token that reaches all of them; what is of all for a token without areas.
        reached = "($2::text[] is null or areas is not null and areas <@ $2::text[])"
        if self.is_filed:
            return f"is_filed and roles && $1::text[] and {reached}"
        return f"not is_filed and asked_by = $1 and {reached} and not roles && $3::text[]"

    def after(self, place: int) -> str:
        """The parameter so many places behind `arguments`."""
        return f"${len(self.arguments) + place}"


def roles_beyond(roles: frozenset[str]) -> list[str]:
    """The roles that a metric of a report is open to, and none of these: a report made for one may hold too much."""
    metrics = [REGISTRY[metric_id][-1] for section in ALL_SECTIONS.values() for metric_id in section.metrics]
    closed = [metric for metric in metrics if roles.isdisjoint(metric.roles)]
    return sorted({role for metric in closed for role in metric.roles})


async def insert_report(
    statements: Statements,
    asked: Asked,
    format: Format,
    its: Edition,
    *,
    by: str,
    contents_of: int | None = None,
) -> Any:
    return await statements.fetchrow(
        f"""insert into reports (kind, begins_at, ends_at, time_zone, format, language, roles, areas, asked_by,
                asked_at, section_count, rules, edition, is_filed, contents_of, done_count, revision)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
                case when $15::bigint is null then 0 else $11 end, $16) returning {SHOWN}""",
        asked.kind.value,
        asked.begin,
        asked.end,
        asked.time_zone,
        format.value,
        asked.language.value,
        sorted(asked.roles),
        None if asked.areas is None else list(asked.areas),
        by,
        asked.as_of,
        len(sections_of(asked.kind)),
        msgspec.json.encode(asked.rules).decode(),
        edition.encode(its),
        asked.is_for_every_role,
        contents_of,
        its.revision,
    )


async def request_report(db: Database, asked: Asked, format: Format, *, by: str) -> Any:
    async with db.statements() as statements:
        kept = await get_report_rules(statements)
        return await insert_report(statements, asked, format, Edition(rules=kept.rules), by=by)


async def request_copy(db: Database, sought: Sought, report_id: int, *, format: Format, language: Language) -> Any:
    """The same report from the same figures in another format or language; a filed one stays filed."""
    async with db.begin() as tx:
        row = await _find(tx, sought, report_id, "*")
        its = edition.DECODER.decode(row["edition"]) if row["edition"] else Edition()
        asked = replace(asked_of(row), language=language)
        by = FILED_BY if row["is_filed"] else sought.caller.sub
        return await insert_report(tx, asked, format, its, by=by, contents_of=row["contents_of"] or report_id)


async def revise(db: Database, sought: Sought, report_id: int, remarks: Remarks) -> Any:
    """A new revision of a report with what a supervisor writes; the one before it stays as it is."""
    async with db.begin() as tx:
        row = await _find(tx, sought, report_id, "*")
        first = row["contents_of"] or report_id
        # Two who write at once get two revisions: the row of the figures is locked while they are numbered.
        await tx.execute("select from reports where id = $1 for update", first)
        newest = await tx.fetchval("select max(revision) from reports where id = $1 or contents_of = $1", first)
        its = edition.DECODER.decode(row["edition"]) if row["edition"] else Edition()
        its = msgspec.structs.replace(its, remarks=remarks, revision=(newest or 1) + 1)
        by = FILED_BY if row["is_filed"] else sought.caller.sub
        return await insert_report(tx, asked_of(row), Format(row["format"]), its, by=by, contents_of=first)


async def reports(db: Database, sought: Sought, *, before: int | None, limit: int) -> list[Any]:
    """Newest first."""
    async with db.statements() as statements:
        return await statements.fetch(
            f"""select {SHOWN} from reports
                where {sought.condition} and id < coalesce({sought.after(1)}, {LAST_ID})
                order by id desc limit {sought.after(2)}""",
            *sought.arguments,
            before,
            limit,
        )


async def get_report(db: Database, sought: Sought, report_id: int) -> Any:
    async with db.statements() as statements:
        return await _find(statements, sought, report_id, SHOWN)


async def _find(statements: Statements, sought: Sought, report_id: int, columns: str) -> Any:
    row = await statements.fetchrow(
        f"select {columns} from reports where {sought.condition} and id = {sought.after(1)}",
        *sought.arguments,
        report_id,
    )
    if row is None:
        raise ReportNotFound(report_id=report_id)
    return row


async def get_file(db: Database, sought: Sought, report_id: int) -> tuple[str, Format, bytes]:
    """Name, format and content."""
    columns = "kind, begins_at, ends_at, time_zone, format, revision, state, file"
    async with db.statements() as statements:
        row = await _find(statements, sought, report_id, columns)
    if row["state"] != "ready":
        raise ReportNotReady(report_id=report_id, state=row["state"])
    day, _ = days_of((row["begins_at"], row["ends_at"]), ZoneInfo(row["time_zone"]))
    revision = f"-r{row['revision']}" if row["revision"] > 1 else ""
    return f"{row['kind']}-{day}{revision}.{row['format']}", Format(row["format"]), row["file"]


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
        figure_rules, calendar = await get_figure_rules(tx), await get_working_calendar(tx)
        count = 0
        for schedule in kept.rules.schedules:
            for due in _owed(schedule, kept, figure_rules, calendar, now):
                if await _note_run(tx, schedule, due, now):
                    await _file(tx, schedule, due, kept, figure_rules, calendar, now)
                    count += 1
    return count


def _owed(
    schedule: Schedule, kept: KeptRules, rules: FigureRules, calendar: WorkingCalendar, now: datetime
) -> Sequence[Due]:
    due = due_latest_first(
        schedule, since=kept.since[schedule.id], now=now, zone=ZoneInfo(rules.time_zone), calendar=calendar.days
    )
    return list(islice(due, MOST_OWED))[::-1]


async def _note_run(tx: Transaction, schedule: Schedule, due: Due, now: datetime) -> bool:
    """Whether the period was not filed before."""
    row = await tx.fetchrow(
        """insert into report_runs (schedule_id, kind, first_day, due_at, filed_at) values ($1, $2, $3, $4, $5)
           on conflict do nothing returning true""",
        schedule.id,
        schedule.kind,
        due.first,
        due.moment,
        now,
    )
    return row is not None


async def _file(
    tx: Transaction,
    schedule: Schedule,
    due: Due,
    kept: KeptRules,
    rules: FigureRules,
    calendar: WorkingCalendar,
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
        asked = Asked(kind, begin, end, rules.time_zone, rules, Language(language), roles, areas, now, True)
        for format in schedule.formats:
            row = await insert_report(tx, asked, Format(format), its, by=FILED_BY, contents_of=first)
            first = first or row["id"]


async def delete_old(db: Database, *, now: datetime) -> bool:
    """Deletes some reports that were kept as long as the rules say; whether there were any.

    One whose figures another is made of stays until that is gone too.
    """
    async with db.statements() as statements:
        kept_days = (await get_report_rules(statements)).rules.kept_days
        done = await statements.execute(
            """delete from reports where id = any(array(
                   select id from reports as old where finished_at < $1
                       and not exists (select from reports as copy where copy.contents_of = old.id)
                   order by finished_at limit $2))""",
            now - timedelta(days=kept_days),
            _DELETED_AT_ONCE,
        )
    return done != "DELETE 0"
