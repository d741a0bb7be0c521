"""The feed of changes: in commit order, without a loss when transactions commit in another order than they began."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from chassis.database import Database
from chassis.testing import eventually
from chassis.wakeup import Wakeup
from contracts import events as e
from contracts.lifecycle import Service
from work_orders import change_store, changes
from work_orders.change_store import RecordedChange, changes_since, forget_old_changes, newest_place
from work_orders.changes import ChangeBatch, ChangeFeed, OrderChange
from work_orders.places import PlaceInChanges, PlaceLost

from .conftest import DISPATCHED, Timeline, follow, make_created, whole_life

KEPT = timedelta(hours=48)
_INSERT = "insert into order_changes (order_id, version, work_area_id) values ($1, $2, $3)"


async def note(db: Database, order_id: str, version: int = 1, area: str | None = None) -> None:
    async with db.statements() as statements:
        await statements.execute(_INSERT, order_id, version, area)


@contextlib.asynccontextmanager
async def uncommitted(db: Database, order_id: str, version: int = 1) -> AsyncIterator[asyncpg.Connection]:
    """A transaction that has changed an order and is not committed."""
    connection = await asyncpg.connect(db.url)
    try:
        await connection.execute("begin")
        await connection.execute(_INSERT, order_id, version, None)
        yield connection
    finally:
        await connection.close()


async def ids_since(db: Database, place: PlaceInChanges) -> tuple[list[str], PlaceInChanges]:
    found, then = await changes_since(db, place)
    return [change.order_id for change in found], then


@pytest.fixture
async def feed(db: Database) -> AsyncIterator[ChangeFeed]:
    async with Wakeup(db.url).running() as wakeup:
        yield ChangeFeed(db, wakeup, kept=KEPT)


async def next_ids(feed: ChangeFeed, place: PlaceInChanges) -> tuple[list[str], PlaceInChanges]:
    batch = await feed.after(place, 20)
    assert batch is not None
    return [change.order_id for change in batch.seen_by(None)], batch.place


def test_a_place_is_read_as_it_was_written() -> None:
    place = PlaceInChanges(4711, 1_790_000_000_000_000, frozenset({4700, 4709}))
    assert PlaceInChanges.parse(place.text()) == place
    assert [place.sees(number) for number in (4699, 4700, 4710, 4711, 4712)] == [True, False, True, True, False]


@pytest.mark.parametrize("text", ["", "1", "x-1", "1-2-", "-1-2", "1-2 ", "1-2-" + "3-" * 600, "f" * 90 + "-1", "٣-١"])
def test_what_is_no_place_is_lost(text: str) -> None:
    with pytest.raises(PlaceLost):
        PlaceInChanges.parse(text)


async def test_each_event_of_an_order_is_a_change(db: Database) -> None:
    before = await newest_place(db)
    life = whole_life("o-1")
    for message in life.messages:
        await follow(db, Service.QA, [message])
    found, _ = await changes_since(db, before)
    assert [(change.version, change.work_area_id) for change in found] == [
        (1, None),
        *((version, "north") for version in range(2, 7)),
    ]


async def test_reading_on_is_no_change(db: Database) -> None:
    life = whole_life("o-1")
    await follow(db, Service.QA, life.messages)
    before = await newest_place(db)
    async with db.statements() as statements:
        await statements.execute("update work_orders set stream_version = stream_version - 1")
    await follow(db, Service.QA, life.messages)
    assert await ids_since(db, before) == ([], before)


async def test_the_area_that_an_order_leaves_is_noted(db: Database) -> None:
    life = Timeline("o-1")
    life.then(Service.INTAKE, make_created())
    life.then(Service.DISPATCH, DISPATCHED)
    life.then(Service.FIELDWORK, e.WorkOrderRejected(reason=e.RejectionReason.OTHER, explanation="no"))
    life.then(Service.DISPATCH, e.WorkOrderRedispatchRequested(reason="again"))
    before = await newest_place(db)
    life.then(Service.DISPATCH, e.WorkOrderDispatched(work_area_id="south", staff_ids=("staff-2",)))
    for message in life.messages:
        await follow(db, Service.QA, [message])
    found, _ = await changes_since(db, before)
    assert [(change.work_area_id, change.left_work_area_id) for change in found] == [
        (None, None),
        *[("north", None)] * 3,
        ("south", "north"),
    ]


async def test_what_commits_later_than_it_began_is_told_later(db: Database) -> None:
    await note(db, "first")
    place = await newest_place(db)
    async with uncommitted(db, "slow") as slow:
        await note(db, "fast")
        found, place = await ids_since(db, place)
        assert found == ["fast"]
        await note(db, "faster")
        found, place = await ids_since(db, PlaceInChanges.parse(place.text()))
        assert found == ["faster"]
        await slow.execute("commit")
    found, place = await ids_since(db, place)
    assert found == ["slow"]
    assert await ids_since(db, place) == ([], place)


async def test_a_long_transaction_that_changes_no_order_delays_nothing(db: Database) -> None:
    place = await newest_place(db)
    async with uncommitted(db, "never") as slow:
        await note(db, "o-1")
        found, place = await ids_since(db, place)
        assert found == ["o-1"]
        await slow.execute("rollback")
    assert await ids_since(db, place) == ([], place)


async def test_many_writers_that_commit_in_any_order_lose_nothing(db: Database) -> None:
    async def write(number: int) -> None:
        async with db.begin() as tx:
            await tx.execute(_INSERT, f"o-{number}", 1, None)
            await tx.execute("select pg_sleep($1)", (number * 7 % 5) / 500)

    place, seen = await newest_place(db), []
    writers = asyncio.gather(*(write(number) for number in range(200)))
    while not writers.done():
        found, place = await ids_since(db, place)
        seen += found
        await asyncio.sleep(0)
    found, _ = await ids_since(db, place)
    assert sorted(seen + found) == sorted(f"o-{number}" for number in range(200))


async def test_a_place_whose_change_is_gone_is_lost(db: Database) -> None:
    await note(db, "o-1")
    place = await newest_place(db)
    async with db.statements() as statements:
        await statements.execute("delete from order_changes")
    with pytest.raises(PlaceLost):
        await changes_since(db, place)


async def test_a_place_whose_number_was_given_again_is_lost(db: Database) -> None:
    # A server that loses its last commits gives their numbers to others.
    await note(db, "o-1")
    place = await newest_place(db)
    async with db.statements() as statements:
        await statements.execute("update order_changes set order_id = 'other', recorded_at = clock_timestamp()")
    with pytest.raises(PlaceLost):
        await changes_since(db, place)


async def test_who_is_too_far_behind_starts_again(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_store, "MOST_CHANGES", 3)
    place = await newest_place(db)
    for number in range(3):
        await note(db, f"o-{number}")
    assert len((await ids_since(db, place))[0]) == 3
    await note(db, "o-4")
    with pytest.raises(PlaceLost):
        await changes_since(db, place)


async def test_old_changes_are_forgotten_and_their_places_are_too_old(db: Database) -> None:
    await note(db, "old")
    async with db.statements() as statements:
        await statements.execute("update order_changes set recorded_at = now() - interval '48 hours 30 minutes'")
        place = await newest_place(db)
        await note(db, "new")
        with pytest.raises(PlaceLost):
            await changes_since(db, place, kept=KEPT)
        assert await forget_old_changes(statements, KEPT + timedelta(hours=1)) == 0
        assert await forget_old_changes(statements, KEPT) == 1
        assert [row["order_id"] for row in await statements.fetch("select order_id from order_changes")] == ["new"]


async def test_every_listener_hears_every_change_once(db: Database, feed: ChangeFeed) -> None:
    async def listen() -> list[str]:
        seen: list[str] = []
        async with feed.listening():
            place = await feed.present_place()
            began.release()
            while len(seen) < 40:
                found, place = await next_ids(feed, place)
                seen += found
        return seen

    began = asyncio.Semaphore(0)
    listeners = asyncio.gather(*(listen() for _ in range(5)))
    for _ in range(5):
        await began.acquire()
    written = [f"o-{number}" for number in range(40)]
    for order_id in written:
        await note(db, order_id)
    assert await listeners == [written] * 5


async def test_a_listener_that_was_away_resumes_where_it_was(db: Database, feed: ChangeFeed) -> None:
    await note(db, "before")
    place = await newest_place(db)
    async with uncommitted(db, "slow") as slow:
        await note(db, "o-1")
        async with feed.listening():
            found, place = await next_ids(feed, place)
            assert found == ["o-1"]
            await slow.execute("commit")
            await note(db, "o-2")
            seen: list[str] = []
            while len(seen) < 2:
                found, place = await next_ids(feed, PlaceInChanges.parse(place.text()))
                seen += found
            assert sorted(seen) == ["o-2", "slow"]
            assert await feed.after(place, 0) is None


async def test_a_slow_listener_costs_no_memory_and_misses_nothing(
    db: Database, feed: ChangeFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "_KEPT_CHANGES", 3)
    await note(db, "before")
    async with feed.listening():
        place = quick = await feed.present_place()
        for number in range(10):
            await note(db, f"o-{number}")
            _, quick = await next_ids(feed, quick)
        assert len(feed._batches) <= 3
        found, place = await next_ids(feed, place)
        assert (found, place) == ([f"o-{number}" for number in range(10)], quick)


async def test_a_feed_whose_database_lost_its_last_changes_starts_again(db: Database, feed: ChangeFeed) -> None:
    await note(db, "o-1")
    async with feed.listening():
        place = await feed.present_place()
        async with db.statements() as statements:
            await statements.execute("delete from order_changes")
        await note(db, "o-2")

        async def is_lost() -> Any:
            with contextlib.suppress(PlaceLost):
                await feed.after(place, 0.05)
                return False
            return True

        await eventually(is_lost, until=bool)
        fresh = await feed.present_place()
        await note(db, "o-3")
        assert (await next_ids(feed, fresh))[0] == ["o-3"]


async def test_nothing_is_read_while_nobody_listens(feed: ChangeFeed) -> None:
    async with feed.listening():
        async with feed.listening():
            await feed.present_place()
        assert feed._reader is not None
    assert feed._reader is None


def test_an_area_is_told_what_it_has_and_what_left_it_and_nothing_of_others() -> None:
    batch = ChangeBatch(
        PlaceInChanges(1, 1),
        PlaceInChanges(9, 9),
        [
            RecordedChange(2, "stays", 3, "north", None),
            RecordedChange(3, "goes", 5, "south", "north"),
            RecordedChange(4, "goes", 6, "south", None),
            RecordedChange(5, "foreign", 2, "south", None),
            RecordedChange(6, "waits", 1, None, None),
            RecordedChange(8, "stays", 4, "north", None),
        ],
    )
    told = {areas: batch.seen_by(areas) for areas in (("north",), ("south",), ("north", "south"), (), None)}
    assert told[("north",)] == [OrderChange("goes", 5, True), OrderChange("stays", 4, False)]
    assert told[("south",)] == [OrderChange("goes", 6, False), OrderChange("foreign", 2, False)]
    assert {change.order_id: change.has_left for change in told["north", "south"]} == {
        "stays": False,
        "goes": False,
        "foreign": False,
    }
    assert told[()] == []
    assert [change.order_id for change in told[None]] == ["goes", "foreign", "waits", "stays"]


def test_of_an_order_the_newest_version_is_told_whatever_its_transactions_are_called() -> None:
    batch = ChangeBatch(
        PlaceInChanges(1, 1),
        PlaceInChanges(9, 9),
        [RecordedChange(2, "o-1", 8, None, None), RecordedChange(3, "o-1", 7, None, None)],
    )
    assert batch.seen_by(None) == [OrderChange("o-1", 8, False)]
