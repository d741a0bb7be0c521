"""The lists and the form: what the work areas work from, and what each person may see of it."""

from datetime import timedelta

import httpx
import pytest

from contracts import events as e
from contracts.directory import DemandTypeDefined, DeviceTypeDefined, Names
from contracts.lifecycle import Status
from work_orders.testing import BEGIN, ServiceUnderTest, Stream, defined, make_created, make_dispatched, work_area

NORTH = ("technician", ["north"])


def _order(order_id: str, area: str, *, hours: int = 0, urged: bool = False, **created) -> Stream:
    """An order that was dispatched to the area, with an appointment so many hours from the beginning."""
    start = BEGIN + timedelta(hours=hours)
    stream = Stream(order_id)
    stream.add(make_created(appointment=e.Appointment(start, start + timedelta(hours=1)), **created))
    stream.add(make_dispatched(work_area_id=area, staff_ids=(f"{area}-1",)))
    if urged:
        stream.add(e.WorkOrderUrged(request_id=f"r-{order_id}", reason="again"))
    return stream


async def _ids(service: ServiceUnderTest, role: str, areas: list[str] | None = None, **search) -> list[str]:
    answer = await service.get("/work-orders", role, areas, **search)
    assert answer.status_code == 200, answer.text
    return [order["id"] for order in answer.json()["items"]]


@pytest.fixture
async def city(fieldwork: ServiceUnderTest) -> ServiceUnderTest:
    """Three orders in the north, one in the south, one that nobody was sent to."""
    processing = _order("late", "north", hours=5, device_type="analogue")
    processing.add(e.WorkOrderStarted())
    for stream in (
        processing,
        _order("soon", "north", hours=2, subscriber_no="222", order_no="20260302-000007"),
        _order("urged", "north", hours=9, urged=True, external_reference="x-1"),
        _order("far", "south", demand_type="complaint"),
        Stream("waiting").until(Status.CREATED),
    ):
        await fieldwork.receive(*stream.messages)
    return fieldwork


async def test_the_to_do_list_has_dispatched_and_processing_orders_most_urgent_first(city: ServiceUnderTest) -> None:
    assert await _ids(city, *NORTH) == ["urged", "soon", "late"]
    # A complaint's limits are longer.
    assert await _ids(city, "supervisor") == ["urged", "soon", "late", "far"]
    assert await _ids(city, "dispatcher") == ["urged", "soon", "late", "far"]


@pytest.mark.parametrize("areas", [["north"], ["north", "west"]])
async def test_the_pages_of_a_list_are_its_whole_in_order(city: ServiceUnderTest, areas: list[str]) -> None:
    found, cursor = [], {}
    for _ in range(3):
        page = (await city.get("/work-orders", "technician", areas, limit=1, **cursor)).json()
        found += [order["id"] for order in page["items"]]
        cursor = {"cursor": page["next_cursor"]}
    assert (found, page["next_cursor"]) == (["urged", "soon", "late"], None)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ({"status": "processing"}, ["late"]),
        ({"status": ["created", "processing"]}, ["waiting", "late"]),
        ({"work_area_id": "south"}, ["far"]),
        ({"subscriber_no": "222"}, ["soon"]),
        ({"order_no": "20260302-000007"}, ["soon"]),
        ({"external_reference": "x-1"}, ["urged"]),
        ({"device_type": "analogue"}, ["late"]),
        ({"demand_type": "complaint"}, ["far"]),
        ({"text": "X-"}, ["urged"]),
        ({"channel": "phone", "is_urged": True}, ["urged"]),
        ({"staff_id": "south-1"}, ["far"]),
        ({"is_mine": True}, []),
        ({"is_overdue": True, "device_type": "analogue"}, ["late"]),
        ({"near_minutes": 5}, []),
        ({"created_from": "2026-03-02T09:00:00Z"}, []),
        ({"appointment_from": "2026-03-02T16:30:00Z"}, ["urged"]),
        ({"subscriber_no": "'; drop table work_orders; --"}, []),
    ],
)
async def test_a_list_is_searched_by_any_of_its_columns(city: ServiceUnderTest, search: dict, found: list[str]) -> None:
    assert await _ids(city, "supervisor", **search) == found


