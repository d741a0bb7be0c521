"""Whatever is said survives the journey; whatever arrives is read or refused, and nothing else happens."""

from contextlib import suppress
from dataclasses import is_dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, get_args, get_origin, get_type_hints

from hypothesis import given
from hypothesis import strategies as st

from contracts.catalogue import CATALOGUE, Entry, MessageKind
from contracts.codec import (
    FIRST_YEAR,
    LAST_YEAR,
    MalformedMessage,
    decode,
    encode,
    new_message,
    new_partner_message,
)
from contracts.message import Actor, Message
from contracts.topics import PARTNER_ID

TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=30)
NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=8)), timezone(timedelta(hours=-9, minutes=-30))])
MOMENTS = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=ZONES)  # noqa: DTZ001
PRESENT = st.datetimes(datetime(FIRST_YEAR, 1, 1), datetime(LAST_YEAR, 12, 31), timezones=ZONES)  # noqa: DTZ001

_PLAIN = {
    str: TEXTS,
    int: st.integers(0, 1000),
    bool: st.booleans(),
    datetime: MOMENTS,
    date: st.dates(),
    type(None): st.none(),
}


def values(hint: Any) -> st.SearchStrategy[Any]:
    """What a field of a body may hold. Not `from_type`: it would change the strategies of every other test."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    if is_dataclass(hint):
        return st.builds(hint, **{name: values(inner) for name, inner in get_type_hints(hint).items()})
    if get_origin(hint) is tuple:
        return st.lists(values(get_args(hint)[0]), max_size=4).map(tuple)
    return st.one_of(map(values, get_args(hint))) if get_args(hint) else st.sampled_from(list(hint))


@st.composite
def messages(draw: st.DrawFn) -> Message:
    entry: Entry = draw(st.sampled_from(CATALOGUE))
    attributes: dict[str, Any] = {}
    if entry.kind is MessageKind.EVENT:
        attributes["order_version"] = draw(st.integers(1, 999_999_999))
        attributes["prev_hash"] = draw(st.text("0123456789abcdef", min_size=64, max_size=64))
    if entry.kind in (MessageKind.ENTITY, MessageKind.FACT):
        attributes["entity_version"] = draw(st.integers(1, 999_999_999))
    if entry.kind is MessageKind.PARTNER_EVENT:
        return new_partner_message(
            draw(values(entry.body)),
            partner_id=draw(st.from_regex(PARTNER_ID, fullmatch=True)),
            event_id=draw(NAMES.filter(bool)),
            subject=draw(NAMES.filter(bool)),
            occurred_at=draw(PRESENT),
        )
    for name in ("correlation_id", "causation_id", "traceparent"):
        attributes[name] = draw(st.none() | NAMES.filter(bool))
    return new_message(
        draw(values(entry.body)),
        service=draw(st.sampled_from(entry.owners)),
        subject=draw(NAMES.filter(bool)),
        actor=Actor(draw(NAMES), draw(NAMES), draw(NAMES)),
        occurred_at=draw(PRESENT),
        recorded_at=draw(PRESENT),
        **attributes,
    )


@given(messages())
def test_encoding_decoding_and_encoding_again_gives_the_same_record(message: Message) -> None:
    record = encode(message)
    decoded = decode(*record)
    assert decoded == message
    assert encode(decoded) == record


@given(messages(), st.data())
def test_a_damaged_record_is_read_or_refused_and_never_breaks_the_reader(message: Message, data: st.DataObject) -> None:
    key, value, headers = encode(message)
    damaged = bytearray(value)
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    name, text = data.draw(st.sampled_from(headers))
    other = data.draw(st.binary(max_size=20) | st.just(text))
    with suppress(MalformedMessage):
        decode(key, bytes(damaged), [*headers, (name, other)])


@given(st.none() | st.binary(), st.none() | st.binary(), st.lists(st.tuples(st.text(), st.binary())))
def test_anything_at_all_is_read_or_refused(key: Any, value: Any, headers: Any) -> None:
    with suppress(MalformedMessage):
        decode(key, value, headers)
