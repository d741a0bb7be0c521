"""`linework rebuild reporting`: rebuilds the projections beside the live ones, compares them and switches."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linework.runtime.commands import StateFolder
from linework.session import in_installation

if TYPE_CHECKING:
    from rich.console import Console

    from linework.client_service import ServiceClient

commands = typer.Typer(help="Rebuild projections from the event stream.", no_args_is_help=True)
_LOOK_EVERY_SECONDS = 0.5
_UNDER_WAY = ("building", "catching_up", "comparing")


@commands.callback()
def _group() -> None:
    """Rebuild projections from the event stream."""


@commands.command()
def reporting(
    switch: Annotated[
        bool,
        typer.Option("--switch/--no-switch", help="Switch to the rebuilt projections if they are equal."),
    ] = True,
    accept_differences: Annotated[
        bool, typer.Option("--accept-differences", help="Switch even if they differ.")
    ] = False,
    state_folder: StateFolder = None,
) -> None:
    """Rebuild reporting's projections from its record of the stream; attaches to a rebuild in progress.

    The exit status is 1 if the rebuild failed or found differences that were not accepted.
    """
    from rich.console import Console

    is_good = in_installation(
        lambda city: _rebuild(Console(), city.reporting, switch, accept_differences),
        state_folder,
        advice="a started rebuild continues in reporting's worker.",
    )
    raise typer.Exit(0 if is_good else 1)


async def _rebuild(console: "Console", service: "ServiceClient", switch: bool, accept_differences: bool) -> bool:
    rebuild = await _watch(console, service, await _begin(console, service))
    if rebuild["state"] != "ready":
        console.print(f"Rebuild {rebuild['id']} is {rebuild['state']}: {rebuild['failure'] or 'without a reason'}.")
        return rebuild["state"] == "switched"
    _show_differences(console, rebuild)
    is_same = not rebuild["difference_count"]
    if not switch or not (is_same or accept_differences):
        console.print(f"Rebuild {rebuild['id']} is ready; reporting still shows the present projections.")
        return is_same
    body = {"accepts_differences": accept_differences}
    await _call(service, "POST", f"/{rebuild['id']}/switch", body)
    console.print(f"Reporting now shows rebuild {rebuild['id']}.")
    return True


async def _begin(console: "Console", service: "ServiceClient") -> Any:
    from linework.client import Refused

    try:
        return await _call(service, "POST", "")
    except Refused as refusal:
        if refusal.code != "rebuild_under_way":
            raise
    latest = (await _call(service, "GET", "", limit=1))["items"][0]
    console.print(f"Rebuild {latest['id']} of {latest['asked_by']} is {latest['state']}; attaching to it.")
    return latest


async def _watch(console: "Console", service: "ServiceClient", rebuild: Any) -> Any:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("waiting for the worker", total=None)
        while rebuild["state"] in _UNDER_WAY:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            rebuild = await _call(service, "GET", f"/{rebuild['id']}")
            progress.update(
                task,
                description=f"rebuild {rebuild['id']} is {rebuild['state'].replace('_', ' ')}",
                completed=rebuild["done_count"],
                total=rebuild["order_count"] or None,
            )
    return rebuild


def _show_differences(console: "Console", rebuild: Any) -> None:
    count = rebuild["difference_count"]
    console.print(f"Rebuilt {rebuild['done_count']} orders: {count or 'no'} rows differ from what is shown.")
    for one in rebuild["differences"]:
        line = f"{one['table']}, order {one['order_id']}: shown {one['shown']}, rebuilt {one['rebuilt']}"
        console.print(line, markup=False, highlight=False)


async def _call(service: "ServiceClient", method: str, path: str, body: Any = None, **query: Any) -> Any:
    from linework.client import OPERATOR

    return await service.call_json(method, f"/v1/rebuilds{path}", body, by=OPERATOR, query=query)
