"""The JSON Schemas say what the codec does."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from contracts.catalogue import BY_BODY, BY_TYPE, CATALOGUE, Entry
from contracts.codec import MalformedMessage, decode, encode
from contracts.message import Message
from contracts_tooling.golden import MESSAGES
from contracts_tooling.schemas import components, field_notes, files, json_text, read_files, schema_of

ENTRIES = pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.body.__name__)
RECORDED = pytest.mark.parametrize("message", MESSAGES.values(), ids=list(MESSAGES))
OTHER_KINDS: tuple[Any, ...] = (17, 1.5, True, "2026-03-02T08:00:00", "\u0001", [], [1], {}, None)


def _validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(schema_of(BY_TYPE[kind]))


def _is_read(message: Message, body: Any) -> bool:
    key, _, headers = encode(message)
    try:
        decode(key, json.dumps(body).encode(), headers)
    except MalformedMessage:
        return False
    return True


def _damaged(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The body without each field, and with another kind of value in each, also one level down."""
    found: list[dict[str, Any]] = []
    for name, value in body.items():
        found.append({other: kept for other, kept in body.items() if other != name})
        found += [body | {name: other} for other in OTHER_KINDS]
        if isinstance(value, dict):
            found += [body | {name: inner} for inner in _damaged(value)]
    return found


@ENTRIES
def test_every_schema_is_valid_and_of_the_current_dialect(entry: Entry) -> None:
    schema = schema_of(entry)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert schema["$id"] == f"{entry.type}.json"


def test_the_files_say_what_the_schemas_say_and_no_shape_twice() -> None:
    texts = files()
    assert read_files(texts) == {entry.type: json.loads(json_text(schema_of(entry))) for entry in CATALOGUE}
    shapes = [name for text in texts.values() for name in json.loads(text).get("$defs", {})]
    assert len(shapes) == len(set(shapes)) > 20


@ENTRIES
def test_every_schema_says_who_writes_it_where(entry: Entry) -> None:
    facts = schema_of(entry)["x-linework"]
    assert facts["owners"] == (sorted(entry.owners) or ["partner"])
    assert (facts["topic"], facts["key"], facts["kind"]) == (entry.topic.name, entry.topic.key, entry.kind)


@RECORDED
def test_every_encoded_message_fits_its_schema(message: Message) -> None:
    _validator(message.type).validate(json.loads(message.data))


@RECORDED
def test_unknown_fields_fit_every_schema(message: Message) -> None:
    _validator(message.type).validate(json.loads(message.data) | {"unknown": {"a": [1]}})


@RECORDED
def test_a_value_fits_its_schema_if_and_only_if_it_is_read(message: Message) -> None:
    validator = _validator(message.type)
    for body in _damaged(json.loads(message.data)):
        assert validator.is_valid(body) == _is_read(message, body), body


def test_the_docstring_below_a_field_is_its_description() -> None:
    entry = BY_TYPE["linework.work_order.rejected.v1"]
    assert schema_of(entry)["properties"]["explanation"]["description"] == "The misdispatch explanation 误派说明."
    assert field_notes(entry.body) == {"explanation": "The misdispatch explanation 误派说明."}


def test_an_appointment_is_two_times_with_a_zone_or_null() -> None:
    schema = schema_of(BY_TYPE["linework.work_order.created.v1"])
    assert {"type": "null"} in schema["properties"]["appointment"]["anyOf"]
    assert schema["$defs"]["Appointment"]["properties"]["start"]["format"] == "date-time"


@dataclass
class _Visit:
    arrived_at: datetime
    left_at: datetime | None = None
    seen_at: tuple[datetime, ...] = ()
    """When somebody looked."""


def test_times_have_their_form_wherever_they_are() -> None:
    properties = components([_Visit], "#/$defs/{name}")["_Visit"]["properties"]
    assert properties["arrived_at"]["format"] == "date-time"
    assert [item.get("format") for item in properties["left_at"]["anyOf"]] == ["date-time", None]
    assert properties["seen_at"]["items"]["format"] == "date-time"
    assert properties["seen_at"]["description"] == "When somebody looked."


def test_no_two_messages_share_a_type_or_a_shape() -> None:
    assert len(BY_TYPE) == len(BY_BODY) == len(CATALOGUE)


@ENTRIES
def test_only_writers_of_a_topic_own_its_messages_and_names_are_stable_and_versioned(entry: Entry) -> None:
    assert set(entry.owners) <= set(entry.topic.writers)
    linework, _, name, version = entry.type.split(".")
    assert (linework, version[0], version[1:].isdigit(), name) == ("linework", "v", True, name.lower())
