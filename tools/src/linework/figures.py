"""`linework metrics`, `linework figures` and `linework recount`: the metric registry, figures and their recount."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linework.runtime.commands import StateFolder
from linework.session import in_installation
from linework.stopped import Stopped
from linework.verify.commands import Limit, run_check
from linework.zones import named_zone

if TYPE_CHECKING:
    from linework.client import ServiceClients

_SHORT = {
    "area": "work_area_id",
    "staff": "staff_id",
    "agent": "agent_id",
    "demand": "demand_type",
    "device": "device_type",
    "kind": "direction",
}

MetricIds = Annotated[list[str], typer.Argument(metavar="METRIC...", help="Metric ids; see `linework metrics`.")]
From = Annotated[str | None, typer.Option("--from", help="Start, inclusive: 2026-11-01 or 2026-11-01T08:00+08:00.")]
To = Annotated[str | None, typer.Option("--to", help="End, exclusive.")]
By = Annotated[list[str] | None, typer.Option("--by", help="queue, agent, team, area, staff, demand, channel, …")]
GrainOption = Annotated[str | None, typer.Option("--grain", help="hour, day, week, month, quarter or year.")]
Zone = Annotated[str | None, typer.Option("--zone", help="Time zone of the periods; default: that of the rules.")]
Version = Annotated[int | None, typer.Option("--version", help="Version of the metric; default: the newest.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="Count what was recorded at this time.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, with all metadata.")]


def metrics(as_json: Json = False, state_folder: StateFolder = None) -> None:
    """List the metrics."""
    found = _read(state_folder, "/v1/metrics")[0]
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
    zone: Zone = None,
    version: Version = None,
    as_of: AsOf = None,
    as_json: Json = False,
    state_folder: StateFolder = None,
) -> None:
    """Print figures as the REST API returns them."""
    times = {"from": begin, "to": to, "as_of": as_of}
    asked = {
        **_moments(times, zone, state_folder),
        "group_by": [_SHORT.get(name, name) for name in by or ()],
        "grain": grain,
        "time_zone": zone,
        "version": version,
    }
    found = _read(state_folder, *(f"/v1/figures/{one}" for one in metric), **asked)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for figure in found:
        _show(figure)


def recount(
    metric: Annotated[
        list[str] | None, typer.Argument(metavar="[METRIC]...", help="Metrics to recount; default: all.")
    ] = None,
    wait: Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for all events to be processed.")] = 60,
    limit: Limit = 600,
    state_folder: StateFolder = None,
) -> None:
    """Recount figures from the raw events, with code independent of reporting, and compare them with reporting's.

    The exit status is 0 if all are equal, 1 if any differ, and 3 if no difference was found but some figures could not
    be compared.
    """
    from rich.console import Console

    from linework.verify import run
    from linework.verify.laws import Law

    console = Console()
    if metric and (unknown := sorted(set(metric) - _known_metrics(state_folder))):
        raise Stopped(f"There is no metric {', '.join(unknown)}; `linework metrics` lists all metrics.")
    check = run_check(
        run.recount,
        console,
        state_folder,
        only=frozenset(metric or ()),
        wait_seconds=wait,
        limit_seconds=limit,
    )
    outcome = asyncio.run(check)
    for violation in outcome.findings.kept:
        console.print(f"{violation.where}: {violation.what}", markup=False, highlight=False)
    console.print(f"{outcome.checked.get(Law.FIGURES, 0)} figures recounted, {outcome.findings.count} differences.")
    if outcome.unfinished:
        console.print(f"Not everything was compared: {outcome.unfinished}.", markup=False, highlight=False)
    raise typer.Exit(outcome.exit_status)


def _known_metrics(state_folder: Path | None) -> set[str]:
    (registry,) = _read(state_folder, "/v1/metrics")
    return {one["id"] for one in registry["items"]}


def _moments(texts: Mapping[str, str | None], zone: str | None, state_folder: Path | None) -> dict[str, str]:
    """A date is its midnight in the zone; a time without an offset is of the zone, or else of the rules' zone."""
    found = {name: _time(text) for name, text in texts.items() if text is not None}
    if zone is None and not all(moment.tzinfo for moment in found.values()):
        zone = _read(state_folder, "/v1/rules/figures")[0]["time_zone"]
    return {
        name: (moment if moment.tzinfo else moment.replace(tzinfo=named_zone(zone or ""))).isoformat()
        for name, moment in found.items()
    }


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise Stopped(f"{text!r} is not a time; write 2026-11-01 or 2026-11-01T08:00+08:00.") from error


def _read(state_folder: Path | None, *paths: str, **query: Any) -> list[Any]:
    async def read(city: "ServiceClients") -> list[Any]:
        return [await city.reporting.read(path, **query) for path in paths]

    return in_installation(read, state_folder)


def _show(figure: Mapping[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    metric, window, read = figure["metric"], figure["window"], figure["read_up_to"]
    console = Console()
    title = f"{metric['id']} v{metric['version']} ({metric['unit']}), {window['from'] or '…'} to {window['to'] or '…'}"
    rows = [{**row, **row.get("display", {})} for row in figure["rows"]]
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if name != "display"]
    table = Table(*names, title=title, title_justify="left")
    for row in rows:
        table.add_row(*("–" if row.get(name) is None else str(row[name]) for name in names))
    console.print(table)
    complete = "complete" if figure["is_complete"] else "the stream has not been read beyond the window"
    console.print(
        f"{figure['time_zone']}, {figure['calendar']}; read up to {read['recorded_at']}, {complete}.", highlight=False
    )
