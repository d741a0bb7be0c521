"""A rebuild beside the shown projections, while events go on arriving: nothing missing, nothing doubled."""

import asyncio

import pytest
from services.reporting.tests import rebuild_steps

from chassis.testing import eventually
from chassis.wakeup import Wakeup
from contracts.lifecycle import Status
from reporting.rebuilds import rebuilding
from reporting.rebuilds.domain import RebuildDiffers, RebuildNotReady, RebuildUnderWay


async def _stays(reporting, name):
    return await reporting.rows(f"select * from stays_{name} order by order_id, since_version")


async def _present(reporting, name):
    return [row for row in await _stays(reporting, name) if row["until_version"] is None]


async def _state(reporting):
    ((row),) = await reporting.rows("select live, generation, following from stream_state")
    return tuple(row)


async def test_a_rebuild_of_the_same_record_differs_in_nothing(reporting, make_stream):
    for number, status in enumerate(Status):
        await reporting.receive(*make_stream(f"o-{number}", status).messages)
    asked = await rebuild_steps.request(reporting)
    await rebuild_steps.finish(reporting)
    row = await rebuild_steps.get(reporting, asked["id"])
    assert (row["state"], row["difference_count"], row["order_count"], row["done_count"]) == ("ready", 0, 9, 9)
    assert await _stays(reporting, "b") == await _stays(reporting, "a")
    assert len(await _present(reporting, "b")) == 9


async def test_events_that_arrive_at_any_step_are_in_both_sets_once(reporting, make_stream, monkeypatch):
    monkeypatch.setattr(rebuilding, "_ORDERS_A_CHUNK", 3)
    monkeypatch.setattr(rebuilding, "_FEW_MESSAGES", 2)
    streams = [make_stream(f"o-{number}", Status.ARCHIVED) for number in range(8)]
    await reporting.receive(*(message for stream in streams for message in stream.messages[:2]))
    await rebuild_steps.request(reporting)
    left = [message for version in range(2, 5) for stream in streams for message in stream.messages[version:][:1]]
    while await rebuilding.take_step(reporting.db):
        await reporting.receive(*left[:3])
        left = left[3:]
    await reporting.receive(*left, *make_stream("o-99", Status.COMPLETED).messages)
    assert await _stays(reporting, "b") == await _stays(reporting, "a")
    assert {row["status"] for row in await _present(reporting, "b")} == {"archived", "completed"}


async def test_two_workers_and_a_consumer_at_once_lose_and_double_nothing(
    reporting, make_stream, monkeypatch, second_connection
):
    monkeypatch.setattr(rebuilding, "_ORDERS_A_CHUNK", 5)
    monkeypatch.setattr(rebuilding, "_FEW_MESSAGES", 10)
    monkeypatch.setattr(rebuilding, "_LOOK_EVERY_SECONDS", 0.01)
    streams = [make_stream(f"o-{number:03}", Status.ARCHIVED) for number in range(60)]
    await reporting.receive(*(message for stream in streams[:30] for message in stream.messages[:3]))
    asked = await rebuild_steps.request(reporting)

    async def consume() -> None:
        for stream in streams[30:]:
            await reporting.receive(*stream.messages[:4])
        for stream in streams:
            await reporting.receive(*stream.messages)

    wakeup = Wakeup(reporting.db.url)
    async with second_connection() as other:
        workers = [asyncio.create_task(rebuilding.rebuild_on_command(db, wakeup)) for db in (reporting.db, other)]
        try:
            await consume()
            row = await eventually(
                lambda: rebuild_steps.get(reporting, asked["id"]), until=lambda row: row["state"] == "ready"
            )
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
    assert (row["difference_count"], row["failure"]) == (0, None)
    assert await _stays(reporting, "b") == await _stays(reporting, "a")
    assert [stay["since_version"] for stay in await _present(reporting, "b")] == [5] * 60


