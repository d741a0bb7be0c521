"""Commands on reports: one is asked for, copied, revised; the rules of reports are set."""

from dataclasses import replace
from typing import Any

import msgspec

from chassis.unit_of_work import UnitOfWork
from chassis.wakeup import JOBS
from reporting.reports import store
from reporting.reports.content import ReportRequest
from reporting.reports.edition import Edition, Remarks
from reporting.reports.plan import Format
from reporting.reports.rules import FilingCalendar, KeptRules, ReportRules
from reporting.reports.rules_store import get_filing_calendar, get_report_rules, put_report_rules
from reporting.reports.store import VisibleReports
from reporting.reports.words import Language

FILED_BY = "schedule"


async def request_report(request: ReportRequest, format: Format, *, uow: UnitOfWork) -> Any:
    """Asks for a report by the rules of this moment; a worker builds it."""
    async with uow.command() as command:
        rules = (await get_report_rules(command.tx)).rules
        report = await store.insert_report(command.tx, request, format, Edition(rules=rules), by=command.actor.sub)
    uow.wakeup.send(JOBS)
    return report


async def copy_report(
    visible: VisibleReports, report_id: int, *, format: Format, language: Language, uow: UnitOfWork
) -> Any:
    """The same report from the same figures in another format or language; a filed one stays filed."""
    async with uow.command() as command:
        row = await store.get_whole_report(command.tx, visible, report_id)
        request = replace(store.request_of(row), language=language)
        its, first = store.edition_of(row), row["contents_of"] or report_id
        by = FILED_BY if row["is_filed"] else command.actor.sub
        report = await store.insert_report(command.tx, request, format, its, by=by, contents_of=first)
    uow.wakeup.send(JOBS)
    return report


async def revise_report(visible: VisibleReports, report_id: int, remarks: Remarks, *, uow: UnitOfWork) -> Any:
    """A new revision of a report with a supervisor's remarks; the one before it stays as it is."""
    async with uow.command() as command:
        row = await store.get_whole_report(command.tx, visible, report_id)
        first = row["contents_of"] or report_id
        revision = await store.lock_newest_revision(command.tx, first) + 1
        its = msgspec.structs.replace(store.edition_of(row), remarks=remarks, revision=revision)
        by = FILED_BY if row["is_filed"] else command.actor.sub
        request, format = store.request_of(row), Format(row["format"])
        report = await store.insert_report(command.tx, request, format, its, by=by, contents_of=first)
    uow.wakeup.send(JOBS)
    return report


async def set_report_rules(rules: ReportRules, *, uow: UnitOfWork) -> tuple[KeptRules, FilingCalendar]:
    """Replaces the rules as a whole, for reports that are asked for or fall due from then on."""
    async with uow.command() as command:
        kept = await put_report_rules(command.tx, rules, by=command.actor.sub, now=command.now)
        return kept, await get_filing_calendar(command.tx)
