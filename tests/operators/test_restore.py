"""A database from a backup that is older than what its service has published since: it reads before it acts.

Real broker, real workers. What the topic holds afterwards is checked by the same code as `linework verify`.
"""

import importlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from tests.operators.town import Town, is_lawful_everywhere

from chassis.recovery.fence import is_catching_up
from chassis.recovery.restored_backup import mark_restored
from chassis.testing import Databases, eventually


@pytest.fixture
async def backup(town: Town, databases: Databases) -> AsyncIterator[Callable[[str], Any]]:
    """Copies a service's database as it is; the copy can be put in its place."""
    copies: list[str] = []

    async def copy(service: str) -> str:
        name = f"{town.urls[service].rsplit('/', 1)[1]}_copy{len(copies)}"
        await town.close(service)
        databases.execute(f"create database {name} template {town.urls[service].rsplit('/', 1)[1]}")
        await town.open(service)
        copies.append(town.urls[service].rsplit("/", 1)[0] + "/" + name)
        return copies[-1]

    yield copy
    for url in copies:
        if url not in town.urls.values():
            databases.drop(url)


async def put_back(town: Town, service: str, url: str, databases: Databases) -> None:
    """The database is lost, and the backup takes its place."""
    await town.close(service)
    databases.drop(town.urls[service])
    town.urls[service] = url
    await town.open(service)


async def told_to_catch_up(town: Town, service: str) -> dict[str, int]:
    """What `python -m chassis.restored SERVICE` does."""
    consumers = importlib.import_module(f"{service}.consumers")
    return await mark_restored(town.settings(service), consumers.SUBSCRIPTIONS, getattr(consumers, "OWN", ()))


async def has_caught_up(town: Town, service: str) -> None:
    """Waits until the last of the service's topics was read: commands are refused as long as one is behind."""

    async def is_behind() -> bool:
        async with town.db(service).statements() as statements:
            return await is_catching_up(statements)

    await eventually(is_behind, until=lambda behind: not behind, seconds=30)


async def test_what_fieldwork_published_since_its_backup_is_never_published_with_a_new_meaning(
    town: Town, backup: Callable[[str], Any], databases: Databases
) -> None:
    async with town.started("intake", "dispatch", "qa", "reporting"):
        async with town.started("fieldwork"):
            completed, cancelled, asked, forwarded, handed_over, unsent = [
                await town.act(await town.create(), "dispatch") for _ in range(6)
            ]
            await town.has("fieldwork", unsent)
        unsent = await town.act(unsent, "start")  # stands in the outbox of the backup
        url = await backup("fieldwork")

        async with town.started("fieldwork"):
            await town.act(completed, "start", "complete")
            asked, forwarded, handed_over = [
                await town.act(order, "start") for order in (asked, forwarded, handed_over)
            ]
            answered = [await town.request(cancelled, "cancel")]
            await town.settled(answered[0])
        answered.append(await town.request(forwarded, "cancel"))
        await town.act(forwarded, "complete")  # the request stands before it, so it is passed on to qa
        async with town.started("fieldwork"):
            await town.settled(answered[1])

        open_requests = [await town.request(asked, "urge"), await town.request(handed_over, "cancel")]
        await town.act(handed_over, "complete")
        await town.publish("fieldwork")  # and dies before it has read the request that it should have passed on
        await put_back(town, "fieldwork", url, databases)
        behind = await told_to_catch_up(town, "fieldwork")
        assert behind["work-orders"] > 10

        refused = await town.ask_act(completed, "start")
        assert (refused.status_code, refused.json()["code"]) == (503, "catching_up")
        async with town.started("fieldwork"):
            for request in open_requests:
                await town.settled(request)
            ledger = await is_lawful_everywhere(town)
            stale = await town.ask_act(completed, "start")
            assert stale.json()["code"] == "stale_version"
            assert ledger.repeat_count == 0
            await town.act(unsent, "complete")
            await is_lawful_everywhere(town)


async def test_a_worker_notices_by_itself_that_its_database_is_older_than_what_it_told_kafka(
    town: Town, backup: Callable[[str], Any], databases: Databases, caplog: pytest.LogCaptureFixture
) -> None:
    async with town.started("intake", "dispatch", "qa"):
        async with town.started("fieldwork"):
            order = await town.act(await town.create(), "dispatch")
            await town.has("fieldwork", order)
        url = await backup("fieldwork")
        async with town.started("fieldwork"):
            request = await town.request(order, "cancel")
            await town.settled(request)
        await put_back(town, "fieldwork", url, databases)
        async with town.started("fieldwork"):
            ledger = await is_lawful_everywhere(town)
    assert ledger.threads[order["id"]].version == 3
    assert "restored from a backup?" in caplog.text
    assert "that it has not recorded" not in caplog.text, "what it takes back is its own"


