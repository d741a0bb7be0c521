"""What lists are narrowed and counted by: each filter alone, with others, and within what the caller may see."""

from datetime import timedelta
from typing import Any

import pytest

from chassis.database import Database
from contracts import events as e
from contracts.lifecycle import Service, Status
from work_orders import counts
from work_orders.counts import WorkOrderCounts, counts_of
from work_orders.rows_without_facets import mend_facets
from work_orders.search import Search

from .conftest import BEGIN, Timeline, follow, make_created
from .test_views import ids_of

NOW = BEGIN + timedelta(hours=1)
MOMENT = BEGIN + timedelta(minutes=30)


def _dispatched(area: str, *staff: str) -> e.WorkOrderDispatched:
    return e.WorkOrderDispatched(work_area_id=area, staff_ids=staff)


def _completed(**answers: bool) -> e.WorkOrderCompleted:
    said = {"is_resolved": True, "is_petitioned": False, "is_called_back": True} | answers
    return e.WorkOrderCompleted(staff_ids=("ann",), handling="mended", **said)


async def _order(db: Database, order_id: str, *events: Any, hours: int = 0, **created: Any) -> None:
    life = Timeline(order_id)
    at = BEGIN + timedelta(hours=hours)
    life.then(Service.INTAKE, make_created(order_no=f"No-{order_id}", **created), at=at)
    for place, event in enumerate(events, start=1):
        service = {e.WorkOrderDispatched: Service.DISPATCH}.get(type(event), Service.FIELDWORK)
        life.then(service, event, at=at + timedelta(minutes=place))
    await follow(db, Service.QA, life.messages)


@pytest.fixture
async def floor(db: Database) -> Database:
    """Orders of every kind in two areas."""
    window = e.Appointment(BEGIN + timedelta(days=2), BEGIN + timedelta(days=2, hours=2))
    await _order(
        db,
        "waits",
        channel=e.Channel.WEB,
        zone=e.Zone.RURAL,
        subscriber_no="S-77",
        external_reference="EXT-9",
        urgency=e.Urgency.EMERGENCY,
    )
    await _order(db, "booked", _dispatched("north", "ann"), appointment=window)
    await _order(db, "urged", _dispatched("north", "bob", "ann"), e.WorkOrderUrged(request_id="r", reason="again"))
    rests = e.WorkOrderSuspended(reason="parts", until=BEGIN + timedelta(days=1))
    await _order(db, "rests", _dispatched("south", "cid"), rests, hours=5)
    worked = (_dispatched("north", "ann"), e.WorkOrderStarted())
    await _order(db, "open", *worked, _completed(is_resolved=False), demand_type="complaint")
    await _order(db, "angry", *worked, _completed(is_petitioned=True))
    return db


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ({"facets": {"channel": "web"}}, ["waits"]),
        ({"facets": {"zone": "rural"}}, ["waits"]),
        ({"facets": {"urgency": "emergency"}}, ["waits"]),
        ({"facets": {"staff_id": ["bob"]}}, ["urged"]),
        ({"facets": {"staff_id": ["ann", "bob"]}}, ["urged"]),
        ({"facets": {"staff_id": ["ann"], "is_urged": False, "is_unresolved": False}}, ["angry", "booked"]),
        ({"facets": {"is_urged": True}}, ["urged"]),
        ({"facets": {"is_suspended": True}}, ["rests"]),
        ({"facets": {"is_unresolved": True}}, ["open"]),
        ({"facets": {"is_petitioned": True}}, ["angry"]),
        ({"created_from": NOW}, ["rests"]),
        ({"created_until": NOW, "demand_type": "complaint"}, ["open"]),
        ({"changed_from": NOW}, ["rests"]),
        ({"changed_until": BEGIN + timedelta(seconds=1)}, ["waits"]),
        ({"appointment_from": NOW}, ["booked"]),
        ({"appointment_until": NOW}, []),
        ({"text": "s-7"}, ["waits"]),
        ({"text": "ext"}, ["waits"]),
        ({"text": "NO-RES"}, ["rests"]),
        ({"text": "%"}, []),
        ({"text": "picture"}, []),
        ({"limit_until": BEGIN, "text": "no-"}, []),
        ({"facets": {"is_urged": True}, "areas": ("south",)}, []),
        ({"text": "no-", "areas": ("south",)}, ["rests"]),
        ({"text": "no-", "areas": ()}, []),
    ],
)
async def test_a_list_is_narrowed_by_each_filter(floor: Database, search: dict[str, Any], found: list[str]) -> None:
    assert sorted(await ids_of(floor, Search(statuses=(), **search))) == found


