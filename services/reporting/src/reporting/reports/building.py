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

from chassis.database import Database, Transaction, is_transient
from chassis.wakeup import Wakeup
from reporting.figures.periods import CALENDAR
from reporting.figures.views import FiguresNotBuilt
from reporting.reports import csv_file, pages, store, workbook
from reporting.reports.content import Content, ReportRequest, fill
from reporting.reports.document import document_of, is_complete, parameters
from reporting.reports.edition import Edition
from reporting.reports.names import KnownNames, Naming
from reporting.reports.periods import ReportKind
from reporting.reports.plan import Format, sections_of
from work_orders.directory import find_names

log = logging.getLogger(__name__)

_LOOK_EVERY_SECONDS = 5.0
_DIMENSIONS: Mapping[str, str] = {
    "work_area": "work_area_id",
    "staff": "staff_id",
    "agent": "agent_id",
    "device_type": "device_type",
    "demand_type": "demand_type",
}
"""By kind of the directory, the dimension whose keys are its ids."""


async def build_reports(db: Database, wakeup: Wakeup) -> None:
    """A job of the worker: builds what is asked for, for as long as it runs."""
    while True:
        mark = wakeup.mark()
        try:
            while await take_step(db):
                pass
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("building a report failed, retrying: %s: %s", type(error).__name__, error)
        await wakeup.wait(_LOOK_EVERY_SECONDS, mark)


async def take_step(db: Database) -> bool:
    """The next section, or the file, of the oldest report that is not finished; whether there was one."""
    async with db.begin() as tx:
        row = await store.lock_next_to_build(tx)
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
            log.exception("report %s failed", row["id"])
            await store.note_failed(tx, row["id"], f"{type(error).__name__}: {error}")
    return True


async def _take_step(db: Database, tx: Transaction, row: Any) -> None:
    count = len(sections_of(ReportKind(row["kind"])))
    first = row["contents_of"]
    if first is not None and await store.section_count(tx, first) == count:
        await _finish(tx, row, first)
        return
    if row["section_count"] != count or first is not None:
        # Begun by another release, whose sections were others; or the one whose sections these were has failed.
        await store.begin_again(tx, row["id"], count)
    elif row["done_count"] < count:
        await _fill_section(db, tx, row)
    else:
        await _finish(tx, row, row["id"])


async def _fill_section(db: Database, tx: Transaction, row: Any) -> None:
    place, request = row["done_count"], store.request_of(row)
    content = await fill(db, request, sections_of(request.kind)[place])
    await store.add_section(tx, row["id"], place, content)


async def _finish(tx: Transaction, row: Any, sections_of_id: int) -> None:
    contents = await store.sections(tx, sections_of_id)
    request, its = store.request_of(row), store.edition_of(row)
    names = {(_DIMENSIONS[kind], key): name for (kind, key), name in (await find_names(tx)).items()}
    # A page of Chinese is set in a tenth of a second, a long report in more: not on the loop that answers probes.
    file, naming = await asyncio.to_thread(_file, request, its, Format(row["format"]), contents, names)
    manifest = {
        **_manifest(request, its, contents, naming),
        "bytes": len(file),
        "digest": f"sha256:{hashlib.sha256(file).hexdigest()}",
    }
    await store.note_ready(tx, row["id"], file, manifest)


def _file(
    asked: ReportRequest, its: Edition, format: Format, contents: Sequence[Content], names: KnownNames
) -> tuple[bytes, Naming]:
    document = document_of(asked, its, contents, names)
    if format is Format.CSV:
        return csv_file.as_csv(asked, contents, document.naming), document.naming
    if format is Format.XLSX:
        return workbook.as_xlsx(document, asked, contents), document.naming
    return pages.as_pdf(document), document.naming


def _manifest(asked: ReportRequest, its: Edition, contents: Sequence[Content], naming: Naming) -> dict[str, Any]:
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