async def test_a_member_of_staff_finds_what_is_theirs(city: ServiceUnderTest) -> None:
    headers = city.issuer.headers("technician", ["north"], "north-1")
    answer = await city.client.get("/v1/work-orders", headers=headers, params={"is_mine": True})
    assert [order["id"] for order in answer.json()["items"]] == ["urged", "soon", "late"]


async def test_counts_are_of_what_the_caller_sees_and_of_the_same_filters(city: ServiceUnderTest) -> None:
    counts = (await city.get("/work-orders/counts", "supervisor")).json()
    assert (counts["counted"], counts["is_complete"]) == (4, True)
    assert counts["status"] == {"dispatched": 3, "processing": 1}
    assert counts["work_area_id"] == {"north": 3, "south": 1}
    assert (counts["is_urged"], counts["is_overdue"]) == (1, 4)
    north = (await city.get("/work-orders/counts", *NORTH)).json()
    assert (north["counted"], north["staff_id"]) == (3, {"north-1": 3})
    assert (await city.get("/work-orders/counts", *NORTH, staff_id="south-1")).json()["counted"] == 0
    assert (await city.get("/work-orders/counts", "technician")).json()["counted"] == 0
    urged = (await city.get("/work-orders/counts", *NORTH, is_urged=True)).json()
    assert (urged["counted"], urged["device_type"]) == (1, {"digital": 1})


async def test_a_filter_that_cannot_be_is_refused(city: ServiceUnderTest) -> None:
    for wrong in ({"zone": "moon"}, {"near_minutes": 0}, {"created_from": "2026-03-02"}, {"is_mine": "x"}):
        answer = await city.get("/work-orders", *NORTH, **wrong)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), wrong


async def test_a_technician_sees_the_orders_of_their_own_areas_only(city: ServiceUnderTest) -> None:
    assert await _ids(city, "technician", ["south"]) == ["far"]
    assert await _ids(city, *NORTH, work_area_id="south") == []
    assert await _ids(city, *NORTH, status=[status.value for status in Status]) == ["urged", "soon", "late"]
    assert await _ids(city, "technician") == []
    assert await _ids(city, "technician", []) == []
    assert await _ids(city, "supervisor", ["south"]) == ["far"]


@pytest.mark.parametrize("path", ["/work-orders/far", "/work-orders/far/form", "/work-orders/waiting"])
async def test_an_order_of_a_foreign_area_is_not_found(city: ServiceUnderTest, path: str) -> None:
    for areas in (["north"], None):
        answer = await city.get(path, "technician", areas)
        assert (answer.status_code, answer.json()["code"]) == (404, "work_order_not_found")
    assert (await city.get(path, "supervisor")).status_code == 200


@pytest.mark.parametrize(
    "path", ["/work-orders", "/work-orders/counts", "/work-orders/far", "/work-orders/far/form", "/work-areas"]
)
@pytest.mark.parametrize("role", ["agent", "auditor", "operator", "partner"])
async def test_who_has_nothing_to_do_in_the_field_reads_nothing(city: ServiceUnderTest, path: str, role: str) -> None:
    assert (await city.get(path, role)).status_code == 403


async def test_an_order_is_read_with_its_version_once_that_has_arrived(city: ServiceUnderTest) -> None:
    answer = await city.get("/work-orders/late", *NORTH, at_least=3)
    assert (answer.json()["version"], answer.headers["etag"]) == (3, '"3"')
    early = await city.get("/work-orders/late", *NORTH, at_least=4)
    assert (early.status_code, early.json()["code"]) == (503, "not_caught_up")


@pytest.mark.parametrize(
    "search", [{"limit": 201}, {"limit": 0}, {"status": "lost"}, {"cursor": "%%%"}, {"cursor": ""}]
)
async def test_a_list_that_nobody_can_give_is_refused(city: ServiceUnderTest, search: dict) -> None:
    assert (await city.get("/work-orders", "supervisor", **search)).status_code == 422


