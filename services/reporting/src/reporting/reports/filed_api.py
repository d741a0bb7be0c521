"""Filed reports over HTTP: made by a schedule, for everyone with one of its roles and work areas."""

from fastapi import APIRouter, Response

from chassis.problems import Responses
from chassis.request_context import Context
from reporting.reports import use_cases, views
from reporting.reports.api import (
    FILE_RESPONSES,
    Before,
    NewCopy,
    NewRemarks,
    Report,
    ReportId,
    Reports,
    ReportsPerPage,
    file_response,
    remarks_of,
    shown,
)
from reporting.reports.domain import ReportNotFound
from reporting.reports.store import VisibleReports
from work_orders.routes import ANY

router = APIRouter(prefix="/v1/filed-reports", tags=["reports"])


def _filed(context: Context) -> VisibleReports:
    return VisibleReports(context.caller, is_filed=True)


@router.get("", responses=Responses.of(ANY))
async def get_filed_reports(context: Context, before: Before = None, limit: ReportsPerPage = 50) -> Reports:
    """Those that schedules have filed for one of the caller's roles, newest first; of a caller whose token names work
    areas those of these areas only."""
    rows = await views.reports(context.db, _filed(context), before=before, limit=limit)
    return Reports(items=[shown(row) for row in rows])


@router.get("/{report_id}", responses=Responses.of((*ANY, ReportNotFound)))
async def get_filed_report(report_id: ReportId, context: Context) -> Report:
    """How far it is, and its manifest once it is ready."""
    return shown(await views.report(context.db, _filed(context), report_id))


@router.get("/{report_id}/file", response_class=Response, responses=FILE_RESPONSES)
async def get_filed_report_file(report_id: ReportId, context: Context) -> Response:
    """The file itself; its SHA-256 is in the manifest."""
    return file_response(*await views.report_file(context.db, _filed(context), report_id))


@router.post("/{report_id}/copies", status_code=202, responses=Responses.of((*ANY, ReportNotFound)))
async def copy_filed_report(report_id: ReportId, body: NewCopy, context: Context) -> Report:
    """Files the same report in another format or language, from the same figures."""
    copy = use_cases.copy_report(
        _filed(context), report_id, format=body.format, language=body.language, uow=context.uow
    )
    return shown(await copy)


@router.post("/{report_id}/remarks", status_code=202, responses=Responses.of((*ANY, ReportNotFound)))
async def write_remarks_to_filed_report(report_id: ReportId, body: NewRemarks, context: Context) -> Report:
    """Files a new revision with problems, suggestions and measures, from the same figures."""
    return shown(await use_cases.revise_report(_filed(context), report_id, remarks_of(body, context), uow=context.uow))
