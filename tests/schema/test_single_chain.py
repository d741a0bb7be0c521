"""Databases from before libraries had branches of migrations: each revision of a service's single chain, and on to now.

`single_chain.txt` has what the code of that time made, revision by revision, as fingerprints of `catalogue.describe`.
They and the sections `[single_chain]` never change: the migrations that they are about are frozen.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import asyncpg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from tests.schema.catalogue import describe, fill, fingerprint, read

from chassis.migrations.revisions import Revisions
from chassis.upgrade import Stand, stand_of

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
INIS = {ini.parent.name: ini for ini in sorted(ROOT.glob("services/*/alembic.ini"))}
MADE = [tuple(line.split()) for line in Path(__file__).with_name("single_chain.txt").read_text().splitlines()]
COUNTED_AGAIN = {"day_sums"}
"""Sums that a migration throws away, because they are counted again."""


def chain_of(service: str) -> dict[str, str]:
    """By revision of the single chain, what a database of that revision contained."""
    return {revision: made for name, revision, made in MADE if name == service}


def added_by(service: str) -> dict[str, list[str]]:
    section = Config(INIS[service]).get_section("single_chain", {})
    return {revision: section[revision].split() for revision in chain_of(service)}


class Database:
    def __init__(self, server: Any, template: str = "template1") -> None:
        self.name, self.server = f"schema_{uuid4().hex}", server
        ask(server.url, lambda admin: admin.execute(f"create database {self.name} template {template}"))
        self.url = server.database_url(self.name)

    def ask(self, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        return ask(self.url, work)

    def execute(self, sql: str) -> None:
        self.ask(lambda connection: connection.execute(sql))

    def heads(self) -> set[str]:
        return {row[0] for row in self.ask(lambda connection: connection.fetch("table alembic_version"))}


def ask(url: str, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    async def run() -> T:
        connection = await asyncpg.connect(url)
        try:
            return await work(connection)
        finally:
            await connection.close()

    return asyncio.run(run())


@pytest.fixture(params=INIS)
def service(request: pytest.FixtureRequest) -> str:
    return request.param


def test_every_service_says_of_each_revision_what_it_added(service: str) -> None:
    config = Config(INIS[service])
    revisions = Revisions(config, ScriptDirectory.from_config(config))
    section = config.get_section("single_chain", {})
    assert list(chain_of(service)) == [name for name in section if name.isdigit()]
    applied: set[str] = set()
    for revision, added in added_by(service).items():
        assert not applied & set(added), "added twice"
        applied |= set(added)
        # Nothing that it stands on is missing, and nothing more is taken for applied.
        assert revisions.applied({revision}) == applied
        assert revisions.heads_of(revisions.heads_of({revision})) == revisions.heads_of({revision})
    assert not revisions.are_known({f"{len(section):04d}"})


def test_a_database_of_the_single_chain_is_upgraded_and_keeps_its_rows(
    service: str, postgres_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def migrate(database: Database, target: str) -> None:
        monkeypatch.setenv("DATABASE_URL", database.url)
        command.upgrade(Config(INIS[service]), target)

    fresh, walked = Database(postgres_server), Database(postgres_server)
    migrate(fresh, "heads")
    chain = chain_of(service)
    first, *_, last = chain
    middle = list(chain)[len(chain) // 2]
    for revision, added in added_by(service).items():
        for one in added:
            migrate(walked, one)
        lines = walked.ask(describe)
        assert fingerprint(lines) == chain[revision], f"{service} {revision} is not what it was:\n" + "\n".join(lines)
        if revision in (first, middle, last):
            old = Database(postgres_server, walked.name)
            old.execute(f"delete from alembic_version; insert into alembic_version values ('{revision}')")
            with keeping_its_rows(old):
                migrate(old, "heads")
            assert old.heads() == fresh.heads()
            assert stand_of(INIS[service], old.url) is Stand.NEWEST
            assert old.ask(schema_of) == fresh.ask(schema_of)


async def schema_of(connection: asyncpg.Connection) -> list[str]:
    return [line for line in await describe(connection) if not line.startswith("row ")]


@contextlib.contextmanager
def keeping_its_rows(database: Database) -> Iterator[None]:
    """Each table has a row at the beginning, and at the end the same one, if with more columns."""
    filled = [name for name in database.ask(fill) if name not in COUNTED_AGAIN]
    before = database.ask(lambda connection: read(connection, filled))
    yield
    for name, rows in database.ask(lambda connection: read(connection, filled)).items():
        assert [{column: row[column] for column in before[name][0]} for row in rows] == before[name], name


def test_a_database_at_the_end_of_the_single_chain_lacks_nothing_that_the_chain_had(service: str) -> None:
    config = Config(INIS[service])
    revisions = Revisions(config, ScriptDirectory.from_config(config))
    ends = {revision for added in added_by(service).values() for revision in added}
    assert revisions.applied({list(chain_of(service))[-1]}) == ends
