"""`linework logs ORDER_NO`: the log lines of an order from all processes."""

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
    order: Annotated[str, typer.Argument(metavar="ORDER", help="Order number or id.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the lines unchanged, as JSON.")] = False,
    state_folder: StateFolder = None,
) -> None:
    """Show the log lines of an order from every process (executed, published, applied), oldest first.

    The order number is resolved from log lines of the order's commands; if they were rotated away, use the id.
    """
    from linework.runtime.installation import existing_installation

    folder = existing_installation(state_folder, None).logs
    files = sorted([*folder.glob("*.log"), *folder.glob("*.log.1")])
    if not files:
        raise Stopped(f"There are no logs in {folder}; set --state-folder.")
    order_id = find_order_id(files, order)
    found = path_of(files, order_id)
    for line in found:
        typer.echo(json.dumps(line, ensure_ascii=False) if as_json else as_text(line, order_id))
    if not found:
        raise Stopped(f"No log line mentions order {order}; only the current and the previous log file are kept.")


def _lines(files: Iterable[Path], text: str) -> Iterator[Line]:
    """The JSON lines that contain the text; a last line may be incomplete, and servers log in other formats."""
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
    """The id of the order with this number; an unknown number is taken as an id."""
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
    parts = [line["time"], f"{line['service']:16}", line["message"]]
    if line["level"] not in ("INFO", "DEBUG"):
        parts.insert(2, line["level"])
    parts += [f"version {version} event {event_id}" for _, version, event_id in line.get("events", ())]
    parts += [f"{name} {value}" for name, value in line.items() if name not in _ALWAYS and value != order_id]
    return "  ".join(parts)
