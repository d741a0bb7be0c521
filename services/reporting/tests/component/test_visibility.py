"""What a token that names work areas gets of an order's past, of other orders, and of reports built before."""

import runpy
from datetime import timedelta

import pytest
from services.reporting.tests.component.test_follow_up_figures import FollowUps
from services.reporting.tests.component.test_record import SCRIPT

from contracts import quality as q
from contracts.chain import event_hash
from contracts.codec import new_message
from contracts.events import WorkOrderStarted
from contracts.lifecycle import Service, Status
from contracts.links import LinkKind, WorkOrderLinked, WorkOrderUnlinked
from contracts.message import Actor
from reporting.reports import building
from work_orders.testing import BEGIN, make_completed, make_dispatched, make_rejected

SECRET = "south-secret"
NORTH, SOUTH = ["north"], ["south"]
WINDOW = {"from": (BEGIN - timedelta(days=1)).isoformat(), "to": (BEGIN + timedelta(days=2)).isoformat()}


def moved_on(make_stream):
    """An order that north sent back and south has completed."""
    stream = make_stream(status=Status.REDISPATCHING)
    stream.add(make_dispatched(work_area_id="south", staff_ids=(SECRET,)))
    stream.add(WorkOrderStarted())
    stream.add(make_completed(staff_ids=(SECRET,), handling=SECRET))
    return stream


def told(order_id, body):
    """A link as intake tells it on the order's stream."""
    return new_message(
        body,
        service=Service.INTAKE,
        subject=order_id,
        actor=Actor("agent-1", "agent"),
        occurred_at=BEGIN,
        recorded_at=BEGIN,
    )


def linked(order_id, **to):
    return told(order_id, WorkOrderLinked(link_id=f"link-{order_id}-{to}", kind=LinkKind.DUPLICATE, **to))


async def test_who_sent_an_order_back_sees_nothing_of_what_the_next_area_does(reporting, make_stream):
    stream = moved_on(make_stream)
    await reporting.receive(*stream.messages)
    verify = runpy.run_path(str(SCRIPT))["verify"]
    for role, areas, count in (("technician", NORTH, 4), ("technician", SOUTH, 7), ("supervisor", None, 7)):
        timeline = await reporting.get("/work-orders/o-1/timeline", role, areas)
        proof = await reporting.get("/work-orders/o-1/proof", role, areas)
        assert [one["order_version"] for one in timeline.json()["items"]] == [*range(1, count + 1)]
        assert verify(proof.json()) == event_hash(stream.messages[count - 1])
        order = await reporting.get("/work-orders/o-1", role, areas)
        assert order.json()["version"] == count
        assert all((SECRET in one.text) is (count == 7) for one in (timeline, proof, order))
    north = (await reporting.get("/work-orders/o-1", "technician", NORTH)).json()
    assert (north["status"], north["assignment"]["work_area_id"]) == ("redispatching", "north")
    late = await reporting.get("/work-orders/o-1/timeline", "technician", NORTH, at_least=5)
    assert (late.status_code, late.json()["code"]) == (503, "not_caught_up")


async def test_the_area_that_has_an_order_sees_why_another_sent_it_back(reporting, make_stream):
    await reporting.receive(*moved_on(make_stream).messages)
    shown = await reporting.get("/work-orders/o-1/timeline", "technician", SOUTH)
    assert make_rejected().explanation in shown.text


async def test_links_to_orders_of_other_areas_are_left_out_of_a_timeline(reporting, make_stream):
    own = make_stream("o-1", Status.DISPATCHED)
    beside = make_stream("o-2", Status.DISPATCHED)
    other = make_stream(SECRET)
    other.add(make_dispatched(work_area_id="south"))
    hidden, seen = linked("o-1", other_order_id=SECRET), linked("o-1", other_order_id="o-2")
    waiting = linked("o-1", other_order_id=f"{SECRET}-that-nobody-knows")
    undone = told("o-1", WorkOrderUnlinked(link_id=hidden.body.link_id))
    outage = linked("o-1", outage_id="outage-1")
    messages = (*own.messages, *beside.messages, *other.messages, hidden, seen, undone, outage, waiting)
    await reporting.receive(*messages)
    shown = await reporting.get("/work-orders/o-1/timeline", "technician", NORTH)
    ids = [one["id"] for one in shown.json()["items"]]
    assert ids == [*(one.id for one in own.messages), seen.id, outage.id]
    assert SECRET not in shown.text
    whole = (await reporting.get("/work-orders/o-1/timeline", "agent")).json()["items"]
    assert len(whole) == len(own.messages) + 5


