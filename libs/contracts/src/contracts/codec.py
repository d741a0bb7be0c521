"""A message on Kafka and back: CloudEvents 1.0, binary mode; what partners write may be in structured mode.

Key = `ce_subject`, value = the JSON body, attributes in `ce_*` headers. Unknown headers, unknown fields
and unknown types are ignored; any other fault raises `MalformedMessage` with the fault. What a
reader would refuse is refused to the writer too: a published record cannot be taken back.
"""

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, get_args, get_type_hints

import msgspec

from contracts import strict_json, structured
from contracts.catalogue import BY_BODY, BY_TYPE, Entry, MessageKind
from contracts.chain import GENESIS, time_text
from contracts.lifecycle import Service
from contracts.message import Actor, Message
from contracts.topics import PARTNER_ID, PARTNER_IN, Topic

Headers = list[tuple[str, bytes]]
_ENCODER = msgspec.json.Encoder()
_DECODERS: Mapping[str, msgspec.json.Decoder[Any]] = {
    entry.type: msgspec.json.Decoder(entry.body) for entry in BY_TYPE.values()
}
_ANY_JSON = msgspec.json.Decoder()
FIRST_YEAR, LAST_YEAR = 1970, 2199
"""Of when a message happened and was recorded. A day at an end of the calendar has no day beside it."""
_FIRST_DAY, _LAST_DAY = date(1, 1, 2), date(9999, 12, 30)
"""Of the times within a message; one may stand for "always". PostgreSQL's driver takes the very ends for infinity."""
_HASH = re.compile(r"[0-9a-f]{64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# An escaped NUL, unless the backslash is itself escaped. PostgreSQL's text cannot hold it.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class MalformedMessage(ValueError):
    """The record is not a message of the published language; the text describes the fault."""


def source_of(service: Service) -> str:
    return f"/linework/{service.value}"


def source_of_partner(partner_id: str) -> str:
    return f"/partner/{partner_id}"


_SOURCES = {entry.type: frozenset(map(source_of, entry.owners)) for entry in BY_TYPE.values()}
_PARTNER_SOURCE = re.compile(f"/partner/({PARTNER_ID.pattern})")
_VERSIONED = (MessageKind.ENTITY, MessageKind.FACT)


def new_message(
    body: Any,
    *,
    service: Service,
    subject: str,
    actor: Actor,
    occurred_at: datetime,
    recorded_at: datetime,
    order_version: int | None = None,
    entity_version: int | None = None,
    prev_hash: str | None = None,
    correlation_id: str | None = None,
    causation_id: str | None = None,
    traceparent: str | None = None,
) -> Message:
    """A message ready to be sent; events need `order_version`, and `prev_hash` from version 2 on.

    Raises `MalformedMessage` where every reader would.
    """
    if order_version == 1:
        prev_hash = prev_hash or GENESIS
    message = Message(
        id=str(uuid.uuid4()),
        type=BY_BODY[type(body)].type,
        source=source_of(service),
        subject=subject,
        occurred_at=occurred_at,
        recorded_at=recorded_at,
        actor=actor,
        data=_ENCODER.encode(body),
        body=body,
        order_version=order_version,
        entity_version=entity_version,
        prev_hash=prev_hash,
        correlation_id=correlation_id,
        causation_id=causation_id,
        traceparent=traceparent,
    )
    _check_new(message)
    return message


def new_partner_message(
    body: Any, *, partner_id: str, event_id: str, subject: str, occurred_at: datetime, actor: Actor | None = None
) -> Message:
    """A partner's event ready to be sent, under the partner's own id for it.

    Raises `MalformedMessage` where intake would refuse to read it.
    """
    message = Message(
        id=event_id,
        type=BY_BODY[type(body)].type,
        source=source_of_partner(partner_id),
        subject=subject,
        occurred_at=occurred_at,
        recorded_at=occurred_at,
        actor=actor or Actor(partner_id, "partner"),
        data=_ENCODER.encode(body),
        body=body,
    )
    _check_new(message)
    return message


def _check_new(message: Message) -> None:
    texts = {"ce_id": message.id, "ce_subject": message.subject} | _texts_of(message)
    for name in ("ce_id", "ce_subject"):
        _required(texts, name)
    _check_text(texts, message.data)
    for moment in (message.occurred_at, message.recorded_at):
        if moment.tzinfo is None:
            raise MalformedMessage(f"{moment} is without a time zone")
        _plausible(moment)
    _check_body(message)
    _check_place(message, BY_TYPE[message.type], None)


def _texts_of(message: Message) -> dict[str, str]:
    """The headers whose text comes from outside, as far as they are present."""
    texts = {
        "ce_actor": message.actor.sub,
        "ce_actorrole": message.actor.role,
        "ce_actorname": message.actor.name,
        "ce_correlationid": message.correlation_id,
        "ce_causationid": message.causation_id,
        "ce_traceparent": message.traceparent,
    }
    return {name: text for name, text in texts.items() if text}


def headers_of(message: Message) -> dict[str, str]:
    """The Kafka headers of a message, in the order in which they are sent."""
    headers = {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_id": message.id,
        "ce_source": message.source,
        "ce_type": message.type,
        "ce_subject": message.subject,
        "ce_time": time_text(message.occurred_at),
        "ce_recordedtime": time_text(message.recorded_at),
        "ce_actor": message.actor.sub,
        "ce_actorrole": message.actor.role,
    }
    optional = {
        "ce_actorname": message.actor.name,
        "ce_orderversion": message.order_version,
        "ce_entityversion": message.entity_version,
        "ce_prevhash": message.prev_hash,
        "ce_correlationid": message.correlation_id,
        "ce_causationid": message.causation_id,
        "ce_traceparent": message.traceparent,
        "ce_replayid": message.replay_id,
    }
    return headers | {name: str(value) for name, value in optional.items() if value not in (None, "")}


def encode(message: Message) -> tuple[bytes, bytes, Headers]:
    """Key, value and headers of the Kafka record."""
    headers = [(name, value.encode()) for name, value in headers_of(message).items()]
    return message.subject.encode(), message.data, headers


def decode(
    key: bytes | None,
    value: bytes | None,
    headers: Iterable[tuple[str, bytes]],
    *,
    topic: Topic | None = None,
) -> Message:
    """The message of a Kafka record; raises `MalformedMessage`.

    With `topic`, a known type must belong to it. A type that is not in the catalogue gives `body=None`.
    """
    if topic is not None and topic.kind == PARTNER_IN.kind:
        value, headers = _unwrapped(value, headers)
    if value is None:
        raise MalformedMessage("the record has no value")
    attributes = _attributes(headers)
    entry = BY_TYPE.get(_required(attributes, "ce_type"))
    _check_text(attributes, value)
    if (entry is not None and entry.kind is MessageKind.PARTNER_EVENT) or (
        topic is not None and topic.kind == PARTNER_IN.kind
    ):
        _check_from_outside(value)
    message = _read(attributes, value, entry)
    _check_body(message)
    if key != message.subject.encode():
        raise MalformedMessage(f"the key {key!r} is not the subject {message.subject!r}")
    if entry is not None:
        _check_place(message, entry, topic)
    return message


def _unwrapped(value: bytes | None, headers: Iterable[tuple[str, bytes]]) -> tuple[bytes | None, Headers]:
    record = structured.unwrap(value, headers)
    for mistake in record.mistakes:
        raise MalformedMessage(f"{mistake.pointer or 'the record'}: {mistake.wrong.en}")
    return record.value, list(record.headers)


def _attributes(headers: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    """The `ce_*` headers; others may hold anything, such as a tracer's binary context."""
    attributes, name = {}, ""
    try:
        for name, text in headers:
            if not is_utf8(name):
                raise MalformedMessage(f"the header name {name.encode('utf-8', 'surrogateescape')!r} is not UTF-8")
            if name.startswith("ce_") and text is not None:
                attributes[name] = bytes(text).decode()
    except UnicodeDecodeError as error:
        raise MalformedMessage(f"the header {name} is not UTF-8") from error
    return attributes


def is_utf8(name: str) -> bool:
    """Whether a header name is text; a reader keeps bytes of it that are none (`surrogateescape`)."""
    return name.isascii() or not any("\ud800" <= character <= "\udfff" for character in name)


def _required(attributes: Mapping[str, str], name: str) -> str:
    text = attributes.get(name)
    if not text:
        raise MalformedMessage(f"the header {name} is missing")
    return text


def _read(attributes: Mapping[str, str], value: bytes, entry: Entry | None) -> Message:
    if _required(attributes, "ce_specversion") != "1.0":
        raise MalformedMessage(f"ce_specversion is {attributes['ce_specversion']!r}, 1.0 is read")
    try:
        if not value.isascii():
            value.decode()  # msgspec skips unknown fields without looking at their bytes
        body = (_DECODERS[entry.type] if entry else _ANY_JSON).decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedMessage(f"the value does not fit {attributes['ce_type']}: {error}") from error
    occurred_at = _time(attributes, "ce_time")
    return Message(
        id=_required(attributes, "ce_id"),
        type=attributes["ce_type"],
        source=_required(attributes, "ce_source"),
        subject=_required(attributes, "ce_subject"),
        occurred_at=occurred_at,
        recorded_at=_time(attributes, "ce_recordedtime") if "ce_recordedtime" in attributes else occurred_at,
        actor=Actor(
            attributes.get("ce_actor", ""), attributes.get("ce_actorrole", ""), attributes.get("ce_actorname", "")
        ),
        data=value,
        body=body if entry else None,
        order_version=_whole(attributes, "ce_orderversion"),
        entity_version=_whole(attributes, "ce_entityversion"),
        prev_hash=_hash(attributes, "ce_prevhash"),
        correlation_id=attributes.get("ce_correlationid"),
        causation_id=attributes.get("ce_causationid"),
        traceparent=attributes.get("ce_traceparent"),
        replay_id=attributes.get("ce_replayid"),
    )


def _check_from_outside(value: bytes) -> None:
    """Partners write with libraries of their own; our services never give a key twice, nor is a stored event judged."""
    try:
        strict_json.check(value)
    except ValueError as error:
        raise MalformedMessage(f"the value is not JSON as a partner may send it: {error}") from error


def _check_text(attributes: Mapping[str, str], value: bytes) -> None:
    joined = "".join(attributes.values())
    # Whatever is printable has no control character, and that is quicker to see.
    if not joined.isprintable() and _CONTROL.search(joined):
        name = next(name for name, text in attributes.items() if _CONTROL.search(text))
        raise MalformedMessage(f"the header {name} has a control character")
    if b"\\u0000" in value and _NUL.search(value):
        raise MalformedMessage("a text of the value has a NUL character")


def _check_body(message: Message) -> None:
    if message.body is None:
        return
    if not _timed_fields(type(message.body)):  # type: ignore[arg-type]  # mypy does not see that a class is hashable
        return
    for moment in _moments(message.body):
        if moment.tzinfo is None:
            raise MalformedMessage(f"{moment.isoformat()} in {message.type} is without a time zone")
        if not _FIRST_DAY <= _in_utc(moment).date() <= _LAST_DAY:
            raise MalformedMessage(f"{moment.isoformat()} in {message.type} is outside {_FIRST_DAY} to {_LAST_DAY}")


def _check_place(message: Message, entry: Entry, topic: Topic | None) -> None:
    if topic is not None and entry.topic.name != topic.kind:
        raise MalformedMessage(f"{entry.type} belongs on {entry.topic.name}, not on {topic.name}")
    if not _may_write(message.source, entry, topic):
        raise MalformedMessage(f"{message.source} may not write {entry.type}")
    if entry.kind is MessageKind.EVENT and (message.order_version is None or message.prev_hash is None):
        raise MalformedMessage(f"{entry.type} needs ce_orderversion and ce_prevhash")
    if entry.kind is not MessageKind.EVENT and message.order_version is not None:
        raise MalformedMessage(f"{entry.type} does not change an order and has no ce_orderversion")
    if entry.kind in _VERSIONED and message.entity_version is None:
        raise MalformedMessage(f"{entry.type} needs ce_entityversion")


def _may_write(source: str, entry: Entry, topic: Topic | None) -> bool:
    if entry.kind is not MessageKind.PARTNER_EVENT:
        return source in _SOURCES[entry.type]
    match = _PARTNER_SOURCE.fullmatch(source)
    return match is not None and (topic is None or topic.partner_id in (None, match[1]))


def _moments(value: Any) -> Iterator[datetime]:
    """Every time inside a body."""
    if isinstance(value, datetime):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _moments(item)
    elif is_dataclass(value):
        shape: Any = type(value)
        for name in _timed_fields(shape):
            yield from _moments(getattr(value, name))


@cache
def _timed_fields(shape: Any) -> tuple[str, ...]:
    return tuple(name for name, hint in get_type_hints(shape).items() if _holds_times(hint))


def _holds_times(hint: Any) -> bool:
    is_timed = hint is datetime or (isinstance(hint, type) and is_dataclass(hint) and any(_timed_fields(hint)))
    return is_timed or any(map(_holds_times, get_args(hint)))


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is UTC:
        return moment
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise MalformedMessage(f"{moment.isoformat()} is outside the years 1 to 9999 in UTC") from error


def _plausible(moment: datetime) -> datetime:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise MalformedMessage(f"{moment.isoformat()} is outside the years {FIRST_YEAR} to {LAST_YEAR}")
    return _in_utc(moment)


def _hash(attributes: Mapping[str, str], name: str) -> str | None:
    text = attributes.get(name)
    if text is not None and not _HASH.fullmatch(text):
        raise MalformedMessage(f"{name} is not a SHA-256 of 64 hexadecimal digits")
    return text


def _time(attributes: Mapping[str, str], name: str) -> datetime:
    text = _required(attributes, name)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise MalformedMessage(f"{name} is {text!r}, not an RFC 3339 time") from error
    if moment.tzinfo is None:
        raise MalformedMessage(f"{name} is {text!r}, without a time zone")
    return _plausible(moment)


def _whole(attributes: Mapping[str, str], name: str) -> int | None:
    text = attributes.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < 1:
        raise MalformedMessage(f"{name} is {text!r}, not a whole number from 1")
    return int(text)
