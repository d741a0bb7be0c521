"""Command-line interface of the runtime; the other modules of this package implement it."""

import os
from pathlib import Path
from typing import Annotated

import typer

StateFolder = Annotated[
    Path | None,
    typer.Option(
        "--state-folder",
        help="Folder for data, logs and keys; default: LINEWORK_STATE_FOLDER, else .local of the checkout, "
        "or the user's state folder if the command is installed without one.",
    ),
]
PortBase = Annotated[
    int | None,
    typer.Option(
        "--port-base",
        help="First port: issuer +0, services +1 to +5, PostgreSQL +6, Kafka +7 and +8, workers +11 to +15. "
        "Default: LINEWORK_PORT_BASE, else 8000. LINEWORK_INTAKE_PORT and the like set a single port.",
    ),
]


def up(
    state_folder: StateFolder = None,
    port_base: PortBase = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Run in the background; return when everything is ready.")
    ] = False,
    empty: Annotated[bool, typer.Option("--empty", help="Skip reference data and sample traffic.")] = False,
    with_process: Annotated[
        int | None,
        typer.Option(
            "--with-process",
            min=2,
            envvar="LINEWORK_WITH_PROCESS",
            help="Stop everything when the process with this id ends (for scripts).",
        ),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--without", help="Do not start this service, or with `workers` any worker; for repairs. May be repeated."
        ),
    ] = None,
) -> None:
    """Start everything: PostgreSQL, Kafka, the issuer and the five services.

    Uses the servers of DATABASE_URL and KAFKA_BOOTSTRAP_SERVERS, if set, instead of embedded ones.

    With --detach the exit status is 0 when the installation is ready, even if another command started it, and 1 if it
    did not become ready. Without --detach it is 1 if the installation is already running.
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
    """Stop everything; keep the data."""
    from linework.runtime.installation import existing_installation
    from linework.runtime.status import stop_installation

    stopped = stop_installation(existing_installation(state_folder, None))
    typer.echo(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")


def status(
    state_folder: StateFolder = None,
    wait: Annotated[float, typer.Option("--wait", help="Seconds to wait for all services to become ready.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show the status of every service; exit status 0 if all are ready, 1 otherwise.

    If LINEWORK_INTAKE_URL, LINEWORK_INTAKE_WORKER_URL and those of the other services are set, shows that remote
    installation.
    """
    from linework.runtime.status import show_elsewhere, show_here

    is_elsewhere = bool(os.environ.get("LINEWORK_INTAKE_URL"))
    is_ready = show_elsewhere(as_json) if is_elsewhere else show_here(state_folder, wait, as_json)
    raise typer.Exit(0 if is_ready else 1)


def run(
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="Service whose environment the command receives.")],
    command: Annotated[
        list[str], typer.Argument(metavar="-- COMMAND…", help="For example: python -m chassis.restored qa.")
    ],
    state_folder: StateFolder = None,
) -> None:
    """Run a command with the environment of a service's own processes."""
    from linework.runtime.installation import existing_installation
    from linework.runtime.running import run_as

    raise typer.Exit(run_as(existing_installation(state_folder, None), service, command))


def token(
    role: Annotated[
        str, typer.Argument(help="agent, dispatcher, technician, auditor, supervisor, operator, partner or display.")
    ],
    area: Annotated[list[str] | None, typer.Option("--area", help="Work area of the token; may be repeated.")] = None,
    sub: Annotated[str | None, typer.Option("--sub", help="Subject of the token; default: ROLE-1.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Name of the person.")] = None,
    state_folder: StateFolder = None,
) -> None:
    """Print a bearer token of the local issuer, or that of LINEWORK_ISSUER_URL, valid for twelve hours."""
    from linework.runtime.installation import existing_installation
    from linework.token import request_token

    issuer = os.environ.get("LINEWORK_ISSUER_URL") or existing_installation(state_folder, None).address("issuer")
    typer.echo(request_token(issuer, role, area or [], sub, name))
