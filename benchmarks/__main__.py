"""Every figure of docs/performance.md that an installation has, with the floor from the same run.

    python -m benchmarks
    python -m benchmarks --against CHECKOUT

Without another checkout: this one, and all measures. With one, a folder of the repository in which `make install` has
been run: both in turn, each time on an installation that is started for it, with the ratio of each round's pair. A
change is judged by these ratios and their range, because the machine is seldom the same from one minute to the next.
"""

import argparse
import asyncio
from functools import partial
from pathlib import Path

from benchmarks.measures import LOADS, NAMES, Plan, labels, measure
from benchmarks.rounds import Side, measure_in_turn, parser_of, show
from linework.runtime.installation import REPOSITORY

_OF_A_PAIR = ("lifecycles", "creates", "pages", "visible", "rest", "memory")


def read_options() -> argparse.Namespace:
    parser = parser_of("python -m benchmarks", __doc__, LOADS)
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help="compare this checkout with another one")
    parser.add_argument("--rounds", type=int, help="default: 1, and 3 pairs of two checkouts")
    parser.add_argument(
        "--measures", nargs="+", choices=NAMES, help=f"default: all, of two checkouts {', '.join(_OF_A_PAIR)}"
    )
    return parser.parse_args()


def main() -> None:
    options = read_options()
    measures = options.measures or (_OF_A_PAIR if options.against else NAMES)
    plan = Plan(frozenset(measures), options.clients, options.seconds, options.open_orders)
    sides: dict[str, Side] = {"this checkout": partial(measure, REPOSITORY, plan)}
    if options.against:
        sides["the other"] = partial(measure, options.against.resolve(), plan)
    rounds = options.rounds or (3 if options.against else 1)
    show(asyncio.run(measure_in_turn(sides, rounds)), labels(options.clients), options.json)


if __name__ == "__main__":
    main()
