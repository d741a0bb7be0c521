"""`linework status` and `linework down`."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from linework.client_addresses import find_addresses
from linework.health_report import HealthReport, health_reports, lines
from linework.ports import SERVICES, is_listening
from linework.processes import find_recorded, stop_leftovers, stop_process
from linework.runtime.installation import STOP_ORDER, LocalInstallation, existing_installation
from linework.runtime.program import answers_ready
from linework.runtime.supervisor import read_phase, set_phase, supervisor_record

DOWN_SECONDS = 120


@dataclass(frozen=True)
class InstallationStatus:
    phase: str
    # Whether each component is ready, by its name.
    components: dict[str, bool]
    addresses: dict[str, str]

    @property
    def is_ready(self) -> bool:
        return self.phase == "ready" and all(self.components.values())


def read_status(installation: LocalInstallation) -> InstallationStatus:
    """The present state: what each component answers, and the phase of the supervisor."""
    names = installation.components
    with ThreadPoolExecutor(len(names)) as pool:
        answers = pool.map(lambda name: _is_ready(installation, name), names)
        components = dict(zip(names, answers, strict=True))
    addresses = {name: installation.address(name) for name in names if name not in ("kafka", "postgres")}
    return InstallationStatus(read_phase(installation) or "stopped", components, addresses)


def wait_status(installation: LocalInstallation, seconds: float) -> InstallationStatus:
    """The status once everything is ready, or when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        status = read_status(installation)
        if status.is_ready or time.monotonic() >= deadline:
            return status
        time.sleep(0.2)


def show_here(state_folder: Path | None, wait: float, as_json: bool) -> bool:
    """Prints the installation of a state folder; whether all of it is ready."""
    installation = existing_installation(state_folder, None)
    status = wait_status(installation, wait)
    services = {service: installation.address(service) for service in SERVICES}
    workers = {service: installation.address(f"{service}_worker") for service in SERVICES}
    reports = health_reports(services, workers)
    if as_json:
        content = {"ready": status.is_ready, "phase": status.phase, "components": status.components}
        typer.echo(json.dumps({**content, "addresses": status.addresses, "services": _as_json(reports)}, indent=2))
        return status.is_ready
    for name, is_ready in status.components.items():
        if name.removesuffix("_worker") not in SERVICES:
            typer.echo(f"{name:10} {'ready' if is_ready else 'not ready':9} {status.addresses.get(name, '')}".rstrip())
    typer.echo(f"{'supervisor':10} {status.phase}\n")
    typer.echo("\n".join(lines(reports)))
    return status.is_ready


def show_elsewhere(as_json: bool) -> bool:
    """Prints the installation that the environment names; whether all of its services are ready."""
    addresses = find_addresses()
    reports = health_reports(addresses.services, addresses.workers)
    is_ready = all(report.is_ready for report in reports)
    content = {"ready": is_ready, "services": _as_json(reports)}
    typer.echo(json.dumps(content, indent=2) if as_json else "\n".join(lines(reports)))
    return is_ready


def _as_json(reports: list[HealthReport]) -> dict[str, object]:
    return {report.service: asdict(report) for report in reports}


def _is_ready(installation: LocalInstallation, name: str) -> bool:
    port = installation.ports[name]
    return is_listening(port) if name in ("kafka", "postgres") else answers_ready(port)


def stop_installation(installation: LocalInstallation) -> list[str]:
    """Stop the supervisor, which stops the rest, and what a killed supervisor has left; returns what was stopped."""
    stopped = []
    found = find_recorded(supervisor_record(installation))
    if found:
        stop_process(*found, DOWN_SECONDS)
        stopped.append("supervisor")
    stopped += stop_leftovers(installation.records, STOP_ORDER)
    supervisor_record(installation).unlink(missing_ok=True)
    if installation.state_folder.exists():
        set_phase(installation, None)
    return stopped
