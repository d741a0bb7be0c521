"""Orders and lists as they stood at any past moment, whatever has happened since."""

from datetime import UTC, datetime, timedelta

import msgspec

from contracts.lifecycle import Status
from contracts.order import WorkOrder, apply
from work_orders.testing import BEGIN, make_dispatched


async def _list(reporting, minutes, role="supervisor", areas=None, **asked):
    as_of = (BEGIN + timedelta(minutes=minutes)).isoformat()
    answer = await reporting.get("/work-orders", role, areas, as_of=as_of, **asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_order_is_what_it_was_at_each_moment(reporting, make_stream):
    stream = make_stream(status=Status.ARCHIVED)
    await reporting.receive(*stream.messages)
    order = None
    for message in stream.messages:
        order = apply(order, message)
        for moment in (message.recorded_at, message.recorded_at + timedelta(seconds=59)):
            answer = await reporting.get("/work-orders/o-1", "auditor", as_of=moment.isoformat())
            assert msgspec.convert(answer.json(), WorkOrder) == order
    before = await reporting.get("/work-orders/o-1", "auditor", as_of=(BEGIN - timedelta(seconds=1)).isoformat())
    assert (before.status_code, before.json()["code"]) == (404, "work_order_not_found")
    assert (await reporting.get("/work-orders/o-1", "auditor")).json()["status"] == "archived"


async def test_a_list_is_what_it_was(reporting, make_stream):
    await reporting.receive(
        *make_stream("o-1", Status.ARCHIVED).messages, *make_stream("o-2", Status.REJECTED).messages
    )
    statuses = {
        minutes: [(one["order_id"], one["status"]) for one in (await _list(reporting, minutes))["items"]]
        for minutes in (-1, 0, 2, 99)
    }
    assert statuses == {
        -1: [],
        0: [("o-1", "created"), ("o-2", "created")],
        2: [("o-1", "processing"), ("o-2", "rejected")],
        99: [("o-2", "rejected"), ("o-1", "archived")],
    }
    only = (await _list(reporting, 2, status="rejected", demand_type="test"))["items"]
    assert [one["order_id"] for one in only] == ["o-2"]


async def test_what_will_be_known_is_not_told(reporting, make_stream):
    await reporting.receive(*make_stream("o-1").messages)
    ahead = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    paths = ("/work-orders", "/work-orders/o-1", "/figures/work_orders", "/figures/work_orders/versions")
    paths += ("/figures/work_orders/events", "/figures/dispatch_time/corrections")
    for path in paths:
        answer = await reporting.get(path, "supervisor", as_of=ahead)
        assert (answer.status_code, answer.json()["code"]) == (422, "as_of_in_future"), path
    now = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    assert (await reporting.get("/work-orders/o-1", "supervisor", as_of=now)).status_code == 200


async def test_a_list_is_read_page_by_page(reporting, make_stream):
    for number in range(5):
        await reporting.receive(*make_stream(f"o-{number}").messages)
    seen, cursor = [], None
    while True:
        page = await _list(reporting, 9, limit=2, **({"cursor": cursor} if cursor else {}))
        seen += [one["order_id"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [f"o-{number}" for number in range(5)]
    broken = await reporting.get("/work-orders", "supervisor", cursor="bm8")
    assert (broken.status_code, broken.json()["code"]) == (422, "cursor_broken")


async def test_a_work_area_sees_what_was_its_own_then(reporting, make_stream):
    stream = make_stream(status=Status.REDISPATCHING)
    stream.add(make_dispatched(work_area_id="south"))
    await reporting.receive(*stream.messages)
    assert [one["status"] for one in (await _list(reporting, 3, "technician", ["north"]))["items"]] == ["redispatching"]
    assert (await _list(reporting, 9, "technician", ["north"]))["items"] == []
    assert (await _list(reporting, 9, "technician"))["items"] == []
    early = (BEGIN + timedelta(minutes=3)).isoformat()
    assert (await reporting.get("/work-orders/o-1", "technician", ["south"], as_of=early)).status_code == 404
    assert (await reporting.get("/work-orders/o-1", "technician", ["south"])).status_code == 200
