"""The `linework-partner` command."""

from typing import Annotated

import typer

from contracts.version import VERSION
from linework_partner.commands import check, example
from linework_partner.records import NoRecords

app = typer.Typer(
    name="linework-partner",
    help="Validate the events that an external system would send to Linework. Sends nothing.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(check)
app.command()(example)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"linework-partner {VERSION}")
        raise typer.Exit()


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None: ...


def main() -> None:
    try:
        app()
    except NoRecords as sentence:
        typer.echo(f"linework-partner: {sentence}", err=True)
        raise SystemExit(1) from None
