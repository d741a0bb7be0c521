"""The sample records of a file."""

import json
from pathlib import Path
from typing import Any


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
    try:
        headers = {str(name): str(text) for name, text in dict(record["headers"]).items()}
    except (KeyError, TypeError, ValueError) as error:
        raise NoRecords(f'Record {number} is not {{"key": …, "headers": {{…}}, "value": {{…}}}}.') from error
    key, value = record.get("key"), record.get("value")
    content = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return None if key is None else str(key).encode("utf-8", "replace"), content.encode("utf-8", "replace"), headers
