"""A database from a backup that is older than what its service has published since: it reads before it acts.

Real broker, real workers. What the topic holds afterwards is checked by the same code as `linework verify`.
"""

import importlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from tests.installation import Refused
from tests.operators.in_process import InProcess

from chassis.recovery.fence import is_catching_up
from chassis.recovery.restored_backup import mark_restored
from chassis.testing import Databases, eventually


@pytest.fixture
async def backup(installation: InProcess, databases: Databases) -> AsyncIterator[Callable[[str], Any]]:
    """Copies a service's database as it is; the copy can be put in its place."""
    copies: list[str] = []

    async def copy(service: str) -> str:
        url = installation.database_urls[service]
        copies.append(f"{url}_copy{len(copies)}")
        name, copied = (one.rsplit("/", 1)[1] for one in (url, copies[-1]))
        await installation.close(service)
        databases.execute(f"create database {copied} template {name}")
        await installation.open(service)
        return copies[-1]

    yield copy
    for url in copies:
        if url not in installation.database_urls.values():
            databases.drop(url)


async def put_back(installation: InProcess, service: str, url: str, databases: Databases) -> None:
    """The database is lost, and the backup takes its place."""
    await installation.close(service)
    databases.drop(installation.database_urls[service])
    installation.database_urls[service] = url
    await installation.open(service)


async def told_to_catch_up(installation: InProcess, service: str) -> dict[str, int]:
    """What `python -m chassis.restored SERVICE` does."""
    consumers = importlib.import_module(f"{service}.consumers")
    return await mark_restored(installation.settings(service), consumers.SUBSCRIPTIONS, getattr(consumers, "OWN", ()))


async def has_caught_up(installation: InProcess, service: str) -> None:
    """Waits until the last of the service's topics was read: commands are refused as long as one is behind."""

    async def is_behind() -> bool:
        async with installation.db(service).statements() as statements:
            return await is_catching_up(statements)

    await eventually(is_behind, until=lambda behind: not behind, seconds=30)


async def test_what_fieldwork_published_since_its_backup_is_never_published_with_a_new_meaning(
    installation: InProcess, backup: Callable[[str], Any], databases: Databases
) -> None:
    async with installation.started("intake", "dispatch", "qa", "reporting"):
        async with installation.started("fieldwork"):
            completed, cancelled, asked, forwarded, handed_over, unsent = [
                await installation.dispatched() for _ in range(6)
            ]
            await installation.has("fieldwork", unsent)
        unsent = await installation.act(unsent, "start")  # stands in the outbox of the backup
        url = await backup("fieldwork")

        async with installation.started("fieldwork"):
            await installation.act(completed, "start", "complete")
            asked, forwarded, handed_over = [
                await installation.act(order, "start") for order in (asked, forwarded, handed_over)
            ]
            answered = [await installation.request(cancelled, "cancel")]
            await installation.answered(answered[0])
        answered.append(await installation.request(forwarded, "cancel"))
        await installation.act(forwarded, "complete")  # the request stands before it, so it is passed on to qa
        async with installation.started("fieldwork"):
            await installation.answered(answered[1])

        open_requests = [await installation.request(asked, "urge"), await installation.request(handed_over, "cancel")]
        await installation.act(handed_over, "complete")
        await installation.publish("fieldwork")  # and dies before it has read the request that it should have passed on
        await put_back(installation, "fieldwork", url, databases)
        behind = await told_to_catch_up(installation, "fieldwork")
        assert behind["work-orders"] > 10

        refused = await installation.ask_act(completed, "start")
        assert (refused.status_code, refused.json()["code"]) == (503, "catching_up")
        async with installation.started("fieldwork"):
            for request in open_requests:
                await installation.answered(request)
            ledger = await installation.lawful()
            stale = await installation.ask_act(completed, "start")
            assert stale.json()["code"] == "stale_version"
            assert ledger.repeat_count == 0
            await installation.act(unsent, "complete")
            await installation.lawful()


async def test_a_worker_notices_by_itself_that_its_database_is_older_than_what_it_told_kafka(
    installation: InProcess, backup: Callable[[str], Any], databases: Databases, caplog: pytest.LogCaptureFixture
) -> None:
    async with installation.started("intake", "dispatch", "qa"):
        async with installation.started("fieldwork"):
            order = await installation.dispatched()
            await installation.has("fieldwork", order)
        url = await backup("fieldwork")
        async with installation.started("fieldwork"):
            request = await installation.request(order, "cancel")
            await installation.answered(request)
        await put_back(installation, "fieldwork", url, databases)
        async with installation.started("fieldwork"):
            ledger = await installation.lawful()
    assert ledger.threads[order["id"]].version == 3
    assert "restored from a backup?" in caplog.text
    assert "that it has not recorded" not in caplog.text, "what it takes back is its own"


