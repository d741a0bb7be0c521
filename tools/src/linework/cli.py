"""The `linework` command.

Each command is a function in its own module and a line below. Heavy imports belong inside the function:
`linework --help` and `linework token` are used often and must respond at once.
"""

from typing import Annotated

import typer

from contracts.version import VERSION
from linework import (
    calendars,
    figures,
    logs,
    parked,
    partitions,
    partner,
    rebuild,
    reference,
    reports,
    simulate,
    verify_sample,
)
from linework.bridge import commands as bridge
from linework.importer import commands as importer
from linework.runtime import commands as runtime
from linework.stopped import Stopped
from linework.verify import commands as verify
from linework_partner.records import NoRecords

app = typer.Typer(
    name="linework",
    help="Run and operate a Linework installation on this machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"linework {VERSION}")
        raise typer.Exit()


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None: ...


app.command()(runtime.up)
app.command()(runtime.down)
app.command()(runtime.status)
app.command()(runtime.run)
app.command()(runtime.token)
app.command()(logs.logs)
app.command()(simulate.simulate)
app.command()(verify.verify)
app.command()(figures.metrics)
app.command()(figures.figures)
app.command()(figures.recount)
app.command("redraw")(verify_sample.verify_sample)
app.command()(partitions.partitions)
app.command()(reports.report)
app.command()(reports.wallboard)
app.add_typer(reference.commands, name="reference")
app.add_typer(importer.commands, name="import")
app.add_typer(parked.commands, name="parked")
app.add_typer(calendars.commands, name="calendar")
app.add_typer(rebuild.commands, name="rebuild")
app.add_typer(bridge.commands, name="bridge")
app.add_typer(partner.commands, name="partner")


def main() -> None:
    try:
        app()
    except Stopped as sentence:
        typer.echo(f"linework: {sentence}", err=True)
        raise SystemExit(sentence.exit_status) from None
    except NoRecords as sentence:
        typer.echo(f"linework: {sentence}", err=True)
        raise SystemExit(1) from None