async def test_after_the_switch_the_rebuilt_set_goes_on_and_the_other_stands_still(reporting, make_stream):
    stream = make_stream(status=Status.ARCHIVED)
    await reporting.receive(*stream.messages[:2])
    asked = await rebuild_steps.request(reporting)
    await rebuild_steps.finish(reporting)
    assert await _state(reporting) == ("a", 1, "b")
    await rebuild_steps.switch(reporting, asked["id"])
    assert await _state(reporting) == ("b", 2, None)
    await reporting.receive(*stream.messages[2:])
    assert [(await _present(reporting, name))[0]["status"] for name in "ab"] == ["dispatched", "archived"]
    again = await rebuild_steps.request(reporting)
    await rebuild_steps.finish(reporting)
    await rebuild_steps.switch(reporting, again["id"])
    assert await _state(reporting) == ("a", 3, None)
    assert await _stays(reporting, "a") == await _stays(reporting, "b")


async def test_what_differs_is_shown_and_must_be_accepted(reporting, make_stream):
    await reporting.receive(*make_stream("o-1", Status.COMPLETED).messages)
    await reporting.rows("update stays_a set zone = 'remote' where since_version = 1")
    await reporting.rows("delete from stays_a where since_version = 2")
    asked = await rebuild_steps.request(reporting)
    await rebuild_steps.finish(reporting)
    row = await rebuild_steps.get(reporting, asked["id"])
    assert row["difference_count"] == 2
    assert '"zone":"remote"' in row["differences"]
    with pytest.raises(RebuildDiffers):
        await rebuild_steps.switch(reporting, asked["id"])
    await rebuild_steps.switch(reporting, asked["id"], accepts_differences=True)
    assert (await _state(reporting))[0] == "b"


async def test_only_one_rebuild_is_under_way_and_a_newer_one_replaces_one_that_is_ready(reporting, make_stream):
    await reporting.receive(*make_stream().messages)
    first = await rebuild_steps.request(reporting)
    with pytest.raises(RebuildUnderWay):
        await rebuild_steps.request(reporting)
    with pytest.raises(RebuildNotReady):
        await rebuild_steps.switch(reporting, first["id"])
    await rebuild_steps.finish(reporting)
    second = await rebuild_steps.request(reporting)
    assert (await rebuild_steps.get(reporting, first["id"]))["state"] == "superseded"
    assert await _state(reporting) == ("a", 1, None)
    await rebuild_steps.finish(reporting)
    await rebuild_steps.switch(reporting, second["id"])


async def test_a_rebuild_of_an_empty_record_is_ready_at_once(reporting):
    asked = await rebuild_steps.request(reporting)
    await rebuild_steps.finish(reporting)
    assert (await rebuild_steps.get(reporting, asked["id"]))["state"] == "ready"


async def test_a_rebuild_that_fails_says_why_and_leaves_what_is_shown(reporting, make_stream, monkeypatch):
    await reporting.receive(*make_stream().messages)
    asked = await rebuild_steps.request(reporting)

    async def broken(*_):
        raise LookupError("no such thing")

    monkeypatch.setattr(rebuilding, "_fold", broken)
    worker = asyncio.create_task(rebuilding.rebuild_on_command(reporting.db, Wakeup(reporting.db.url)))
    row = await eventually(
        lambda: rebuild_steps.get(reporting, asked["id"]), until=lambda row: row["state"] == "failed"
    )
    worker.cancel()
    assert row["failure"] == "LookupError: no such thing"
    assert await _state(reporting) == ("a", 1, None)
    assert len(await _stays(reporting, "a")) == 1


async def test_after_an_upgrade_the_projections_are_built_and_shown_without_being_asked_for(reporting, make_stream):
    streams = [make_stream(f"o-{number}", Status.ARCHIVED) for number in range(3)]
    await reporting.rows("update stream_state set live_shape = 1")
    await reporting.receive(*(message for stream in streams for message in stream.messages[:3]))
    assert await _stays(reporting, "a") == []
    refused = await reporting.get("/figures/work_orders", "operator")
    assert (refused.status_code, refused.json()["code"]) == (503, "figures_not_built")
    while await rebuilding.take_step(reporting.db) or await rebuilding.renew_shape(rebuild_steps.uow_of(reporting)):
        pass
    assert await _state(reporting) == ("b", 2, None)
    await reporting.receive(*(message for stream in streams for message in stream.messages[3:]))
    assert [row["status"] for row in await _present(reporting, "b")] == ["archived"] * 3
    assert (await reporting.get("/figures/work_orders", "operator")).json()["rows"][0]["value"] == 3
