"""Migrations before a rollout, and code that waits for them or runs on a newer schema than its own."""

import asyncio
import os
import shutil
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from chassis.upgrade import Stand, main, stand_of, upgrade, wait
from linework.ports import free_port
from linework.processes import die_with_parent

from .toy import INI

Execute = Callable[[str], Any]
SCRIPT = ScriptDirectory.from_config(Config(INI))
CHASSIS = SCRIPT.as_revision_number("chassis@head")
NEWEST = " ".join(sorted(SCRIPT.get_heads()))


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
            return await (connection.fetchval(sql) if sql.startswith("select") else connection.execute(sql))
        finally:
            await connection.close()

    return asyncio.run(run())


def heads(url: str) -> str:
    return execute(url, "select string_agg(version_num, ' ' order by version_num) from alembic_version")


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
    # A later step of one branch; the other branch stands where this code has it.
    execute(url, "update alembic_version set version_num = 'chassis_9999' where version_num like 'chassis%'")
    assert stand_of(INI, url) is Stand.AHEAD
    assert main([str(INI)]) == main([str(INI), "--wait", "0"]) == 0
    assert heads(url) == "chassis_9999 toy_0001"


def test_a_database_that_lacks_one_branch_is_behind(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    command.upgrade(Config(INI), "toy@head")
    assert stand_of(INI, url) is Stand.BEHIND
    assert upgrade(INI, url) is Stand.NEWEST
    assert stand_of(INI, url) is Stand.NEWEST


def test_a_head_that_another_branch_depends_on_is_no_row_and_not_missing(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    folder = tmp_path / "migrations"
    shutil.copytree(INI.parent / "migrations", folder)
    ini = tmp_path / "alembic.ini"
    ini.write_text(INI.read_text())
    toy = folder / "versions" / "0001_toy.py"
    toy.write_text(toy.read_text().replace("depends_on = None", f'depends_on = "{CHASSIS}"'))
    assert upgrade(ini, url) is Stand.NEWEST
    assert heads(url) == "toy_0001"
    assert stand_of(ini, url) is Stand.NEWEST


def test_a_revision_of_a_single_chain_is_read_as_what_it_added(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    for revision in ("toy_0001", "chassis_0002"):
        command.upgrade(Config(INI), revision)
    execute(url, "delete from alembic_version; insert into alembic_version values ('0002')")
    assert stand_of(INI, url) is Stand.BEHIND
    assert heads(url) == "0002"
    assert upgrade(INI, url) is Stand.NEWEST
    assert heads(url) == NEWEST
    execute(url, "delete from alembic_version; insert into alembic_version values ('0004')")
    assert stand_of(INI, url) is Stand.AHEAD


def test_many_upgrades_at_once_leave_one_schema(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for revision in ("toy_0001", "chassis_0001"):
        monkeypatch.setenv("DATABASE_URL", url)
        command.upgrade(Config(INI), revision)
    execute(url, "delete from alembic_version; insert into alembic_version values ('0001')")
    commands = [[sys.executable, "-m", "chassis.upgrade", str(INI)]] * 3
    environment = {**os.environ, "DATABASE_URL": url}
    running = [subprocess.Popen(command, env=environment, preexec_fn=die_with_parent) for command in commands]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert heads(url) == NEWEST


def test_waiting_for_the_schema_ends_when_it_is_there(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    looked = threading.Event()
    monkeypatch.setattr("chassis.upgrade.time.sleep", lambda _: (looked.set(), upgrade(INI, url)))
    assert wait(INI, url, seconds=60) is Stand.NEWEST
    assert looked.is_set()


def test_waiting_for_a_schema_that_does_not_come_fails(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert main([str(INI), "--wait", "0"]) == 1
    away = f"postgresql://nobody:nothing@127.0.0.1:{free_port()}/nothing"
    assert wait(INI, away, seconds=0) is Stand.AWAY
