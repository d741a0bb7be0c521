"""Pages that are complete and without repeats, and see only what the caller may see."""

import base64
import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.database import Database
from chassis.paging import CursorBroken, to_cursor
from chassis.wait_for_version import NotCaughtUp
from chassis.wakeup import Wakeup
from contracts import events as e
from contracts.lifecycle import Service, Status
from work_orders.commit import WorkOrderNotFound
from work_orders.search import Search
from work_orders.views import most_recent, most_urgent, one_order

from .conftest import BEGIN, DISPATCHED, Timeline, clocks_in, follow, make_created, opening_of, tracked_in, whole_life

EVERY = Search(statuses=())
LISTS = {"most_urgent": most_urgent, "most_recent": most_recent}


async def create(db: Database, order_id: str, *, minutes: int = 0, **overrides: Any) -> Timeline:
    life = Timeline(order_id)
    created = make_created(order_no=f"no-{order_id}", **overrides)
    life.then(Service.INTAKE, created, at=BEGIN + timedelta(minutes=minutes))
    await follow(db, Service.DISPATCH, life.messages)
    return life


async def ids_of(db: Database, search: Search = EVERY, *, name: str = "most_urgent", limit: int = 50) -> list[str]:
    page = json.loads(await LISTS[name](db, search, opening_of(db), clocks_in(db), cursor=None, limit=limit))
    return [item["id"] for item in page["items"]]


