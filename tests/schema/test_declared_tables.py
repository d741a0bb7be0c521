"""Tables as the code declares them, and as migrations make them: names, types, nullability and keys stand in both.

A service that declares all of its tables says so with `IS_COMPLETE = True` in its `tables.py`; a table that only a
migration knows then fails here.
"""

import asyncio
import importlib
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import asyncpg
import pytest
from sqlalchemy import BigInteger, Column, MetaData, Table, Text
from sqlalchemy.dialects import postgresql

from chassis import tables as technical
from work_orders import tables as of_orders

SERVICES = sorted(ini.parent.name for ini in Path(__file__).parents[2].glob("services/*/alembic.ini"))
LIBRARIES = (technical.METADATA, of_orders.METADATA)
ADDED = {("intake", "idempotency_keys"): {"about text"}}
"""Columns that a service adds to a table of a library."""
_DIALECT = postgresql.dialect()
_COLUMNS = """
select relname, concat_ws(' ', attname, format_type(atttypid, atttypmod),
    'collate "' || nullif(collname, 'default') || '"', case when attnotnull then 'not null' end,
    case when attnum = any(conkey) then 'key' end) as described
from pg_attribute join pg_class on pg_class.oid = attrelid left join pg_collation on pg_collation.oid = attcollation
    left join pg_constraint on conrelid = attrelid and contype = 'p'
where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relname <> 'alembic_version'
    and attnum > 0 and not attisdropped"""


def declarations_of(service: str) -> ModuleType | None:
    return importlib.import_module(f"{service}.tables") if find_spec(f"{service}.tables") else None


def described(column: Column) -> str:
    kind = column.type.compile(dialect=_DIALECT)
    name, _, collation = kind.partition(" COLLATE ")
    facts = {f"collate {collation}": collation, "not null": not column.nullable, "key": column.primary_key}
    return " ".join([column.name, name.lower(), *(fact for fact, holds in facts.items() if holds)])


def differences(declared: Iterable[Table], made: dict[str, set[str]], service: str) -> list[str]:
    """For each table that is not as declared: what only the code says, and what only the database has."""
    found = []
    for table in declared:
        in_code = {described(column) for column in table.columns} | ADDED.get((service, table.name), set())
        in_database = made.get(table.name, set())
        if in_code != in_database:
            only_in_code, only_in_database = sorted(in_code - in_database), sorted(in_database - in_code)
            found.append(f"{table.name}: declared only {only_in_code}; in the database only {only_in_database}")
    return found


def tables_in(url: str) -> dict[str, set[str]]:
    async def read() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetch(_COLUMNS)
        finally:
            await connection.close()

    made: dict[str, set[str]] = {}
    for name, column in asyncio.run(read()):
        made.setdefault(name, set()).add(column)
    return made


@pytest.mark.parametrize("service", SERVICES)
def test_declared_tables_are_those_that_migrations_make(service: str, new_database: Callable[[str], str]) -> None:
    made = tables_in(new_database(service))
    own = declarations_of(service)
    libraries = [table for metadata in LIBRARIES for table in metadata.sorted_tables if table.name in made]
    assert {table.name for table in technical.METADATA.sorted_tables} <= set(made)
    declared = [*libraries, *(own.METADATA.sorted_tables if own else ())]
    assert differences(declared, made, service) == []
    undeclared = sorted(set(made) - {table.name for table in declared})
    if own is not None and getattr(own, "IS_COMPLETE", False):
        assert undeclared == [], f"{service}.tables says that it is complete"


def test_a_table_that_is_declared_otherwise_is_caught() -> None:
    table = Table("parts", MetaData(), Column("id", Text(collation="C"), primary_key=True), Column("size", BigInteger))
    made = {"parts": {'id text collate "C" not null key', "size bigint"}}
    assert differences([table], made, "intake") == []
    assert differences([table], {}, "intake")
    for wrong in ("size integer", "size bigint not null", "width bigint", "size bigint key"):
        assert differences([table], {"parts": {'id text collate "C" not null key', wrong}}, "intake")
    assert differences([table], {"parts": {"id text not null key", "size bigint"}}, "intake")
    assert differences([table], {"parts": {*made["parts"], "more text"}}, "intake")
