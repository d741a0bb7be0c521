"""Measures sides in turn, so that whatever else the machine does meets all of them."""

import argparse
import itertools
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.summary import shown, table

Figures = dict[str, float]
Side = Callable[[], Awaitable[Figures]]


def parser_of(program: str, documented: str | None, loads: Sequence[int]) -> argparse.ArgumentParser:
    """The options that every comparison has; the module's docstring is its help."""
    description, _, more = (documented or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog=program,
        description=description,
        epilog=more,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=6, help="of each load; default: 6")
    parser.add_argument("--clients", type=int, nargs="+", default=list(loads), help="default: 8 and 32")
    parser.add_argument("--open-orders", type=int, default=1000, help="that are created and read as pages")
    parser.add_argument("--json", metavar="FILE", help="write every single value to this file")
    return parser


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
