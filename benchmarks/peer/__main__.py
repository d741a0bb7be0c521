"""Linework beside django-helpdesk 2.6.1, a ticket system on Django: the same work on the same machine, in turn.

    python -m benchmarks.peer

Installs the peer from the index into a folder of its own, which is kept, and prints both with their ratio: lifecycles
of seven acts a second, creates a second, and pages of 50 of the open orders a second. A round is one installation of
Linework with its floor, and one of the peer. Each is started for its part of the round, runs alone and is taken down;
every second round begins with the peer. Both have as many clients, which wait for each answer on connections that are
kept alive, and PostgreSQL with the same settings. The peer has two gunicorn workers of four threads, connections to
PostgreSQL that last, no debugging, and nothing that runs beside its requests (`helpdesk_site.py`); `load.py` says which
of its requests is which act.
"""

import argparse
import asyncio
import signal
import sys
from functools import partial
from pathlib import Path

from benchmarks.measures import KINDS, LOADS, Plan, labels, measure
from benchmarks.peer import load
from benchmarks.peer.installation import Peer, install, peer
from benchmarks.processors import Meter
from benchmarks.rounds import Figures, measure_in_turn, parser_of, show
from linework.runtime.installation import REPOSITORY

_MEASURES = frozenset({"floor", "lifecycles", "creates", "pages"})


async def measure_peer(python: Path, plan: Plan) -> Figures:
    figures: Figures = {}
    async with peer(python) as running:
        await load.lifecycles(running, 3, clients=8)  # warm
        for clients in plan.clients:
            figures |= await _lifecycles(running, plan, clients)
        with Meter(running.process_ids) as meter:
            count, figures["creates"] = await load.creates(running, plan.seconds)
        figures["cost_create"] = meter.milliseconds_each(count)
        await running.fill(plan.open_orders)
        with Meter(running.process_ids) as meter:
            count, figures["pages"] = await load.pages(running, plan.seconds, open_tickets=plan.open_orders)
        figures["cost_page"] = meter.milliseconds_each(count)
    return figures


async def _lifecycles(running: Peer, plan: Plan, clients: int) -> Figures:
    with Meter(running.process_ids) as meter:
        count, per_second = await load.lifecycles(running, plan.seconds, clients=clients)
    return {
        f"settled_{clients}": per_second,
        f"cost_{clients}": meter.milliseconds_each(count),
        f"idle_{clients}": meter.idle_percent,
        f"others_{clients}": meter.others_percent,
    }


def read_options() -> argparse.Namespace:
    parser = parser_of("python -m benchmarks.peer", __doc__, LOADS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=REPOSITORY / ".peer", help="for the peer's packages")
    return parser.parse_args()


def main() -> None:
    options = read_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    python = install(options.folder.resolve())
    plan = Plan(_MEASURES, options.clients, options.seconds, options.open_orders)
    sides = {"Linework": partial(measure, REPOSITORY, plan), "peer": partial(measure_peer, python, plan)}
    shown = {figure: label for figure, label in labels(options.clients).items() if not _is_detail(figure)}
    show(asyncio.run(measure_in_turn(sides, options.rounds)), shown, options.json)


def _is_detail(figure: str) -> bool:
    return figure.startswith("act_") or figure.endswith(KINDS)


if __name__ == "__main__":
    main()