async def test_intake_gives_no_number_twice_and_knows_its_requests_and_types_again(
    town: Town, backup: Callable[[str], Any], databases: Databases
) -> None:
    async with town.started("dispatch", "fieldwork", "qa"):
        async with town.started("intake"):
            await town.create()
            await town.settle("intake")
        url = await backup("intake")
        async with town.started("intake"):
            since = [await town.create() for _ in range(3)]
            request = await town.request(since[0], "cancel")
            await town.settled(request)
            names = {"name_en": "digital television", "name_zh": "数字电视"}
            await town.call("intake", "PUT", "/device-types/digital", "operator", names)
            await town.settle("intake")
        await put_back(town, "intake", url, databases)
        await told_to_catch_up(town, "intake")
        refused = await town.ask("intake", "PUT", "/device-types/digital", "operator", names)
        assert refused.json()["code"] == "catching_up"
        async with town.started("intake"):
            await is_lawful_everywhere(town)
            assert (await town.settled(request))["state"] == "granted"
            assert (await town.create())["order_no"] not in {order["order_no"] for order in since}
            renamed = await town.call("intake", "PUT", "/device-types/digital", "operator", {**names, "name_en": "x"})
            assert renamed["version"] == 3


async def test_intake_gives_no_subscriber_a_second_first_key(
    town: Town, backup: Callable[[str], Any], databases: Databases
) -> None:
    async with town.started("fieldwork"):
        async with town.started("intake"):
            await town.settle("intake")
        url = await backup("intake")
        async with town.started("intake"):
            order = await town.create()  # the subscriber's first, which issues the key
            await town.settle("intake")
        await put_back(town, "intake", url, databases)
        await told_to_catch_up(town, "intake")
        body = {"subscriber_no": "111", "device_type": "digital", "demand_type": "test", "content": "又没有信号"}
        refused = await town.ask("intake", "POST", "/work-orders", "agent", body)
        assert (refused.status_code, refused.json()["code"]) == (503, "catching_up")
        async with town.started("intake"):
            await town.has("intake", order)
            await has_caught_up(town, "intake")
            again = await town.call("intake", "POST", "/work-orders", "agent", body)
            await town.has("fieldwork", again)
            for created, content in ((order, "没有信号"), (again, "又没有信号")):
                shown = await town.call("intake", "GET", f"/work-orders/{created['id']}", "agent")
                assert shown["content"] == content
    async with town.db("intake").statements() as statements:
        keys = await statements.fetch("select entity_version, wrapped from sealing_keys")
    async with town.db("fieldwork").statements() as statements:
        copies = await statements.fetch("select entity_version, wrapped from sealing_keys")
    assert [tuple(row) for row in keys] == [tuple(row) for row in copies]
    assert len(keys) == 1


async def test_dispatch_defines_an_area_on_top_of_what_it_published_since(
    town: Town, backup: Callable[[str], Any], databases: Databases
) -> None:
    async with town.started("dispatch"):
        await town.settle("dispatch")
    url = await backup("dispatch")
    async with town.started("dispatch"):
        await town.call("dispatch", "PUT", "/work-areas/north", "operator", {"name_en": "far north", "name_zh": "北区"})
        await town.call("dispatch", "PUT", "/work-areas/south", "operator", {"name_en": "south", "name_zh": "南区"})
        await town.call(
            "dispatch", "PUT", "/staff/south-1", "operator", {"name": "south staff", "work_area_id": "south"}
        )
        await town.settle("dispatch")
    await put_back(town, "dispatch", url, databases)
    await told_to_catch_up(town, "dispatch")
    async with town.db("dispatch").statements() as statements:
        areas = await statements.fetch("select id, version, name_en from work_areas order by id")
        staff = await statements.fetch("select id from staff order by id")
    assert [tuple(row) for row in areas] == [("north", 2, "far north"), ("south", 1, "south")]
    assert [row["id"] for row in staff] == ["north-1", "south-1"]


async def test_a_database_that_was_not_set_back_goes_on_at_once(town: Town) -> None:
    async with town.started("intake", "fieldwork"):
        await town.create()
        await town.settle("intake")
        await eventually(lambda: town.has_read("fieldwork"), until=lambda offset: offset > 0)
    async with town.started("intake", "fieldwork"):
        answer = await town.create()
    assert answer["version"] == 1
