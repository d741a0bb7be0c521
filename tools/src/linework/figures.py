"""`linework metrics`, `linework figures` and `linework recount`: the registry, figures, and figures counted again."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from linework.runtime.commands import StateFolder
from linework.stopped import Stopped

_SHORT = {
    "area": "work_area_id",
    "staff": "staff_id",
    "agent": "agent_id",
    "demand": "demand_type",
    "device": "device_type",
    "kind": "direction",
}

MetricIds = Annotated[list[str], typer.Argument(metavar="METRIC...", help="Ids of `linework metrics`.")]
From = Annotated[str | None, typer.Option("--from", help="Included: 2026-11-01 or 2026-11-01T08:00+08:00.")]
To = Annotated[str | None, typer.Option("--to", help="Not included.")]
By = Annotated[list[str] | None, typer.Option("--by", help="queue, agent, team, area, staff, demand, channel, …")]
GrainOption = Annotated[str | None, typer.Option("--grain", help="hour, day, week, month, quarter or year.")]
Zone = Annotated[str, typer.Option("--zone", help="The time zone that periods are of.")]
Version = Annotated[int | None, typer.Option("--version", help="Of the metric; default: the newest.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="As it was known at that moment.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON, with everything that says what it is.")]


def metrics(as_json: Json = False, state_folder: StateFolder = None) -> None:
    """List the registry of metrics."""
    found = asyncio.run(_read(state_folder, [("/v1/metrics", {})]))[0]
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for item in found["items"]:
        typer.echo(f"{item['id']} v{item['version']}  {item['name_en']} {item['name_zh']}  ({item['unit']})")
        typer.echo(f"    {item['formula']}")
        typer.echo(f"    by {', '.join(item['dimensions'])}")


def figures(
    metric: MetricIds,
    begin: From = None,
    to: To = None,
    by: By = None,
    grain: GrainOption = None,
    zone: Zone = "Asia/Shanghai",
    version: Version = None,
    as_of: AsOf = None,
    as_json: Json = False,
    state_folder: StateFolder = None,
) -> None:
    """Print figures, as REST gives them."""
    asked = {
        "from": _moment(begin, zone),
        "to": _moment(to, zone),
        "group_by": [_SHORT.get(name, name) for name in by or ()],
        "grain": grain,
        "time_zone": zone,
        "version": version,
        "as_of": _moment(as_of, zone),
    }
    found = asyncio.run(_read(state_folder, [(f"/v1/figures/{one}", asked) for one in metric]))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for figure in found:
        _show(figure)


def recount(
    metric: Annotated[list[str] | None, typer.Argument(metavar="[METRIC]...", help="Default: every metric.")] = None,
    wait: Annotated[float, typer.Option("--wait", help="Seconds to wait until everything has arrived.")] = 60,
    state_folder: StateFolder = None,
) -> None:
    """Count figures again from the raw events, by other code than reporting's, and hold them against what it shows.

    The exit status is 1 when they differ.
    """
    from rich.console import Console

    from linework.client import NotReached, Refused
    from linework.verify.laws import Law

    console = Console()
    try:
        outcome = asyncio.run(_recount(frozenset(metric or ()), wait, state_folder, console))
    except (NotReached, Refused) as error:
        raise Stopped(f"The recount could not be finished: {error}") from error
    for violation in outcome.findings.kept:
        console.print(f"{violation.where}: {violation.what}", markup=False, highlight=False)
    console.print(f"{outcome.checked.get(Law.FIGURES, 0)} figures counted again, {outcome.findings.count} differences.")
    raise typer.Exit(0 if outcome.is_lawful else 1)


async def _recount(only: frozenset[str], wait: float, state_folder: Path | None, console: Any) -> Any:
    from linework.client import Installation, Patience, find_addresses
    from linework.verify import run

    async with Installation(find_addresses(state_folder), patience=Patience(seconds=20)) as city:
        await city.require()
        return await run.recount(
            city, only=only, wait_seconds=wait, say=lambda text: console.print(f"[dim]{text}[/]", highlight=False)
        )


def _moment(text: str | None, zone: str) -> str | None:
    """A date is its midnight in the zone; a time without an offset is of the zone."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).isoformat()
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise Stopped(f"{text!r} in {zone} is no time; write 2026-11-01 or 2026-11-01T08:00+08:00.") from error


async def _read(state_folder: Path | None, paths: Iterable[tuple[str, Mapping[str, Any]]]) -> list[Any]:
    from linework.client import Installation, NotReached, Patience, Refused, find_addresses

    async with Installation(find_addresses(state_folder), patience=Patience(seconds=20)) as city:
        try:
            return [await city.reporting.read(path, **query) for path, query in paths]
        except Refused as refusal:
            raise Stopped(str(refusal.problem.get("detail") or refusal)) from refusal
        except NotReached as error:
            raise Stopped(f"{error}; start the installation with `linework up`.") from error


def _show(figure: Mapping[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    metric, window, read = figure["metric"], figure["window"], figure["read_up_to"]
    console = Console()
    title = f"{metric['id']} v{metric['version']} ({metric['unit']}), {window['from'] or '…'} to {window['to'] or '…'}"
    names = list(dict.fromkeys(name for row in figure["rows"] for name in row))
    table = Table(*names, title=title, title_justify="left")
    for row in figure["rows"]:
        table.add_row(*("–" if row.get(name) is None else str(row[name]) for name in names))
    console.print(table)
    complete = "complete" if figure["is_complete"] else "the stream has not been read beyond the window"
    console.print(
        f"{figure['time_zone']}, {figure['calendar']}; read up to {read['recorded_at']}, {complete}.", highlight=False
    )
