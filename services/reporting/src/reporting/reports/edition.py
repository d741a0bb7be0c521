"""What makes this copy of a report, beside its figures: the rules it was made by, who wrote what, when it was due."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from reporting.reports.rules import ReportRules


class Remarks(msgspec.Struct, frozen=True, kw_only=True):
    """What a supervisor writes to the figures; nothing in it may say who a caller is."""

    problems: str
    suggestions: str
    measures: str
    written_by: str
    written_at: datetime


class Edition(msgspec.Struct, frozen=True, kw_only=True):
    rules: ReportRules = ReportRules()
    revision: int = 1
    remarks: Remarks | None = None
    due_at: datetime | None = None
    """Of a filed report: when its schedule wanted it."""
    is_late: bool = False
    calendar: Mapping[str, str | None] | None = None
    """Of one that was due on a working day: `covered_until`, the last day for which holidays were entered."""


DECODER = msgspec.json.Decoder(Edition)


def encode(edition: Edition) -> str:
    return msgspec.json.encode(edition).decode()
