"""Rows of typical cases, and what they are."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.refusals import NotFound
from qa.shelf import Column, Shelf


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


OF_RECORDINGS_IN_AREAS = """exists (
    select from recordings r join work_orders w on w.id = any(r.order_ids)
    where r.id = typical_cases.body->>'recording_id' and w.work_area_id = any($1::text[]))"""
CASES = Shelf(
    "typical_cases",
    TypicalCase,
    {
        "kind": Column("text", lambda one: one.kind.value),
        "demand_type": Column("text", lambda one: one.demand_type),
        "is_in_use": Column("boolean", lambda one: one.is_in_use),
        "collected_at": Column("timestamptz", lambda one: one.collected_at),
    },
    not_found=TypicalCaseNotFound,
    sort="collected_at",
)
