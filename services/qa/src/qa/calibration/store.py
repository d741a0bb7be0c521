"""Rows of calibration."""

from chassis.document_store import DocumentStore
from contracts.refusals import NotFound
from qa import tables
from qa.calibration.domain.session import CalibrationSession


class CalibrationSessionNotFound(NotFound):
    """There is no calibration session {id}."""

    zh = "没有校准 {id}。"


SESSIONS = DocumentStore(
    tables.CALIBRATION_SESSIONS, CalibrationSession, not_found=CalibrationSessionNotFound, sort="opened_at"
)
