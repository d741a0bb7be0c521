"""A cancelled caller leaves no transaction behind in which the statements of the next one would be lost."""

import asyncio
from typing import Any

import pytest

from chassis.database import Database

from .toy import INI


@pytest.fixture(scope="module")
def url(databases: Any) -> str:
    return databases.create(INI)


@pytest.mark.parametrize("statement", ["select pg_sleep(0.2)", "select 1"])
@pytest.mark.parametrize("turns", range(10))
@pytest.mark.parametrize("times", [1, 2, 5])
async def test_the_next_statement_is_a_transaction_of_its_own(url: str, statement: str, turns: int, times: int) -> None:
    db = Database(url, pool_size=1)

    async def work() -> None:
        async with db.begin() as tx:
            await tx.execute(statement)

    await _is_transaction_of_its_own(db)  # opens the connection
    task = asyncio.create_task(work())
    for _ in range(turns):
        await asyncio.sleep(0)
    for _ in range(times):  # as a server does when its client is gone
        task.cancel()
        await asyncio.sleep(0)
    await asyncio.wait([task])
    found = await _is_transaction_of_its_own(db)
    await db.close()
    assert found


async def _is_transaction_of_its_own(db: Database) -> bool:
    async with db.statements() as statements:
        await statements.execute("select 1")
        return not statements._connection.is_in_transaction()  # as the server has just said
