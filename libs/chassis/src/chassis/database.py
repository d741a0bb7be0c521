"""Access to a PostgreSQL database through asyncpg and its pool.

Most work is a single statement: its own transaction, in one round trip. `begin` opens a transaction for
several statements. Queries with varying conditions are built with SQLAlchemy and compiled once for each
shape (`Query`).
"""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import asyncpg
from sqlalchemy import ClauseElement, Column, Executable, Text
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.sql.compiler import SQLCompiler

from chassis.asyncpg_internals import end_idle
from contracts.refusals import Unavailable


class Overtaken(Exception):
    """Another process has changed what a statement was to change, since it was read; nothing was written."""


TRANSIENT = (
    Overtaken,
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
)
"""What may be different when it is tried again: the connection, a lock, a server that restarts."""

_CONNECT_SECONDS = 5
_POOL_SECONDS = 10
_STATEMENT_SECONDS = 30
_ANSWER_SECONDS = 35
"""Longer than a statement may take: who is silent for so long is not slow, he is gone, and TCP has not noticed."""
SESSION = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}
"""The server notices within half a minute that its client is gone, and gives up the locks of that session."""
_DIALECT = PGDialect_asyncpg()
_HOST = r"(?:\[[0-9A-Fa-f:.%]+\]|[^\s/?#@:,\[\]]*)(?::\d+)?"
_PARAMETER = r"\w+=[^\s?#@&]*"
_URL = re.compile(
    r"postgres(?:ql)?(?:\+[a-z0-9]+)?://"
    r"(?:[^\s/?#@:\[\]]+(?::[^\s/?#@\[\]]*)?@)?"
    rf"{_HOST}(?:,{_HOST})*(?:/[^\s/?#@]*)?(?:\?{_PARAMETER}(?:&{_PARAMETER})*)?"
)


class UnreadableUrl(ValueError):
    """A database's address that is none. What it says is not repeated: there is a password in it."""

    def __init__(self) -> None:
        super().__init__(
            "it is not postgresql://user:password@host:port/database; in user and password, any of / ? # @ [ ] and a"
            " space is written as % and two digits"
        )


class DatabaseUnavailable(Unavailable):
    """The database is temporarily unavailable; retry with the same Idempotency-Key."""

    zh = "数据库暂时没有响应；请使用相同的 Idempotency-Key 重试。"


class CatchingUp(Unavailable):
    """The database was restored and is catching up; retry with the same Idempotency-Key."""

    zh = "数据库刚刚恢复，正在补读错过的消息；请使用相同的 Idempotency-Key 稍后重试。"


_RESTORE_FENCE = "restore_fence"
"""The name under which the fence of `chassis.recovery.fence` refuses a statement."""


def is_transient(error: BaseException) -> bool:
    """Whether the same work can succeed later without anybody changing anything."""
    return isinstance(error, TRANSIENT)


def driver_url(url: str) -> str:
    """The URL for asyncpg itself, whatever driver it named; raises `UnreadableUrl`.

    Whoever took an address apart that is not quite one would take a part of its password for a port, and say so.
    """
    if not _URL.fullmatch(url):
        raise UnreadableUrl()
    return "postgresql://" + url.split("://", 1)[1]


def url_from_environment() -> str:
    """What DATABASE_URL says, for programs that need no other setting; an exit when it is missing or none."""
    url = os.environ.get("DATABASE_URL")
    if not url:
        sys.exit("cannot start: DATABASE_URL is not set")
    try:
        return driver_url(url)
    except UnreadableUrl as error:
        sys.exit(f"cannot start: DATABASE_URL cannot be read: {error}")


class Query:
    """A SQLAlchemy query as the SQL that asyncpg takes. Its parameters are `bindparam`s, given by name.

    Compiling costs more than asking the database: keep a query for each shape it can have.
    """

    def __init__(self, query: Executable) -> None:
        compiled = cast(SQLCompiler, cast(ClauseElement, query).compile(dialect=_DIALECT))
        self.sql = str(compiled)
        self._names = compiled.positiontup or []

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        return [values[name] for name in self._names]


def columns_of(columns: Iterable[Column[Any]]) -> str:
    """The names of declared columns, as a list in a statement; of a whole table by its `.c`."""
    return ", ".join(_DIALECT.identifier_preparer.quote(column.name) for column in columns)


def parameters_of(columns: Iterable[Column[Any]], first: int = 1) -> str:
    """A parameter for each column: `$1::text, $2::integer`."""
    return ", ".join(f"${place}::{type_of(column)}" for place, column in enumerate(columns, start=first))


