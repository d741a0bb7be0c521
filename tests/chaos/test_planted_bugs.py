"""A checker that has never found anything proves nothing: each planted bug is found, and its fault without it is not.

The bugs are those that an outbox and its consumers are written wrong with most often. Each has a fault that it
cannot survive, and which is harmless for the product: it happens with the bug and without it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.chaos.breakable import BreakableInstallation
from tests.chaos.links import State
from tests.chaos.own_orders import READERS_WORKER, WRITER, WRITERS_WORKERS, OwnOrders, opened_orders
from tests.chaos.planted import Bug
from tests.server_folders import server_folder

from chassis.testing import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def installation() -> AsyncIterator[BreakableInstallation]:
    with server_folder("chaos") as folder:
        small = BreakableInstallation(
            Path(folder), services=("fieldwork", "qa"), broker_count=1, workers={"fieldwork": 2}
        )
        async with small.running():
            yield small


async def relays_die_while_kafka_is_away(own: OwnOrders) -> None:
    links = [link for worker in WRITERS_WORKERS for link in own.installation.links[f"{worker} to kafka"]]
    for link in links:
        link.cut(State.SILENT)
    await asyncio.gather(*(own.note(order_id, "left while Kafka was away") for order_id in own.orders))
    # A relay that takes rows before they are acknowledged has taken them by now.
    for _ in range(10):
        if await own.installation.is_published(WRITER):
            break
        await asyncio.sleep(0.1)
    for worker in WRITERS_WORKERS:
        own.installation.parts[worker].kill(back_after=0.0)
    for link in links:
        link.mend()


async def a_consumer_dies_while_its_table_is_locked(own: OwnOrders) -> None:
    async with own.installation.connection("qa") as holder:
        await holder.execute("begin; lock table work_orders in access exclusive mode")
        await asyncio.gather(*(own.note(order_id, "not to be stepped over") for order_id in own.orders))
        waiting = "select 1 from pg_locks where not granted and relation = 'work_orders'::regclass"
        await eventually(lambda: own.installation.rows("qa", waiting))
        own.installation.parts[READERS_WORKER].kill(back_after=0.0)


async def one_of_two_relays_is_slow(own: OwnOrders) -> None:
    for link in own.installation.links[f"{WRITERS_WORKERS[0]} to kafka"]:
        link.slow(0.3)

    async def write(order_id: str) -> None:
        for number in range(4):
            await own.note(order_id, f"note {number}")

    await asyncio.gather(*(write(order_id) for order_id in own.orders))
    await own.installation.published(WRITER)
    own.installation.links[f"{WRITERS_WORKERS[0]} to kafka"][0].mend()


async def two_people_act_at_once_over_a_slow_line(own: OwnOrders) -> None:
    for link in own.installation.links[f"{WRITER} to postgres"]:
        link.slow(0.1)
    both = [(order_id, text) for order_id in own.orders for text in ("the one", "the other")]
    await asyncio.gather(*(own.suspend(order_id, text) for order_id, text in both))
    for link in own.installation.links[f"{WRITER} to postgres"]:
        link.mend()


FAULTS: Mapping[Bug, tuple[Callable[[OwnOrders], Awaitable[None]], tuple[str, ...], str]] = {
    Bug.PUBLISH_DROPPED: (relays_die_while_kafka_is_away, WRITERS_WORKERS, "was acknowledged and is there 0 times"),
    Bug.ACK_BEFORE_APPLY: (
        a_consumer_dies_while_its_table_is_locked,
        (READERS_WORKER,),
        "state of qa: is at version 3",
    ),
    Bug.SKIP_LOCKED: (one_of_two_relays_is_slow, WRITERS_WORKERS, "laws: VERSIONS: version"),
    Bug.NO_VERSION_GUARD: (two_people_act_at_once_over_a_slow_line, (WRITER,), "was given to"),
}
"""The fault, the processes that have the bug, and what the checker says of it. `MONITOR_FIRES_TWICE` needs no fault but
another look: `services/dispatch/tests/component/test_alarms.py`."""


async def faults_found(installation: BreakableInstallation, bug: Bug, *, is_planted: bool) -> list[str]:
    fault, processes, _ = FAULTS[bug]
    async with opened_orders(installation) as own:
        await own.plant(bug if is_planted else None, processes)
        await own.add_orders(6)
        await fault(own)
        return (await own.check()).faults


@pytest.mark.parametrize("bug", list(FAULTS))
async def test_a_planted_bug_is_found(installation: BreakableInstallation, bug: Bug) -> None:
    faults = await faults_found(installation, bug, is_planted=True)
    assert any(FAULTS[bug][2] in fault for fault in faults), faults


@pytest.mark.parametrize("bug", list(FAULTS))
async def test_the_fault_that_shows_a_bug_is_harmless_without_it(installation: BreakableInstallation, bug: Bug) -> None:
    assert await faults_found(installation, bug, is_planted=False) == []


async def test_a_bug_that_cannot_be_planted_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard that a plant takes away is still where it looks for it."""
    from tests.chaos import planted

    from work_orders import commit

    monkeypatch.setattr(commit, "_CHANGE", commit._CHANGE)
    before: Any = commit._CHANGE
    planted.plant(Bug.NO_VERSION_GUARD)
    assert before != commit._CHANGE
