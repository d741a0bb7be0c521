"""Reports over HTTP: asked for, watched, fetched, revised; the caller's own, as far as their present token reaches."""

import json
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from chassis.field_types import Prose
from chassis.problems import Responses
from chassis.request_context import Context
from reporting.figures.parameters import PresentRules, ZoneName
from reporting.figures.periods import TimeZoneUnknown, check_time_zone
from reporting.reports import use_cases, views
from reporting.reports.content import ReportRequest
from reporting.reports.domain import (
    LAST_ID,
    ReportNotFound,
    ReportNotReady,
    ReportOutsideTime,
    ReportPeriodInvalid,
    last_day_of,
)
from reporting.reports.edition import Remarks
from reporting.reports.periods import ReportKind, ReportWindow, period_of, window_of
from reporting.reports.plan import Format
from reporting.reports.store import VisibleReports
from reporting.reports.words import Language
from work_orders.routes import ANY

router = APIRouter(prefix="/v1/reports", tags=["reports"])
ReportId = Annotated[int, Path(ge=1, le=LAST_ID)]
Before = Annotated[int | None, Query(ge=1, le=LAST_ID, description="Older than this one.")]
ReportsPerPage = Annotated[int, Query(ge=1, le=200)]
_MEDIA_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.PDF: "application/pdf",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class NewReport(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: ReportKind
    day: date = Field(description="A day of the period; of kind `period` its first day.")
    last_day: date | None = Field(None, description="Of kind `period`, its last day, included.")
    format: Format = Format.XLSX
    language: Language = Language.ZH
    time_zone: ZoneName | None = Field(None, description="Default: that of the rules of figures.")


class NewCopy(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: Format = Format.XLSX
    language: Language = Language.ZH


class NewRemarks(BaseModel):
    """What a supervisor writes to the figures. Nothing in it may say who a caller is."""

    model_config = ConfigDict(extra="forbid")

    problems: Prose = Field(description="Problems that the period has shown.")
    suggestions: Prose = Field(description="Suggestions that were collected.")
    measures: Prose = Field(description="Measures, and what follows.")


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
    """Of a filed one: `schedule`."""
    asked_at: datetime
    state: Literal["waiting", "building", "ready", "failed"]
    section_count: int
    done_count: int
    manifest: dict[str, Any] | None
    """Metric versions, row counts, how far the streams were read, and the file's SHA-256."""
    failure: str | None
    finished_at: datetime | None
    is_filed: bool
    contents_of: int | None
    """The report whose figures it is made of, where these are not its own."""
    revision: int


class Reports(BaseModel):
    items: list[Report]


FILE_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": {
            media_type.split(";")[0]: {"schema": {"type": "string", "format": "binary"}}
            for media_type in _MEDIA_TYPES.values()
        },
    },
    **Responses.of((*ANY, ReportNotFound, ReportNotReady)),
}


def shown(row: Any) -> Report:
    return Report.model_validate({**dict(row), "manifest": json.loads(row["manifest"]) if row["manifest"] else None})


def file_response(name: str, format: Format, content: bytes) -> Response:
    return Response(
        content,
        media_type=_MEDIA_TYPES[format],
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def remarks_of(body: NewRemarks, context: Context) -> Remarks:
    written_by = context.caller.name or context.caller.sub
    return Remarks(**body.model_dump(), written_by=written_by, written_at=context.clock.now())


def _window(body: NewReport, zone: ZoneInfo, now: datetime) -> ReportWindow:
    is_free = body.kind is ReportKind.PERIOD
    last = last_day_of(body.day, body.last_day, is_free=is_free, today=now.date())
    return window_of(body.day, last + timedelta(days=1), zone) if is_free else period_of(body.kind, body.day, zone)


@router.post(
    "", status_code=202, responses=Responses.of((*ANY, TimeZoneUnknown, ReportOutsideTime, ReportPeriodInvalid))
)
async def ask_for_report(body: NewReport, context: Context, rules: PresentRules) -> Report:
    """Asks for the report of the day, week, month, quarter or year that `day` lies in, or of free days; a worker
    builds it.

    It holds what the caller may see: metrics that are not for their role, or not divided by the work areas that
    their token names, are left out and listed in the manifest.
    """
    time_zone = body.time_zone or rules.time_zone
    check_time_zone(time_zone)
    now = context.clock.now()
    begin, end = _window(body, ZoneInfo(time_zone), now)
    caller = context.caller
    request = ReportRequest(body.kind, begin, end, time_zone, rules, body.language, caller.roles, caller.areas, now)
    return shown(await use_cases.request_report(request, body.format, uow=context.uow))


@router.get("", responses=Responses.of(ANY))
async def get_reports(context: Context, before: Before = None, limit: ReportsPerPage = 50) -> Reports:
    """The caller's own reports, newest first; not those made for more areas or roles than the present token has."""
    rows = await views.reports(context.db, VisibleReports(context.caller), before=before, limit=limit)
    return Reports(items=[shown(row) for row in rows])


@router.get("/{report_id}", responses=Responses.of((*ANY, ReportNotFound)))
async def get_report(report_id: ReportId, context: Context) -> Report:
    """How far it is, and its manifest once it is ready."""
    return shown(await views.report(context.db, VisibleReports(context.caller), report_id))


@router.get("/{report_id}/file", response_class=Response, responses=FILE_RESPONSES)
async def get_report_file(report_id: ReportId, context: Context) -> Response:
    """The file itself; its SHA-256 is in the manifest."""
    return file_response(*await views.report_file(context.db, VisibleReports(context.caller), report_id))


@router.post("/{report_id}/copies", status_code=202, responses=Responses.of((*ANY, ReportNotFound)))
async def copy_report(report_id: ReportId, body: NewCopy, context: Context) -> Report:
    """Asks for the same report in another format or language, from the same figures."""
    copy = use_cases.copy_report(
        VisibleReports(context.caller), report_id, format=body.format, language=body.language, uow=context.uow
    )
    return shown(await copy)


@router.post("/{report_id}/remarks", status_code=202, responses=Responses.of((*ANY, ReportNotFound)))
async def write_remarks(report_id: ReportId, body: NewRemarks, context: Context) -> Report:
    """Writes problems, suggestions and measures to a report: a new revision of it, from the same figures."""
    return shown(
        await use_cases.revise_report(
            VisibleReports(context.caller), report_id, remarks_of(body, context), uow=context.uow
        )
    )
