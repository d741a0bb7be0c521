"""The queries of a document store, as they are compiled; what they find is tested where documents are kept."""

from dataclasses import dataclass

from sqlalchemy import JSON, Column, DateTime, Integer, MetaData, Table, Text

from chassis.document_store import DocumentStore, PageRequest, condition
from contracts.refusals import NotFound


class PartNotFound(NotFound):
    """There is no part {id}."""


@dataclass(frozen=True, slots=True)
class Part:
    id: str
    version: int
    state: str


PARTS = Table(
    "parts",
    MetaData(),
    Column("id", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("body", JSON, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default="now()"),
)
STORE = DocumentStore(PARTS, Part, not_found=PartNotFound, sort="created_at")
EITHER = condition("state = :state or id = :id", state=Text, id=Text)


def test_a_condition_with_an_alternative_does_not_widen_the_rest_of_a_query() -> None:
    query, _ = STORE._query_of(PageRequest(condition=EITHER, values={"state": "x", "id": "y"}, equal={"version": 2}))
    assert "(state = $1::VARCHAR or id = $2::VARCHAR) AND parts.version = $3::INTEGER" in query.sql


def test_a_list_of_one_shape_is_compiled_once() -> None:
    first, _ = STORE._query_of(PageRequest(equal={"state": "x", "id": None}))
    again, values = STORE._query_of(PageRequest(equal={"state": "y"}, limit=3))
    assert again is first
    assert values == {"equal_state": "y", "rows": 4}
    several, _ = STORE._query_of(PageRequest(equal={"state": ("x", "y")}))
    assert several is not first


def test_what_the_server_fills_in_is_not_written() -> None:
    assert "created_at" not in STORE._add.sql
    assert "created_at" not in STORE._put_all
