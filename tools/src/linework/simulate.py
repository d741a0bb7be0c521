"""`linework simulate`: traffic of every role, including the usual exceptions."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linework.runtime.commands import StateFolder

if TYPE_CHECKING:
    from linework.client import Addresses, ServiceClients
    from linework.simulate_story import Cast, Notes, Story

_MOST_AT_ONCE = 200


def simulate(
    orders: Annotated[int, typer.Option("--orders", min=1, help="Number of orders.")] = 100,
    rate: Annotated[float, typer.Option("--rate", min=0.01, help="Orders per second.")] = 5.0,
    calls: Annotated[
        int | None,
        typer.Option(
            "--calls", min=0, max=100_000, help="Number of calls; default: that of orders, if Kafka is reachable."
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Random seed; the same seed creates the same orders.")] = 1,
    patience: Annotated[
        float, typer.Option("--patience", help="Seconds for which an unanswered request is retried.")
    ] = 60,
    journal: Annotated[
        Path | None,
        typer.Option("--journal", help="Record every acknowledged change in this file, for `verify --journal`."),
    ] = None,
    state_folder: StateFolder = None,
) -> None:
    """Simulate agents, dispatchers, repair staff and auditors: orders from creation to archive, with rejections,
    redispatches, cancellations, urges, arrivals, extensions, suspensions and failed audits. Also simulates a
    telephone switch with callers who wait, are answered or abandon, and agents who change their state.

    The exit status is 1 if a response was impossible: an unexplained refusal, or an invalid change of state.
    """
    from linework.client import NotReached, Refused
    from linework.stopped import Stopped

    began_at = time.monotonic()
    try:
        with _journal(journal) as note:
            notes, stories = asyncio.run(_simulate(orders, rate, calls, seed, patience, note, state_folder))
    except (NotReached, Refused) as error:
        raise Stopped(f"The simulation cannot continue: {error}") from error
    _show(notes, stories, time.monotonic() - began_at)
    raise typer.Exit(1 if notes.impossible else 0)


@contextmanager
def _journal(file: Path | None) -> Iterator[Callable[[str, int, str], None]]:
    if file is None:
        yield lambda order_id, version, act: None
        return
    # Line by line: acknowledged changes must be on disk even if this process is killed.
    with file.open("a", buffering=1) as opened:

        def note(order_id: str, version: int, act: str) -> None:
            opened.write(json.dumps({"order_id": order_id, "version": version, "act": act}) + "\n")

        yield note


async def _simulate(
    orders: int,
    rate: float,
    calls: int | None,
    seed: int,
    patience: float,
    note: Callable[[str, int, str], None],
    folder: Path | None,
) -> tuple["Notes", list["Story"]]:
    from linework.client import Patience, ServiceClients, find_addresses
    from linework.reference import load_reference_data
    from linework.simulate_story import Story

    addresses = find_addresses(folder)
    async with ServiceClients(addresses, patience=Patience(seconds=patience, for_handover=True)) as city:
        await city.require()
        await load_reference_data(city)
        cast = await _cast(city, note, patience)
        stories = [Story(cast, number, seed) for number in range(1, orders + 1)]
        async with _switch(city, addresses, orders if calls is None else calls, orders / rate, seed):
            await _run(stories, rate)
        cast.notes.refusals["retried"] += sum(service.retry_count for service in city.services.values())
        return cast.notes, stories


async def _cast(city: "ServiceClients", note: Callable[[str, int, str], None], patience: float) -> "Cast":
    from linework.reference_data import WORK_AREAS
    from linework.simulate_story import Cast, Notes

    staff = {
        area["work_area_id"]: [member["staff_id"] for member in area["staff"] if member["is_active"]]
        for area in await city.dispatch.work_areas()
        if area["work_area_id"] in WORK_AREAS and area["is_open"]
    }
    notes = Notes(journal=note)
    # The same patience for a service that is down and for a custodian whose worker is.
    return Cast(city, notes, {area: members for area, members in staff.items() if members}, max(60.0, patience))


@asynccontextmanager
async def _switch(
    city: "ServiceClients", addresses: "Addresses", calls: int, seconds: float, seed: int
) -> AsyncIterator[None]:
    """Runs a telephone switch with these calls beside the body; none if the address of Kafka is unknown."""
    from linework import simulate_calls
    from linework.bridge.delivery import delivery_to

    if not calls or not addresses.bootstrap_servers:
        yield
        return
    history = simulate_calls.HISTORY_SECONDS if await _is_new(city) else 0.0
    happenings = simulate_calls.plan(calls, history + max(seconds, 10.0), run=f"{time.time():.0f}-{seed}", seed=seed)
    over = asyncio.Event()
    async with delivery_to(
        addresses.bootstrap_servers, simulate_calls.PARTNER_ID, prefix=addresses.topic_prefix
    ) as delivery:
        task = asyncio.create_task(simulate_calls.play(happenings, delivery.send, history=history, over=over))
        try:
            yield
        finally:
            over.set()
            events = await task
    typer.echo(f"{calls} calls: {events} events of the switch.")


async def _is_new(city: "ServiceClients") -> bool:
    """Registers the switch and its agents; false if they are registered already."""
    from linework.client import Refused
    from linework.simulate_calls import AGENTS, PARTNER_ID

    try:
        await city.intake.get_partner(PARTNER_ID)
    except Refused as refusal:
        if refusal.code != "partner_not_found":
            raise
    else:
        return False
    await city.intake.define_partner(PARTNER_ID, en="Simulated switch", zh="模拟交换机", events_per_second=5000)
    for one in AGENTS:
        names = [{"partner_id": PARTNER_ID, "name": one.agent_id}]
        await city.intake.define_agent(one.agent_id, name=one.name, team=one.team, names=names)
    return True


async def _run(stories: list["Story"], rate: float) -> None:
    """Starts stories at this rate, whether or not the earlier ones are waiting."""
    from rich.console import Console

    from linework.client_progress import Bar

    loop = asyncio.get_running_loop()
    places = asyncio.Semaphore(_MOST_AT_ONCE)
    began_at = loop.time()
    with Bar(Console(stderr=True), "Orders", len(stories)).shown() as bar:

        async def run(story: "Story", begins_at: float) -> None:
            await asyncio.sleep(max(0.0, begins_at - loop.time()))
            async with places:
                await story.run()
            bar.advance()

        async with asyncio.TaskGroup() as group:
            for place, story in enumerate(stories):
                group.create_task(run(story, began_at + place / rate))


def _show(notes: "Notes", stories: list["Story"], seconds: float) -> None:
    statuses = Counter(story.order.status.value for story in stories if story.order is not None)
    typer.echo(f"{len(stories)} orders in {seconds:.1f} s: {_counts(statuses)}.")
    typer.echo(f"Acts: {_counts(notes.acts)}.")
    typer.echo(f"Refused because of a concurrent change, or retried: {_counts(notes.refusals)}.")
    if notes.seconds:
        ordered = sorted(notes.seconds)
        p50, p99 = (ordered[min(int(share * len(ordered)), len(ordered) - 1)] * 1000 for share in (0.5, 0.99))
        typer.echo(f"Response times of acts: {p50:.0f} ms (p50), {p99:.0f} ms (p99), including waits for hand-overs.")
    for line in notes.impossible:
        typer.echo(f"impossible: {line}", err=True)


def _counts(counter: "Counter[Any]") -> str:
    return ", ".join(f"{name} {count}" for name, count in counter.most_common() if count) or "none"
