"""Rows of typical cases, and what they are."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ARRAY, Text

from chassis.document_store import DocumentStore, condition
from contracts.refusals import NotFound
from qa import tables
from qa.recordings.store import OF_SUBSCRIBERS


class CaseKind(StrEnum):
    EXEMPLARY = "exemplary"
    TO_AVOID = "to_avoid"


class TypicalCaseNotFound(NotFound):
    """There is no typical case {id}."""

    zh = "没有典型案例 {id}。"


@dataclass(frozen=True, slots=True, kw_only=True)
class TypicalCase:
    """A recording that shows how something is done well, or how it is not to be done."""

    id: str
    version: int
    recording_id: str
    kind: CaseKind
    title: str
    lesson: str
    demand_type: str | None
    collected_at: datetime
    collected_by: str
    is_in_use: bool = True


IN_AREAS = condition(
    """exists (select from recordings r join work_orders w on w.id = any(r.order_ids)
        where r.id = typical_cases.body->>'recording_id' and w.work_area_id = any(:areas))""",
    areas=ARRAY(Text),
)
"""Of recordings of calls that led to an order of these areas."""
CASES = DocumentStore(tables.TYPICAL_CASES, TypicalCase, not_found=TypicalCaseNotFound, sort="collected_at")
CASES_ABOUT = CASES.where(
    condition(f"body->>'recording_id' in {OF_SUBSCRIBERS}", subscriber_ids=ARRAY(Text)), lock=True
)
