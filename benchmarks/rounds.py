"""Measures sides in turn, so that whatever else the machine does meets all of them."""

import itertools
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path

from benchmarks.summary import shown, table

Figures = dict[str, float]
Side = Callable[[], Awaitable[Figures]]


def say(line: str) -> None:
    print(line, flush=True)


def within(seconds: float) -> Iterator[int]:
    """Numbers for as long as there is time; the clock starts with the first."""
    until = time.perf_counter() + seconds
    yield from itertools.takewhile(lambda _: time.perf_counter() < until, itertools.count())


async def measure_in_turn(sides: Mapping[str, Side], rounds: int) -> dict[str, dict[str, list[float]]]:
    """Each side once a round, every second round in the opposite order; by side and figure a value a round."""
    values: dict[str, dict[str, list[float]]] = {name: {} for name in sides}
    for number in range(rounds):
        for name in list(sides)[:: -1 if number % 2 else 1]:
            say(f"Round {number + 1} of {rounds}: {name}")
            figures = await sides[name]()
            say("  " + ", ".join(f"{figure} {shown(value)}" for figure, value in figures.items()))
            for figure, value in figures.items():
                values[name].setdefault(figure, []).append(value)
    return values


def show(
    values: Mapping[str, Mapping[str, list[float]]], labels: Mapping[str, str], json_file: str | None = None
) -> None:
    """The table, and every single value in a file."""
    for line in table(values, labels):
        say(line)
    if json_file:
        Path(json_file).write_text(json.dumps(values, indent=2) + "\n")
