"""Fixtures of databases and topics; what they need is imported when a test first asks, so unit tests pay nothing."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from chassis.database import Statements
    from chassis.one_statement import Part
    from chassis.testing_databases import Databases, PostgresServer

Meanwhile = Callable[[Callable[[], Awaitable[Any]]], None]


@pytest.fixture(scope="session")
def databases(postgres_server: "PostgresServer", pytestconfig: pytest.Config) -> "Databases":
    """For fixtures of a wider scope than one test; who creates a database here may leave it behind."""
    from chassis.testing_databases import Databases

    return Databases(postgres_server, pytestconfig.rootpath)


@pytest.fixture
def new_database(databases: "Databases") -> Iterator[Callable[[str | Path], str]]:
    """`new_database("toy")` is the URL of a migrated, empty database; it is gone after the test."""
    made: list[str] = []

    def create(service: str | Path) -> str:
        made.append(databases.create(service))
        return made[-1]

    yield create
    for url in made:
        databases.drop(url)


@pytest.fixture
def restored_database(databases: "Databases") -> Callable[[str | Path], str]:
    """`restored_database("toy")` is as empty as a new database and costs less; see `Databases.restored`."""
    return databases.restored


@pytest.fixture
async def topic_prefix(kafka_server: Any) -> AsyncIterator[str]:
    """A prefix under which every topic of the contracts exists, for this test only."""
    from chassis.testing import create_topics, delete_topics
    from contracts.topics import TOPICS

    prefix = f"t{secrets.token_hex(4)}."
    names = [prefix + topic.name for topic in TOPICS]
    await create_topics(kafka_server.bootstrap_servers, names)
    yield prefix
    await delete_topics(kafka_server.bootstrap_servers, names)


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """`meanwhile(act)`: the next batch is read, `act` is done, and then the batch is written."""

    from chassis.one_statement import execute_together

    def between(act: Callable[[], Awaitable[Any]]) -> None:
        left = [act]

        async def write(statements: "Statements", changes: "Sequence[Part]") -> None:
            while left:
                await left.pop()()
            await execute_together(statements, changes)

        monkeypatch.setattr("chassis.subscribe.execute_together", write)

    return between


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that are sent, in order; a transaction fails."""
    from chassis.database import Database, Statements

    found: list[str] = []
    for name in ("fetch", "fetchrow", "execute"):

        def spy(statements: Statements, sql: str, *arguments: Any, shipped: Any = getattr(Statements, name)) -> Any:
            found.append(sql)
            return shipped(statements, sql, *arguments)

        monkeypatch.setattr(Statements, name, spy)

    def begin(_: Database) -> None:
        found.append("begin")
        raise AssertionError("a transaction")

    monkeypatch.setattr(Database, "begin", begin)
    return found
