"""Rows as code has them are the rows of the declared tables, value by value: they are written by their order."""

from dataclasses import fields

import pytest
from sqlalchemy import Table

from reporting import tables
from reporting.projections import calls, follow_ups, promises, rings, sla, stays
from reporting.projections.table import ProjectionTable


@pytest.mark.parametrize(
    ("row", "table"),
    [
        (calls.LegRow, tables.LEGS),
        (stays.StayRow, tables.STAYS),
        (promises.PromiseRow, tables.PROMISES),
        (rings.RingRow, tables.RINGS),
        (follow_ups.FollowUpRow, tables.FOLLOW_UPS),
    ],
)
def test_a_row_has_the_fields_of_its_table_in_their_order(row: type, table: Table) -> None:
    names = [field.name for field in fields(row)]
    assert names[: len(table.columns)] == list(table.columns.keys())


def test_a_row_of_a_clock_has_the_fields_of_its_table_in_their_order() -> None:
    assert list(sla.ClockRow.__struct_fields__) == list(tables.SLA_CLOCKS.columns.keys())


def test_every_projection_has_a_table_in_both_sets() -> None:
    assert {f"{name}_{one}" for name in tables.PROJECTIONS for one in tables.SETS} <= set(tables.METADATA.tables)


def test_statements_give_every_parameter_its_type() -> None:
    statement = ProjectionTable(tables.STAYS).updating("left_at", "is_suspended")
    assert statement == (
        "update stays_{name} as present set left_at = given.left_at, is_suspended = given.is_suspended"
        " from unnest($1::text[], $2::integer[], $3::timestamp with time zone[], $4::boolean[])"
        " as given (order_id, since_version, left_at, is_suspended)"
        " where present.order_id = given.order_id and present.since_version = given.since_version"
    )
