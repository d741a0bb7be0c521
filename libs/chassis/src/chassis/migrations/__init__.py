"""Runs Alembic over asyncpg for each service's `migrations/env.py`, under a lock and with a lock timeout.

A service has a branch of its own, and so has each library that it uses; its `alembic.ini` names them in
`version_locations`. A migration is frozen text: of this repository it imports `execute` and nothing else.
"""

import asyncio
from collections.abc import Iterable

from alembic import context, op
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from chassis.advisory_locks import AdvisoryLock
from chassis.database import url_from_environment
from chassis.migrations.revisions import Revisions


def run() -> None:
    """Migrates the database of DATABASE_URL."""
    asyncio.run(_migrate(url_from_environment().replace("postgresql://", "postgresql+asyncpg://", 1)))


async def _migrate(url: str) -> None:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(_run)
        await connection.commit()
    await engine.dispose()


def _run(connection: Connection) -> None:
    # Several replicas may start at once; the second finds nothing to do.
    connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": AdvisoryLock.MIGRATION})
    # A migration that cannot get its lock gives up instead of stopping all traffic behind it.
    connection.execute(text("set lock_timeout = '5s'"))
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        _name_branches(connection)
        context.run_migrations()


def _name_branches(connection: Connection) -> None:
    """Writes down the heads of a database that names a revision of the single chain that its service once had."""
    present = set(context.get_context().get_current_heads())
    heads = Revisions(context.config, context.script).heads_of(present)
    if heads != present:
        connection.execute(text("delete from alembic_version"))
        rows = [{"revision": revision} for revision in sorted(heads)]
        connection.execute(text("insert into alembic_version (version_num) values (:revision)"), rows)


def execute(script: str) -> None:
    """Runs the statements of a script one by one; a statement ends with a semicolon at the end of a line."""
    for statement in _statements(script):
        op.execute(text(statement.replace(":", "\\:")))


def _statements(script: str) -> Iterable[str]:
    return (part.strip() for part in script.split(";\n") if part.strip())
