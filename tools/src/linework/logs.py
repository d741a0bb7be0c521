"""`linework logs ORDER_NO`: the path of one order over the logs of all processes."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from linework.runtime.commands import StateFolder
from linework.stopped import Stopped

Line = dict[str, Any]
_ALWAYS = ("time", "level", "service", "logger", "message", "events", "order_id", "order_no")


def logs(
    order: Annotated[str, typer.Argument(metavar="ORDER", help="An order's number, or its id.")],
    as_json: Annotated[bool, typer.Option("--json", help="The lines as they were written.")] = False,
    state_folder: StateFolder = None,
) -> None:
    """Show what every process logged of one order: carried out, published, applied; oldest first.

    The number is known from the order's own acts; where their lines are gone, give the id.
    """
    from linework.runtime.installation import existing_installation

    folder = existing_installation(state_folder, None).logs
    files = sorted([*folder.glob("*.log"), *folder.glob("*.log.1")])
    if not files:
        raise Stopped(f"There are no logs in {folder}; say with --state-folder where they are.")
    order_id = find_order_id(files, order)
    found = path_of(files, order_id)
    for line in found:
        typer.echo(json.dumps(line, ensure_ascii=False) if as_json else as_text(line, order_id))
    if not found:
        raise Stopped(f"No line tells of order {order}; lines that were rotated away twice are gone.")


def _lines(files: Iterable[Path], text: str) -> Iterator[Line]:
    """The JSON lines that hold the text; a file may be written at this moment, and servers log otherwise."""
    wanted = text.encode()
    for file in files:
        with file.open("rb") as log:
            for raw in log:
                if wanted in raw and raw.startswith(b"{"):
                    try:
                        yield json.loads(raw)
                    except ValueError:
                        continue


def find_order_id(files: Iterable[Path], order: str) -> str:
    """The id of the order with this number; what is no known number is taken for an id."""
    return next((line["order_id"] for line in _lines(files, order) if line.get("order_no") == order), order)


def path_of(files: Iterable[Path], order_id: str) -> list[Line]:
    """The lines about the order, by time; of a line about many events only this order's."""
    found = []
    for line in _lines(files, order_id):
        events = [event for event in line.get("events", ()) if event[0] == order_id]
        if events:
            found.append({**line, "events": events})
        elif order_id in (line.get("order_id"), line.get("key")):
            found.append(line)
    return sorted(found, key=lambda line: line["time"])


def as_text(line: Line, order_id: str) -> str:
    said = [line["time"], f"{line['service']:16}", line["message"]]
    if line["level"] not in ("INFO", "DEBUG"):
        said.insert(2, line["level"])
    said += [f"version {version} event {event_id}" for _, version, event_id in line.get("events", ())]
    said += [f"{name} {value}" for name, value in line.items() if name not in _ALWAYS and value != order_id]
    return "  ".join(said)
