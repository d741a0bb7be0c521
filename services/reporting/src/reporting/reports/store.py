"""Reports in the database: asked for, listed, built section by section, filed by schedules, deleted.

A report belongs to the caller who asked for it, or is filed: made by a schedule for everyone with one of its roles.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Integer, Text, and_, bindparam, not_, or_, select

from chassis.database import Query, Statements, Transaction
from chassis.guard import Caller
from reporting.figures.rules import FigureRules
from reporting.metrics import REGISTRY
from reporting.reports import edition
from reporting.reports.content import Content, ReportRequest
from reporting.reports.domain import LAST_ID, ReportNotFound
from reporting.reports.edition import Edition
from reporting.reports.periods import ReportKind
from reporting.reports.plan import ALL_SECTIONS, Format, sections_of
from reporting.reports.schedule import Due, Schedule
from reporting.reports.words import Language
from reporting.tables import REPORTS, TEXTS

_DELETED_AT_ONCE = 200
_CONTENT = msgspec.json.Decoder(Content)
_RULES = msgspec.json.Decoder(FigureRules)
_LARGE = ("file", "rules", "edition", "roles")
SHOWN = tuple(column.name for column in REPORTS.columns if column.name not in _LARGE)
"""What a list shows of a report: all but its file and what it is made of."""


@dataclass(frozen=True, slots=True)
class VisibleReports:
    """Whose reports are read, judged by the caller's present token: their own, or those that are filed."""

    caller: Caller
    is_filed: bool = False

    @property
    def values(self) -> dict[str, Any]:
        """The parameters of `_is_visible`."""
        caller = self.caller
        areas = None if caller.areas is None else list(caller.areas)
        roles = sorted(caller.roles) if self.is_filed else roles_beyond(caller.roles)
        return {"areas": areas, "roles": roles, "asked_by": caller.sub}


def _is_visible(*, is_filed: bool) -> ColumnElement[bool]:
    columns = REPORTS.c
    areas, roles = bindparam("areas", type_=TEXTS), bindparam("roles", type_=TEXTS)
    # What is of some work areas is for a token that reaches all of them; what is of all for a token without areas.
    reached = or_(areas.is_(None), and_(columns.areas.is_not(None), columns.areas.contained_by(areas)))
    if is_filed:
        return and_(columns.is_filed, columns.roles.overlap(roles), reached)
    by = bindparam("asked_by", type_=Text)
    return and_(not_(columns.is_filed), columns.asked_by == by, reached, not_(columns.roles.overlap(roles)))


def roles_beyond(roles: frozenset[str]) -> list[str]:
    """The roles that a metric of a report is open to, and none of these: a report made for one may hold too much."""
    metrics = [REGISTRY[metric_id][-1] for section in ALL_SECTIONS.values() for metric_id in section.metrics]
    closed = [metric for metric in metrics if roles.isdisjoint(metric.roles)]
    return sorted({role for metric in closed for role in metric.roles})


@cache
def _list_query(*, is_filed: bool) -> Query:
    before, limit = bindparam("before", type_=BigInteger), bindparam("limit", type_=Integer)
    columns = [REPORTS.c[name] for name in SHOWN]
    visible = select(*columns).where(_is_visible(is_filed=is_filed), REPORTS.c.id < before)
    return Query(visible.order_by(REPORTS.c.id.desc()).limit(limit))


@cache
def _one_query(columns: tuple[str, ...], *, is_filed: bool) -> Query:
    by_id = REPORTS.c.id == bindparam("id", type_=BigInteger)
    return Query(select(*(REPORTS.c[name] for name in columns)).where(_is_visible(is_filed=is_filed), by_id))


async def reports(statements: Statements, visible: VisibleReports, *, before: int | None, limit: int) -> list[Any]:
    """Newest first."""
    values = {**visible.values, "before": before or LAST_ID, "limit": limit}
    return await statements.select(_list_query(is_filed=visible.is_filed), values)


async def get_report(
    statements: Statements, visible: VisibleReports, report_id: int, columns: tuple[str, ...] = SHOWN
) -> Any:
    """Raises `ReportNotFound`."""
    query = _one_query(columns, is_filed=visible.is_filed)
    rows = await statements.select(query, {**visible.values, "id": report_id})
    if not rows:
        raise ReportNotFound(report_id=report_id)
    return rows[0]


async def get_whole_report(statements: Statements, visible: VisibleReports, report_id: int) -> Any:
    """All columns but the file; raises `ReportNotFound`."""
    return await get_report(statements, visible, report_id, (*SHOWN, "roles", "rules", "edition"))