async def test_counts_are_those_of_the_list(floor: Database) -> None:
    found = await counts_of(floor, Search(statuses=()), now=NOW, near=timedelta(hours=1))
    assert (found.counted, found.is_complete) == (6, True)
    assert found.status == {"completed": 2, "created": 1, "dispatched": 3}
    assert found.work_area_id == {"north": 4, "south": 1}
    assert found.demand_type == {"complaint": 1, "fault_repair": 5}
    assert found.channel == {"phone": 5, "web": 1}
    assert found.staff_id == {"ann": 4, "bob": 1, "cid": 1}
    flags = (found.has_appointment, found.is_urged, found.is_suspended, found.is_unresolved, found.is_petitioned)
    assert flags == (1, 1, 1, 1, 1)


async def test_each_count_is_how_many_the_list_has_with_that_filter(floor: Database) -> None:
    for search in (Search(()), Search((), areas=("north",)), Search((Status.DISPATCHED,), text="no-")):
        found = await counts_of(floor, search, now=NOW, near=timedelta(hours=1))
        for name in ("channel", "zone", "urgency", "staff_id"):
            for value, count in getattr(found, name).items():
                facets = {name: [value] if name == "staff_id" else value}
                narrowed = Search(search.statuses, areas=search.areas, text=search.text, facets=facets)
                assert len(await ids_of(floor, narrowed)) == count
        near = {"limit_from": NOW, "limit_until": NOW + timedelta(hours=1)}
        for count, limits in ((found.is_overdue, {"limit_until": NOW}), (found.is_near, near)):
            narrowed = Search(search.statuses, areas=search.areas, text=search.text, **limits)
            assert len(await ids_of(floor, narrowed)) == count
        assert found.is_overdue


async def test_nothing_of_another_area_is_counted(floor: Database) -> None:
    south = await counts_of(floor, Search((), areas=("south",)), now=NOW, near=timedelta(hours=1))
    assert (south.counted, south.staff_id, south.work_area_id) == (1, {"cid": 1}, {"south": 1})
    nothing = await counts_of(floor, Search((), areas=()), now=NOW, near=timedelta(hours=1))
    assert nothing == WorkOrderCounts.model_validate(
        {name: {} if "dict" in str(field.annotation) else 0 for name, field in WorkOrderCounts.model_fields.items()}
        | {"is_complete": True}
    )


async def test_counts_of_very_many_orders_say_that_there_are_more(
    floor: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "MOST_COUNTED", 5)
    found = await counts_of(floor, Search(statuses=()), now=NOW, near=timedelta(hours=1))
    assert (found.counted, found.is_complete) == (5, False)


async def test_urgency_and_then_the_next_limit_sort_and_what_rests_is_last(floor: Database) -> None:
    found = await ids_of(floor, Search((Status.CREATED, Status.DISPATCHED)))
    assert found[:2] == ["waits", "urged"]  # an emergency goes before what was urged
    assert found[-1] == "rests"
    async with floor.statements() as statements:
        await statements.execute("update work_orders set next_due_at = created_at where id = 'booked'")
    assert await ids_of(floor, Search((Status.CREATED, Status.DISPATCHED)), limit=3) == ["waits", "urged", "booked"]


async def test_rows_of_an_older_release_are_found_once_they_are_mended(floor: Database) -> None:
    async with floor.statements() as statements:
        await statements.execute("update work_orders set facets = null, created_at = null, faceted_version = 0")
    by_staff = Search((), facets={"staff_id": ["ann"]}, created_until=NOW)
    assert await ids_of(floor, by_staff) == []
    assert await mend_facets(floor) == 6
    assert await mend_facets(floor) == 0
    assert sorted(await ids_of(floor, by_staff)) == ["angry", "booked", "open", "urged"]