@pytest.mark.parametrize("metric", ["rejections_per_order", "time_in_status"])
async def test_the_events_behind_a_figure_end_where_the_order_left_the_area(reporting, make_stream, metric):
    stream = moved_on(make_stream)
    await reporting.receive(*stream.messages)
    theirs = {message.id for message in stream.messages[4:]}
    answer = await reporting.get(f"/figures/{metric}/events", "technician", NORTH, **WINDOW)
    assert answer.status_code == 200, answer.text
    assert not [one for item in answer.json()["items"] for one in item["events"] if one["id"] in theirs]


async def test_a_follow_up_of_several_areas_is_told_without_the_order_of_another(reporting, make_stream):
    for order_id, area in ((SECRET, "south"), ("o-1", "north")):
        stream = make_stream(order_id)
        stream.add(make_dispatched(work_area_id=area, staff_ids=(f"{area}-1",)))
        stream.add(WorkOrderStarted())
        stream.add(make_completed(staff_ids=(f"{area}-1",)))
        await reporting.receive(*stream.messages)
    told_of = FollowUps()
    told_of.plan("f-1", SECRET, "o-1", work_area_id="south")
    told_of.end("f-1", SECRET, q.FollowUpEnd.COMPLETED, score=5)
    await reporting.receive(*told_of.messages)
    params = {"window": WINDOW}["window"]
    for role, areas, is_named in (("technician", NORTH, False), ("supervisor", None, True)):
        answer = await reporting.get("/figures/follow_up_coverage/events", role, areas, **params)
        assert answer.status_code == 200, answer.text
        assert (SECRET in answer.text) is is_named
    (north,) = (await reporting.get("/figures/follow_up_coverage/events", "technician", NORTH, **params)).json()[
        "items"
    ]
    assert {one["subject"] for one in north["events"]} == {"o-1", "f-1"}


async def _report(reporting, role, areas, sub):
    headers = reporting.issuer.headers(role, areas, sub)
    body = {"kind": "daily", "day": "2026-03-02", "format": "csv"}
    asked = await reporting.client.post("/v1/reports", json=body, headers=headers)
    assert asked.status_code == 202, asked.text
    while await building.take_step(reporting.db):
        pass
    return asked.json()["id"]


async def _seen(reporting, report_id, **token):
    """Whether each way to a report shows it; all of them agree."""
    headers = reporting.issuer.headers(**token)
    listed = await reporting.client.get("/v1/reports", headers=headers)
    found = {report_id in [one["id"] for one in listed.json()["items"]]}
    for path in ("", "/file"):
        answer = await reporting.client.get(f"/v1/reports/{report_id}{path}", headers=headers)
        assert answer.is_success or answer.json()["code"] == "report_not_found", answer.text
        found.add(answer.is_success)
    (is_seen,) = found
    return is_seen


REPORTS = [
    # asked for as whom, fetched as whom, and whether it is shown
    (("supervisor", None), ("supervisor", None), True),
    (("supervisor", None), ("operator", None), True),
    (("supervisor", None), ("technician", None), False),
    (("supervisor", None), ("technician", ["north"]), False),
    (("supervisor", None), ("supervisor", ["north"]), False),
    (("supervisor", ["north"]), ("technician", ["north"]), False),
    (("supervisor", ["north"]), ("supervisor", None), True),
    (("supervisor", ["north"]), ("supervisor", ["north", "south"]), True),
    (("supervisor", ["north", "south"]), ("supervisor", ["north"]), False),
    (("technician", ["north"]), ("technician", ["north"]), True),
    (("technician", ["north"]), ("technician", ["south"]), False),
    (("technician", ["north"]), ("technician", None), False),
    (("technician", ["north"]), ("technician", []), False),
    (("technician", ["north"]), ("supervisor", None), True),
    (("technician", None), ("technician", None), True),
]


@pytest.mark.parametrize(("asked", "fetched", "is_shown"), REPORTS)
async def test_a_report_is_shown_as_far_as_the_present_token_reaches(
    reporting, make_stream, make_call, asked, fetched, is_shown
):
    await reporting.receive(*moved_on(make_stream).messages, *make_call("c-1", wait=3, talk=60).messages)
    report_id = await _report(reporting, *asked, "p-1")
    role, areas = fetched
    assert await _seen(reporting, report_id, role=role, areas=areas, sub="p-1") is is_shown
    assert not await _seen(reporting, report_id, role="supervisor", areas=None, sub="p-2")
