"""Reads of reports as routes show them."""

from typing import Any
from zoneinfo import ZoneInfo

from chassis.database import Database
from reporting.reports import store
from reporting.reports.domain import ReportNotReady
from reporting.reports.periods import days_of
from reporting.reports.plan import Format
from reporting.reports.store import VisibleReports

_OF_A_FILE = ("kind", "begins_at", "ends_at", "time_zone", "format", "revision", "state", "file")


async def reports(db: Database, visible: VisibleReports, *, before: int | None, limit: int) -> list[Any]:
    """Newest first."""
    async with db.statements() as statements:
        return await store.reports(statements, visible, before=before, limit=limit)


async def report(db: Database, visible: VisibleReports, report_id: int) -> Any:
    """Raises `ReportNotFound`."""
    async with db.statements() as statements:
        return await store.get_report(statements, visible, report_id)


async def report_file(db: Database, visible: VisibleReports, report_id: int) -> tuple[str, Format, bytes]:
    """Name, format and content; raises `ReportNotFound` or `ReportNotReady`."""
    async with db.statements() as statements:
        row = await store.get_report(statements, visible, report_id, _OF_A_FILE)
    if row["state"] != "ready":
        raise ReportNotReady(report_id=report_id, state=row["state"])
    day, _ = days_of((row["begins_at"], row["ends_at"]), ZoneInfo(row["time_zone"]))
    revision = f"-r{row['revision']}" if row["revision"] > 1 else ""
    return f"{row['kind']}-{day}{revision}.{row['format']}", Format(row["format"]), row["file"]
