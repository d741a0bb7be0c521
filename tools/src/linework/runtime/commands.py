"""The runtime's commands as they are typed; what they do is in the modules beside this one."""

import os
from pathlib import Path
from typing import Annotated

import typer

StateFolder = Annotated[
    Path | None,
    typer.Option("--state-folder", help="Where data, logs and keys are kept; LINEWORK_STATE_FOLDER, else .local."),
]
PortBase = Annotated[
    int | None,
    typer.Option(
        "--port-base",
        help="First of the ports: issuer +0, services +1 to +5, PostgreSQL +6, Kafka +7 and +8, workers +11 to +15. "
        "LINEWORK_PORT_BASE, else 8000; one port alone by LINEWORK_INTAKE_PORT and the like.",
    ),
]


def up(
    state_folder: StateFolder = None,
    port_base: PortBase = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return when everything is ready and leave it running.")
    ] = False,
    empty: Annotated[bool, typer.Option("--empty", help="Without reference data and sample traffic.")] = False,
    with_process: Annotated[
        int | None,
        typer.Option(
            "--with-process",
            min=2,
            envvar="LINEWORK_WITH_PROCESS",
            help="Stop everything when the process of this id ends, for scripts.",
        ),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option("--without", help="What is not started, for a repair: a service's name, or `workers` for all."),
    ] = None,
) -> None:
    """Start everything: PostgreSQL, Kafka, the issuer and the five services.

    With DATABASE_URL and KAFKA_BOOTSTRAP_SERVERS set, those servers are used instead of embedded ones.

    With --detach the exit status is 0 once the installation is ready, also when another command has started it, and 1
    when it did not become ready. Without, it is 1 when the installation is running already.
    """
    from rich.console import Console

    from linework.runtime.detached import start_detached
    from linework.runtime.installation import described_installation
    from linework.runtime.progress import Steps
    from linework.runtime.supervisor import supervise

    installation = described_installation(state_folder, port_base, without or ())
    if detach:
        options = ["--state-folder", str(installation.state_folder), *(["--empty"] if empty else [])]
        options += [f"--without={name}" for name in without or ()]
        options += ["--port-base", str(port_base)] if port_base is not None else []
        options += ["--with-process", str(with_process)] if with_process is not None else []
        start_detached(installation, options)
    else:
        supervise(installation, Steps(Console()), is_empty=empty, with_process=with_process)


def down(state_folder: StateFolder = None) -> None:
    """Stop everything; the data is kept."""
    from linework.runtime.installation import existing_installation
    from linework.runtime.status import stop_installation

    stopped = stop_installation(existing_installation(state_folder, None))
    typer.echo(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")


def status(
    state_folder: StateFolder = None,
    wait: Annotated[float, typer.Option("--wait", help="Seconds to wait until everything is ready.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show how every service does; exit status 0 when all are ready, 1 when not.

    With LINEWORK_INTAKE_URL and its sisters set, and LINEWORK_INTAKE_WORKER_URL and its, an installation elsewhere.
    """
    from linework.runtime.status import show_elsewhere, show_here

    is_elsewhere = bool(os.environ.get("LINEWORK_INTAKE_URL"))
    is_ready = show_elsewhere(as_json) if is_elsewhere else show_here(state_folder, wait, as_json)
    raise typer.Exit(0 if is_ready else 1)


def run(
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="Whose environment it gets.")],
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND…", help="Such as python -m chassis.restored qa.")],
    state_folder: StateFolder = None,
) -> None:
    """Run a command with the environment of a service, as its own processes have it."""
    from linework.runtime.installation import existing_installation
    from linework.runtime.running import run_as

    raise typer.Exit(run_as(existing_installation(state_folder, None), service, command))


def token(
    role: Annotated[
        str, typer.Argument(help="agent, dispatcher, technician, auditor, supervisor, operator, partner or display.")
    ],
    area: Annotated[list[str] | None, typer.Option("--area", help="A work area it may see; may be repeated.")] = None,
    sub: Annotated[str | None, typer.Option("--sub", help="Whose token it is; else ROLE-1.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="That person's name.")] = None,
    state_folder: StateFolder = None,
) -> None:
    """Print a bearer token of the local issuer, good for twelve hours."""
    from linework.runtime.installation import existing_installation
    from linework.token import request_token

    issuer = existing_installation(state_folder, None).address("issuer")
    typer.echo(request_token(issuer, role, area or [], sub, name))
