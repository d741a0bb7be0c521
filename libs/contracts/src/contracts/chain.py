"""The chain: each event of an order carries the hash of the one before.

`event_hash` is SHA-256 over one compact JSON array in UTF-8: previous hash, id, type, source, subject,
order version, time, recorded time, actor's subject, role and name, SHA-256 of the data. Times are UTC in
the form `2026-11-22T08:00:00.000000Z`. A script of fifty lines can check it.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime

from contracts.message import Message

GENESIS = "0" * 64
"""The previous hash of version 1."""

_COMPACT_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class ChainBroken(ValueError):
    """The timeline was changed, or an event of it is missing."""


def time_text(moment: datetime) -> str:
    """UTC with microseconds and Z: the one form in which times travel and are hashed.

    `isoformat` and not `strftime`, which writes the year 999 with three digits on some systems.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).isoformat(timespec="microseconds")[:-6] + "Z"


def event_hash(message: Message) -> str:
    """The hash that the next event of the same order must carry, 64 hexadecimal digits."""
    facts = [
        message.prev_hash,
        message.id,
        message.type,
        message.source,
        message.subject,
        message.order_version,
        time_text(message.occurred_at),
        time_text(message.recorded_at),
        message.actor.sub,
        message.actor.role,
        message.actor.name,
        hashlib.sha256(message.data).hexdigest(),
    ]
    return hashlib.sha256(_COMPACT_JSON(facts).encode()).hexdigest()


def verify_chain(timeline: Iterable[Message]) -> str:
    """The hash of the last event of a whole timeline (versions 1..n) of one order; raises `ChainBroken`.

    Nothing follows the last event: who holds its hash from elsewhere compares it with what is returned.
    """
    previous, subject = GENESIS, None
    for version, message in enumerate(timeline, start=1):
        subject = subject or message.subject
        if message.subject != subject:
            raise ChainBroken(f"{subject}: version {version} belongs to {message.subject}")
        if message.order_version != version:
            raise ChainBroken(f"{message.subject}: version {version} expected, {message.order_version} found")
        if message.prev_hash != previous:
            raise ChainBroken(f"{message.subject}: version {version} does not follow the event before it")
        previous = event_hash(message)
    return previous
