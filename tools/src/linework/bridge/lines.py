"""A line of Asterisk's `queue_log`: `epoch|call id|queue|agent|verb|data…`."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

NONE = "NONE"
LONGEST_LINE = 1 << 20
"""Bytes; a longer line is none of a switch, and is skipped without being held in memory."""
_LONGEST = 200


class Unreadable(ValueError):
    """The line is not one of a queue_log."""


@dataclass(frozen=True, slots=True)
class Start:
    """A QUEUESTART: everything that was open before it ended when the switch died."""

    id: str
    at: float
    began: float
    """When the file began that it was read from: the order where the seconds are the same."""


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    number: int
    """How many identical lines the file has up to here."""
    at: float
    call: str
    queue: str | None
    agent: str | None
    verb: str
    data: tuple[str, ...]

    @property
    def id(self) -> str:
        digest = digest_of(self.text)
        return f"ql-{digest}" if self.number == 1 else f"ql-{digest}-{self.number}"

    def text_at(self, place: int) -> str | None:
        return _clean(self.data[place]) if -len(self.data) <= place < len(self.data) else None

    def milliseconds(self, place: int, unit: int = 1000) -> int | None:
        """A duration of the line; None when there is none, or one that cannot be."""
        text = self.text_at(place) or ""
        return int(text) * unit if text.isascii() and text.isdigit() and len(text) <= 9 else None


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def parsed(text: str, number: int = 1) -> Line:
    """A line without its end; raises `Unreadable`."""
    parts = text.split("|")
    if len(parts) < 5:
        raise Unreadable("it has fewer than five fields")
    try:
        at = float(parts[0])
        datetime.fromtimestamp(at, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Unreadable("it does not begin with a time") from error
    if not parts[4].strip():
        raise Unreadable("it has no verb")
    queue, agent = _clean(parts[2]), _clean(parts[3])
    return Line(
        text,
        number,
        at,
        _clean(parts[1]) or NONE,
        None if queue == NONE else queue,
        None if agent == NONE else agent,
        parts[4].strip().upper(),
        tuple(parts[5:]),
    )


def _clean(text: str) -> str | None:
    """What can be sent: printable and not too long; None for nothing."""
    # U+FFFD stands for bytes that were no UTF-8; a name with it would be refused, and the call with it.
    plain = text[: 4 * _LONGEST].replace("\ufffd", "?").strip()
    kept = "".join(character for character in plain if character.isprintable())[:_LONGEST]
    return kept or None
