"""One PostgreSQL database, by SQLAlchemy's engine, asked through asyncpg.

Most work here is one statement: it is its own transaction and one round trip. What must be several
statements in one transaction says so with `begin`.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy import Executable, Row, event
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from contracts.refusals import Unavailable

TRANSIENT = (
    OSError,
    TimeoutError,
    PoolTimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
)
"""What may be different when it is tried again: the connection, a lock, a server that restarts."""


class DatabaseUnavailable(Unavailable):
    """The database does not answer at this moment; ask again with the same Idempotency-Key."""

    zh = "数据库暂时没有响应；请使用相同的 Idempotency-Key 重试。"


def is_transient(error: BaseException) -> bool:
    """Whether the same work can succeed later without anybody changing anything."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or isinstance(_cause(error), TRANSIENT)
    return isinstance(error, TRANSIENT)


def _cause(error: DBAPIError) -> BaseException | None:
    return getattr(error.orig, "driver_exception", None) or error.orig.__cause__ if error.orig else None


def driver_url(url: str) -> str:
    """The URL for asyncpg itself, whatever driver it named."""
    return "postgresql://" + url.split("://", 1)[1]


class Statements:
    """Plain SQL with `$1` parameters on one asyncpg connection."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def fetch(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        return await self._connection.fetch(sql, *arguments)

    async def fetchrow(self, sql: str, *arguments: Any) -> asyncpg.Record | None:
        return await self._connection.fetchrow(sql, *arguments)

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        return await self._connection.fetchval(sql, *arguments)

    async def execute(self, sql: str, *arguments: Any) -> str:
        return await self._connection.execute(sql, *arguments)

    async def copy(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Many new rows at once, by COPY."""
        await self._connection.copy_records_to_table(table, columns=columns, records=rows)


class Transaction(Statements):
    """Statements that are committed together, or not at all."""


class Database:
    def __init__(self, url: str, *, pool_size: int = 8, application_name: str = "linework") -> None:
        self.url = driver_url(url)
        self.engine = create_async_engine(
            "postgresql+asyncpg://" + url.split("://", 1)[1],
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=10,
            # JSON comes and goes as text, on this connection and on the driver's own.
            json_deserializer=str,
            connect_args={
                "timeout": 5,
                "server_settings": {"application_name": application_name, "statement_timeout": "30000"},
            },
        )
        event.listen(self.engine.sync_engine, "checkout", _refuse_dead_connection)

    async def close(self) -> None:
        await self.engine.dispose()

    @asynccontextmanager
    async def statements(self) -> AsyncIterator[Statements]:
        """Statements that each commit themselves."""
        async with self._driver() as connection:
            yield Statements(connection)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        """One transaction; committed at the end of the block, rolled back when it raises."""
        async with self._driver() as connection, connection.transaction():
            yield Transaction(connection)

    async def select(self, query: Executable) -> Sequence[Row[Any]]:
        """The rows of a SQLAlchemy query, in a transaction of its own."""
        async with self.engine.connect() as connection, _dropped_when_confused(connection):
            return (await connection.execute(query)).all()

    @asynccontextmanager
    async def _driver(self) -> AsyncIterator[asyncpg.Connection]:
        async with self.engine.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            try:
                async with _dropped_when_confused(connection):
                    yield driver
            finally:
                await _drop_if_dead(connection, driver)


@asynccontextmanager
async def _dropped_when_confused(connection: AsyncConnection) -> AsyncIterator[None]:
    # A server that stops says goodbye to idle connections, and asyncpg then takes them to be in the middle of
    # something: open, and of no use for ever.
    try:
        yield
    except asyncpg.InternalClientError:
        await connection.invalidate()
        raise


async def _drop_if_dead(connection: AsyncConnection, driver: asyncpg.Connection) -> None:
    # The pool did not see the failure, because it happened on the driver's own connection.
    if driver.is_closed():
        await connection.invalidate()


def _refuse_dead_connection(dbapi_connection: Any, _entry: ConnectionPoolEntry, _proxy: Any) -> None:
    # asyncpg notices that the server hung up without asking it; the pool then opens another connection.
    if dbapi_connection.driver_connection.is_closed():
        raise DisconnectionError
