"""Reports are asked for, built in the background section by section, and kept.

Each section is a transaction of its own, and figures are as of the moment at which the report was asked for:
a worker that is killed loses one section's work, and another goes on with the next.
"""

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from chassis.database import Database, Transaction, is_transient
from chassis.wakeup import Wakeup
from contracts.refusals import Conflict, Invalid, NotFound
from reporting.figures.periods import CALENDAR
from reporting.figures.rules import FigureRules
from reporting.metrics import REGISTRY
from reporting.reports import pages, tables
from reporting.reports.content import Asked, Content, fill
from reporting.reports.plan import KIND_NAMES, SECTIONS, Format, Language, ReportKind, word

log = logging.getLogger(__name__)

_LOOK_EVERY_SECONDS = 1.0
_DECODER = msgspec.json.Decoder(Content)
_RULES_DECODER = msgspec.json.Decoder(FigureRules)
SHOWN = (
    "id, kind, begins_at, ends_at, time_zone, format, language, areas, asked_by, asked_at, state, section_count,"
    " done_count, manifest, failure, finished_at"
)


class ReportNotFound(NotFound):
    """There is no report {report_id} of yours that you may see."""

    zh = "没有您可以查看的本人报表 {report_id}。"


class ReportNotReady(Conflict):
    """Report {report_id} is {state}; its file is there once it is ready."""

    zh = "报表 {report_id} 状态为 {state}，就绪后才能下载。"


class ReportOutsideTime(Invalid):
    """A report is of a day between 2000 and ten years ahead."""

    zh = "报表日期须在 2000 年至未来十年之间。"


async def request_report(db: Database, asked: Asked, format: Format, *, by: str) -> Any:
    async with db.statements() as statements:
        return await statements.fetchrow(
            f"""insert into reports (kind, begins_at, ends_at, time_zone, format, language, roles, areas, asked_by,
                    asked_at, section_count, rules)
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning {SHOWN}""",
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
            len(SECTIONS),
            msgspec.json.encode(asked.rules).decode(),
        )


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks for reports that they had built, as their token says at present."""

    sub: str
    roles: frozenset[str]
    areas: tuple[str, ...] | None

    @property
    def values(self) -> tuple[str, list[str] | None, list[str]]:
        """The values of `_READABLE`."""
        return self.sub, None if self.areas is None else list(self.areas), roles_beyond(self.roles)


_READABLE = """asked_by = $1 and ($2::text[] is null or areas is not null and areas <@ $2::text[])
    and not roles && $3::text[]"""


def roles_beyond(roles: frozenset[str]) -> list[str]:
    """The roles that a metric of a report is open to, and none of these: what was built for one may hold too much."""
    metrics = [REGISTRY[metric_id][-1] for section in SECTIONS for metric_id in section.metrics]
    closed = [metric for metric in metrics if roles.isdisjoint(metric.roles)]
    return sorted({role for metric in closed for role in metric.roles})


async def reports(db: Database, reader: Reader, *, before: int | None, limit: int) -> list[Any]:
    """Somebody's reports that hold no more than they may see at present, newest first."""
    async with db.statements() as statements:
        return await statements.fetch(
            f"""select {SHOWN} from reports where {_READABLE} and ($4::bigint is null or id < $4)
                order by id desc limit $5""",
            *reader.values,
            before,
            limit,
        )


async def get_report(db: Database, report_id: int, reader: Reader, *, columns: str = SHOWN) -> Any:
    """Raises `ReportNotFound`, also for a report that holds more than its reader may see at present."""
    async with db.statements() as statements:
        row = await statements.fetchrow(
            f"select {columns} from reports where {_READABLE} and id = $4", *reader.values, report_id
        )
    if row is None:
        raise ReportNotFound(report_id=report_id)
    return row


async def get_file(db: Database, report_id: int, reader: Reader) -> tuple[str, Format, bytes]:
    """Name, format and content."""
    row = await get_report(db, report_id, reader, columns="kind, begins_at, time_zone, format, state, file")
    if row["state"] != "ready":
        raise ReportNotReady(report_id=report_id, state=row["state"])
    day = row["begins_at"].astimezone(ZoneInfo(row["time_zone"])).date().isoformat()
    return f"{row['kind']}-{day}.{row['format']}", Format(row["format"]), row["file"]


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
        row = await tx.fetchrow(
            "select * from reports where state in ('waiting', 'building') order by id limit 1 for update skip locked"
        )
        if row is None:
            return False
        try:
            if row["done_count"] < row["section_count"]:
                await _fill_section(db, tx, row)
            else:
                await _finish(tx, row)
        except Exception as error:
            if is_transient(error):
                raise
            log.exception("report %s has failed", row["id"])
            failed = "update reports set state = 'failed', failure = $2, finished_at = now() where id = $1"
            await tx.execute(failed, row["id"], f"{type(error).__name__}: {error}"[:2000])
    return True


