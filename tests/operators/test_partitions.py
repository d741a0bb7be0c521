"""A topic gets more partitions while everybody works, and no key loses its order.

Real broker, real workers. With more partitions most keys belong to another one: a reader that is behind in the old
partition would meet a key's later records first. That this is so is shown here too.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from aiokafka.admin import NewPartitions
from tests.operators.town import Json, Town, is_lawful_everywhere

from chassis.kafka import admin_of
from chassis.testing import eventually, records_of
from contracts.topics import WORK_ORDERS
from linework.partitions import Growth, kafka_at
from linework.stopped import Stopped

WRITERS = [service.value for service in WORK_ORDERS.writers]
ACTS = {1: "dispatch", 2: "start", 3: "complete", 4: "archive"}


async def let_rest(town: Town, service: str, seconds: int) -> int:
    answer = await town.call(service, "PUT", "/publishing", "operator", {"rest_seconds": seconds})
    return answer["relays_at_work"]


async def grow(town: Town, count: int, wait_seconds: float = 60) -> list[str]:
    """What `linework partitions work-orders COUNT` does; what it said."""
    said: list[str] = []
    async with kafka_at(town.bootstrap_servers) as kafka:
        growth = Growth(kafka, town.prefix, WORK_ORDERS.name, count, lambda *given: let_rest(town, *given), said.append)
        await growth.run(WRITERS, wait_seconds)
    return said


async def add_naively(town: Town, count: int) -> None:
    async with admin_of(town.settings("intake")) as admin:
        await admin.create_partitions({town.prefix + WORK_ORDERS.name: NewPartitions(count)})


@contextlib.asynccontextmanager
async def load(town: Town) -> AsyncIterator[list[Json]]:
    """Orders are created and go through their lives as long as the block lasts; those whose life is over."""
    done: list[Json] = []

    async def live() -> None:
        while True:
            order = await town.create()
            while act := ACTS.get(order["version"]):
                answer = await town.ask_act(order, act)
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


async def partitions_used(town: Town) -> set[int]:
    return {record.partition for record in await records_of(town.bootstrap_servers, town.prefix + WORK_ORDERS.name)}


async def test_a_topic_grows_under_load_and_no_key_is_parked(town: Town) -> None:
    async with town.started():
        async with load(town) as done:
            await eventually(lambda: len(done), until=lambda count: count >= 8, seconds=30)
            said = await grow(town, 12)
            before = len(done)
            await eventually(lambda: len(done), until=lambda count: count >= before + 12, seconds=60)
        ledger = await is_lawful_everywhere(town)
        assert any(number >= 4 for number in await partitions_used(town))
    assert said[-1] == "work-orders has 12 partitions; publishing goes on"
    assert ledger.repeat_count == 0


async def test_partitions_that_are_just_added_park_the_keys_of_who_is_behind(town: Town) -> None:
    async with town.started("intake", "dispatch"):
        orders = [await town.create() for _ in range(12)]
        for order in orders:
            await town.has("dispatch", order)
        await town.settle("intake")
    await add_naively(town, 12)
    async with town.started("dispatch"):
        for order in orders:
            await town.act(order, "dispatch")
        await town.settle("dispatch")

    async def parked() -> int:
        async with town.db("qa").statements() as statements:
            return await statements.fetchval("select count(*) from parked where reason like 'a gap%'")

    async with town.started("qa"):
        assert await eventually(parked, seconds=30)


async def test_a_topic_does_not_grow_while_somebody_is_behind(town: Town) -> None:
    async with town.started("fieldwork"):
        pass
    async with town.started("intake"):
        await town.create()
        await town.settle("intake")
        with pytest.raises(Stopped, match="4 partitions as before"):
            await grow(town, 8, wait_seconds=4)
        order = await town.create()
        await town.settle("intake")  # publishing goes on
    assert order["version"] == 1


async def test_publishing_rests_and_acts_are_taken_all_the_while(town: Town) -> None:
    async with town.started("intake"):
        await eventually(lambda: let_rest(town, "intake", 60), until=lambda at_work: at_work == 0)
        order = await town.create()
        standing = await town.call("intake", "GET", "/publishing", "operator")
        assert (standing["relays_at_work"], standing["rests_until"] is not None) == (0, True)
        async with town.db("intake").statements() as statements:
            waiting = await statements.fetchval("select count(*) from outbox where aggregateid = $1", order["id"])
        assert waiting == 1
        await let_rest(town, "intake", 0)
        await town.settle("intake")


async def test_a_rest_that_nobody_ends_ends_by_itself(town: Town) -> None:
    async with town.started("intake"):
        await let_rest(town, "intake", 2)
        await town.create()
        await town.settle("intake")
