"""What a database contains, as sorted lines of text that two databases can be compared by.

The order of columns within a table is left out: it depends on which branch of migrations ran first, and no statement
relies on it.
"""

import hashlib
from typing import Any

import asyncpg

_TABLES = "relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relname <> 'alembic_version'"
_QUERIES = {
    "table": f"select relname || ' ' || coalesce(array_to_string(reloptions, ','), '') from pg_class where {_TABLES}",
    "column": f"""select concat_ws(' ', relname || '.' || attname, format_type(atttypid, atttypmod),
            'collate ' || nullif(nullif(collname, 'default'), ''), case when attnotnull then 'not null' end,
            'identity ' || nullif(attidentity::text, ''), 'default ' || pg_get_expr(adbin, adrelid))
        from pg_attribute join pg_class on pg_class.oid = attrelid left join pg_attrdef on adrelid = attrelid
            and adnum = attnum left join pg_collation on pg_collation.oid = attcollation
        where {_TABLES} and attnum > 0 and not attisdropped""",
    # PostgreSQL 18 lists "not null" as constraints too; it stands with the columns.
    "constraint": """select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint
        where connamespace = 'public'::regnamespace and contype <> 'n' and conrelid <> 'alembic_version'::regclass""",
    "index": """select pg_get_indexdef(indexrelid) from pg_index join pg_class on pg_class.oid = indexrelid
        where relnamespace = 'public'::regnamespace and indrelid <> 'alembic_version'::regclass""",
    "sequence": """select concat_ws(' ', sequencename, data_type, start_value, increment_by, cache_size, cycle)
        from pg_sequences where schemaname = 'public'""",
    "trigger": "select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal",
    "function": "select pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace",
}
_COLUMNS = f"""select relname, attname, format_type(atttypid, atttypmod) as type
    from pg_attribute join pg_class on pg_class.oid = attrelid
    where {_TABLES} and attnum > 0 and not attisdropped and attidentity = '' order by relname, attnum"""
_VALUES = {"boolean": "true", "timestamp with time zone": "'2026-03-02 08:00+00'", "date": "'2026-03-02'"}
_VALUES["uuid"] = "'019c0000-0000-7000-8000-000000000000'"
_VALUES |= dict.fromkeys(("integer", "bigint", "smallint"), "1") | dict.fromkeys(("json", "jsonb"), "'{}'")


async def describe(connection: asyncpg.Connection) -> list[str]:
    """Every table, column, constraint, index, sequence and function, and the rows that stand in the tables."""
    lines = [f"{kind} {line}" for kind, sql in _QUERIES.items() for (line,) in await connection.fetch(sql)]
    for name in await table_names(connection):
        # Moments are those of the migration.
        rows = await connection.fetch(f"""select (select jsonb_object_agg(key, value) from jsonb_each(to_jsonb(t))
            where key not like '%\\_at')::text from "{name}" as t""")
        lines += [f"row {name} {row}" for (row,) in rows]
    return sorted(lines)


def fingerprint(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


async def table_names(connection: asyncpg.Connection) -> list[str]:
    """In the order in which they were created, so that a table comes after those that it refers to."""
    return [name for (name,) in await connection.fetch(f"select relname from pg_class where {_TABLES} order by oid")]


async def fill(connection: asyncpg.Connection) -> list[str]:
    """Writes a row into each table that has none, with a value in every column; returns the tables."""
    columns: dict[str, dict[str, str]] = {}
    for name, column, kind in await connection.fetch(_COLUMNS):
        columns.setdefault(name, {})[f'"{column}"'] = "'{}'" if kind.endswith("[]") else _VALUES.get(kind, "'1'")
    filled = []
    for name in await table_names(connection):
        if not await connection.fetchval(f'select exists (select from "{name}")'):
            names, values = ", ".join(columns[name]), ", ".join(columns[name].values())
            await connection.execute(f'insert into "{name}" ({names}) values ({values})')
            filled.append(name)
    return filled


async def read(connection: asyncpg.Connection, names: list[str]) -> dict[str, list[dict[str, Any]]]:
    """The rows of these tables."""
    return {name: [dict(row) for row in await connection.fetch(f'select * from "{name}"')] for name in names}
