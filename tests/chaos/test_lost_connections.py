"""A connection whose other side is gone without a word: TCP says nothing for hours, and we must not wait for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit

import pytest
from tests.chaos.links import Link, State

from chassis import database
from chassis.database import Database


@pytest.fixture
async def link(postgres_server: object) -> AsyncIterator[Link]:
    opened = Link("to postgres", postgres_server.port)  # type: ignore[attr-defined]
    await opened.open()
    yield opened
    opened.close()


@pytest.fixture
async def db(
    link: Link, new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Database]:
    monkeypatch.setattr(database, "_ANSWER_SECONDS", 0.5)
    url = urlsplit(new_database("qa"))
    by_link = url._replace(netloc=url.netloc.replace(f":{url.port}", f":{link.port}")).geturl()
    opened = Database(by_link, pool_size=2)
    yield opened
    await opened.close()


async def ask(db: Database) -> int:
    async with db.statements() as statements:
        return await statements.fetchval("select 1 from pg_sleep(0.05)")


async def ask_in_transaction(db: Database) -> int:
    async with db.begin() as tx:
        return await tx.fetchval("select 1 from pg_sleep(0.05)")


@pytest.mark.parametrize("work", [ask, ask_in_transaction])
async def test_connections_that_are_lost_without_a_word_are_given_up_and_others_are_made(
    db: Database, link: Link, work: Callable[[Database], object]
) -> None:
    await asyncio.gather(work(db), work(db))  # both connections of the pool
    link.cut(State.LOST)
    given_up = await asyncio.gather(work(db), work(db), return_exceptions=True)
    assert [type(error) for error in given_up] == [TimeoutError, TimeoutError]
    assert all(database.is_transient(error) for error in given_up)
    link.mend()
    assert await asyncio.gather(work(db), work(db)) == [1, 1]


async def test_after_one_that_is_lost_no_other_one_of_that_time_is_trusted(db: Database, link: Link) -> None:
    await asyncio.gather(ask(db), ask(db))  # both connections of the pool
    link.cut(State.LOST)
    with pytest.raises(TimeoutError):
        await ask(db)
    link.mend()
    assert await asyncio.gather(ask(db), ask(db)) == [1, 1]


async def test_a_transaction_that_loses_its_connection_leaves_nothing(db: Database, link: Link) -> None:
    async def write() -> None:
        async with db.begin() as tx:
            await tx.execute("create table left_behind ()")
            link.cut(State.LOST)
            await tx.fetchval("select 1")

    with pytest.raises(TimeoutError):
        await write()
    link.mend()
    async with db.statements() as statements:
        assert await statements.fetchval("select to_regclass('left_behind')") is None


async def test_the_server_is_asked_to_notice_clients_that_are_gone(db: Database) -> None:
    async with db.statements() as statements:
        for name, value in database.SESSION.items():
            assert await statements.fetchval("select current_setting($1)", name) == value
