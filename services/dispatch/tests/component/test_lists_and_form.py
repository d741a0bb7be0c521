"""What dispatchers work from: the lists, one order, and the form they decide on."""

import base64
import json
from datetime import UTC, datetime

import httpx

from contracts import events as e
from contracts.lifecycle import Service
from contracts.requests import WorkOrderUrgeRequested

SUBSCRIBER = {
    "id": "s-1",
    "version": 1,
    "subscriber_no": "111",
    "name": "王*",
    "phones": ["*********42"],
    "address": "长江路 1 号",
    "kind": "household",
    "zone": "urban",
    "territory": None,
    "notes": "",
    "is_masked": True,
    "contacts": [],
}


def window(day: int) -> e.Appointment:
    return e.Appointment(datetime(2026, 3, day, 9, tzinfo=UTC), datetime(2026, 3, day, 11, tzinfo=UTC))


async def listed(desk, role: str = "dispatcher", areas=None, **wanted) -> list[str]:
    answer = await desk.get("/v1/work-orders", role, areas, **wanted)
    assert answer.status_code == 200, answer.text
    return [order["id"] for order in answer.json()["items"]]


async def one_of_each(desk) -> None:
    """`created`, `rejected`, `redispatching` and `dispatched`, the second and third once dispatched to north."""
    for status in ("created", "rejected", "redispatching", "dispatched"):
        stream = await desk.create(status, order_no=f"no-{status}", subscriber_no=f"sub-{status}")
        if status == "created":
            continue
        await desk.dispatch(status)
        if status != "dispatched":
            await desk.reject(stream)
        if status == "redispatching":
            await desk.rule(status)


async def test_the_list_has_what_waits_for_dispatch_and_any_status_that_is_asked_for(staffed_desk):
    await one_of_each(staffed_desk)
    assert await listed(staffed_desk) == ["created", "redispatching", "rejected"]
    for status in ("created", "rejected", "redispatching", "dispatched"):
        assert await listed(staffed_desk, status=status) == [status]
    assert await listed(staffed_desk, status=["rejected", "dispatched"]) == ["dispatched", "rejected"]
    assert await listed(staffed_desk, status="archived") == []


async def test_the_list_is_searched_by_what_is_known_of_an_order(staffed_desk):
    await one_of_each(staffed_desk)
    await staffed_desk.create(
        "other", device_type="analogue", demand_type="fault", order_no="o", external_reference="x-1"
    )
    for wanted, found in (
        ({"order_no": "no-rejected"}, ["rejected"]),
        ({"subscriber_no": "sub-created"}, ["created"]),
        ({"external_reference": "x-1"}, ["other"]),
        ({"device_type": "analogue"}, ["other"]),
        ({"demand_type": "fault"}, ["other"]),
        ({"work_area_id": "north"}, ["redispatching", "rejected"]),
        ({"work_area_id": "north", "status": "dispatched"}, ["dispatched"]),
        ({"order_no": "no-dispatched"}, []),
        ({"order_no": "'; drop table work_orders; --"}, []),
    ):
        assert await listed(staffed_desk, **wanted) == found, wanted


async def test_areas_in_the_token_narrow_the_lists(staffed_desk):
    await one_of_each(staffed_desk)
    assert await listed(staffed_desk, areas=["north"]) == ["redispatching", "rejected"]
    assert await listed(staffed_desk, areas=["south"]) == []
    assert (await staffed_desk.get("/v1/work-orders/created", areas=["north"])).status_code == 404
    assert (await staffed_desk.get("/v1/work-orders/rejected", areas=["north"])).status_code == 200
    assert (await staffed_desk.get("/v1/work-orders/rejected/form", areas=["south"])).status_code == 404


async def test_the_lists_are_counted_by_status_and_filter(staffed_desk):
    await one_of_each(staffed_desk)
    counts = (await staffed_desk.get("/v1/work-orders/counts", "dispatcher")).json()
    assert counts["status"] == {"created": 1, "redispatching": 1, "rejected": 1}
    assert (counts["work_area_id"], counts["channel"]) == ({"north": 2}, {"phone": 3})
    north = (await staffed_desk.get("/v1/work-orders/counts", "dispatcher", ["north"], text="SUB-rej")).json()
    assert (north["counted"], north["status"]) == (1, {"rejected": 1})
    assert (await staffed_desk.get("/v1/work-orders/counts", "technician")).status_code == 403


async def test_urged_orders_come_first_then_those_waited_for_longest_page_by_page(staffed_desk):
    await staffed_desk.create("late", appointment=window(9))
    await staffed_desk.create("early", appointment=window(3))
    await staffed_desk.create("middle", appointment=window(5))
    urged = await staffed_desk.create("urged", appointment=window(20))
    urge = WorkOrderUrgeRequested(request_id="r-1", reason="again")
    await staffed_desk.hear(urged.write(urge, Service.INTAKE, order_version=None, prev_hash=None))
    seen, cursor = [], {}
    while cursor is not None:
        page = (await staffed_desk.get("/v1/work-orders", limit=2, **cursor)).json()
        seen.append([order["id"] for order in page["items"]])
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
    assert seen == [["urged", "early"], ["middle", "late"]]


