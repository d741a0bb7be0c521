"""Command-line interface of `linework import`."""

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linework.runtime.commands import StateFolder

if TYPE_CHECKING:
    from linework.importer.orders import RowResult
    from linework.importer.report import ImportReport

commands = typer.Typer(help="Import service requests and work orders through the public APIs.", no_args_is_help=True)


class Through(StrEnum):
    CREATED = "created"
    ARCHIVED = "archived"


@commands.command()
def myla311(
    file: Annotated[Path, typer.Argument(help="CSV file as published by the City of Los Angeles.")],
    through: Annotated[
        Through, typer.Option("--through", help="Only create the orders, or also replay each request's real outcome.")
    ] = Through.CREATED,
    clients: Annotated[int, typer.Option("--clients", min=1, max=256, help="Number of concurrent clients.")] = 16,
    state_folder: StateFolder = None,
) -> None:
    """Import service requests of MyLA311; resumes where it stopped and creates no duplicates.

    The exit status is 1 if a row was refused.
    """
    from rich.console import Console

    from linework.importer.plan import COLUMNS
    from linework.importer.report import ImportReport, show
    from linework.importer.rows import count_rows

    report = ImportReport(count_rows(file, COLUMNS))
    console = Console()
    try:
        asyncio.run(_import(file, report, through, clients, state_folder))
    except KeyboardInterrupt:
        show(report, console)
        console.print("Stopped; run the same command to resume.")
        raise typer.Exit(130) from None
    show(report, console)
    raise typer.Exit(1 if report.refused or not report.is_whole else 0)


async def _import(
    file: Path, report: "ImportReport", through: Through, clients: int, state_folder: Path | None
) -> None:
    from rich.console import Console

    from linework.client import NotReached, ServiceClients, find_addresses
    from linework.client_progress import Bar
    from linework.importer.plan import COLUMNS
    from linework.importer.report import show
    from linework.importer.rows import read_rows
    from linework.importer.run import PATIENCE, Importer
    from linework.stopped import Stopped

    async with ServiceClients(find_addresses(state_folder), patience=PATIENCE) as installation:
        await installation.require()
        importer = Importer(installation, report, is_played=through is Through.ARCHIVED, clients=clients)
        try:
            with Bar(Console(stderr=True), "Importing", report.row_count).shown() as bar:
                await importer.play(read_rows(file, COLUMNS), bar.advance)
        except ExceptionGroup as errors:
            error = errors.exceptions[0]
            if not isinstance(error, NotReached):
                raise error from None
            show(report, Console())
            raise Stopped(f"{error}; run the same command to resume.") from error


@commands.command()
def orders(
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV with external_reference, subscriber_no, device_type, demand_type, content; also channel, zone, "
            "territory, appointment_start, appointment_end, occurred_at."
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the file; create nothing.")] = False,
    report: Annotated[
        Path | None, typer.Option("--report", help="CSV report with the result of each row; default: beside the file.")
    ] = None,
    clients: Annotated[int, typer.Option("--clients", min=1, max=256, help="Number of concurrent clients.")] = 16,
    state_folder: StateFolder = None,
) -> None:
    """Create work orders from a CSV file; resumes where it stopped and creates no duplicates.

    The exit status is 1 if a row was refused.
    """
    from collections import Counter

    from linework.importer.orders import RowOutcome, RowResult, write_report

    results: list[RowResult] = []
    try:
        asyncio.run(_orders(file, results, dry_run, clients, state_folder))
    finally:
        place = report or file.with_name(f"{file.name}.report.csv")
        write_report(place, results)
    counts = Counter(result.outcome for result in results)
    typer.echo(
        ", ".join(f"{counts[outcome]} {outcome.value}" for outcome in RowOutcome if counts[outcome]) or "No rows."
    )
    typer.echo(f"Each row: {place}")
    raise typer.Exit(1 if counts[RowOutcome.REFUSED] else 0)


async def _orders(
    file: Path, results: "list[RowResult]", dry_run: bool, clients: int, state_folder: Path | None
) -> None:
    from rich.console import Console

    from linework.client import NotReached, ServiceClients, find_addresses
    from linework.client_progress import Bar
    from linework.importer.order_body import NEEDED
    from linework.importer.orders import Orders
    from linework.importer.rows import count_rows
    from linework.importer.run import PATIENCE
    from linework.stopped import Stopped

    count = count_rows(file, NEEDED)
    async with ServiceClients(find_addresses(state_folder), patience=PATIENCE) as installation:
        await installation.require("intake")
        run = Orders(installation, dry_run, clients, results)
        try:
            with Bar(Console(stderr=True), "Looking" if dry_run else "Creating", count).shown() as bar:
                await run.play(file, bar.advance)
        except NotReached as error:
            raise Stopped(f"{error}; run the same command to resume.") from error
