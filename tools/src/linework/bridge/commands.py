"""Command-line interface of `linework bridge`."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linework.runtime.commands import StateFolder
from linework.zones import named_zone

if TYPE_CHECKING:
    from linework.bridge.delivery import Delivery
    from linework.bridge.reading import ReadingSummary
    from linework.bridge.record_formats import SwitchSettings
    from linework.client import Addresses

commands = typer.Typer(help="Publish the calls of a telephone switch as a partner's events.", no_args_is_help=True)

PartnerName = Annotated[str, typer.Option("--partner", help="Partner id of the switch; registered if missing.")]
CursorFile = Annotated[
    Path | None, typer.Option("--cursor", help="File that stores the read position; default: beside the first file.")
]


@commands.command()
def asterisk(
    files: Annotated[list[Path], typer.Argument(help="queue_log files, rotated ones (also .gz) in any order.")],
    follow: Annotated[bool, typer.Option("--follow", help="Follow the files as they grow, through rotations.")] = False,
    partner: PartnerName = "asterisk",
    cursor: CursorFile = None,
    json_output: Annotated[bool, typer.Option("--json", help="The summary as JSON.")] = False,
    state_folder: StateFolder = None,
) -> None:
    """Read Asterisk's queue_log; resumes where it stopped and creates no duplicates.

    The exit status is 1 if a line or part of a file could not be read, or a verb is unknown.
    """
    from linework.bridge.reading import ReadingSummary

    summary = ReadingSummary()
    place = cursor or files[0].with_name(f".{files[0].name}.{partner}.cursor")
    _read(_asterisk(files, follow, partner, place, summary, state_folder), summary, json_output)
    raise typer.Exit(1 if summary.odd_lines or summary.unknown_verbs else 0)


async def _asterisk(
    files: list[Path], follow: bool, partner: str, cursor: Path, summary: "ReadingSummary", state_folder: Path | None
) -> None:
    from linework.bridge.reading import QueueLogs

    logs = QueueLogs(files, partner, cursor, summary)
    async with _delivery(partner, state_folder) as delivery:
        await logs.deliver(delivery, follow=follow)


def _read(reading: Coroutine[Any, Any, None], summary: "ReadingSummary", json_output: bool) -> None:
    """Reads to the end, or until Ctrl-C or SIGTERM; prints the summary in every case."""
    try:
        asyncio.run(_until_terminated(reading))
    except (KeyboardInterrupt, asyncio.CancelledError):
        typer.echo("Stopped; run the same command to resume.", err=True)
    finally:
        typer.echo(summary.as_json() if json_output else summary.as_text())


async def _until_terminated(reading: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(reading)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await task


@commands.command()
def freeswitch(
    files: Annotated[
        list[Path], typer.Argument(help="Files of mod_json_cdr, mod_xml_cdr or mod_cdr_csv, or folders of them.")
    ],
    partner: PartnerName = "freeswitch",
    cursor: CursorFile = None,
    zone: Annotated[str, typer.Option("--zone", help="Time zone of the switch's clock, for CSV files.")] = "UTC",
    inbound_contexts: Annotated[
        list[str] | None,
        typer.Option("--inbound-context", help="Dialplan context of inbound calls; may be repeated; default: public."),
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="The summary as JSON.")] = False,
    state_folder: StateFolder = None,
) -> None:
    """Read FreeSWITCH's call records; resumes where it stopped and creates no duplicates.

    The exit status is 1 if a record could not be read.
    """
    from linework.bridge.reading import ReadingSummary
    from linework.bridge.record_formats import SwitchSettings

    summary = ReadingSummary()
    place = cursor or files[0].with_name(f".{files[0].name}.{partner}.cursor")
    settings = SwitchSettings(named_zone(zone), frozenset(inbound_contexts or ["public"]))
    _read(_freeswitch(files, partner, place, summary, settings, state_folder), summary, json_output)
    raise typer.Exit(1 if summary.odd_lines else 0)


async def _freeswitch(
    files: list[Path],
    partner: str,
    cursor: Path,
    summary: "ReadingSummary",
    settings: "SwitchSettings",
    state_folder: Path | None,
) -> None:
    from linework.bridge.call_records import CallRecords

    records = CallRecords(files, partner, cursor, summary, settings)
    async with _delivery(partner, state_folder) as delivery:
        await records.deliver(delivery)


@contextlib.asynccontextmanager
async def _delivery(partner: str, state_folder: Path | None) -> AsyncIterator["Delivery"]:
    """A delivery for a partner, which is registered if missing.

    Beside a switch only Kafka may be within reach: with KAFKA_BOOTSTRAP_SERVERS and no address of intake an operator
    has registered the partner.
    """
    from linework.bridge.delivery import delivery_to
    from linework.client import find_addresses
    from linework.stopped import Stopped

    if (servers := os.environ.get("KAFKA_BOOTSTRAP_SERVERS")) and "LINEWORK_INTAKE_URL" not in os.environ:
        async with delivery_to(servers, partner, prefix=os.environ.get("TOPIC_PREFIX", "")) as delivery:
            yield delivery
        return
    addresses = find_addresses(state_folder)
    if not addresses.bootstrap_servers:
        raise Stopped("The address of Kafka is missing: set KAFKA_BOOTSTRAP_SERVERS.")
    await _register(addresses, partner)
    async with delivery_to(addresses.bootstrap_servers, partner, prefix=addresses.topic_prefix) as delivery:
        yield delivery


async def _register(addresses: "Addresses", partner: str) -> None:
    from linework.client import Refused, ServiceClients
    from linework.stopped import Stopped

    async with ServiceClients(addresses) as installation:
        await installation.require("intake")
        try:
            await installation.intake.get_partner(partner)
        except Refused as refusal:
            if refusal.code != "partner_not_found":
                raise Stopped(str(refusal)) from refusal
            await installation.intake.define_partner(partner, en=partner, zh=partner, events_per_second=5000)
