"""What a process does between SIGTERM and its end: nobody is refused, nothing is left half done."""

import asyncio
import contextlib
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis.relay import Relay
from chassis.sending import Sent, send
from chassis.testing import eventually
from chassis.worker import Worker
from linework.ports import free_port
from linework.processes import die_with_parent

from .conftest import Toy
from .toy import INI, SUBSCRIPTIONS, count, effects_of, note

_PROCESS = Path(__file__).with_name("toy") / "serving.py"
_NEVER = 600.0


@contextlib.asynccontextmanager
async def serving(url: str, drain_seconds: float, file: Path) -> AsyncIterator[tuple[Process, httpx.AsyncClient]]:
    """A process that is ready, and a client that keeps its connections."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, _PROCESS, url, str(port), str(drain_seconds), str(file), preexec_fn=die_with_parent
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            await eventually(lambda: status(client, "/readyz"), until=lambda found: found == 200, seconds=90)
            yield process, client
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def status(client: httpx.AsyncClient, path: str) -> int | None:
    with contextlib.suppress(httpx.TransportError):
        return (await client.get(path)).status_code
    return None


@pytest.fixture
def url(new_database: Any) -> str:
    return new_database(INI)


async def test_after_sigterm_a_process_is_not_ready_and_goes_on_answering(url: str, tmp_path: Path) -> None:
    async with serving(url, _NEVER, tmp_path / "go") as (process, client):
        assert "connection" not in (await client.get("/livez")).headers
        process.send_signal(signal.SIGTERM)
        await eventually(lambda: status(client, "/readyz"), until=lambda found: found == 503)
        answer = await client.get("/livez")
        assert answer.status_code == 200
        assert answer.headers["connection"] == "close", "the next request belongs to another process"
        assert (await client.get("/readyz")).text == "it is leaving"


async def test_after_its_drain_time_a_process_finishes_its_requests_and_ends(url: str, tmp_path: Path) -> None:
    async with serving(url, 0.2, tmp_path / "go") as (process, client):
        asked = asyncio.create_task(client.get("/slow", timeout=30))
        await eventually(lambda: status(client, "/livez"))
        process.send_signal(signal.SIGTERM)
        await eventually(lambda: status(client, "/livez"), until=lambda found: found is None)
        (tmp_path / "go").touch()
        assert (await asked).json() == "finished"
        assert await asyncio.wait_for(process.wait(), 30) == -signal.SIGTERM


async def test_a_second_signal_ends_the_draining(url: str, tmp_path: Path) -> None:
    async with serving(url, _NEVER, tmp_path / "go") as (process, client):
        process.send_signal(signal.SIGTERM)
        await eventually(lambda: status(client, "/readyz"), until=lambda found: found == 503)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 30) == -signal.SIGTERM


async def test_a_worker_that_shuts_down_has_acknowledged_all_that_it_applied(toy: Toy) -> None:
    async with toy.worker().running():
        for version in (1, 2, 3):
            await toy.send(note("order-1", version))
            await eventually(
                lambda: effects_of(toy.db), until=lambda found, seen=version: len(found.get("order-1", ())) >= seen
            )
    place = TopicPartition(toy.topic, 0)
    reader = AIOKafkaConsumer(
        bootstrap_servers=toy.bootstrap_servers, group_id=f"{toy.prefix}toy.work-orders", enable_auto_commit=False
    )
    await reader.start()
    try:
        assert await reader.committed(place) == 3
    finally:
        await reader.stop()


async def test_a_relay_that_shuts_down_finishes_its_round(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    is_sending, may_send = asyncio.Event(), asyncio.Event()

    async def held_back(*arguments: Any, **options: Any) -> Sent:
        is_sending.set()
        await may_send.wait()
        return await send(*arguments, **options)

    monkeypatch.setattr("chassis.relay.send", held_back)
    for key in ("order-1", "order-2", "order-1"):
        await count(toy.db, key)
    relay = toy.relay()
    running = asyncio.create_task(relay.run())
    await asyncio.wait_for(is_sending.wait(), 15)
    relay.leave()
    may_send.set()
    await asyncio.wait_for(running, 15)
    assert await toy.outbox_rows() == 0
    assert await toy.versions_in_kafka() == {"order-1": [1, 2], "order-2": [1]}


async def test_a_relay_shuts_down_in_order_also_when_a_job_has_failed(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(_: Any, __: Any) -> None:
        raise LookupError("a job that fails")

    def leave(relay: Relay) -> None:
        left.append(relay)
        relay_leaves(relay)

    left: list[Relay] = []
    relay_leaves = Relay.leave
    monkeypatch.setattr(Relay, "leave", leave)
    with pytest.raises(LookupError):
        async with Worker("toy", toy.settings(), SUBSCRIPTIONS, jobs=[failing]).running():
            await asyncio.sleep(0)
    assert len(left) == 1
