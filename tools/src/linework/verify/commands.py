"""`linework verify`: as it is typed."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linework.runtime.commands import StateFolder

if TYPE_CHECKING:
    from linework.verify.run import Outcome


def verify(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    wait: Annotated[
        float, typer.Option("--wait", help="Seconds to wait until everything on its way has arrived.")
    ] = 60,
    journal: Annotated[
        Path | None, typer.Option("--journal", help="Also look for every change that `simulate --journal` noted here.")
    ] = None,
    state_folder: StateFolder = None,
) -> None:
    """Check the laws on a running installation: versions, chain, custodians, requests, states, figures, outboxes.

    The exit status is 1 when one of them is broken.
    """
    from rich.console import Console

    from linework.client import NotReached, Refused
    from linework.stopped import Stopped
    from linework.verify import report

    try:
        outcome = asyncio.run(_verify(wait, journal, state_folder))
    except (NotReached, Refused) as error:
        raise Stopped(f"The check could not be finished: {error}") from error
    if as_json:
        typer.echo(report.as_json(outcome))
    else:
        report.show(outcome, Console())
    raise typer.Exit(0 if outcome.is_lawful else 1)


async def _verify(wait: float, journal: Path | None, state_folder: Path | None) -> "Outcome":
    from rich.console import Console

    from linework.client import Installation, Patience, find_addresses
    from linework.verify import run

    progress = Console(stderr=True)
    async with Installation(find_addresses(state_folder), patience=Patience(seconds=20)) as city:
        await city.require()
        return await run.verify(
            city,
            wait_seconds=wait,
            acknowledged=_acknowledged(journal) if journal else None,
            say=lambda text: progress.print(f"[dim]{text}[/]"),
        )


def _acknowledged(file: Path) -> Iterator[tuple[str, int, str]]:
    """Order, version and event type of each line; a last line that was cut off by a kill is left out."""
    from contracts.catalogue import BY_BODY
    from contracts.events import WorkOrderCreated
    from contracts.lifecycle import Act
    from contracts.order import ACTS
    from linework.stopped import Stopped

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