NOW = "2026-03-02T08:00:00+00:00"
NAMES = ("work-areas", "staff", "work-orders by urgency")
# What no page of a list ever gave as its cursor.
BROKEN_CURSORS = {
    "/v1/work-areas": ([1], ["\x00"], ["\ud800"], ["a", "b"], {}, "north"),
    "/v1/staff": ([None], ["\ud800"], []),
    "/v1/work-orders": (
        [1, NOW],
        [True, NOW, "x"],
        [2**40, NOW, "x"],
        [1, NOW, "\ud800"],
        [1, "soon", "x"],
        [1, "2026-03-02T08:00:00", "x"],
        [1, "0001-01-01T00:00:00+14:00", "x"],
        [1, "9999-12-31T23:59:59-14:00", "x"],
    ),
}


async def test_a_cursor_that_no_list_gave_is_refused(desk):
    for path, contents in BROKEN_CURSORS.items():
        named = [[name, *content] for content in contents if isinstance(content, list) for name in NAMES]
        encoded = [base64.urlsafe_b64encode(json.dumps(one).encode()).decode() for one in (*contents, *named)]
        for cursor in ("x", "%", "eyJ", *encoded):
            answer = await desk.get(path, cursor=cursor)
            assert (answer.status_code, answer.json()["code"]) == (422, "cursor_broken"), (path, cursor)


async def test_agents_auditors_and_technicians_have_no_dispatch_lists(desk):
    await desk.create()
    for path in ("/v1/work-orders", "/v1/work-orders/o-1", "/v1/work-orders/o-1/form"):
        for role in ("agent", "auditor", "technician", "operator", "partner"):
            assert (await desk.get(path, role)).status_code == 403, (path, role)
        assert (await desk.get(path, "supervisor")).status_code == 200


async def test_an_order_is_shown_whole_and_one_that_has_not_arrived_is_asked_for_again(desk):
    await desk.create(content="没有图像", external_reference="x-1")
    answer = await desk.get("/v1/work-orders/o-1", at_least=1)
    assert answer.headers["etag"] == '"1"'
    assert (answer.json()["content"], answer.json()["external_reference"]) == ("没有图像", "x-1")
    ahead = await desk.get("/v1/work-orders/o-1", at_least=2)
    assert (ahead.status_code, ahead.json()["code"]) == (503, "not_caught_up")
    assert (await desk.get("/v1/work-orders/o-2")).json()["code"] == "work_order_not_found"


async def test_the_form_has_the_order_its_subscriber_and_the_areas_to_choose_from(staffed_desk):
    asked = []

    def intake(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=SUBSCRIBER)

    staffed_desk.answer_as_intake(intake)
    await staffed_desk.put_staff("li", is_active=False)
    await staffed_desk.put_area("closed", is_open=False)
    await staffed_desk.put_area("analogue", device_types=["analogue"])
    await staffed_desk.create(content="测试", appointment=window(3))
    answer = await staffed_desk.get("/v1/work-orders/o-1/form")
    form = answer.json()
    assert answer.headers["etag"] == '"1"'
    order = (await staffed_desk.get("/v1/work-orders/o-1")).json()
    for shown in (form["order"], order):
        shown.pop("clocks")  # they run
    assert form["order"] == order | {"sealed_text": None}
    assert (form["subscriber"], form["subscriber_unavailable"]) == (SUBSCRIBER, False)
    assert form["subscriber_placeholder"] is None
    choice = [(area["work_area_id"], [one["staff_id"] for one in area["staff"]]) for area in form["work_areas"]]
    assert choice == [("north", ["wang"]), ("south", ["zhao"])]
    assert (form["rejection_budget"], form["is_budget_spent"]) == (2, False)
    assert asked[0].url == "http://intake.test/v1/work-orders/o-1/subscriber?at_least=1"


async def test_intake_is_asked_with_the_callers_own_token(desk):
    asked = []

    def intake(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["authorization"])
        return httpx.Response(200, json=SUBSCRIBER)

    desk.answer_as_intake(intake)
    await desk.create()
    headers = desk.issuer.headers("dispatcher", sub="dispatcher-7")
    await desk.client.get("/v1/work-orders/o-1/form", headers=headers)
    assert asked == [headers["authorization"]]


async def test_the_form_opens_without_intake_and_shows_nothing_of_the_person(desk):
    await desk.create(zone=e.Zone.RURAL, territory="east")

    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("away", request=request)

    for intake in (
        away,
        lambda _: httpx.Response(403, json=SUBSCRIBER),
        lambda _: httpx.Response(503),
        lambda _: httpx.Response(302, headers={"location": "http://elsewhere.test/"}),
        lambda _: httpx.Response(200, text="<html>"),
        lambda _: httpx.Response(200, json={"name": "王强"}),
    ):
        desk.answer_as_intake(intake)
        form = (await desk.get("/v1/work-orders/o-1/form")).json()
        assert (form["subscriber"], form["subscriber_unavailable"]) == (None, True)
        assert form["subscriber_placeholder"] == {
            "subscriber_no": "111",
            "zone": "rural",
            "territory": "east",
            "name": "***",
            "address": "***",
            "phones": [],
            "is_masked": True,
        }


async def test_the_form_marks_areas_that_rejected_and_says_when_a_supervisor_must_decide(staffed_desk):
    staffed_desk.answer_as_intake(lambda _: httpx.Response(503))
    stream = await staffed_desk.create()
    await staffed_desk.dispatch()
    await staffed_desk.reject(stream)
    form = (await staffed_desk.get("/v1/work-orders/o-1/form")).json()
    assert [area["has_rejected"] for area in form["work_areas"]] == [True, False]
    assert form["is_budget_spent"] is False
    await staffed_desk.put("/v1/rules/rejection-budget", budget=1)
    form = (await staffed_desk.get("/v1/work-orders/o-1/form")).json()
    assert (form["rejection_budget"], form["is_budget_spent"]) == (1, True)