def _intake_answers(service: ServiceUnderTest, answer: httpx.Response | Exception) -> list[httpx.Request]:
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    service.app.state.settings.intake_url = "http://intake.test"
    service.app.state.http = httpx.AsyncClient(transport=httpx.MockTransport(handle))
    return asked


SUBSCRIBER = {
    "id": "s-1",
    "version": 1,
    "subscriber_no": "111",
    "name": "王小明",
    "phones": ["13800001111"],
    "address": "漕溪路 251 弄",
    "kind": "household",
    "zone": "urban",
    "territory": None,
    "notes": "",
    "is_masked": False,
    "contacts": [],
}


async def test_the_form_has_the_subscriber_as_intake_shows_them_to_the_caller(city: ServiceUnderTest) -> None:
    asked = _intake_answers(city, httpx.Response(200, json=SUBSCRIBER))
    form = (await city.get("/work-orders/late/form", *NORTH)).json()
    assert (form["subscriber"], form["subscriber_unavailable"]) == (SUBSCRIBER, False)
    (request,) = asked
    assert request.url.path == "/v1/work-orders/late/subscriber"
    assert request.headers["authorization"].startswith("Bearer ")


async def test_the_form_opens_without_the_subscriber_when_intake_is_away(city: ServiceUnderTest) -> None:
    _intake_answers(city, httpx.ConnectError("away"))
    answer = await city.get("/work-orders/soon/form", *NORTH)
    form = answer.json()
    assert (answer.status_code, form["subscriber"], form["subscriber_unavailable"]) == (200, None, True)
    assert (form["subscriber_placeholder"]["subscriber_no"], form["subscriber_placeholder"]["name"]) == ("222", "***")


async def test_the_form_has_the_order_its_area_with_staff_and_what_can_be_done(city: ServiceUnderTest) -> None:
    _intake_answers(city, httpx.ConnectError("away"))
    answer = await city.get("/work-orders/late/form", *NORTH)
    form = answer.json()
    order = (await city.get("/work-orders/late", *NORTH)).json()
    assert form["order"] == order | {"sealed_text": None}
    assert answer.headers["etag"] == f'"{form["order"]["version"]}"'
    assert form["work_area"]["names"] == {"en": "north", "zh": "north工区"}
    assert [(one["staff_id"], one["name"]) for one in form["work_area"]["staff"]] == [("north-1", "name of north-1")]
    assert form["allowed_acts"] == ["reject", "complete", "suspend", "note", "arrive", "contact"]


async def test_the_form_offers_no_act_to_who_may_only_read(city: ServiceUnderTest) -> None:
    _intake_answers(city, httpx.ConnectError("away"))
    assert (await city.get("/work-orders/late/form", "dispatcher")).json()["allowed_acts"] == []


async def test_the_form_names_device_and_demand_once_the_directory_knows_them(city: ServiceUnderTest) -> None:
    _intake_answers(city, httpx.ConnectError("away"))
    read = lambda: city.get("/work-orders/soon/form", *NORTH)  # noqa: E731
    assert (await read()).json()["type_names"] == {"device_type": None, "demand_type": None}
    digital, test = Names(en="digital", zh="数字"), Names(en="test", zh="测试")
    await city.receive(
        defined(DeviceTypeDefined(device_type="digital", names=digital)),
        defined(DemandTypeDefined(demand_type="test", names=test)),
    )
    named = (await read()).json()["type_names"]
    assert named == {"device_type": {"en": "digital", "zh": "数字"}, "demand_type": {"en": "test", "zh": "测试"}}


async def test_everybody_sees_the_work_areas_of_their_scope_with_their_staff(city: ServiceUnderTest) -> None:
    await city.receive(work_area("west", is_open=False))
    assert [area["work_area_id"] for area in (await city.get("/work-areas", *NORTH)).json()] == ["north"]
    assert (await city.get("/work-areas", "technician")).json() == []
    areas = (await city.get("/work-areas", "supervisor")).json()
    assert [(area["work_area_id"], area["is_open"], len(area["staff"])) for area in areas] == [
        ("north", True, 1),
        ("south", True, 1),
        ("west", False, 0),
    ]
