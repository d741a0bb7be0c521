"""Finds an installation's services: on this machine by the state folder, elsewhere by environment variables.

`LINEWORK_INTAKE_URL` and the same for the other four services name remote services, and `LINEWORK_ISSUER_URL` an issuer
compatible with the local one. Without such an issuer, `LINEWORK_TOKEN_AGENT` and the like hold a token for each role.
`KAFKA_BOOTSTRAP_SERVERS` (and `TOPIC_PREFIX`) let `verify` read the stream itself.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from linework.ports import SERVICES
from linework.runtime.installation import existing_installation
from linework.stopped import Stopped

ROLES = ("agent", "dispatcher", "technician", "auditor", "supervisor", "operator", "partner", "display")


@dataclass(frozen=True)
class Addresses:
    services: Mapping[str, str]
    issuer: str | None
    tokens: Mapping[str, str] = field(default_factory=dict)
    """By role: tokens from the environment, if there is no issuer."""
    workers: Mapping[str, str] = field(default_factory=dict)
    """By service: the address of its worker's metrics; empty if unknown."""
    bootstrap_servers: str | None = None
    topic_prefix: str = ""


def find_addresses(
    state_folder: Path | None = None, environ: Mapping[str, str] | None = None, *, prefix: str = "LINEWORK_"
) -> Addresses:
    """The installation of the environment variables, else that of the state folder; raises `Stopped`."""
    environ = os.environ if environ is None else environ
    given = {service: environ.get(f"{prefix}{service.upper()}_URL", "") for service in SERVICES}
    if not any(given.values()):
        return _local(state_folder)
    missing = [f"{prefix}{service.upper()}_URL" for service, url in given.items() if not url]
    tokens = {role: token for role in ROLES if (token := environ.get(f"{prefix}TOKEN_{role.upper()}"))}
    issuer = environ.get(f"{prefix}ISSUER_URL")
    if not issuer and not tokens:
        missing.append(f"{prefix}ISSUER_URL")
    if missing:
        raise Stopped(f"A remote installation needs the addresses of all services; {', '.join(missing)} is not set.")
    workers = {service: environ.get(f"{prefix}{service.upper()}_WORKER_URL", "") for service in SERVICES}
    return Addresses(
        services=given,
        issuer=issuer,
        tokens=tokens,
        workers={service: url for service, url in workers.items() if url},
        bootstrap_servers=environ.get("KAFKA_BOOTSTRAP_SERVERS") or None,
        topic_prefix=environ.get("TOPIC_PREFIX", ""),
    )


def _local(state_folder: Path | None) -> Addresses:
    installation = existing_installation(state_folder, None)
    return Addresses(
        services={service: installation.address(service) for service in SERVICES},
        issuer=installation.address("issuer"),
        workers={service: installation.address(f"{service}_worker") for service in SERVICES},
        bootstrap_servers=installation.bootstrap_servers,
        topic_prefix=installation.topic_prefix,
    )
