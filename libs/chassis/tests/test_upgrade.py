"""Migrations before a rollout, and code that waits for them or runs on a newer schema than its own."""

import asyncio
import threading
import uuid
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from chassis.upgrade import Stand, main, stand_of, upgrade, wait
from linework.ports import free_port

from .toy import INI

Execute = Callable[[str], Any]


@pytest.fixture
def url(postgres_server: Any) -> str:
    """A database in which nothing is."""
    name = f"upgrade_{uuid.uuid4().hex}"
    execute(postgres_server.url, f'create database "{name}"')
    return postgres_server.database_url(name)


def execute(url: str, sql: str) -> Any:
    async def run() -> Any:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    return asyncio.run(run())


def test_an_empty_database_is_brought_to_the_newest_schema_once(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert stand_of(INI, url) is Stand.BEHIND
    assert upgrade(INI, url) is Stand.NEWEST
    assert execute(url, "select count(*) from outbox") == 0
    assert main([str(INI)]) == 0
    assert stand_of(INI, url) is Stand.NEWEST


def test_a_database_that_newer_code_has_migrated_is_left_alone(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    upgrade(INI, url)
    execute(url, "update alembic_version set version_num = '9999'")
    assert stand_of(INI, url) is Stand.AHEAD
    assert main([str(INI)]) == main([str(INI), "--wait", "0"]) == 0
    assert execute(url, "select version_num from alembic_version") == "9999"


def test_whoever_waits_for_the_schema_waits_until_it_is_there(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    looked = threading.Event()
    monkeypatch.setattr("chassis.upgrade.time.sleep", lambda _: (looked.set(), upgrade(INI, url)))
    assert wait(INI, url, seconds=60) is Stand.NEWEST
    assert looked.is_set()


def test_whoever_waits_in_vain_fails(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert main([str(INI), "--wait", "0"]) == 1
    away = f"postgresql://nobody:nothing@127.0.0.1:{free_port()}/nothing"
    assert wait(INI, away, seconds=0) is Stand.AWAY