async def test_intake_gives_no_number_twice_and_knows_its_requests_and_types_again(
    installation: InProcess, backup: Callable[[str], Any], databases: Databases
) -> None:
    async with installation.started("dispatch", "fieldwork", "qa"):
        async with installation.started("intake"):
            await installation.create()
            await installation.published("intake")
        url = await backup("intake")
        async with installation.started("intake"):
            since = [await installation.create() for _ in range(3)]
            request = await installation.request(since[0], "cancel")
            await installation.answered(request)
            names = {"name_en": "digital television", "name_zh": "数字电视"}
            await installation.operator.put("intake", "/device-types/digital", names)
            await installation.published("intake")
        await put_back(installation, "intake", url, databases)
        await told_to_catch_up(installation, "intake")
        refused = await installation.operator.ask("PUT", "intake", "/device-types/digital", json=names)
        assert refused.json()["code"] == "catching_up"
        async with installation.started("intake"):
            await installation.lawful()
            assert (await installation.answered(request))["state"] == "granted"
            assert (await installation.create())["order_no"] not in {order["order_no"] for order in since}
            renamed = await installation.operator.put("intake", "/device-types/digital", {**names, "name_en": "x"})
            assert renamed["version"] == 3


async def test_intake_gives_no_subscriber_a_second_first_key(
    installation: InProcess, backup: Callable[[str], Any], databases: Databases
) -> None:
    async with installation.started("fieldwork"):
        async with installation.started("intake"):
            await installation.published("intake")
        url = await backup("intake")
        async with installation.started("intake"):
            order = await installation.create(content="没有信号")  # the subscriber's first, which issues the key
            await installation.published("intake")
        await put_back(installation, "intake", url, databases)
        await told_to_catch_up(installation, "intake")
        with pytest.raises(Refused) as refused:
            await installation.create(content="又没有信号")
        assert (refused.value.status, refused.value.problem["code"]) == (503, "catching_up")
        async with installation.started("intake"):
            await installation.has("intake", order)
            await has_caught_up(installation, "intake")
            again = await installation.create(content="又没有信号")
            await installation.has("fieldwork", again)
            for created, content in ((order, "没有信号"), (again, "又没有信号")):
                shown = await installation.agent.get("intake", f"/work-orders/{created['id']}")
                assert shown["content"] == content
    of_keys = "select entity_version, wrapped from sealing_keys"
    keys, copies = [await installation.rows(service, of_keys) for service in ("intake", "fieldwork")]
    assert [tuple(row) for row in keys] == [tuple(row) for row in copies]
    assert len(keys) == 1


async def test_dispatch_defines_an_area_on_top_of_what_it_published_since(
    installation: InProcess, backup: Callable[[str], Any], databases: Databases
) -> None:
    async with installation.started("dispatch"):
        await installation.published("dispatch")
    url = await backup("dispatch")
    async with installation.started("dispatch"):
        renamed = {"name_en": "far north", "name_zh": "北区"}
        await installation.operator.put("dispatch", f"/work-areas/{installation.area('north')}", renamed)
        await installation.define_area("east", "东区")
        await installation.published("dispatch")
    await put_back(installation, "dispatch", url, databases)
    await told_to_catch_up(installation, "dispatch")
    areas = await installation.rows("dispatch", "select version, name_en from work_areas order by id")
    staff = await installation.rows("dispatch", "select id from staff order by id")
    assert [tuple(row) for row in areas] == [(1, "east"), (2, "far north"), (1, "south")]
    assert [row["id"] for row in staff] == [installation.staff(area) for area in ("east", "north", "south")]


async def test_a_database_that_was_not_set_back_goes_on_at_once(installation: InProcess) -> None:
    async with installation.started("intake", "fieldwork"):
        await installation.create()
        await installation.published("intake")
        read = "select 1 from positions where topic = 'work-orders' and next_offset > 0"
        await eventually(lambda: installation.rows("fieldwork", read))
    async with installation.started("intake", "fieldwork"):
        answer = await installation.create()
    assert answer["version"] == 1
