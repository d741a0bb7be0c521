"""Command-line interface of `linework verify`."""

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linework.runtime.commands import StateFolder
from linework.stopped import NotChecked, Stopped

if TYPE_CHECKING:
    from rich.console import Console

    from linework.verify.outcome import Outcome
    from linework.verify.run import Interruption


_SIGNALS = {signal.SIGINT: "by Ctrl-C", signal.SIGTERM: "by SIGTERM"}

Limit = Annotated[
    float, typer.Option("--limit", min=1, help="Seconds after which the check stops and reports its findings so far.")
]


def verify(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    wait: Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for all events to be processed.")] = 60,
    limit: Limit = 600,
    journal: Annotated[
        Path | None, typer.Option("--journal", help="Also check every change in this file of `simulate --journal`.")
    ] = None,
    state_folder: StateFolder = None,
) -> None:
    """Check the invariants of a running installation: versions, chain, custodians, requests, states, figures, outboxes.

    The exit status is 0 if every invariant holds, 1 if any is violated, and 3 if no violation was found but the check
    is incomplete: the time limit was reached, a service did not respond, or Ctrl-C or SIGTERM stopped the check.
    """
    from rich.console import Console

    from linework.verify import report, run

    outcome = asyncio.run(
        run_check(
            run.verify,
            Console(stderr=True),
            state_folder,
            wait_seconds=wait,
            limit_seconds=limit,
            acknowledged=list(_acknowledged(journal)) if journal else None,
        )
    )
    if as_json:
        typer.echo(report.as_json(outcome))
    else:
        report.show(outcome, Console())
    raise typer.Exit(outcome.exit_status)


async def run_check(
    check: "Callable[..., Awaitable[Outcome]]", console: "Console", state_folder: Path | None, **options: Any
) -> "Outcome":
    """Runs a check of `linework.verify.run` until its end, Ctrl-C or SIGTERM, with its progress on the console.

    Raises `NotChecked` unless every service answers.
    """
    from linework.client import Patience, ServiceClients, find_addresses

    async with ServiceClients(find_addresses(state_folder), patience=Patience(seconds=20)) as city:
        with _interruptible() as interruption:
            try:
                await city.require()
            except Stopped as error:
                raise NotChecked(str(error)) from error
            return await check(
                city,
                say=lambda text: console.print(f"[dim]{text}[/]", highlight=False),
                interruption=interruption,
                **options,
            )


@contextmanager
def _interruptible() -> "Iterator[Interruption]":
    """A future that Ctrl-C and SIGTERM set, so that what was checked until then is still shown."""
    loop = asyncio.get_running_loop()
    interruption: asyncio.Future[str] = loop.create_future()

    def interrupt(how: str) -> None:
        if not interruption.done():
            interruption.set_result(how)

    for number, how in _SIGNALS.items():
        loop.add_signal_handler(number, interrupt, how)
    try:
        yield interruption
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


def _acknowledged(file: Path) -> Iterator[tuple[str, int, str]]:
    """Order, version and event type of each line; a last line that was cut off by a kill is left out."""
    from contracts.catalogue import BY_BODY
    from contracts.events import WorkOrderCreated
    from contracts.lifecycle import Act
    from contracts.order import ACTS

    types = {act.value: BY_BODY[event].type for event, acts in ACTS.items() for act in acts}
    types |= {"create": BY_BODY[WorkOrderCreated].type, Act.NOTE.value: types[Act.NOTE.value]}
    try:
        lines = file.read_text().splitlines()
    except OSError as error:
        raise Stopped(f"{file} cannot be read: {error.strerror}.") from error
    for place, line in enumerate(lines, start=1):
        try:
            noted = json.loads(line)
            yield noted["order_id"], noted["version"], types[noted["act"]]
        except (ValueError, KeyError, TypeError) as error:
            if place < len(lines):
                raise Stopped(f"{file} is not a journal: line {place} cannot be read.") from error
