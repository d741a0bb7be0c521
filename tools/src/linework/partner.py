"""`linework partner`: validates and registers an external system."""

import json
from datetime import datetime
from typing import Annotated

import typer

from contracts.partners import SubscriberField
from linework.runtime.commands import StateFolder
from linework.session import in_installation
from linework_partner.commands import PARTNER_ID_HELP, check, example

commands = typer.Typer(help="Connect an external system: validate its events and register it.", no_args_is_help=True)
commands.command()(check)
commands.command()(example)


@commands.command()
def register(
    partner: Annotated[str, typer.Argument(help=PARTNER_ID_HELP)],
    english: Annotated[str, typer.Option("--en", help="Name in English.")],
    chinese: Annotated[str, typer.Option("--zh", help="Name in Chinese.")],
    events_per_second: Annotated[
        int, typer.Option("--events-per-second", min=1, help="Quota; events beyond it are delayed.")
    ] = 200,
    may_set: Annotated[
        list[SubscriberField] | None,
        typer.Option("--may-set", help="A field of subscribers that it may set by its events; may be repeated."),
    ] = None,
    suspended: Annotated[bool, typer.Option("--suspended", help="Register as inactive: its events wait.")] = False,
    state_folder: StateFolder = None,
) -> None:
    """Register or update a partner in a running installation; its topics are created within seconds."""
    defined = in_installation(
        lambda city: city.intake.define_partner(
            partner,
            en=english,
            zh=chinese,
            events_per_second=events_per_second,
            is_active=not suspended,
            subscriber_fields=[field.value for field in may_set or ()],
        ),
        state_folder,
        patience_seconds=0,
    )
    typer.echo(json.dumps(defined, ensure_ascii=False, indent=2))


@commands.command()
def agents(
    partner: Annotated[str, typer.Argument(help=PARTNER_ID_HELP)],
    json_output: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
    state_folder: StateFolder = None,
) -> None:
    """List the unregistered agents of a partner; register an agent with `PUT /v1/agents/{id}` of intake."""
    found = in_installation(lambda city: city.intake.unregistered_agents(partner), state_folder, patience_seconds=0)
    if json_output:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for agent in found:
        seen_at = datetime.fromisoformat(agent["first_seen_at"]).astimezone().isoformat(" ", "seconds")
        typer.echo(f"{agent['name']}  first seen {seen_at}")
    typer.echo(f"{len(found)} agents are not registered." if found else "Every agent is registered.")
