"""Keyset cursors: a page starts after the last row of the one before, whatever was inserted since."""

import base64
import binascii
import json
from typing import Any

from contracts.refusals import Invalid


class CursorBroken(Invalid):
    """The cursor is not one that this list gave; start again without it."""

    zh = "分页游标无效，请去掉后重新查询。"


def to_cursor(*values: Any) -> str:
    """An opaque cursor of a row's sort values (texts and numbers)."""
    return base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")


def from_cursor(cursor: str, *kinds: type) -> tuple[Any, ...]:
    """The sort values of a cursor; raises `CursorBroken` unless they are of these kinds."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = json.loads(base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise CursorBroken() from error
    if not isinstance(values, list) or [type(value) for value in values] != list(kinds):
        raise CursorBroken()
    if not all(map(_can_be_compared, values)):
        raise CursorBroken()
    return tuple(values)


def _can_be_compared(value: Any) -> bool:
    """Whether the database can take the value: no NUL, no half of a surrogate pair, no number beyond its own."""
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
    return not isinstance(value, int) or abs(value) <= 2**62
