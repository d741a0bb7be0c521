"""The output of `up` when everything is ready: addresses, a token, and a walk through an order."""

import os
import shutil
import sys
from pathlib import Path

from rich.table import Table

from linework.ports import SERVICES
from linework.runtime.installation import REPOSITORY, LocalInstallation, default_state_folder
from linework.runtime.progress import Steps

ROLES = ("agent", "dispatcher", "technician", "auditor", "supervisor", "operator", "partner")


def show_welcome(installation: LocalInstallation, steps: Steps) -> None:
    steps.show(_addresses(installation))
    steps.show(_tokens(installation))
    steps.say("An order's first steps, with curl:")
    for line in _walk(installation):
        steps.show(line)
    steps.say(f"Logs are in {installation.logs}. Ctrl-C or `{command()} down` stops everything and keeps the data.")


def command() -> str:
    """How the reader calls us from where they are."""
    program = Path(sys.executable).with_name("linework")
    if program.is_relative_to(REPOSITORY):
        return os.path.relpath(program)
    found = shutil.which("linework")
    return "linework" if found and Path(found).resolve() == program.resolve() else str(program)


def _addresses(installation: LocalInstallation) -> Table:
    table = Table("service", "address", "interactive API page", title="Linework is ready", title_justify="left")
    table.add_row("issuer", installation.address("issuer"), "")
    for service in SERVICES:
        address = installation.address(service)
        table.add_row(service, address, f"{address}/docs")
    return table


def _tokens(installation: LocalInstallation) -> Table:
    table = Table("role", "a token for it", title_justify="left")
    for role in ROLES:
        area = " --area north" if role == "technician" else ""
        table.add_row(role, f"{command()} token {role}{area}{_state_option(installation)}")
    return table


def _state_option(installation: LocalInstallation) -> str:
    is_default = installation.state_folder == default_state_folder()
    return "" if is_default else f" --state-folder {installation.state_folder}"


def _walk(installation: LocalInstallation) -> list[str]:
    """Three calls that take an order from its creation over its dispatch to its timeline; they can be pasted."""
    token = f"{command()} token {{role}}{_state_option(installation)}"
    call = "curl -s -H \"Authorization: Bearer $({token})\" -H 'Content-Type: application/json'"
    agent, dispatcher, supervisor = (
        call.format(token=token.format(role=role)) for role in ("agent", "dispatcher", "supervisor")
    )
    subscriber = '{"subscriber_no": "10001", "name": "王小明", "phones": ["13800001111"], "address": "1 North Road"}'
    order = (
        '{"subscriber_no": "10001", "device_type": "digital", "demand_type": "fault_repair", "content": "no picture"}'
    )
    to_north = '{"work_area_id": "north", "staff_ids": ["north-1"]}'
    intake, dispatch, reporting = (installation.address(part) for part in ("intake", "dispatch", "reporting"))
    identifier = "python3 -c 'import json, sys; print(json.load(sys.stdin)[\"id\"])'"
    return [
        f"{agent} {intake}/v1/subscribers -d '{subscriber}'; "
        f"ORDER=$({agent} {intake}/v1/work-orders -d '{order}' | {identifier})",
        f"{dispatcher} -H 'If-Match: \"1\"' {dispatch}/v1/work-orders/$ORDER/dispatch -d '{to_north}'",
        f"{supervisor} '{reporting}/v1/work-orders/'$ORDER'/timeline?at_least=2'",
    ]