@pytest.mark.parametrize("name", LISTS)
async def test_pages_are_complete_and_without_repeats_while_orders_come_in(db: Database, name: str) -> None:
    # Several orders of each moment: the id has to break the tie.
    before = [f"old-{number:02}" for number in range(30)]
    for number, order_id in enumerate(before):
        await create(db, order_id, minutes=number // 4)
    seen: list[str] = []
    cursor, coming = None, 0
    while True:
        page = json.loads(await LISTS[name](db, EVERY, opening_of(db), clocks_in(db), cursor=cursor, limit=4))
        seen += [item["id"] for item in page["items"]]
        for minutes in (-1, 3, 99):
            await create(db, f"new-{coming:02}", minutes=minutes)
            coming += 1
        if (cursor := page["next_cursor"]) is None or coming > 90:
            break
    assert len(seen) == len(set(seen))
    assert [one for one in seen if one.startswith("old")] == sorted(
        before, key=lambda one: (int(one[4:]) // 4, one), reverse=name == "most_recent"
    )


async def test_urged_orders_stand_first_then_those_whose_limit_is_next(db: Database) -> None:
    await create(db, "created-late", minutes=30)
    await create(db, "created-early", minutes=1)
    window = e.Appointment(BEGIN + timedelta(minutes=10), BEGIN + timedelta(minutes=20))
    await create(db, "appointed", minutes=0, appointment=window)
    urged = await create(db, "urged", minutes=50)
    urged.then(Service.DISPATCH, e.WorkOrderUrged(request_id="r-1", reason="third call"))
    await follow(db, Service.QA, urged.messages)
    assert await ids_of(db) == ["urged", "appointed", "created-early", "created-late"]


async def test_a_list_is_narrowed_by_each_thing_it_can_be_narrowed_by(db: Database) -> None:
    await create(db, "a", subscriber_no="111", device_type="digital", demand_type="test", external_reference="E-1")
    north = await create(db, "b", subscriber_no="222", device_type="analog", demand_type="fault")
    north.then(Service.DISPATCH, DISPATCHED)
    await follow(db, Service.QA, north.messages)
    narrowed = {
        "a": [
            {"statuses": (Status.CREATED,)},
            {"subscriber_nos": ["111"]},
            {"order_no": "no-a"},
            {"external_reference": "E-1"},
            {"device_type": "digital"},
            {"demand_type": "test"},
        ],
        "b": [{"statuses": (Status.DISPATCHED,)}, {"work_area_id": "north"}, {"areas": ["north", "east"]}],
        "": [{"subscriber_nos": []}, {"areas": []}, {"areas": ["east"]}, {"order_no": "'; drop table work_orders; --"}],
    }
    for order_id, searches in narrowed.items():
        for search in searches:
            found = await ids_of(db, Search(**{"statuses": (), **search}))
            assert found == ([order_id] if order_id else []), search


def cursor_of(values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(["work-orders by urgency", *values]).encode()).decode()


async def test_a_list_takes_its_own_cursors_only(db: Database) -> None:
    for order_id in ("a", "b"):
        await create(db, order_id)
    opening, clocks, cursors = opening_of(db), clocks_in(db), {}
    for name, page_of in LISTS.items():
        cursors[name] = json.loads(await page_of(db, EVERY, opening, clocks, cursor=None, limit=1))["next_cursor"]
    cursors["nobody's"] = to_cursor("settled-calls", BEGIN.isoformat(), "a")
    for name, page_of in LISTS.items():
        await page_of(db, EVERY, opening, clocks, cursor=cursors[name], limit=1)
        for of in cursors.keys() - {name}:
            with pytest.raises(CursorBroken):
                await page_of(db, EVERY, opening, clocks, cursor=cursors[of], limit=1)


@pytest.mark.parametrize(
    "values", [[1, "soon", "a"], [1, "2026-01-01T00:00:00", "a"], [1, "", "a"], [2**62 + 1, "2026-01-01", "a"]]
)
async def test_a_cursor_with_a_broken_time_is_refused(db: Database, values: list[Any]) -> None:
    with pytest.raises(CursorBroken):
        await most_urgent(db, EVERY, opening_of(db), clocks_in(db), cursor=cursor_of(values), limit=5)


@pytest.mark.parametrize(
    "values",
    [
        [1, "9999-12-31T23:59:59.999999+00:00", "a"],
        [1, "0001-01-01T00:00:00+00:00", "a"],
        [1, "0001-01-01T00:00:00+14:00", "a"],
        [1, "9999-12-31T23:59:59-14:00", "a"],
        [2**40, "2026-01-01T00:00:00+00:00", "a"],
        [1, "2026-01-01T00:00:00+00:00", "\ud800"],
    ],
)
async def test_a_cursor_at_the_edge_of_time_or_numbers_breaks_nothing(db: Database, values: list[Any]) -> None:
    await create(db, "a")
    with contextlib.suppress(CursorBroken):
        await most_urgent(db, EVERY, opening_of(db), clocks_in(db), cursor=cursor_of(values), limit=5)
    page = json.loads(await most_urgent(db, EVERY, opening_of(db), clocks_in(db), cursor=None, limit=5))
    assert [order["id"] for order in page["items"]] == ["a"]


async def test_one_order_is_read_at_least_at_the_version_asked_for(db: Database) -> None:
    await follow(db, Service.QA, whole_life("order-1").messages[:3])
    wakeup = Wakeup(db.url)
    answer = await one_order(
        db, "order-1", areas=None, at_least=3, opening=opening_of(db), clocks=clocks_in(db), wakeup=wakeup, seconds=0
    )
    assert answer.etag == '"3"'
    stored = await tracked_in(db, "order-1")
    assert stored is not None
    assert json.loads(answer.body)["version"] == 3
    with pytest.raises(NotCaughtUp):
        await one_order(
            db,
            "order-1",
            areas=None,
            at_least=4,
            opening=opening_of(db),
            clocks=clocks_in(db),
            wakeup=wakeup,
            seconds=0,
        )
    for areas in ((), ("south",)):
        with pytest.raises(WorkOrderNotFound):
            await one_order(
                db,
                "order-1",
                areas=areas,
                at_least=None,
                opening=opening_of(db),
                clocks=clocks_in(db),
                wakeup=wakeup,
                seconds=0,
            )
        with pytest.raises(WorkOrderNotFound):
            await one_order(
                db,
                "order-1",
                areas=areas,
                at_least=4,
                opening=opening_of(db),
                clocks=clocks_in(db),
                wakeup=wakeup,
                seconds=0,
            )


async def test_the_time_that_is_waited_for_is_that_of_the_appointment(db: Database) -> None:
    start = datetime(2026, 4, 1, 9, tzinfo=UTC)
    await create(db, "a", appointment=e.Appointment(start, start + timedelta(hours=2)))
    async with db.statements() as statements:
        assert await statements.fetchval("select due_at from work_orders") == start
