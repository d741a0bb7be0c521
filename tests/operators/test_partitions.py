"""A topic gets more partitions under load, and no key loses its order.

Real broker, real workers. With more partitions most keys belong to another one: a reader that is behind in the old
partition would meet a key's later records first. That this is so is shown here too.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial

import pytest
from aiokafka.admin import NewPartitions
from tests.installation import Json
from tests.operators.in_process import InProcess

from chassis.kafka import admin_of
from chassis.testing import eventually
from contracts.topics import WORK_ORDERS
from linework.partitions import Growth, kafka_at
from linework.stopped import Stopped

WRITERS = [service.value for service in WORK_ORDERS.writers]
ACTS = {1: "dispatch", 2: "start", 3: "complete", 4: "archive"}


async def let_rest(installation: InProcess, service: str, seconds: int) -> int:
    answer = await installation.operator.put(service, "/publishing", {"rest_seconds": seconds})
    return answer["relays_at_work"]


async def grow(installation: InProcess, count: int, wait_seconds: float = 60) -> list[str]:
    """What `linework partitions work-orders COUNT` does; what it said."""
    said: list[str] = []
    async with kafka_at(installation.bootstrap_servers) as kafka:
        prefix, rest = installation.addresses.topic_prefix, partial(let_rest, installation)
        growth = Growth(kafka, prefix, WORK_ORDERS.name, count, rest, said.append)
        await growth.run(WRITERS, wait_seconds)
    return said


async def add_naively(installation: InProcess, count: int) -> None:
    async with admin_of(installation.settings("intake")) as admin:
        await admin.create_partitions({installation.topic(WORK_ORDERS.name): NewPartitions(count)})


@contextlib.asynccontextmanager
async def load(installation: InProcess) -> AsyncIterator[list[Json]]:
    """Orders are created and go through their lives as long as the block lasts; those whose life is over."""
    done: list[Json] = []

    async def live() -> None:
        while True:
            order = await installation.create()
            while act := ACTS.get(order["version"]):
                answer = await installation.ask_act(order, act)
                if answer.is_success:
                    order = answer.json()
                else:  # its own service has not heard of it yet
                    assert answer.status_code in (404, 503), answer.text
            done.append(order)

    lives = [asyncio.create_task(live()) for _ in range(4)]
    try:
        yield done
    finally:
        for life in lives:
            life.cancel()
        for result in await asyncio.gather(*lives, return_exceptions=True):
            if isinstance(result, Exception):
                raise result


async def partitions_used(installation: InProcess) -> set[int]:
    return {record.partition for record in await installation.records()}


async def test_a_topic_grows_under_load_and_no_key_is_parked(installation: InProcess) -> None:
    async with installation.started():
        async with load(installation) as done:
            await eventually(lambda: len(done), until=lambda count: count >= 8, seconds=30)
            said = await grow(installation, 12)
            before = len(done)
            await eventually(lambda: len(done), until=lambda count: count >= before + 12, seconds=60)
        ledger = await installation.lawful()
        assert any(number >= 4 for number in await partitions_used(installation))
    assert said[-1] == "work-orders has 12 partitions; publishing is resumed"
    assert ledger.repeat_count == 0


async def test_who_is_behind_when_partitions_are_just_added_applies_in_order_or_parks(installation: InProcess) -> None:
    async with installation.started("intake", "dispatch"):
        orders = [await installation.create() for _ in range(12)]
        for order in orders:
            await installation.has("dispatch", order)
        await installation.published("intake")
    await add_naively(installation, 12)
    async with installation.started("dispatch"):
        for order in orders:
            await installation.act(order, "dispatch")
        await installation.published("dispatch")
    async with installation.started("qa"):
        # Whether a key's new partition is read before its old one is luck. Never is a version stepped over.
        settled = """select id as key from work_orders where version = 2
            union select key from parked where reason like 'a gap%'"""
        ids = {order["id"] for order in orders}
        await eventually(
            lambda: installation.rows("qa", settled), until=lambda rows: {row["key"] for row in rows} >= ids, seconds=30
        )


async def test_a_topic_does_not_grow_while_somebody_is_behind(installation: InProcess) -> None:
    async with installation.started("fieldwork"):
        pass
    async with installation.started("intake"):
        await installation.create()
        await installation.published("intake")
        with pytest.raises(Stopped, match="4 partitions, unchanged"):
            await grow(installation, 8, wait_seconds=4)
        order = await installation.create()
        await installation.published("intake")  # publishing is resumed
    assert order["version"] == 1


async def test_publishing_rests_and_acts_are_taken_all_the_while(installation: InProcess) -> None:
    async with installation.started("intake"):
        await eventually(lambda: let_rest(installation, "intake", 60), until=lambda at_work: at_work == 0)
        await installation.create()
        standing = await installation.operator.get("intake", "/publishing")
        assert (standing["relays_at_work"], standing["rests_until"] is not None) == (0, True)
        assert not await installation.is_published("intake")
        await let_rest(installation, "intake", 0)
        await installation.published("intake")


async def test_a_rest_that_nobody_ends_ends_by_itself(installation: InProcess) -> None:
    async with installation.started("intake"):
        await let_rest(installation, "intake", 2)
        await installation.create()
        await installation.published("intake")
