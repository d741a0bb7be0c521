"""`python -m benchmarks`: every figure of docs/performance.md, with the floor from the same run."""

import argparse
import asyncio
import json
from dataclasses import asdict

from benchmarks import floor, growth, loads, replay
from benchmarks.city import City, city


def say(line: str) -> None:
    print(line, flush=True)


async def measure(options: argparse.Namespace) -> dict[str, object]:
    figures: dict[str, object] = {}
    async with city() as built:
        await loads.lifecycles(built, count=options.lifecycles // 5, clients=8)  # warm
        for clients in options.clients:
            figures[f"clients_{clients}"] = await _lifecycles(built, options.lifecycles, clients)
        figures["creates_per_second"] = await loads.creates_per_second(built, count=options.open_orders)
        say(f"creates per second                {figures['creates_per_second']:8.1f}")
        figures["pages_per_second"] = await loads.pages_per_second(built, count=options.pages)
        say(f"pages of 50 per second            {figures['pages_per_second']:8.1f}")
        half = figures["creates_per_second"] / 2
        visible = loads.centiles_ms(await loads.visible_in_reporting(built, count=options.pages, per_second=half))
        figures["visible_ms"] = visible
        say(f"visible in reporting, ms          {visible[0]:8.1f} p50 {visible[1]:8.1f} p99 at {half:.0f} creates/s")
        figures["replay_events_per_second"] = await replay.events_per_second(built.servers)
        say(f"reporting replays, events/s       {figures['replay_events_per_second']:8.0f}")
        figures["memory_megabytes"] = built.resident_megabytes()
        for name, megabytes in figures["memory_megabytes"].items():
            say(f"memory of {name:24s}{megabytes:8.0f} MB")
    figures["growth"] = await _growth()
    return figures


async def _growth() -> dict[str, object]:
    async with city() as empty:
        grown = await growth.measure(empty)
    for act, milliseconds in grown.few.items():
        say(f"act of 1 client, {act:18s}{milliseconds:7.1f} ms p50; of 100,000 orders {grown.many[act]:.1f}")
    say(f"  the most that any act grows     {grown.worst_ratio:8.2f}")
    return {**asdict(grown), "worst_ratio": grown.worst_ratio}


async def _lifecycles(built: City, count: int, clients: int) -> dict[str, object]:
    bottom = await floor.measure(built.servers, lifecycles=count, clients=clients)
    lives = await loads.lifecycles(built, count=count, clients=clients)
    own, waiting = lives.latencies.centiles(with_hand_overs=False), lives.latencies.centiles(with_hand_overs=True)
    ratio = lives.settled_per_second / bottom.settled_per_second
    say(f"lifecycles per second, {clients:2d} clients {lives.accepted_per_second:8.1f} accepted")
    say(f"                                  {lives.settled_per_second:8.1f} settled")
    say(f"  floor                           {bottom.settled_per_second:8.1f} settled, ratio {ratio:.2f}")
    say(
        f"  act, ms                         {own[0]:8.1f} p50 {own[1]:8.1f} p99; floor {bottom.act_p50_ms:.1f}"
        f" and {bottom.act_p99_ms:.1f}"
    )
    say(f"  act with hand-overs, ms         {waiting[0]:8.1f} p50 {waiting[1]:8.1f} p99")
    return {
        "accepted_per_second": lives.accepted_per_second,
        "settled_per_second": lives.settled_per_second,
        "ratio": ratio,
        "floor": asdict(bottom),
        "act_ms": own,
        "act_with_hand_overs_ms": waiting,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--lifecycles", type=int, default=1500)
    parser.add_argument("--clients", type=int, nargs="+", default=[8, 32])
    parser.add_argument("--open-orders", type=int, default=10_000)
    parser.add_argument("--pages", type=int, default=2_000)
    parser.add_argument("--json", help="write the figures to this file")
    options = parser.parse_args()
    figures = asyncio.run(measure(options))
    if options.json:
        with open(options.json, "w") as file:
            json.dump(figures, file, indent=2)


if __name__ == "__main__":
    main()
