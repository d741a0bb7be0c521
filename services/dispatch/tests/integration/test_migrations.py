"""The tables and indexes that Alembic makes."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from alembic.config import Config

from chassis.clock import SystemClock
from contracts.lifecycle import Status
from work_orders.clocks_shown import ShownClocks
from work_orders.order_table import COLUMNS, to_json
from work_orders.sealing import Opening
from work_orders.search import Search
from work_orders.testing import make_order
from work_orders.time_limits import KnownRuleSets
from work_orders.views import most_urgent

INI = Path(__file__).parents[2] / "alembic.ini"
WAITING = (Status.CREATED, Status.REJECTED, Status.REDISPATCHING)


async def tables(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
    await connection.close()
    return {row["tablename"] for row in rows}


def alembic(url: str, step, target: str) -> None:
    with pytest.MonkeyPatch.context() as environment, ThreadPoolExecutor(1) as thread:
        environment.setitem(os.environ, "DATABASE_URL", url)
        thread.submit(step, Config(INI), target).result()


async def test_the_migration_can_be_taken_back_and_made_again(new_database):
    url = new_database("dispatch")
    before = await tables(url)
    await asyncio.to_thread(alembic, url, command.downgrade, "base")
    assert await tables(url) == {"alembic_version"}
    await asyncio.to_thread(alembic, url, command.upgrade, "heads")
    assert await tables(url) == before


async def test_the_list_that_opens_by_default_is_read_in_its_order_from_one_index(desk):
    async with desk.db.statements() as statements:
        await statements.execute(
            f"""insert into work_orders ({COLUMNS})
                select 'o-' || i, 1, 1, (array['created', 'rejected', 'redispatching', 'archived'])[1 + i % 4],
                    null, null, i::text, null, i::text, 'd', 'd', i % 2, now() - i * interval '1 minute',
                    now(), '', $1::text::json, null, 0, null, null, 1
                from generate_series(1, 20000) as i""",
            to_json(make_order(status=Status.CREATED)).decode(),
        )
        await statements.execute("analyze work_orders")
        await statements.execute("select pg_stat_reset()")
    opening, clocks = Opening(desk.app.state.sealing_keys), ShownClocks(desk.db, KnownRuleSets(), SystemClock())
    for _ in range(20):
        # Often enough for a plan that no longer looks at the statuses to have been considered.
        await most_urgent(desk.db, Search(WAITING), opening, clocks, cursor=None, limit=50)

    async with desk.db.statements() as statements:
        await statements.execute("select pg_stat_force_next_flush()")
        used = {
            row["indexrelname"]: row["idx_tup_read"]
            for row in await statements.fetch("select indexrelname, idx_tup_read from pg_stat_user_indexes")
        }
        scanned = await statements.fetchval("select seq_scan from pg_stat_user_tables where relname = 'work_orders'")
    assert scanned == 0
    assert used["work_orders_by_limit"] == 0
    # A page and the row behind it, and now and then an entry of a row that is no more.
    assert 51 <= used["work_orders_waiting"] <= 20 * 60