def unnest_of(columns: Iterable[Column[Any]], first: int = 1) -> str:
    """Rows of which each parameter is a column, as an array: `unnest($1::text[], $2::integer[])`."""
    given = ", ".join(f"${place}::{type_of(column)}[]" for place, column in enumerate(columns, start=first))
    return f"unnest({given})"


def type_of(column: Column[Any]) -> str:
    """The type of a parameter for this column."""
    # A parameter has no collation: it takes that of the column it is compared with.
    return "text" if isinstance(column.type, Text) else column.type.compile(dialect=_DIALECT).lower()


class Statements:
    """Plain SQL with `$1` parameters on one asyncpg connection."""

    is_publishing = False
    """Whether rows were added to the outbox: the relay is woken after the commit."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def fetch(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = await self._connection.fetch(sql, *arguments)
        return rows

    async def fetch_patiently(self, sql: str, *arguments: Any, seconds: float) -> list[asyncpg.Record]:
        """For what takes longer than a statement may; its transaction sets `statement_timeout` too."""
        rows: list[asyncpg.Record] = await self._connection.fetch(sql, *arguments, timeout=seconds)
        return rows

    async def fetchrow(self, sql: str, *arguments: Any) -> asyncpg.Record | None:
        return await self._connection.fetchrow(sql, *arguments)

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        return await self._connection.fetchval(sql, *arguments)

    async def execute(self, sql: str, *arguments: Any) -> str:
        tag: str = await self._connection.execute(sql, *arguments)
        return tag

    async def select(self, query: Query, values: Mapping[str, Any]) -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = await self._connection.fetch(query.sql, *query.arguments(values))
        return rows

    async def copy(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Many new rows at once, by COPY."""
        await self._connection.copy_records_to_table(table, columns=columns, records=rows)


class Transaction(Statements):
    """Statements that are committed together, or not at all."""

    is_catching_up = False
    """Whether what is read here was published before the database was restored; see `chassis.recovery.fence`."""


class Database:
    def __init__(self, url: str, *, pool_size: int = 8, application_name: str = "linework") -> None:
        self.url = driver_url(url)
        self._pool_size = pool_size
        self._application_name = application_name
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()
        self.turn = asyncio.Lock()
        """For work of this process that would only wait for each other's rows, or overtake each other."""

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()

    @asynccontextmanager
    async def statements(self) -> AsyncIterator[Statements]:
        """Statements that each commit themselves. Raises `CatchingUp` as `begin` does."""
        async with self._driver() as connection:
            yield Statements(connection)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        """One transaction; committed at the end of the block, rolled back when it raises.

        Raises `CatchingUp` where it publishes while a restored database reads what it missed.
        """
        async with self._driver() as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                yield Transaction(connection)
            except TimeoutError:
                # Nobody is there who could be told to roll back. The connection is ended; then the server does.
                raise
            except BaseException:
                await transaction.rollback()
                raise
            await transaction.commit()

    @asynccontextmanager
    async def _driver(self) -> AsyncIterator[asyncpg.Connection]:
        pool = self._pool or await self._open()
        connection = await pool.acquire(timeout=_POOL_SECONDS)
        try:
            yield connection
        except (asyncpg.InternalClientError, TimeoutError) as error:
            # Of no use any more: the answer that did not come may still come, and meet somebody else. And a server
            # that stops says goodbye to idle connections, which asyncpg takes for being in the middle of something.
            connection.terminate()
            if isinstance(error, TimeoutError):
                end_idle(pool)
            raise
        except asyncpg.LockNotAvailableError as error:
            if error.constraint_name == _RESTORE_FENCE:
                raise CatchingUp() from error
            raise
        finally:
            await pool.release(connection)

    async def _open(self) -> asyncpg.Pool:
        """Connects when somebody asks and not before: a process may start while its database is away."""
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self.url,
                    min_size=0,
                    max_size=self._pool_size,
                    timeout=_CONNECT_SECONDS,
                    reset=_leave_as_it_is,
                    command_timeout=_ANSWER_SECONDS,
                    server_settings={
                        "application_name": self._application_name,
                        "statement_timeout": f"{_STATEMENT_SECONDS}s",
                        **SESSION,
                    },
                )
        return self._pool


async def _leave_as_it_is(_: asyncpg.Connection) -> None:
    # Nothing outlives its transaction here, so giving a connection back costs no round trip.
    pass
