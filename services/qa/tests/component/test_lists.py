"""The lists of quality and the form: completed, under audit, the archive."""

from datetime import timedelta

import httpx
import pytest

from contracts import events as e
from contracts.lifecycle import Status
from work_orders.testing import BEGIN, ServiceUnderTest, Stream, make_completed, make_created, make_dispatched, staff


def _completed(order_id: str, *, hours: int = 0, area: str = "north", **created) -> Stream:
    start = BEGIN + timedelta(hours=hours)
    stream = Stream(order_id)
    stream.add(make_created(appointment=e.Appointment(start, start + timedelta(hours=1)), **created))
    stream.add(make_dispatched(work_area_id=area, staff_ids=(f"{area}-1",)))
    stream.add(e.WorkOrderStarted())
    stream.add(make_completed(staff_ids=(f"{area}-1",)))
    return stream


@pytest.fixture
async def city(qa: ServiceUnderTest) -> ServiceUnderTest:
    """Two completed orders, one under audit, two in the archive, one still in the field."""
    auditing, first, second = _completed("auditing", hours=1), _completed("first", hours=9), _completed("second")
    auditing.add(e.WorkOrderAuditRequested())
    first.add(e.WorkOrderArchived())
    second.add(e.WorkOrderAuditRequested())
    second.add(e.WorkOrderAudited(verdict=e.AuditVerdict.PASSED, remark="good"))
    second.add(e.WorkOrderArchived())
    for stream in (
        _completed("late", hours=5, subscriber_no="222", order_no="20260302-000007"),
        _completed("soon", hours=2, area="south", device_type="analogue", demand_type="complaint"),
        auditing,
        first,
        second,
        Stream("running").until(Status.PROCESSING),
    ):
        await qa.receive(*stream.messages)
    return qa


async def _ids(qa: ServiceUnderTest, **search) -> list[str]:
    answer = await qa.get("/work-orders", "auditor", **search)
    assert answer.status_code == 200, answer.text
    return [order["id"] for order in answer.json()["items"]]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ({}, ["auditing", "soon", "late"]),
        ({"status": "completed"}, ["soon", "late"]),
        ({"status": "auditing"}, ["auditing"]),
        ({"status": "archived"}, ["second", "first"]),
        ({"status": ["archived", "cancelled"]}, ["second", "first"]),
        ({"status": "processing"}, ["running"]),
        ({"work_area_id": "south"}, ["soon"]),
        ({"subscriber_no": "222"}, ["late"]),
        ({"order_no": "20260302-000007"}, ["late"]),
        ({"device_type": "analogue"}, ["soon"]),
        ({"demand_type": "complaint"}, ["soon"]),
        ({"external_reference": "nothing"}, []),
    ],
)
async def test_each_status_is_a_list_in_its_own_order(city: ServiceUnderTest, search: dict, found: list[str]) -> None:
    assert await _ids(city, **search) == found


@pytest.mark.parametrize("statuses", [["completed", "auditing"], ["archived"]])
async def test_the_pages_of_a_list_are_its_whole_in_order(city: ServiceUnderTest, statuses: list[str]) -> None:
    found, search = [], {}
    while search.get("cursor", "first") is not None:
        page = (await city.get("/work-orders", "auditor", status=statuses, limit=1, **search)).json()
        found += [order["id"] for order in page["items"]]
        search = {"cursor": page["next_cursor"]}
    assert found == await _ids(city, status=statuses)


async def test_the_lists_are_counted_by_status_and_filter(city: ServiceUnderTest) -> None:
    counts = (await city.get("/work-orders/counts", "auditor")).json()
    assert (counts["status"], counts["device_type"]) == ({"auditing": 1, "completed": 2}, {"analogue": 1, "digital": 2})
    archive = (await city.get("/work-orders/counts", "auditor", status="archived", is_unresolved=False)).json()
    assert (archive["counted"], archive["is_overdue"], archive["is_near"]) == (2, 0, 0)
    found = (await city.get("/work-orders", "auditor", status="archived", is_petitioned=True)).json()
    assert found["items"] == []


async def test_a_cursor_of_the_archive_is_not_one_of_the_work_list(city: ServiceUnderTest) -> None:
    page = (await city.get("/work-orders", "auditor", status="archived", limit=1)).json()
    answer = await city.get("/work-orders", "auditor", status="completed", cursor=page["next_cursor"])
    assert (answer.status_code, answer.json()["code"]) == (422, "cursor_broken")


def _intake_answers(qa: ServiceUnderTest, answer: httpx.Response | Exception) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    qa.app.state.settings.intake_url = "http://intake.test"
    qa.app.state.http = httpx.AsyncClient(transport=httpx.MockTransport(handle))


async def test_the_form_has_the_subscriber_as_intake_masks_them(city: ServiceUnderTest) -> None:
    masked = {"id": "s-1", "version": 1, "subscriber_no": "111", "name": "王**", "phones": ["*********11"]}
    masked |= {"address": "漕溪****", "kind": "household", "zone": "urban", "territory": None, "notes": ""}
    _intake_answers(city, httpx.Response(200, json=masked | {"is_masked": True}))
    form = (await city.get("/work-orders/auditing/form", "auditor")).json()
    assert form["subscriber"] == masked | {"is_masked": True, "contacts": []}


async def test_the_form_names_areas_and_staff_and_says_what_can_be_done(city: ServiceUnderTest) -> None:
    _intake_answers(city, httpx.ConnectError("away"))
    answer = await city.get("/work-orders/auditing/form", "auditor")
    form = answer.json()
    assert form["order"]["completions"][0]["handling"] == "更换分线盒"
    assert [(area["work_area_id"], area["names"]["zh"]) for area in form["work_areas"]] == [("north", "north工区")]
    assert form["staff"] == [{"staff_id": "north-1", "name": "name of north-1"}]
    assert form["allowed_acts"] == ["pass_audit", "fail_audit"]
    assert (form["subscriber_unavailable"], answer.headers["etag"]) == (True, '"5"')


async def test_the_form_does_not_offer_an_audit_to_who_completed_the_order(city: ServiceUnderTest) -> None:
    _intake_answers(city, httpx.ConnectError("away"))
    headers = city.issuer.headers("auditor", sub="north-1")
    form = (await city.client.get("/v1/work-orders/auditing/form", headers=headers)).json()
    assert form["allowed_acts"] == []


async def test_the_form_names_everybody_the_order_has_been_with(city: ServiceUnderTest) -> None:
    _intake_answers(city, httpx.ConnectError("away"))
    stream = Stream("moved").until(Status.REDISPATCHING)
    stream.add(make_dispatched(work_area_id="south", staff_ids=("south-1",)))
    stream.add(e.WorkOrderStarted())
    stream.add(make_completed(staff_ids=("south-2",)))
    await city.receive(*stream.messages, staff("south-2", "south"))
    form = (await city.get("/work-orders/moved/form", "auditor")).json()
    assert [area["work_area_id"] for area in form["work_areas"]] == ["north", "south"]
    assert [one["staff_id"] for one in form["staff"]] == ["south-1", "south-2"]
