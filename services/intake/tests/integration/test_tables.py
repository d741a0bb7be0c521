"""The declared tables are those that the migrations create, column by column."""

from collections.abc import Iterable

from services.intake.tests.conftest import Intake
from sqlalchemy import Column, Identity, Text
from sqlalchemy.dialects import postgresql

from chassis.database import Statements
from intake.tables import METADATA

_DIALECT = postgresql.dialect()
_COLUMNS = """
    select a.attname as name, format_type(a.atttypid, null) as type, a.attnotnull as is_required,
           c.collname as collation, a.attidentity <> '' as is_identity
    from pg_attribute a left join pg_collation c on c.oid = a.attcollation and c.collname <> 'default'
    where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped"""


def declared(columns: Iterable[Column]) -> set[tuple[object, ...]]:
    return {
        (
            column.name,
            ("text" if isinstance(column.type, Text) else column.type.compile(dialect=_DIALECT)).lower(),
            not column.nullable,
            getattr(column.type, "collation", None),
            isinstance(column.identity, Identity),
        )
        for column in columns
    }


async def migrated(statements: Statements, table: str) -> set[tuple[object, ...]]:
    return {tuple(row) for row in await statements.fetch(_COLUMNS, table)}


async def test_the_declared_tables_are_the_migrated_ones(intake: Intake) -> None:
    async with intake.db.statements() as statements:
        for name, table in METADATA.tables.items():
            assert declared(table.columns) == await migrated(statements, name), name
