"""`linework report` and `linework wallboard`: writes a report to a file; prints the address of the wallboard."""

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from linework.runtime.commands import StateFolder
from linework.session import in_installation
from linework.stopped import Stopped

if TYPE_CHECKING:
    from rich.console import Console

    from linework.client import ServiceClients
    from linework.client_service import ServiceClient

_LOOK_EVERY_SECONDS = 0.5
_UNDER_WAY = ("waiting", "building")


def report(
    kind: Annotated[
        str, typer.Argument(help="daily, weekly, monthly, quarterly, yearly, call_analysis (of a month) or period.")
    ],
    day: Annotated[
        str | None, typer.Option("--day", help="A day of the period; default: yesterday, in the zone of the rules.")
    ] = None,
    last_day: Annotated[
        str | None, typer.Option("--last-day", help="Last day of a report of kind period; --day is the first.")
    ] = None,
    file_format: Annotated[str, typer.Option("--format", help="xlsx, csv or pdf.")] = "xlsx",
    language: Annotated[str, typer.Option("--language", help="zh or en.")] = "zh",
    out: Annotated[
        Path | None, typer.Option("--out", help="Output file; default: named after the report, in the current folder.")
    ] = None,
    state_folder: StateFolder = None,
) -> None:
    """Request a report, wait until it is built, and write it and its manifest to files."""
    from rich.console import Console

    asked = {
        "kind": kind,
        "day": day,
        "last_day": last_day,
        "format": file_format,
        "language": language,
    }
    file = in_installation(
        lambda city: _report(Console(stderr=True), city.reporting, asked, out),
        state_folder,
        advice="reporting's worker builds a requested report in the background.",
    )
    typer.echo(str(file))


async def _report(console: "Console", service: "ServiceClient", asked: dict[str, str | None], out: Path | None) -> Path:
    from linework.client import SUPERVISOR

    if asked["day"] is None:
        rules = await service.read("/v1/rules/figures", by=SUPERVISOR)
        today = datetime.now(ZoneInfo(rules["time_zone"])).date()
        asked = asked | {"day": (today - timedelta(days=1)).isoformat()}
    ready = await _watch(console, service, await service.call_json("POST", "/v1/reports", asked, by=SUPERVISOR))
    if ready["state"] != "ready":
        raise Stopped(f"Report {ready['id']} has failed: {ready['failure']}.")
    answer = await service.call("GET", f"/v1/reports/{ready['id']}/file", by=SUPERVISOR)
    file = out or Path(f"{asked['kind']}-{asked['day']}.{asked['format']}")
    file.write_bytes(answer.content)
    manifest = json.dumps(ready["manifest"], ensure_ascii=False, indent=2)
    file.with_name(file.name + ".manifest.json").write_text(manifest + "\n", encoding="utf-8")
    return file


async def _watch(console: "Console", service: "ServiceClient", made: Any) -> Any:
    from rich.progress import Progress

    from linework.client import SUPERVISOR

    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"report {made['id']}", total=made["section_count"])
        while made["state"] in _UNDER_WAY:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            made = await service.read(f"/v1/reports/{made['id']}", by=SUPERVISOR)
            progress.update(task, completed=made["done_count"])
    return made


def wallboard(state_folder: StateFolder = None) -> None:
    """Print the address of the live wallboard with a token that permits only this display and expires in 30 days."""
    from linework.client import DISPLAY

    async def address(city: "ServiceClients") -> str:
        token = (await city.tokens.authorization(DISPLAY)).removeprefix("Bearer ")
        return f"{city.reporting.address}/wallboard#token={token}"

    typer.echo(in_installation(address, state_folder))
