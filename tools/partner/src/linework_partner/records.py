"""The sample records of a file."""

import json
from pathlib import Path
from typing import Any

from contracts.structured import MEDIA_TYPE, unwrap


class NoRecords(Exception):
    """A file without records that could be judged; the text is the whole explanation."""


def read_records(file: Path) -> list[Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NoRecords(f"{file} cannot be read: {error}.") from error
    try:
        if text.lstrip().startswith("["):
            found = json.loads(text)
        else:
            found = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError) as error:
        raise NoRecords(f"{file} is neither a JSON array nor one JSON object a line: {error}.") from error
    if not found:
        raise NoRecords(f"{file} has no records.")
    return found


def parts_of(record: Any, number: int) -> tuple[bytes | None, bytes | None, dict[str, str]]:
    if isinstance(record, dict) and "specversion" in record:
        record = {"key": record.get("subject"), "headers": {"content-type": MEDIA_TYPE}, "value": record}
    try:
        headers = {str(name): str(text) for name, text in dict(record["headers"]).items()}
    except (KeyError, TypeError, ValueError) as error:
        raise NoRecords(f'Record {number} is not {{"key": …, "headers": {{…}}, "value": {{…}}}}.') from error
    key, value = record.get("key"), record.get("value")
    content = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return None if key is None else str(key).encode("utf-8", "replace"), content.encode("utf-8", "replace"), headers


def attributes_of(record: Any, number: int) -> dict[str, str]:
    """Of the event, by the names of their headers, in whichever mode it is."""
    _, value, headers = parts_of(record, number)
    unwrapped = unwrap(value, encoded(headers))
    return {name: text.decode("utf-8", "replace") for name, text in unwrapped.headers}


def encoded(headers: dict[str, str]) -> list[tuple[str, bytes]]:
    return [(name, text.encode("utf-8", "replace")) for name, text in headers.items()]
