"""`linework reference load`: work areas with staff, device types and demand types, in Chinese and English."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from linework.runtime.commands import StateFolder
from linework.session import in_installation

if TYPE_CHECKING:
    from linework.client import ServiceClients

commands = typer.Typer(help="Load reference data.", no_args_is_help=True)


@commands.callback()
def _group() -> None:
    """Load reference data."""


@commands.command()
def load(
    state_folder: StateFolder = None,
    wait: Annotated[float, typer.Option("--wait", help="Seconds to wait for services to respond.")] = 30,
) -> None:
    """Add missing work areas, staff, device types and demand types; existing entries stay unchanged."""
    added = in_installation(load_reference_data, state_folder, patience_seconds=wait)
    typer.echo("Added: " + ", ".join(f"{count} {what}" for what, count in added.items()) + ".")


async def load_reference_data(installation: "ServiceClients") -> dict[str, int]:
    """How many of each were added. What an operator has changed in the meantime is not changed back."""
    from linework.reference_data import DEMAND_TYPES, DEVICE_TYPES

    return {
        "device types": await _add_types(installation, "device", DEVICE_TYPES),
        "demand types": await _add_types(installation, "demand", DEMAND_TYPES),
        **await _add_work_areas(installation),
    }


async def _add_types(installation: "ServiceClients", kind: str, wanted: Mapping[str, tuple[str, str]]) -> int:
    known = {item["code"] for item in await installation.intake.types(kind)}
    missing = {code: names for code, names in wanted.items() if code not in known}
    for code, (en, zh) in missing.items():
        await installation.intake.define_type(kind, code, en=en, zh=zh)
    return len(missing)


async def _add_work_areas(installation: "ServiceClients") -> dict[str, int]:
    from linework.reference_data import WORK_AREAS

    dispatch = installation.dispatch
    areas = await dispatch.work_areas()
    known = {area["work_area_id"] for area in areas}
    known_staff = {member["staff_id"] for area in areas for member in area["staff"]}
    area_count = staff_count = 0
    for area_id, area in WORK_AREAS.items():
        if area_id not in known:
            await dispatch.define_work_area(area_id, en=area.en, zh=area.zh, territories=list(area.territories))
            area_count += 1
        for number, (name, skills) in enumerate(area.staff.items(), start=1):
            if (staff_id := f"{area_id}-{number}") not in known_staff:
                await dispatch.define_staff(staff_id, name=name, work_area_id=area_id, skills=list(skills))
                staff_count += 1
    return {"work areas": area_count, "staff": staff_count}
