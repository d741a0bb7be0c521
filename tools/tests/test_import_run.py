"""The import against a city in memory: every row is accounted for, and nothing is done twice."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts import events as e
from contracts.lifecycle import Status
from linework.client import NotReached
from linework.importer.plan import Fate
from linework.importer.report import ImportReport
from linework.importer.rows import Row
from linework.importer.run import ENDS, PATIENCE, Importer, next_act

CREATED = "12/27/2017 09:00:00 AM"


def make_row(line: int, **overrides: str) -> Row:
    values = {
        "SRNumber": f"1-{line}",
        "CreatedDate": CREATED,
        "RequestSource": "Call",
        "RequestType": "Bulky Items",
        "Status": "Closed",
        "Owner": "BOS",
        "AssignTo": "NC",
        "ServiceDate": "",
        "ClosedDate": "12/28/2017 09:00:00 AM",
        "Address": f"{line % 3} MAIN ST, 90001",
    }
    return Row(line, values | overrides)


ROWS = (
    make_row(2),
    make_row(3, Status="Cancelled"),
    make_row(4, Status="Referred Out", AssignTo="EV"),
    make_row(5, Status="Open", ClosedDate=""),
    make_row(6, AssignTo=""),
    make_row(7, RequestSource="Pigeon"),
    make_row(8, ClosedDate="12/26/2017 09:00:00 AM"),
)


async def played(city: Any, rows: Iterable[Row] = ROWS, *, is_played: bool = True, clients: int = 3) -> ImportReport:
    rows = list(rows)
    report = ImportReport(len(rows))
    done: list[None] = []
    async with city.client(patience=PATIENCE) as client:
        importer = Importer(client, report, is_played=is_played, clients=clients)
        await importer.play(rows, lambda: done.append(None))
    assert len(done) == len(rows)
    return report


def statuses(city: Any) -> dict[str, str]:
    return {order.external_reference: order.status.value for order in city.orders.values()}


async def test_each_request_meets_its_real_fate_and_the_report_adds_up(city: Any) -> None:
    report = await played(city)
    assert statuses(city) == {
        "1-2": "archived",
        "1-3": "cancelled",
        "1-4": "rejected",
        "1-5": "created",
        "1-6": "archived",
        "1-8": "archived",
    }
    assert (report.created, report.already_there, len(report.refused)) == (6, 0, 1)
    assert report.is_whole
    assert [(row.line, row.reference) for row in report.refused] == [(7, "1-7")]
    assert "Pigeon" in report.refused[0].reason
    assert report.fates == {"archived": 3, "cancelled": 1, "rejected": 1, "created": 1}


async def test_the_original_times_are_kept_and_never_go_back(city: Any) -> None:
    await played(city)
    for order in city.orders.values():
        times = [order.created.at]
        if order.archived:
            times += [order.assignment.dispatched.at, order.started.at]
            times += [order.completions[0].completed.at, order.archived.at]
        assert times == sorted(times)
        assert {time.year for time in times} == {2017}


async def test_run_twice_it_changes_nothing(city: Any) -> None:
    first = await played(city)
    before = dict(city.orders), {kind: dict(types) for kind, types in city.types.items()}, dict(city.areas)
    city.asked.clear()
    second = await played(city)
    assert (dict(city.orders), city.types, city.areas) == before
    assert (second.created, second.already_there, len(second.refused)) == (0, 6, 1)
    assert (second.act_count, second.fates) == (0, first.fates)
    # All it asks to change is refused: the creation of subscribers and orders that are there.
    assert {path for method, path in city.asked if method != "GET"} == {"/v1/subscribers", "/v1/work-orders"}


@pytest.mark.parametrize("left_at", [Status.CREATED, Status.DISPATCHED, Status.PROCESSING, Status.COMPLETED])
async def test_an_order_that_was_left_on_the_way_goes_on_from_there(city: Any, left_at: Status) -> None:
    await played(city, [make_row(2)], is_played=False)
    assert statuses(city) == {"1-2": "created"}
    if left_at is not Status.CREATED:
        city.act("o-1", e.WorkOrderDispatched(work_area_id="elsewhere", staff_ids=("e-1",)))
    if left_at in (Status.PROCESSING, Status.COMPLETED):
        city.act("o-1", e.WorkOrderStarted())
    if left_at is Status.COMPLETED:
        answers = {"is_resolved": True, "is_petitioned": False, "is_called_back": False}
        city.act("o-1", e.WorkOrderCompleted(staff_ids=("e-1",), handling="done", **answers))
    report = await played(city, [make_row(2)])
    assert statuses(city) == {"1-2": "archived"}
    assert (report.created, report.already_there) == (0, 1)
    if left_at is not Status.CREATED:
        assert city.orders["o-1"].completions[0].staff_ids == ("e-1",)


async def test_time_does_not_go_back_where_somebody_acted_later_than_the_record_says(city: Any) -> None:
    await played(city, [make_row(2)], is_played=False)
    late = datetime(2018, 6, 1, tzinfo=UTC)
    city.act("o-1", e.WorkOrderDispatched(work_area_id="elsewhere", staff_ids=("e-1",)), at=late)
    report = await played(city, [make_row(2)])
    assert report.refused == []
    assert city.orders["o-1"].archived.at == late


async def test_an_order_that_went_another_way_is_refused_with_where_it_is(city: Any) -> None:
    await played(city, [make_row(2)], is_played=False)
    city.act("o-1", e.WorkOrderCancelled(request_id="r", reason="by hand"))
    report = await played(city, [make_row(2)])
    assert [row.reason for row in report.refused] == [
        "the order is cancelled, from which a request that is Closed cannot continue"
    ]


async def test_somebody_who_acts_at_the_same_time_is_followed(city: Any) -> None:
    def interfere(method: str, path: str) -> None:
        if path.endswith("/start") and city.orders["o-1"].version == 2:
            city.act("o-1", e.WorkOrderNoteAdded(note="by hand"))

    city.interfere = interfere
    report = await played(city, [make_row(2)])
    assert (statuses(city), report.refused) == ({"1-2": "archived"}, [])


async def test_a_repeated_number_is_accounted_for_and_played_once(city: Any) -> None:
    report = await played(city, [make_row(2), make_row(9, SRNumber="1-2", Status="Cancelled"), make_row(10)])
    assert (report.created, report.already_there, report.is_whole) == (2, 1, True)
    assert report.remarks == {"repeat the SRNumber of line 2": [9]}
    assert statuses(city) == {"1-2": "archived", "1-10": "archived"}


async def test_what_a_service_refuses_is_reported_with_its_reason(city: Any, problem: Any) -> None:
    def interfere(method: str, path: str) -> None:
        if path.endswith("/complete"):
            raise problem(409, "staff_outside_work_area")

    city.interfere = interfere
    report = await played(city, [make_row(2)])
    assert report.is_whole
    assert [row.reason for row in report.refused] == [
        "order no-1 is left processing: staff_outside_work_area: staff_outside_work_area"
    ]


async def test_each_area_type_and_subscriber_is_defined_once_by_many_clients(city: Any) -> None:
    await played(city, [make_row(line) for line in range(2, 60)], clients=16)
    defined = [path for method, path in city.asked if method == "PUT"]
    assert sorted(defined) == [
        "/v1/demand-types/bulky_items",
        "/v1/device-types/city_service",
        "/v1/staff/la-nc-crew",
        "/v1/work-areas/la-nc",
    ]
    assert city.asked.count(("POST", "/v1/subscribers")) == 3


async def test_a_service_that_stays_away_ends_the_import_and_the_next_one_goes_on(city: Any) -> None:
    def interfere(method: str, path: str) -> None:
        if path.endswith("/archive"):
            raise NotReached("http://qa.test cannot be reached")

    city.interfere = interfere
    report = ImportReport(1)
    async with city.client() as client:
        importer = Importer(client, report, is_played=True, clients=2)
        with pytest.raises(ExceptionGroup) as stopped:
            await importer.play([make_row(2)], lambda: None)
    assert stopped.group_contains(NotReached)
    assert not report.is_whole
    city.interfere = lambda method, path: None
    assert (await played(city, [make_row(2)])).fates == {"archived": 1}


async def test_a_file_without_a_playable_row_ends(city: Any) -> None:
    report = await played(city, [make_row(2, Status="Lost")])
    assert (len(report.refused), city.orders) == (1, {})


@pytest.mark.parametrize("fate", list(Fate))
def test_every_fate_ends_where_it_should(fate: Fate) -> None:
    end = ENDS[fate]
    assert next_act(fate, end or Status.CREATED) is None
