"""Checks a partner's record against the contract; lists its faults and the expected values.

Intake answers with it on `partner.<id>.out`, and `linework partner check` reports the same before a partner goes live.
What only the course of a call shows (a second end, a correction of nothing) is in `Course`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from contracts import partners as p
from contracts import strict_json, structured
from contracts.catalogue import BY_TYPE, MessageKind
from contracts.codec import MalformedMessage, decode, is_utf8, source_of_partner
from contracts.directory import Names
from contracts.message import Message
from contracts.partner_limits import LONGEST_TEXT, limit_mistakes, mistake_at
from contracts.partners import Mistake
from contracts.topics import PARTNER_IN, topic_of_partner

UNREADABLE = "event_unreadable"
FORM_UNSUPPORTED = "event_form_unsupported"
MALFORMED = "event_malformed"
TYPE_UNKNOWN = "event_type_unknown"
FACT_KNOWN = "fact_already_known"
CORRECTION_UNKNOWN = "correction_unknown"
ID_REUSED = "event_id_reused"
CALL_TOO_LONG = "call_too_long"

SENTENCES: Mapping[str, Names] = {
    UNREADABLE: Names(
        "The record is no CloudEvent with a JSON object as its value.", "消息不是带有 JSON 对象的 CloudEvent。"
    ),
    FORM_UNSUPPORTED: Names(
        "The record has a form of CloudEvents that is not read: a batch, another format than JSON, or data that is not "
        "JSON.",
        "不支持该 CloudEvents 形式：批量、非 JSON 格式或非 JSON 数据。",
    ),
    MALFORMED: Names("The event does not say what its type asks for.", "事件内容不符合其类型的要求。"),
    TYPE_UNKNOWN: Names("There is no event of this type for partners.", "没有供合作方使用的此类事件。"),
    FACT_KNOWN: Names(
        "This is known of this leg of the call already; a correction names the event it replaces in `corrects`, and "
        "another call needs another reference.",
        "该通话的这一段已有此事实；更正须在 corrects 中写明被更正的事件，另一通呼叫须使用另一个编号。",
    ),
    CORRECTION_UNKNOWN: Names(
        "There is no earlier event of this type and subject with the id that it corrects.",
        "同一对象下没有可被更正的同类事件。",
    ),
    CALL_TOO_LONG: Names("A call has at most a thousand events.", "一通呼叫最多有一千个事件。"),
    ID_REUSED: Names("The id was used for another event before.", "该事件编号已用于另一事件。"),
}
"""The sentence of each code."""

PARKED = (UNREADABLE, FORM_UNSUPPORTED)
"""What may hide an event that later ones of its key build on: the key waits until an operator has looked at it."""

ONCE_A_LEG = (
    p.PartnerCallQueued,
    p.PartnerCallAnswered,
    p.PartnerCallTransferred,
    p.PartnerCallAbandoned,
    p.PartnerCallLost,
    p.PartnerCallEnded,
    p.PartnerAfterCallWorkEnded,
)
"""Of these one is known for each leg."""

ONCE_A_CALL = (p.PartnerCallOffered, p.PartnerCallRated)


@dataclass(frozen=True, slots=True)
class Checked:
    """A record as it was judged: a message, or a code with mistakes."""

    message: Message | None = None
    code: str | None = None
    mistakes: tuple[Mistake, ...] = ()
    event_id: str | None = None
    event_type: str | None = None
    subject: str | None = None


def check_record(
    key: bytes | None,
    value: bytes | None,
    headers: Iterable[tuple[str, bytes]],
    *,
    partner_id: str,
    now: datetime,
) -> Checked:
    """Judges one record of `partner.<partner_id>.in`; never raises."""
    record = structured.unwrap(value, headers)
    value, attributes = record.value, _attributes(record.headers)
    checked = partial(
        Checked, event_id=attributes.get("ce_id"), event_type=attributes.get("ce_type"), subject=_subject(key)
    )
    if not record.is_supported:
        return checked(code=FORM_UNSUPPORTED, mistakes=record.mistakes)
    if record.mistakes:
        return checked(code=UNREADABLE, mistakes=record.mistakes)
    mistakes = [*_name_mistakes(record.headers), *_header_mistakes(key, attributes, partner_id)]
    body = _json_object(value)
    entry = BY_TYPE.get(attributes.get("ce_type", ""))
    if mistakes or body is None:
        if body is None:
            mistakes.append(
                mistake_at("", "the value is not a JSON object in UTF-8", "内容不是 UTF-8 的 JSON 对象", "{…}")
            )
        return checked(code=UNREADABLE, mistakes=tuple(mistakes))
    if entry is None or entry.kind is not MessageKind.PARTNER_EVENT:
        return checked(code=TYPE_UNKNOWN, mistakes=(_type_mistake(),))
    if found := [*_duplicate_mistakes(value or b""), *_shape_mistakes(entry.body, body)]:
        return checked(code=MALFORMED, mistakes=tuple(found))
    try:
        message = decode(key, value, _pairs(attributes), topic=topic_of_partner(PARTNER_IN, partner_id))
    except MalformedMessage as error:
        return checked(code=MALFORMED, mistakes=(mistake_at("", str(error), "内容不符合要求"),))
    return check_message(message, now=now)


def check_message(message: Message, *, now: datetime) -> Checked:
    """Judges what `codec.decode` could read: the type, and whether its content is possible."""
    checked = partial(Checked, event_id=message.id[:LONGEST_TEXT], event_type=message.type, subject=message.subject)
    if message.body is None:
        return checked(code=TYPE_UNKNOWN, mistakes=(_type_mistake(),))
    found = [
        mistake_at(name, "is not a short printable text", "不是可打印的短文本", f"1 to {LONGEST_TEXT} characters")
        for name, text in (("ce_id", message.id), ("ce_subject", message.subject))
        if not is_short(text)
    ]
    found += limit_mistakes(message, now)
    return checked(code=MALFORMED, mistakes=tuple(found)) if found else checked(message=message)


def _type_mistake() -> Mistake:
    types = sorted(name for name, entry in BY_TYPE.items() if entry.kind is MessageKind.PARTNER_EVENT)
    return mistake_at("ce_type", "unknown type", "未知类型", ", ".join(types))


def is_short(text: str) -> bool:
    """Whether it can be a name: 1 to 200 printable characters."""
    return 0 < len(text) <= LONGEST_TEXT and text.isprintable() and "�" not in text


def unknown_fields(message: Message) -> list[str]:
    """Fields of the value that the type does not have: ignored, and often a field misspelt."""
    body = json.loads(message.data)
    return sorted(set(body) - {field.name for field in fields(message.body)})


def _attributes(headers: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    return {name: bytes(text or b"").decode("utf-8", "replace") for name, text in headers if name.startswith("ce_")}


def _pairs(attributes: Mapping[str, str]) -> list[tuple[str, bytes]]:
    return [(name, text.encode()) for name, text in attributes.items()]


def _subject(key: bytes | None) -> str | None:
    try:
        return key.decode() if key else None
    except UnicodeDecodeError:
        return None


def _name_mistakes(headers: Iterable[tuple[str, bytes]]) -> Iterator[Mistake]:
    for name, _ in headers:
        if not is_utf8(name):
            yield mistake_at(
                name.encode("utf-8", "backslashreplace").decode(), "the header name is not UTF-8", "头名称不是 UTF-8"
            )


def _header_mistakes(key: bytes | None, attributes: Mapping[str, str], partner_id: str) -> Iterator[Mistake]:
    wanted = {"ce_specversion": "1.0", "ce_source": source_of_partner(partner_id), "ce_subject": _subject(key) or ""}
    for name in ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time"):
        text = attributes.get(name, "")
        if not text:
            yield mistake_at(name, "the header is missing", "缺少此头", wanted.get(name, ""))
        elif name in wanted and text != wanted[name]:
            yield mistake_at(name, f"is {text[:80]!r}", "内容不符", wanted[name] or "the record's key, in UTF-8")
        elif not is_short(text):
            yield mistake_at(
                name, "is not a short printable text", "不是可打印的短文本", f"1 to {LONGEST_TEXT} characters"
            )
    if "ce_time" in attributes and _moment(attributes["ce_time"]) is None:
        yield mistake_at("ce_time", "is not a time with a zone", "不是带时区的时间", "2026-11-22T08:00:00.000000Z")


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo is not None else None
    except ValueError:
        return None


def _json_object(value: bytes | None) -> dict[str, Any] | None:
    try:
        strict_json.check(value or b"")
    except strict_json.DuplicateKey:
        pass  # readable, and answered as a mistake with its place
    except (strict_json.NotUtf8, strict_json.TooDeep):
        return None
    try:
        body = msgspec.json.decode(value or b"")
        return body if isinstance(body, dict) else None
    except (msgspec.DecodeError, RecursionError):
        return None


_LONGEST_POINTER = 200
"""Characters: a key can be as long as a record."""


def _duplicate_mistakes(value: bytes) -> Iterator[Mistake]:
    try:
        strict_json.check(value)
    except strict_json.DuplicateKey as error:
        pointer = error.pointer[:_LONGEST_POINTER]
        yield mistake_at(pointer, "is given more than once", "出现多次", "each key of an object once")


def _shape_mistakes(shape: type, body: Mapping[str, Any], place: str = "") -> Iterator[Mistake]:
    hints = get_type_hints(shape)
    for field in fields(shape):
        pointer, right = f"{place}/{field.name}", _described(hints[field.name])
        if field.name not in body:
            if field.default is MISSING and field.default_factory is MISSING:
                yield mistake_at(pointer, "is missing", "缺少此项", right)
            continue
        try:
            msgspec.convert(body[field.name], hints[field.name])
        except msgspec.ValidationError as error:
            wrong, _, inner = str(error).partition(" - at `$")
            yield mistake_at(pointer + inner.rstrip("`").replace(".", "/"), wrong, "内容不符合要求", right)


def _described(hint: Any) -> str:
    """What a field takes, in a few words."""
    names = {str: "text", int: "whole number", bool: "true or false", datetime: "time with zone", type(None): "null"}
    if hint in names:
        return names[hint]
    if get_origin(hint) is tuple:
        return f"list of {_described(get_args(hint)[0])}"
    if isinstance(hint, UnionType):
        return " or ".join(map(_described, get_args(hint)))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return "one of " + ", ".join(hint)
    return "object" if not is_dataclass(hint) else "object with " + ", ".join(field.name for field in fields(hint))


def place_of(body: Any) -> tuple[Any, ...] | None:
    """What there can be one of: an event in the same place is refused unless it corrects. None: any number."""
    if isinstance(body, ONCE_A_CALL):
        return (type(body),)
    if isinstance(body, ONCE_A_LEG):
        return (type(body), body.leg)
    if isinstance(body, p.PartnerRecordingAvailable):
        return (type(body), body.recording_id)
    return None


class Course:
    """The events of one subject so far, as far as later ones can be wrong because of them."""

    def __init__(self) -> None:
        self._types: dict[str, type] = {}
        self._places: dict[tuple[Any, ...], str] = {}

    def know(self, event_id: str, body: Any) -> None:
        """Adds an event that was taken before, with what it corrected left out."""
        self._types[event_id] = type(body)
        if (place := place_of(body)) is not None:
            self._places[place] = event_id

    def take(self, event_id: str, body: Any) -> str | None:
        """Adds an event; returns the code that it is refused with, or None."""
        corrects = getattr(body, "corrects", None)
        if corrects is not None and self._types.get(corrects) is not type(body):
            return CORRECTION_UNKNOWN
        place = place_of(body)
        if place is not None:
            if self._places.get(place, corrects) != corrects:
                return FACT_KNOWN
            if corrects is not None:
                self._places = {where: one for where, one in self._places.items() if one != corrects}
            self._places[place] = event_id
        if corrects is not None:
            # What was corrected is no more; the correction can be corrected.
            del self._types[corrects]
        self._types[event_id] = type(body)
        return None
