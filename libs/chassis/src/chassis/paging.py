"""Keyset pagination: a page starts after the last row of the page before, regardless of later inserts.

A cursor contains the name of its list and is invalid for any other list. A page also names the next one in its header
`Link` (RFC 8288): a cursor is made for nothing else, so the last one that was made while a request is answered is it.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TypeVar

from starlette.types import Scope

from chassis.addresses import address_of, query_of
from contracts.refusals import Invalid

T = TypeVar("T")
_made: ContextVar[list[tuple[str, str]] | None] = ContextVar("linework.cursors", default=None)
"""The parameter that asks for the next page, and its value."""


class CursorBroken(Invalid):
    """The cursor is invalid; start again without it."""

    zh = "分页游标无效，请去掉后重新查询。"


def to_cursor(of: str, *values: Any) -> str:
    """An opaque cursor of the list `of`, made of a row's sort values (texts and numbers)."""
    cursor = base64.urlsafe_b64encode(json.dumps((of, *values), separators=(",", ":")).encode()).decode().rstrip("=")
    follow_by("cursor", cursor)
    return cursor


def follow_by(parameter: str, value: str) -> None:
    """The page that answers this request is followed by the one that this parameter asks for."""
    if (made := _made.get()) is not None:
        made[:] = [(parameter, value)]


def begin() -> None:
    """At the beginning of a request: cursors that are made from here on are its own."""
    _made.set([])


def next_page(scope: Scope) -> str | None:
    """The address of the page after the one that answers this request, as its client has to ask for it."""
    made = _made.get()
    if not made or scope["method"] != "GET":
        return None
    ((parameter, value),) = made
    query = query_of(scope["query_string"].decode("latin-1"))
    asked = re.sub(rf"(?:^|(?<=&)){parameter}=[^&]*(?:&|$)", "", query).strip("&")
    return f"{address_of(scope)}?{asked}{'&' if asked else ''}{parameter}={value}"


def from_cursor(of: str, cursor: str, *kinds: type) -> tuple[Any, ...]:
    """The sort values of a cursor; raises `CursorBroken` unless it is of the list `of`, and they of these kinds."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = json.loads(base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise CursorBroken() from error
    if not isinstance(values, list) or [type(value) for value in values] != [str, *kinds]:
        raise CursorBroken()
    name, *sorted_by = values
    if name != of or not all(map(_can_be_compared, sorted_by)):
        raise CursorBroken()
    return tuple(sorted_by)


def page_of(
    of: str, rows: Sequence[T], limit: int, sorted_by: Callable[[T], tuple[Any, ...]]
) -> tuple[Sequence[T], str | None]:
    """The first `limit` rows and `next_cursor`, which is None where `rows` are no more than these.

    A list is read with one row more than a page has; `sorted_by` gives the sort values of a row.
    """
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], to_cursor(of, *sorted_by(rows[limit - 1]))


def json_page(items: Iterable[str], next_cursor: str | None) -> bytes:
    """A page whose items are JSON already, as it is sent."""
    following = f'"{next_cursor}"' if next_cursor else "null"
    return f'{{"items":[{",".join(items)}],"next_cursor":{following}}}'.encode()


def moment_of(text: str) -> datetime:
    """The time that is one of a cursor's values; raises `CursorBroken`."""
    try:
        moment = datetime.fromisoformat(text)
        # The first and the last day of the calendar do not exist in every zone.
        in_utc = moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise CursorBroken() from error
    if moment.tzinfo is None:
        raise CursorBroken()
    return in_utc


def _can_be_compared(value: Any) -> bool:
    """Whether the database can take the value: no NUL, no half of a surrogate pair, no number beyond its own."""
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
    return not isinstance(value, int) or abs(value) <= 2**62
