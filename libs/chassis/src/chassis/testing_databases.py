"""Databases of tests: migrated once a run, then copied, or used again with the rows that migrations leave."""

import asyncio
import os
import secrets
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeVar

import asyncpg
import pytest

from chassis.database import driver_url

T = TypeVar("T")


class PostgresServer(Protocol):
    def database_url(self, database: str) -> str: ...


def _in_thread(work: Coroutine[Any, Any, T]) -> T:
    """The result of async work, from anywhere: also from a sync fixture inside a running loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


# Deletes cost less than truncates, which make new files for every table; only a table that has grown is truncated.
# As on a replica no trigger fires: a foreign key does not say in which order tables are emptied.
_RESTORE = """
do $$ declare place record; begin
    perform set_config('session_replication_role', 'replica', true);
    for place in select oid, relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
        and relname <> 'alembic_version' and pg_relation_size(oid) > 0
    loop
        if pg_relation_size(place.oid) > 1000000 then execute format('truncate %I cascade', place.relname);
        else execute format('delete from %I', place.relname); end if;
    end loop;
    for place in select relname from pg_class where relnamespace = 'pristine'::regnamespace loop
        execute format('insert into %1$I overriding system value table pristine.%1$I', place.relname);
    end loop;
    perform setval(seqrelid, seqstart, false) from pg_sequence where pg_sequence_last_value(seqrelid) is not null;
end $$
"""
_KEEP_PRISTINE = """
create schema pristine;
do $$ declare place name; is_filled boolean; begin
    for place in select tablename from pg_tables where schemaname = 'public' and tablename <> 'alembic_version' loop
        execute format('select exists (table %I)', place) into is_filled;
        if is_filled then execute format('create table pristine.%I as table %I', place, place); end if;
    end loop;
end $$
"""


class Databases:
    """New databases, each a copy of one that Alembic has migrated once a run."""

    def __init__(self, server: PostgresServer, root: Path) -> None:
        self._server = server
        self._root = root
        self._templates: dict[Path, str] = {}
        self._reused: dict[str | Path, str] = {}
        self._migrating = threading.Lock()

    def create(self, service: str | Path) -> str:
        """The URL of a new database of a service, or of any other `alembic.ini`."""
        ini = service if isinstance(service, Path) else self._root / "services" / service / "alembic.ini"
        with self._migrating:
            if ini not in self._templates:
                self._templates[ini] = self._migrated(ini)
        name = f"test_{secrets.token_hex(6)}"
        # Copied as files: the default writes every page into the log too, which no test needs.
        self.execute(f"create database {name} template {self._templates[ini]} strategy file_copy")
        return self._server.database_url(name)

    def restored(self, service: str | Path) -> str:
        """The URL of the database that tests of a service share, reset to the rows that its migrations insert.

        For tests that change rows only. A test that changes tables or kills sessions creates its own database.
        """
        if service not in self._reused:
            url = self.create(service)
            _in_thread(_execute(url, _KEEP_PRISTINE))
            self._reused[service] = url
        _in_thread(_execute(self._reused[service], _RESTORE))
        return self._reused[service]

    def drop(self, url: str) -> None:
        self.execute(f"drop database if exists {url.rsplit('/', 1)[1]} with (force)")

    def execute(self, sql: str) -> None:
        """Runs a statement in the maintenance database."""
        _in_thread(_execute(self._server.database_url("postgres"), sql))

    def _migrated(self, ini: Path) -> str:
        from alembic import command
        from alembic.config import Config

        name = f"template_{secrets.token_hex(6)}"
        self.execute(f"create database {name}")
        with pytest.MonkeyPatch.context() as environment, ThreadPoolExecutor(1) as thread:
            environment.setitem(os.environ, "DATABASE_URL", self._server.database_url(name))
            thread.submit(command.upgrade, Config(ini), "heads").result()
        return name


async def _execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(driver_url(url), timeout=30)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
