"""Reports are built in the background section by section, and kept.

Each section is a transaction of its own, and figures are as of the moment at which the report was asked for:
a worker that is killed loses one section's work, and another goes on with the next. Sections are kept as long as
their report: the report in another language or format, and its revisions, are made of the same ones.
"""

import asyncio
import hashlib
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from chassis.database import Database, Transaction, is_transient
from chassis.wakeup import Wakeup
from reporting.figures.periods import CALENDAR
from reporting.figures.rules import FigureRules
from reporting.figures.views import FiguresNotBuilt
from reporting.reports import csv_file, edition, pages, workbook
from reporting.reports.content import Asked, Content, fill
from reporting.reports.document import document_of, is_complete, parameters
from reporting.reports.edition import Edition
from reporting.reports.names import Known, Naming
from reporting.reports.periods import ReportKind
from reporting.reports.plan import Format, sections_of
from reporting.reports.words import Language
from work_orders.directory import find_names

log = logging.getLogger(__name__)

_LOOK_EVERY_SECONDS = 1.0
_DECODER = msgspec.json.Decoder(Content)
_RULES_DECODER = msgspec.json.Decoder(FigureRules)
_DIMENSIONS: Mapping[str, str] = {
    "work_area": "work_area_id",
    "staff": "staff_id",
    "agent": "agent_id",
    "device_type": "device_type",
    "demand_type": "demand_type",
}
"""By kind of the directory, the dimension whose keys are its ids."""
_NEXT = """select * from reports as report where state in ('waiting', 'building') and not exists (
        select from reports as first where first.id = report.contents_of and first.state in ('waiting', 'building'))
    order by id limit 1 for update skip locked"""
"""One that is made of another's sections waits until these are there."""


async def build_reports(db: Database, wakeup: Wakeup) -> None:
    """A job of the worker: builds what is asked for, for as long as it runs."""
    while True:
        try:
            while await take_step(db):
                pass
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("a report waits: %s: %s", type(error).__name__, error)
        await wakeup.wait(_LOOK_EVERY_SECONDS)


async def take_step(db: Database) -> bool:
    """The next section, or the file, of the oldest report that is not finished; whether there was one."""
    async with db.begin() as tx:
        row = await tx.fetchrow(_NEXT)
        if row is None:
            return False
        try:
            await _take_step(db, tx, row)
        except FiguresNotBuilt:
            # After an upgrade: a report that was due meanwhile is made when the figures are there.
            return False
        except Exception as error:
            if is_transient(error):
                raise
            log.exception("report %s has failed", row["id"])
            failed = "update reports set state = 'failed', failure = $2, finished_at = now() where id = $1"
            await tx.execute(failed, row["id"], f"{type(error).__name__}: {error}"[:2000])
    return True


async def _take_step(db: Database, tx: Transaction, row: Any) -> None:
    count = len(sections_of(ReportKind(row["kind"])))
    if row["contents_of"] is not None:
        stored = await tx.fetchval("select count(*) from report_sections where report_id = $1", row["contents_of"])
        if stored == count:
            await _finish(tx, row, row["contents_of"])
            return
    if row["section_count"] != count or row["contents_of"] is not None:
        # Begun by another release, whose sections were others; or the one whose sections these were has failed.
        await _begin_again(tx, row["id"], count)
    elif row["done_count"] < count:
        await _fill_section(db, tx, row)
    else:
        await _finish(tx, row, row["id"])


async def _begin_again(tx: Transaction, report_id: int, count: int) -> None:
    await tx.execute("delete from report_sections where report_id = $1", report_id)
    await tx.execute(
        "update reports set section_count = $2, done_count = 0, contents_of = null where id = $1", report_id, count
    )


async def _fill_section(db: Database, tx: Transaction, row: Any) -> None:
    place = row["done_count"]
    asked = asked_of(row)
    content = await fill(db, asked, sections_of(asked.kind)[place])
    await tx.execute(
        "insert into report_sections (report_id, place, content) values ($1, $2, $3)",
        row["id"],
        place,
        msgspec.json.encode(content),
    )
    await tx.execute("update reports set state = 'building', done_count = done_count + 1 where id = $1", row["id"])


def asked_of(row: Any) -> Asked:
    return Asked(
        kind=ReportKind(row["kind"]),
        begin=row["begins_at"],
        end=row["ends_at"],
        time_zone=row["time_zone"],
        rules=_RULES_DECODER.decode(row["rules"]),
        language=Language(row["language"]),
        roles=frozenset(row["roles"]),
        areas=None if row["areas"] is None else tuple(row["areas"]),
        as_of=row["asked_at"],
        is_for_every_role=row["is_filed"],
    )


async def _finish(tx: Transaction, row: Any, sections_of_id: int) -> None:
    stored = await tx.fetch("select content from report_sections where report_id = $1 order by place", sections_of_id)
    contents = [_DECODER.decode(one["content"]) for one in stored]
    asked, its = asked_of(row), edition.DECODER.decode(row["edition"]) if row["edition"] else Edition()
    names = {(_DIMENSIONS[kind], key): name for (kind, key), name in (await find_names(tx)).items()}
    # A page of Chinese is set in a tenth of a second, a long report in more: not on the loop that answers probes.
    file, naming = await asyncio.to_thread(_file, asked, its, Format(row["format"]), contents, names)
    manifest = {
        **_manifest(asked, its, contents, naming),
        "bytes": len(file),
        "digest": f"sha256:{hashlib.sha256(file).hexdigest()}",
    }
    await tx.execute(
        "update reports set state = 'ready', file = $2, manifest = $3, finished_at = now() where id = $1",
        row["id"],
        file,
        msgspec.json.encode(manifest).decode(),
    )


def _file(
    asked: Asked, its: Edition, format: Format, contents: Sequence[Content], names: Known
) -> tuple[bytes, Naming]:
    document = document_of(asked, its, contents, names)
    if format is Format.CSV:
        return csv_file.as_csv(asked, contents, document.naming), document.naming
    if format is Format.XLSX:
        return workbook.as_xlsx(document, asked, contents), document.naming
    return pages.as_pdf(document), document.naming


def _manifest(asked: Asked, its: Edition, contents: Sequence[Content], naming: Naming) -> dict[str, Any]:
    return {
        "kind": asked.kind,
        "from": asked.begin,
        "to": asked.end,
        "time_zone": asked.time_zone,
        "parameters": parameters(asked, contents),
        "calendar": CALENDAR,
        "as_of": asked.as_of,
        "language": asked.language,
        "areas": asked.areas,
        "revision": its.revision,
        "due_at": its.due_at,
        "is_late": its.is_late,
        "working_calendar": its.calendar,
        "unnamed": {dimension: list(numbers) for dimension, numbers in naming.unnamed.items()},
        "read_up_to": next((content.read_up_to for content in contents if content.read_up_to), None),
        "is_complete": is_complete(contents),
        "row_count": sum(len(content.rows) for content in contents),
        "sections": [
            {
                "id": content.section,
                "row_count": len(content.rows),
                "metrics": [{"id": one.metric, "version": one.version} for one in content.columns],
                "left_out": content.left_out,
                "message_count": content.message_count,
            }
            for content in contents
        ],
    }
