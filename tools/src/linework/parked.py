"""`linework parked`: inspect and repair parked records (dead letters)."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from linework.ports import SERVICES
from linework.runtime.commands import StateFolder
from linework.session import in_installation
from linework.stopped import Stopped

if TYPE_CHECKING:
    from linework.client_service import ServiceClient

T = TypeVar("T")

commands = typer.Typer(help="Inspect, repair, release or discard parked records (dead letters).", no_args_is_help=True)

_STATES = ("parked", "released", "discarded", "any")

ServiceName = Annotated[str, typer.Argument(metavar="SERVICE", help=", ".join(SERVICES))]
ParkedId = Annotated[int, typer.Argument(metavar="ID", min=1, help="Id of the record, as shown by `parked list`.")]


def _ask(name: str, state_folder: Path | None, ask: Callable[["ServiceClient"], Awaitable[T]]) -> T:
    if name not in SERVICES:
        raise Stopped(f"There is no service {name}; there are {', '.join(SERVICES)}.")
    return in_installation(lambda city: ask(city.services[name]), state_folder, patience_seconds=5)


async def _call(service: "ServiceClient", method: str, path: str, body: Any = None, **query: Any) -> Any:
    from linework.client import OPERATOR

    return await service.call_json(method, f"/v1/parked{path}", body, by=OPERATOR, query=query)


@commands.command("list")
def list_parked(
    service: ServiceName,
    topic: Annotated[str | None, typer.Option("--topic")] = None,
    key: Annotated[str | None, typer.Option("--key", help="Key of the records, such as an order id.")] = None,
    state: Annotated[str, typer.Option("--state", help="parked, released, discarded or any.")] = "parked",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    state_folder: StateFolder = None,
) -> None:
    """List parked records, oldest first; --state selects released or discarded ones."""
    if state not in _STATES:
        raise Stopped(f"There is no state {state}; there are {', '.join(_STATES)}.")

    async def read(one: "ServiceClient") -> list[Any]:
        return [record async for record in one.parked(topic=topic, key=key, state=state)]

    rows = _ask(service, state_folder, read)
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        repaired = ", repaired" if row["repaired"] else ""
        if row["state"] != "parked":
            repaired += f", {row['state']} by {row['settled_by']} at {row['settled_at']}"
        where = f"{row['topic']}  {row['key']}"
        if row.get("last_offset") is not None:
            where += f"  offsets {row['offset']} to {row['last_offset']}"
        typer.echo(f"{row['id']:>6}  {where}  since {row['parked_at']}{repaired}: {row['reason']}")
    typer.echo(f"{len(rows)} {'settled or parked' if state == 'any' else state} in {service}.")


@commands.command()
def show(service: ServiceName, parked_id: ParkedId, state_folder: StateFolder = None) -> None:
    """Show a record as received: value (an excerpt if too large), headers and the reason for parking."""
    _print(_ask(service, state_folder, lambda one: _call(one, "GET", f"/{parked_id}")))


@commands.command()
def repair(
    service: ServiceName,
    parked_id: ParkedId,
    value: Annotated[str | None, typer.Option("--value", help="JSON value to apply instead.")] = None,
    value_file: Annotated[
        Path | None, typer.Option("--value-file", help="File with the value to apply instead.")
    ] = None,
    header: Annotated[
        list[str] | None, typer.Option("--header", help="NAME=VALUE; NAME= removes the header. May be repeated.")
    ] = None,
    state_folder: StateFolder = None,
) -> None:
    """Replace the value or headers of a parked record; other parts stay as received.

    A record that is stored only as an excerpt needs a whole value.
    """
    given = _value(value, value_file)
    changes = dict(_header(text) for text in header or [])

    async def replace(one: "ServiceClient") -> Any:
        record = await _call(one, "GET", f"/{parked_id}")
        # A second repair starts from the first.
        present = record["repaired"] or record
        if given is None and record.get("is_excerpt") and not record["repaired"]:
            raise Stopped(f"Only an excerpt of {parked_id} is stored; provide the whole value with --value-file.")
        headers = {name: text for name, text in {**present["headers"], **changes}.items() if text}
        content = given if given is not None else present["value"] or ""
        return await _call(one, "POST", f"/{parked_id}/repair", {"value": content, "headers": headers})

    _print(_ask(service, state_folder, replace))


@commands.command()
def release(
    service: ServiceName,
    key: Annotated[str, typer.Argument(help="Key whose parked records are applied, in order, all or none.")],
    topic: Annotated[str, typer.Option("--topic")] = "work-orders",
    state_folder: StateFolder = None,
) -> None:
    """Apply the parked records of a key and resume its processing."""
    answer = _ask(service, state_folder, lambda one: _call(one, "POST", "/release", topic=topic, key=key))
    typer.echo(f"Released {answer['released']} records of {key}.")


@commands.command()
def discard(service: ServiceName, parked_id: ParkedId, state_folder: StateFolder = None) -> None:
    """Discard a record for good; the record and the deciding user stay in the table."""
    _print(_ask(service, state_folder, lambda one: _call(one, "POST", f"/{parked_id}/discard")))


def _value(value: str | None, value_file: Path | None) -> str | None:
    if value is not None and value_file is not None:
        raise Stopped("Use either --value or --value-file.")
    if value_file is None:
        return value
    try:
        return value_file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Stopped(f"{value_file} cannot be read: {error}.") from error


def _header(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise Stopped(f"A header is NAME=VALUE, not {text!r}.")
    return name, value


def _print(record: Any) -> None:
    typer.echo(json.dumps(record, ensure_ascii=False, indent=2))