async def lock_newest_revision(tx: Transaction, first_id: int) -> int:
    """The newest revision of the report whose figures these are.

    Its row stays locked until the transaction ends, so that two who write at once get two revisions.
    """
    await tx.execute("select from reports where id = $1 for update", first_id)
    return await tx.fetchval("select max(revision) from reports where id = $1 or contents_of = $1", first_id) or 1


async def insert_report(
    statements: Statements,
    request: ReportRequest,
    format: Format,
    its: Edition,
    *,
    by: str,
    contents_of: int | None = None,
) -> Any:
    count = len(sections_of(request.kind))
    values = {
        "kind": request.kind.value,
        "begins_at": request.begin,
        "ends_at": request.end,
        "time_zone": request.time_zone,
        "format": format.value,
        "language": request.language.value,
        "roles": sorted(request.roles),
        "areas": None if request.areas is None else list(request.areas),
        "asked_by": by,
        "asked_at": request.as_of,
        "section_count": count,
        "done_count": 0 if contents_of is None else count,
        "rules": msgspec.json.encode(request.rules).decode(),
        "edition": edition.encode(its),
        "is_filed": request.is_for_every_role,
        "contents_of": contents_of,
        "revision": its.revision,
    }
    places = ", ".join(f"${place}" for place in range(1, len(values) + 1))
    return await statements.fetchrow(
        f"insert into reports ({', '.join(values)}) values ({places}) returning {', '.join(SHOWN)}", *values.values()
    )


def request_of(row: Any) -> ReportRequest:
    return ReportRequest(
        kind=ReportKind(row["kind"]),
        begin=row["begins_at"],
        end=row["ends_at"],
        time_zone=row["time_zone"],
        rules=_RULES.decode(row["rules"]),
        language=Language(row["language"]),
        roles=frozenset(row["roles"]),
        areas=None if row["areas"] is None else tuple(row["areas"]),
        as_of=row["asked_at"],
        is_for_every_role=row["is_filed"],
    )


def edition_of(row: Any) -> Edition:
    return edition.DECODER.decode(row["edition"]) if row["edition"] else Edition()


async def lock_next_to_build(tx: Transaction) -> Any:
    """The oldest report that is not finished and that no other worker has, or None.

    One that is made of another's sections waits until these are there.
    """
    return await tx.fetchrow(
        """select * from reports as report where state in ('waiting', 'building') and not exists (
               select from reports as first
               where first.id = report.contents_of and first.state in ('waiting', 'building'))
           order by id limit 1 for update skip locked"""
    )


async def section_count(statements: Statements, report_id: int) -> int:
    return await statements.fetchval("select count(*) from report_sections where report_id = $1", report_id)


async def sections(statements: Statements, report_id: int) -> list[Content]:
    rows = await statements.fetch("select content from report_sections where report_id = $1 order by place", report_id)
    return [_CONTENT.decode(row["content"]) for row in rows]


async def begin_again(tx: Transaction, report_id: int, count: int) -> None:
    await tx.execute("delete from report_sections where report_id = $1", report_id)
    await tx.execute(
        "update reports set section_count = $2, done_count = 0, contents_of = null where id = $1", report_id, count
    )


async def add_section(tx: Transaction, report_id: int, place: int, content: Content) -> None:
    await tx.execute(
        "insert into report_sections (report_id, place, content) values ($1, $2, $3)",
        report_id,
        place,
        msgspec.json.encode(content),
    )
    await tx.execute("update reports set state = 'building', done_count = done_count + 1 where id = $1", report_id)


async def note_ready(tx: Transaction, report_id: int, file: bytes, manifest: dict[str, Any]) -> None:
    await tx.execute(
        "update reports set state = 'ready', file = $2, manifest = $3, finished_at = now() where id = $1",
        report_id,
        file,
        msgspec.json.encode(manifest).decode(),
    )


async def note_failed(tx: Transaction, report_id: int, failure: str) -> None:
    await tx.execute(
        "update reports set state = 'failed', failure = $2, finished_at = now() where id = $1",
        report_id,
        failure[:2000],
    )


async def note_run(tx: Transaction, schedule: Schedule, due: Due, now: datetime) -> bool:
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


async def delete_finished_before(statements: Statements, moment: datetime) -> bool:
    """Deletes some reports; whether there were any. One whose figures another is made of stays until that is gone."""
    done = await statements.execute(
        """delete from reports where id = any(array(
               select id from reports as old where finished_at < $1
                   and not exists (select from reports as copy where copy.contents_of = old.id)
               order by finished_at limit $2))""",
        moment,
        _DELETED_AT_ONCE,
    )
    return done != "DELETE 0"
