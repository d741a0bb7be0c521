"""Rebuilds over HTTP, carried out by the worker's job."""

import asyncio

import pytest

from chassis.testing import eventually
from chassis.wakeup import Wakeup
from contracts.lifecycle import Status
from reporting.rebuilds import rebuilding


@pytest.fixture
async def job(reporting, monkeypatch):
    """The job as a worker runs it."""
    monkeypatch.setattr(rebuilding, "_LOOK_EVERY_SECONDS", 0.01)
    task = asyncio.create_task(rebuilding.rebuild_on_command(reporting.db, Wakeup(reporting.db.url)))
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _post(reporting, path, role="operator", **body):
    return await reporting.client.post(f"/v1/rebuilds{path}", headers=reporting.issuer.headers(role), json=body)


async def test_an_operator_rebuilds_looks_and_switches(reporting, make_stream, job):
    await reporting.receive(*make_stream(status=Status.COMPLETED).messages)
    started = await _post(reporting, "")
    assert (started.status_code, started.json()["state"]) == (202, "building")
    place = f"/rebuilds/{started.json()['id']}"
    ready = await eventually(
        lambda: reporting.get(place, "operator"), until=lambda answer: answer.json()["state"] == "ready"
    )
    assert (ready.json()["order_count"], ready.json()["done_count"]) == (1, 1)
    assert (ready.json()["difference_count"], ready.json()["differences"]) == (0, [])
    before = (await reporting.get("/figures/work_orders", "operator", group_by="status")).json()
    switched = await _post(reporting, f"/{started.json()['id']}/switch")
    assert (switched.status_code, switched.json()["switched_by"]) == (200, "operator-1")
    after = (await reporting.get("/figures/work_orders", "operator", group_by="status")).json()
    assert (before["generation"], after["generation"]) == (1, 2)
    assert after["rows"] == before["rows"]
    assert [(row["status"], row["value"]) for row in after["rows"]] == [("completed", 1)]
    assert len((await reporting.get("/rebuilds", "operator")).json()["items"]) == 1


async def test_only_operators_rebuild(reporting):
    assert (await _post(reporting, "", "supervisor")).status_code == 403
    assert (await reporting.get("/rebuilds", "supervisor")).status_code == 403


async def test_a_second_rebuild_and_an_early_switch_are_refused(reporting):
    first = (await _post(reporting, "")).json()
    second = await _post(reporting, "")
    assert (second.status_code, second.json()["code"]) == (409, "rebuild_under_way")
    early = await _post(reporting, f"/{first['id']}/switch")
    assert (early.status_code, early.json()["code"]) == (409, "rebuild_not_ready")
    unknown = await _post(reporting, "/999/switch")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "rebuild_not_found")


async def test_differences_are_shown_and_must_be_accepted(reporting, make_stream, job):
    await reporting.receive(*make_stream().messages)
    await reporting.rows("update stays_a set zone = 'remote'")
    started = (await _post(reporting, "")).json()
    ready = await eventually(
        lambda: reporting.get(f"/rebuilds/{started['id']}", "operator"),
        until=lambda answer: answer.json()["state"] == "ready",
    )
    difference = ready.json()["differences"][0]
    assert (difference["shown"]["zone"], difference["rebuilt"]["zone"]) == ("remote", "urban")
    refused = await _post(reporting, f"/{started['id']}/switch")
    assert (refused.status_code, refused.json()["code"]) == (409, "rebuild_differs")
    assert (await _post(reporting, f"/{started['id']}/switch", accepts_differences=True)).status_code == 200
