"""What is measured on an installation, each measure by its name; the labels are those of docs/performance.md."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import floor, growth, loads, replay
from benchmarks.installation import MeasuredInstallation, measured_installation
from benchmarks.processors import CLIENT, Meter, resident_megabytes
from benchmarks.rounds import Figures, within
from linework.ports import SERVICES

KINDS = ("HTTP processes", "workers", "PostgreSQL", "Kafka", "the client")
LOADS = (8, 32)
NAMES = ("floor", "lifecycles", "creates", "pages", "visible", "replay", "rest", "memory", "growth")
VISIBLE_PER_SECOND = 40
_REST_AFTER_SECONDS = 10
"""`benchmarks.idle` waits longer, and tells the processes apart."""


def labels(clients: Sequence[int] = LOADS) -> dict[str, str]:
    """What each figure is, in the order of the table."""
    found = {}
    for count in clients:
        found |= {
            f"floor_{count}": f"floor: lifecycles settled a second, {count} clients",
            f"settled_{count}": f"lifecycles settled a second, {count} clients",
            f"of_floor_{count}": f"of the floor, {count} clients",
            f"act_p50_{count}": f"an act, {count} clients, p50 ms",
            f"act_p99_{count}": f"an act, {count} clients, p99 ms",
            f"cost_{count}": f"processor ms of a lifecycle, {count} clients",
            **{f"cost_{count}_{kind}": f"… of it {kind}" for kind in KINDS},
            f"idle_{count}": f"processors idle meanwhile, {count} clients, %",
            f"others_{count}": f"processors used by others meanwhile, {count} clients, %",
        }
    return found | {
        "creates": "creates a second, 32 clients",
        "cost_create": "processor ms of a create",
        "pages": "pages of 50 of the open orders a second, 8 clients",
        "cost_page": "processor ms of a page",
        "visible_p50": f"from answer to visible in reporting, {VISIBLE_PER_SECOND} creates a second, p50 ms",
        "visible_p99": "… p99 ms",
        "replay": "reporting replays, events a second",
        "rest": "at rest, % of a core",
        "memory_largest": "memory of the largest of the ten processes, MB",
        "memory": "memory of the ten processes together, MB",
        "growth": "an act with 100,000 orders in the databases, against 1,000, at worst",
    }


def kind_of(process: str) -> str:
    """Of a part of the installation; the issuer and the supervisor are none of the kinds that are shown."""
    servers = {"postgres": "PostgreSQL", "kafka": "Kafka", CLIENT: "the client"}
    return servers.get(process) or (
        "HTTP processes" if process in SERVICES else "workers" if process.endswith("_worker") else "others"
    )


def cost_by_kind(used: Mapping[str, float], lifecycles: int) -> Figures:
    """Processor milliseconds of a lifecycle, of each kind of process."""
    by_kind = dict.fromkeys(KINDS, 0.0)
    for process, seconds in used.items():
        if (kind := kind_of(process)) in by_kind:
            by_kind[kind] += seconds * 1000 / max(1, lifecycles)
    return by_kind


@dataclass(frozen=True, slots=True)
class Plan:
    measures: frozenset[str]
    clients: Sequence[int] = LOADS
    seconds: float = 6
    """Of each load."""
    open_orders: int = 1000

    def has(self, measure: str) -> bool:
        return measure in self.measures


async def measure(checkout: Path, plan: Plan) -> Figures:
    """The measures of the plan on an installation that is started for them and taken down."""
    figures: Figures = {}
    if plan.measures - {"growth"}:
        async with measured_installation(checkout) as built:
            figures |= await _measure(built, plan)
    if plan.has("growth"):
        async with measured_installation(checkout) as empty:
            figures["growth"] = (await growth.measure(empty)).worst_ratio
    return figures


async def _measure(built: MeasuredInstallation, plan: Plan) -> Figures:
    figures: Figures = {}
    await loads.lifecycles(built, range(64), clients=8)  # warm
    if plan.has("rest"):
        figures["rest"] = await _at_rest(built, plan.seconds)
    for clients in plan.clients:
        figures |= await _lifecycles(built, plan, clients)
    if plan.has("creates") or plan.has("pages"):
        # All of them open, so that every page is one of as many orders.
        with Meter(built.process_ids()) as meter:
            count, figures["creates"] = await loads.creates(built, range(plan.open_orders))
        figures["cost_create"] = meter.milliseconds_each(count)
    if plan.has("pages"):
        with Meter(built.process_ids()) as meter:
            count, figures["pages"] = await loads.pages(built, within(plan.seconds))
        figures["cost_page"] = meter.milliseconds_each(count)
    if plan.has("visible"):
        count = max(100, int(VISIBLE_PER_SECOND * plan.seconds))
        seconds = await loads.visible_in_reporting(built, count=count, per_second=VISIBLE_PER_SECOND)
        figures["visible_p50"], figures["visible_p99"] = loads.centiles_ms(seconds)
    if plan.has("replay"):
        figures["replay"] = await replay.events_per_second(built)
    if plan.has("memory"):
        figures |= _memory(built)
    return figures


async def _at_rest(built: MeasuredInstallation, seconds: float) -> float:
    await built.settled()
    await asyncio.sleep(_REST_AFTER_SECONDS)
    with Meter(built.process_ids()) as meter:
        await asyncio.sleep(seconds)
    return meter.milliseconds_each(1) / seconds / 10  # of the thousand of a second


async def _lifecycles(built: MeasuredInstallation, plan: Plan, clients: int) -> Figures:
    figures: Figures = {}
    if plan.has("floor"):
        bottom = await floor.measure(built.servers, within(plan.seconds), clients=clients)
        figures[f"floor_{clients}"] = bottom.settled_per_second
    if plan.has("lifecycles"):
        with Meter(built.process_ids()) as meter:
            lives = await loads.lifecycles(built, within(plan.seconds), clients=clients)
        figures[f"settled_{clients}"] = lives.settled_per_second
        if plan.has("floor"):
            figures[f"of_floor_{clients}"] = lives.settled_per_second / bottom.settled_per_second
        p50, p99 = lives.latencies.centiles(with_hand_overs=False)
        figures |= {f"act_p50_{clients}": p50, f"act_p99_{clients}": p99}
        figures[f"cost_{clients}"] = meter.milliseconds_each(lives.count)
        figures |= {f"cost_{clients}_{kind}": ms for kind, ms in cost_by_kind(meter.used, lives.count).items()}
        figures |= {f"idle_{clients}": meter.idle_percent, f"others_{clients}": meter.others_percent}
    return figures


def _memory(built: MeasuredInstallation) -> Figures:
    own = [
        resident_megabytes(pid)
        for name, pid in built.process_ids().items()
        if kind_of(name) in ("HTTP processes", "workers")
    ]
    return {"memory_largest": max(own), "memory": sum(own)}
