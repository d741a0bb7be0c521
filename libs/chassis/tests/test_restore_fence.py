"""The fence: nothing is published while a position is behind its mark; in normal operation it is disabled."""

import asyncio

import asyncpg
import pytest

from chassis import outbox
from chassis.database import CatchingUp, Database, Transaction
from chassis.offsets import OffsetRange, advance
from chassis.recovery import fence
from chassis.testing import eventually

from .toy import TOPIC, note

WAITS = """select count(*) from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'"""


async def publish(tx: Transaction, key: str = "a") -> None:
    await outbox.add(tx, [note(key, 1)])


async def published(db: Database) -> int:
    async with db.statements() as statements:
        return await statements.fetchval("select count(*) from outbox")


async def is_up(db: Database) -> bool:
    async with db.statements() as statements:
        state = await statements.fetchval("select tgenabled from pg_trigger where tgname = 'restore_fence'")
    return state != b"D"


async def mark(db: Database, ends: dict[int, int], topic: str = TOPIC) -> None:
    async with db.begin() as tx:
        await fence.must_read_until(tx, topic, ends)


async def read_to(db: Database, partition: int, offset: int) -> None:
    async with db.begin() as tx:
        await advance(tx, OffsetRange(TOPIC, {partition: 0}, {partition: offset}))


async def waiting(db: Database) -> int:
    async with db.statements() as statements:
        return await statements.fetchval(WAITS)


@pytest.fixture
async def behind(toy_db: Database) -> Database:
    """A database of which ten records of partition 0 are still to be read."""
    await read_to(toy_db, 0, 5)
    await mark(toy_db, {0: 15})
    return toy_db


async def test_in_daily_life_the_fence_is_down(toy_db: Database) -> None:
    await read_to(toy_db, 0, 5)
    assert not await is_up(toy_db)
    async with toy_db.begin() as tx:
        await publish(tx)
    assert await published(toy_db) == 1


async def test_behind_nothing_is_published_whatever_the_statement(behind: Database) -> None:
    with pytest.raises(CatchingUp):
        async with behind.begin() as tx:
            await publish(tx)
    with pytest.raises(CatchingUp):
        async with behind.statements() as statements:
            await statements.execute(
                "with none as (select where false) insert into outbox"
                f" ({outbox.COLUMNS}) select 0, '', '', 0, '', ''::bytea, '{{}}'::jsonb from none"
            )
    with pytest.raises(CatchingUp):
        async with behind.statements() as statements:
            await statements.copy("outbox", ["shard"], [(0,)])
    assert await published(behind) == 0


async def test_code_that_does_not_know_the_fence_takes_it_for_a_database_that_is_busy(behind: Database) -> None:
    connection = await asyncpg.connect(behind.url)
    try:
        with pytest.raises(asyncpg.LockNotAvailableError):
            await connection.execute("insert into outbox default values")
    finally:
        await connection.close()


async def test_the_last_record_opens_the_way_and_housekeeping_takes_the_fence_down(behind: Database) -> None:
    await read_to(behind, 0, 14)
    await fence.lower(behind)
    with pytest.raises(CatchingUp):
        async with behind.begin() as tx:
            await publish(tx)
    await read_to(behind, 0, 15)
    async with behind.begin() as tx:
        await publish(tx)
    assert await is_up(behind)
    await fence.lower(behind)
    assert not await is_up(behind)
    await fence.lower(behind)
    async with behind.begin() as tx:
        await publish(tx, "b")
    assert await published(behind) == 2


async def test_marking_a_position_raises_the_fence(behind: Database) -> None:
    await read_to(behind, 0, 15)
    await fence.lower(behind)
    async with behind.statements() as statements:
        # Such as an operator by hand: the mark of before stands there still.
        await statements.execute("update positions set next_offset = 0")
    assert await is_up(behind)
    with pytest.raises(CatchingUp):
        async with behind.begin() as tx:
            await publish(tx)


async def test_only_what_settles_the_restore_passes_and_only_in_its_own_transaction(behind: Database) -> None:
    async with behind.begin() as tx:
        await fence.pass_through(tx)
        await publish(tx)
    assert await published(behind) == 1
    for _ in range(8):  # whichever connection of the pool it is
        with pytest.raises(CatchingUp):
            async with behind.begin() as tx:
                await publish(tx)


async def test_what_began_before_the_mark_is_committed_first_and_nothing_after_it(toy_db: Database) -> None:
    await read_to(toy_db, 0, 5)
    async with toy_db.begin() as tx:
        await publish(tx)
        marking = asyncio.create_task(mark(toy_db, {0: 15}))
        await eventually(lambda: waiting(toy_db), until=lambda count: count == 1)

        async def late() -> None:
            async with toy_db.begin() as other:
                await publish(other, "b")

        came_later = asyncio.create_task(late())
        await eventually(lambda: waiting(toy_db), until=lambda count: count == 2)
        assert not marking.done()
    await marking
    with pytest.raises(CatchingUp):
        await came_later
    assert await published(toy_db) == 1


@pytest.mark.parametrize("partition", [0, 1])
async def test_the_fence_is_not_taken_down_under_a_mark_that_is_being_set(behind: Database, partition: int) -> None:
    await read_to(behind, 0, 15)
    async with behind.begin() as tx:
        await fence.must_read_until(tx, TOPIC, {partition: 20})
        with pytest.raises(asyncpg.LockNotAvailableError):
            await fence.lower(behind)
    assert await is_up(behind)
    with pytest.raises(CatchingUp):
        async with behind.begin() as tx:
            await publish(tx)


async def test_two_that_mark_at_once_do_not_hold_each_other_up(toy_db: Database) -> None:
    await asyncio.gather(*(mark(toy_db, {0: 10, 1: 10}) for _ in range(4)))
    assert await is_up(toy_db)
