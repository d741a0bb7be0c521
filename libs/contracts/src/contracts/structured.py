"""CloudEvents in structured mode: a record whose value is the whole event as JSON, attributes and data.

Partners' libraries often write nothing else, so `partner.<id>.in` takes it. It is turned into the binary form before
anything is judged, so that both forms are judged by the same rules: a member `time` is the header `ce_time`, and
`data`, byte for byte as it was sent, is the value. Our own topics are binary only.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from contracts import strict_json
from contracts.directory import Names
from contracts.partners import Mistake

MEDIA_TYPE = "application/cloudevents+json"
MOST_MEMBERS = 200
"""As many as a record may have headers."""

_PREFIX = "application/cloudevents"
_JSON_TYPE = re.compile(r"application/json|[a-z0-9.-]+/[a-z0-9.-]+\+json")
_NO_ATTRIBUTES = ("data", "data_base64", "datacontenttype")


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """A record in binary mode."""

    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    mistakes: tuple[Mistake, ...] = ()
    """Why it could not be turned into one, as far as it is no event at all."""
    is_supported: bool = True
    """False: a form of CloudEvents that is not read, such as a batch."""


def unwrap(value: bytes | None, headers: Iterable[tuple[str, bytes]]) -> Unwrapped:
    """The record in binary mode, of one that may be in structured mode; never raises."""
    headers = tuple(headers)
    content_types = _content_types(headers)
    if not any(one.startswith(_PREFIX) for one in content_types):
        return Unwrapped(value, headers)
    if mistakes := tuple(_form_mistakes(content_types)):
        return Unwrapped(None, headers, mistakes, is_supported=False)
    try:
        members = _members(value or b"")
    except strict_json.DuplicateKey as error:
        twice = _mistake(_shown(error.pointer), "is given more than once", "出现多次", "each member once")
        return Unwrapped(None, headers, (twice,))
    except (strict_json.NotUtf8, strict_json.TooDeep, msgspec.DecodeError, RecursionError):
        no_object = _mistake("", "the value is not a JSON object in UTF-8", "内容不是 UTF-8 的 JSON 对象", "{…}")
        return Unwrapped(None, headers, (no_object,))
    return _unwrapped(members, headers)


def wrap(headers: Mapping[str, str], value: bytes) -> bytes:
    """The value of a record in structured mode, of one in binary mode."""
    attributes = {name.removeprefix("ce_"): text for name, text in headers.items() if name.startswith("ce_")}
    event = {**attributes, "datacontenttype": "application/json", "data": msgspec.Raw(value)}
    return msgspec.json.encode(event)


def _unwrapped(members: Mapping[str, msgspec.Raw], headers: tuple[tuple[str, bytes], ...]) -> Unwrapped:
    attributes, mistakes = _attributes(members)
    if found := tuple(_data_mistakes(members)):
        return Unwrapped(None, _pairs(attributes), found, is_supported=False)
    mistakes += _contradictions(attributes, headers)
    others = tuple(pair for pair in headers if not pair[0].startswith("ce_"))
    data = members.get("data")
    return Unwrapped(None if data is None else bytes(data), _pairs(attributes) + others, tuple(mistakes))


def _shown(text: str) -> str:
    """A sender's own text as it can stand in an answer: short, and printable."""
    return json.dumps(text[:80], ensure_ascii=not text.isprintable())[1:-1]


def _mistake(pointer: str, en: str, zh: str, right: str) -> Mistake:
    return Mistake(pointer, Names(en, zh), right)


def _content_types(headers: Iterable[tuple[str, bytes]]) -> list[str]:
    """As they are compared: in lower case, without spaces."""
    return [
        bytes(text or b"").decode("utf-8", "replace").lower().replace(" ", "")
        for name, text in headers
        if name.lower() == "content-type"
    ]


def _form_mistakes(content_types: list[str]) -> Iterator[Mistake]:
    for text in content_types:
        media_type, *parameters = text.split(";")
        charsets = {one.partition("=")[2].strip('"') for one in parameters if one.startswith("charset=")}
        if media_type != MEDIA_TYPE:
            yield _mistake("content-type", "is no form of events that is read", "不是可读取的事件格式", MEDIA_TYPE)
        elif charsets - {"utf-8", "us-ascii"}:
            yield _mistake("content-type", "is not UTF-8", "不是 UTF-8", f"{MEDIA_TYPE}; charset=utf-8")


def _members(value: bytes) -> dict[str, msgspec.Raw]:
    """The members of the event, unread. Raises `NotUtf8`, `DuplicateKey` or msgspec's `DecodeError`."""
    try:
        strict_json.check(value)
    except strict_json.DuplicateKey as error:
        # Within the data it is judged with the data.
        if not error.pointer.startswith("/data/"):
            raise
    return msgspec.json.decode(value, type=dict[str, msgspec.Raw])


def _attributes(members: Mapping[str, msgspec.Raw]) -> tuple[dict[str, str], list[Mistake]]:
    """By their names as headers."""
    if len(members) > MOST_MEMBERS:
        return {}, [_mistake("", f"the event has {len(members)} members", "成员过多", f"at most {MOST_MEMBERS}")]
    attributes, mistakes = {}, []
    for name, raw in members.items():
        if name in _NO_ATTRIBUTES:
            continue
        try:
            text = _text(msgspec.json.decode(raw))
        except (TypeError, msgspec.DecodeError, RecursionError):
            mistakes.append(
                _mistake(
                    _shown(f"ce_{name}"), "is not a text, a whole number or a boolean", "不是文本、整数或布尔值", '"…"'
                )
            )
            continue
        if text is not None:
            attributes[f"ce_{name}"] = text
    return attributes, mistakes


def _text(value: Any) -> str | None:
    """An attribute as a header has it; None where it is left out."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | int):
        return json.dumps(value)
    raise TypeError(value)


def _pairs(attributes: Mapping[str, str]) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, text.encode()) for name, text in attributes.items())


def _is_json(content_type: msgspec.Raw | None) -> bool:
    """Of `datacontenttype`, which is JSON if it is left out."""
    try:
        text = msgspec.json.decode(content_type or b"null", type=str | None)
    except (msgspec.DecodeError, RecursionError):
        return False
    return text is None or bool(_JSON_TYPE.fullmatch(text.partition(";")[0].strip().lower()))


def _data_mistakes(members: Mapping[str, msgspec.Raw]) -> Iterator[Mistake]:
    if "data_base64" in members:
        yield _mistake("data_base64", "data in base64 is not read", "不读取 base64 数据", "a JSON object in data")
    if not _is_json(members.get("datacontenttype")):
        yield _mistake("datacontenttype", "is not JSON", "不是 JSON", "application/json")


def _contradictions(attributes: Mapping[str, str], headers: Iterable[tuple[str, bytes]]) -> list[Mistake]:
    """Headers of the binary form may stand beside the event, and say the same."""
    return [
        _mistake(
            _shown(name),
            "the header contradicts the event",
            "头与事件内容矛盾",
            _shown(attributes.get(name, "no such header")),
        )
        for name, text in headers
        if name.startswith("ce_") and bytes(text or b"").decode("utf-8", "replace") != attributes.get(name)
    ]
