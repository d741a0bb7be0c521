"""Files of call records, one or many in each, to the delivery."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from contracts.message import Message
from linework.bridge.freeswitch import NotACallRecord, events
from linework.bridge.queue_log import Odd
from linework.bridge.reading import Sink, Summary
from linework.stopped import Stopped

_BATCH_EVENTS = 1000


async def deliver(paths: Sequence[Path], partner_id: str, sink: Sink, summary: Summary) -> None:
    """Everything that is in the files, in the order of their names."""
    waiting: list[Message] = []
    for path, number, record in _records(paths):
        summary.line_count += 1
        try:
            if isinstance(record, Exception):
                raise NotACallRecord(str(record))
            waiting += events(record, partner_id)
        except NotACallRecord as error:
            summary.note_odd(path, Odd(number, str(error)))
        if len(waiting) >= _BATCH_EVENTS:
            await _send(sink, waiting, summary)
    await _send(sink, waiting, summary)


async def _send(sink: Sink, waiting: list[Message], summary: Summary) -> None:
    await sink.send(waiting)
    summary.event_count += len(waiting)
    waiting.clear()


def _records(paths: Sequence[Path]) -> Iterator[tuple[Path, int, Any]]:
    """Each record with the file and the line that it begins on; in place of one that is no JSON, why it is none."""
    for path in _files(paths):
        content = path.read_bytes()
        whole = _decoded(content)
        if not isinstance(whole, Exception):
            yield path, 1, whole
            continue
        for number, line in enumerate(content.splitlines(), start=1):
            if line.strip():
                yield path, number, _decoded(line)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(path.glob("*.json"))
        elif path.is_file():
            yield path
        else:
            raise Stopped(f"{path} is neither a file nor a folder.")


def _decoded(content: bytes) -> Any:
    try:
        record = msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError) as error:
        return error
    return record if isinstance(record, dict) else NotACallRecord("it is no JSON object")
