"""Reports over HTTP: asked for, watched, fetched. Each to who asked, as far as their token reaches."""

import json
from datetime import date, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from chassis.desk import Desk, RouteDesk
from chassis.problems import Responses
from custody.routes import ANY
from reporting.api_rules import Rules, ZoneName
from reporting.figures.periods import TimeZoneUnknown, check_time_zone
from reporting.reports import building
from reporting.reports.building import ReportNotFound, ReportNotReady, ReportOutsideTime
from reporting.reports.content import Asked
from reporting.reports.plan import Format, Language, ReportKind, period_of

router = APIRouter(prefix="/v1/reports", tags=["reports"])
ReportId = Annotated[int, Path(ge=1, le=2**62)]
_MEDIA_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.PDF: "application/pdf",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class NewReport(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: ReportKind
    day: date = Field(description="A day of the period.")
    format: Format = Format.XLSX
    language: Language = Language.ZH
    time_zone: ZoneName | None = Field(None, description="Default: that of the rules of figures.")


class Report(BaseModel):
    id: int
    kind: ReportKind
    begins_at: datetime
    ends_at: datetime
    time_zone: str
    format: Format
    language: Language
    areas: list[str] | None
    asked_by: str
    asked_at: datetime
    state: Literal["waiting", "building", "ready", "failed"]
    section_count: int
    done_count: int
    manifest: dict[str, Any] | None
    """Metric versions, row counts, how far the streams were read, and the file's SHA-256."""
    failure: str | None
    finished_at: datetime | None


class Reports(BaseModel):
    items: list[Report]


def _shown(row: Any) -> Report:
    return Report.model_validate({**dict(row), "manifest": json.loads(row["manifest"]) if row["manifest"] else None})


@router.post("", status_code=202, responses=Responses.of((*ANY, TimeZoneUnknown, ReportOutsideTime)))
async def ask_for_report(body: NewReport, desk: Desk, rules: Rules) -> Report:
    """Asks for the report of the day, week, month, quarter or year that `day` lies in; a worker builds it.

    It holds what the caller may see: metrics that are not for their role, or not to be told by the work areas that
    their token names, are left out, and the manifest says which.
    """
    time_zone = body.time_zone or rules.time_zone
    check_time_zone(time_zone)
    now = desk.clock.now()
    if not 2000 <= body.day.year <= now.year + 10:
        raise ReportOutsideTime()
    begin, end = period_of(body.kind, body.day, ZoneInfo(time_zone))
    caller = desk.caller
    asked = Asked(body.kind, begin, end, time_zone, rules, body.language, caller.roles, caller.areas, now)
    return _shown(await building.request_report(desk.db, asked, body.format, by=caller.sub))


@router.get("", responses=Responses.of(ANY))
async def get_reports(
    desk: Desk,
    before: Annotated[int | None, Query(ge=1, le=2**62, description="Older than this one.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Reports:
    """The caller's reports, newest first; not those that were built for more areas or roles than the token has."""
    found = await building.reports(desk.db, _reader(desk), before=before, limit=limit)
    return Reports(items=[_shown(row) for row in found])


def _reader(desk: RouteDesk) -> building.Reader:
    return building.Reader(desk.caller.sub, desk.caller.roles, desk.caller.areas)


@router.get("/{report_id}", responses=Responses.of((*ANY, ReportNotFound)))
async def get_report(report_id: ReportId, desk: Desk) -> Report:
    """How far it is, and its manifest once it is ready."""
    return _shown(await building.get_report(desk.db, report_id, _reader(desk)))


@router.get(
    "/{report_id}/file",
    response_class=Response,
    responses={
        200: {
            "description": "The file.",
            "content": {media_type.split(";")[0]: {} for media_type in _MEDIA_TYPES.values()},
        },
        **Responses.of((*ANY, ReportNotFound, ReportNotReady)),
    },
)
async def get_report_file(report_id: ReportId, desk: Desk) -> Response:
    """The file itself; its SHA-256 is in the manifest."""
    name, format, content = await building.get_file(desk.db, report_id, _reader(desk))
    return Response(
        content,
        media_type=_MEDIA_TYPES[format],
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )
