"""Rows of calibration."""

from contracts.refusals import NotFound
from qa.calibration.domain.session import CalibrationSession
from qa.shelf import Column, Shelf


class CalibrationSessionNotFound(NotFound):
    """There is no calibration session {id}."""

    zh = "没有校准 {id}。"


SESSIONS = Shelf(
    "calibration_sessions",
    CalibrationSession,
    {
        "state": Column("text", lambda one: one.state.value),
        "opened_at": Column("timestamptz", lambda one: one.opened_at),
    },
    not_found=CalibrationSessionNotFound,
    sort="opened_at",
)