async def _fill_section(db: Database, tx: Transaction, row: Any) -> None:
    place = row["done_count"]
    content = await fill(db, _asked(row), SECTIONS[place])
    await tx.execute(
        "insert into report_sections (report_id, place, content) values ($1, $2, $3)",
        row["id"],
        place,
        msgspec.json.encode(content),
    )
    await tx.execute("update reports set state = 'building', done_count = done_count + 1 where id = $1", row["id"])


def _asked(row: Any) -> Asked:
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
    )


async def _finish(tx: Transaction, row: Any) -> None:
    stored = await tx.fetch("select content from report_sections where report_id = $1 order by place", row["id"])
    contents = [_DECODER.decode(one["content"]) for one in stored]
    asked = _asked(row)
    # A page of Chinese is set in a tenth of a second, a long report in more: not on the loop that answers probes.
    file = await asyncio.to_thread(_file, asked, Format(row["format"]), contents)
    manifest = {
        **_manifest(asked, contents),
        "bytes": len(file),
        "digest": f"sha256:{hashlib.sha256(file).hexdigest()}",
    }
    await tx.execute(
        "update reports set state = 'ready', file = $2, manifest = $3, finished_at = now() where id = $1",
        row["id"],
        file,
        msgspec.json.encode(manifest).decode(),
    )
    await tx.execute("delete from report_sections where report_id = $1", row["id"])


def _file(asked: Asked, format: Format, contents: Sequence[Content]) -> bytes:
    shown = [content for content in contents if content.columns]
    if format is Format.CSV:
        return tables.as_csv(shown, asked.language)
    if format is Format.XLSX:
        return tables.as_xlsx(shown, asked.language, _facts(asked, contents))
    return pages.as_pdf(shown, asked.language, _title(asked), _facts(asked, contents))


def _title(asked: Asked) -> str:
    name = KIND_NAMES[asked.kind][asked.language is Language.ZH]
    return f"{name} {_local(asked, asked.begin)[:10]}"


def _local(asked: Asked, moment: datetime) -> str:
    return moment.astimezone(ZoneInfo(asked.time_zone)).isoformat(timespec="minutes")


def _facts(asked: Asked, contents: Sequence[Content]) -> list[tuple[str, str]]:
    """What a reader of the file must know of it."""
    language = asked.language
    return [
        (word("period", language), f"{_local(asked, asked.begin)} – {_local(asked, asked.end)} ({asked.time_zone})"),
        (word("as_of", language), _local(asked, asked.as_of)),
        (word("read_up_to", language), _read_up_to(asked, contents)),
        *((word(name, language), str(seconds)) for name, seconds in _parameters(asked, contents).items()),
        (word("work_area_id", language), "–" if asked.areas is None else ", ".join(asked.areas)),
        (
            f"{word('metric', language)} / {word('version', language)}",
            ", ".join(sorted({f"{one.metric} v{one.version}" for content in contents for one in content.columns})),
        ),
        *([(word("signs", language), word("signs_mean", language))] if _has_signs(contents) else []),
    ]


def _read_up_to(asked: Asked, contents: Sequence[Content]) -> str:
    """Of the section that was filled first, and that others may know more than."""
    read = next((content.read_up_to for content in contents if content.read_up_to), None)
    recorded_at = read["recorded_at"] if read else None
    text = _local(asked, datetime.fromisoformat(recorded_at)) if recorded_at else "–"
    return text if _is_complete(contents) else f"{text}: {word('provisional', asked.language)}"


def _is_complete(contents: Sequence[Content]) -> bool:
    return all(content.is_complete for content in contents)


def _has_signs(contents: Sequence[Content]) -> bool:
    cells = (cell for content in contents for _, cells in content.rows for cell in cells if cell)
    return any(cell.unknown or cell.marked for cell in cells)


def _parameters(asked: Asked, contents: Sequence[Content]) -> dict[str, int]:
    """The thresholds that its figures were counted with."""
    columns = [column for content in contents for column in content.columns]
    taken = {name for one in columns for name in REGISTRY[one.metric][one.version - 1].parameters}
    return {name: seconds for name, seconds in asked.rules.thresholds.items() if name in taken}


def _manifest(asked: Asked, contents: Sequence[Content]) -> dict[str, Any]:
    return {
        "kind": asked.kind,
        "from": asked.begin,
        "to": asked.end,
        "time_zone": asked.time_zone,
        "parameters": _parameters(asked, contents),
        "calendar": CALENDAR,
        "as_of": asked.as_of,
        "language": asked.language,
        "areas": asked.areas,
        "read_up_to": next((content.read_up_to for content in contents if content.read_up_to), None),
        "is_complete": _is_complete(contents),
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
