"""The pool of connections: one user each, at most so many, and none that is broken is handed on."""

import asyncio
from typing import Any

import asyncpg
import pytest

from chassis import connection_pool
from chassis.connection_pool import ConnectionPool


class FakeConnection:
    """As far as the pool sees one."""

    def __init__(self) -> None:
        self.is_ended = False

    def is_closed(self) -> bool:
        return self.is_ended

    def terminate(self) -> None:
        self.is_ended = True

    async def close(self) -> None:
        self.is_ended = True


class Server:
    """Opens connections and counts them."""

    def __init__(self) -> None:
        self.opened = 0
        self.is_away = False

    async def connect(self) -> Any:
        if self.is_away:
            raise ConnectionRefusedError("away")
        self.opened += 1
        return FakeConnection()


@pytest.fixture
def server() -> Server:
    return Server()


async def test_a_free_connection_is_used_again_before_another_is_opened(server: Server) -> None:
    pool = ConnectionPool(server.connect, size=2)
    first = await pool.acquire()
    pool.release(first)
    assert await pool.acquire() is first
    second = await pool.acquire()
    assert second is not first
    assert server.opened == 2


async def test_who_finds_all_in_use_gets_the_first_that_is_given_back(server: Server) -> None:
    pool = ConnectionPool(server.connect, size=1)
    used = await pool.acquire()
    waiting = [asyncio.create_task(pool.acquire()) for _ in range(2)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    pool.release(used)
    assert await waiting[0] is used
    pool.release(used)
    assert await waiting[1] is used


async def test_who_waits_too_long_is_told(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_pool, "_TURN_SECONDS", 0)
    pool = ConnectionPool(server.connect, size=1)
    used = await pool.acquire()
    with pytest.raises(TimeoutError):
        await pool.acquire()
    pool.release(used)
    assert await pool.acquire() is used


async def test_one_who_gives_up_waiting_takes_no_place(server: Server) -> None:
    pool = ConnectionPool(server.connect, size=1)
    used = await pool.acquire()
    waiting = asyncio.create_task(pool.acquire())
    await asyncio.sleep(0)
    waiting.cancel()
    pool.release(used)
    assert await pool.acquire() is used


async def test_a_closed_connection_is_not_handed_on(server: Server) -> None:
    pool = ConnectionPool(server.connect, size=1)
    used = await pool.acquire()
    used.terminate()
    pool.release(used)
    idle = await pool.acquire()
    assert idle is not used
    pool.release(idle)
    idle.terminate()  # as when the server ends an idle connection
    assert not (await pool.acquire()).is_closed()


async def test_an_attempt_to_connect_that_fails_takes_no_place(server: Server) -> None:
    pool = ConnectionPool(server.connect, size=1)
    server.is_away = True
    for _ in range(2):
        with pytest.raises(ConnectionRefusedError):
            await pool.acquire()
    server.is_away = False
    assert await pool.acquire()


async def test_idle_connections_are_ended_and_those_in_use_are_not(server: Server) -> None:
    pool = ConnectionPool(server.connect, size=2)
    used, idle = await pool.acquire(), await pool.acquire()
    pool.release(idle)
    pool.end_idle()
    assert (used.is_closed(), idle.is_closed()) == (False, True)


async def test_a_connection_that_was_long_idle_is_ended(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = ConnectionPool(server.connect, size=2)
    used, idle = await pool.acquire(), await pool.acquire()
    pool.release(idle)
    monkeypatch.setattr(connection_pool, "_IDLE_SECONDS", -1.0)
    pool.release(used)
    assert idle.is_closed()


async def test_a_pool_that_closes_waits_for_the_connections_in_use(server: Server) -> None:
    pool = ConnectionPool(server.connect, size=2)
    used, idle = await pool.acquire(), await pool.acquire()
    pool.release(idle)
    closing = asyncio.create_task(pool.close())
    await asyncio.sleep(0)
    assert not closing.done()
    pool.release(used)
    await closing
    assert used.is_closed()
    assert idle.is_closed()


async def test_a_pool_that_closes_gives_none_away(server: Server) -> None:
    pool = ConnectionPool(server.connect, size=1)
    used = await pool.acquire()
    waiting = asyncio.create_task(pool.acquire())
    await asyncio.sleep(0)
    closing = asyncio.create_task(pool.close())
    await asyncio.sleep(0)
    with pytest.raises(asyncpg.InterfaceError):
        await pool.acquire()
    pool.release(used)
    with pytest.raises(asyncpg.InterfaceError):
        await waiting
    await closing
