"""The AsyncAPI document: its structure as version 3.0 asks for it, and its truth."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from contracts.catalogue import CATALOGUE, Entry
from contracts.codec import MalformedMessage, decode, encode, headers_of
from contracts.lifecycle import Service
from contracts.message import Message
from contracts.topics import PARTNER_IN, PARTNER_OUT, TOPICS
from contracts_tooling.asyncapi import CHANNELS, HEADERS, channel_id, document, headers_of_kind, required_headers
from contracts_tooling.golden import MESSAGES
from contracts_tooling.schemas import files

DOCUMENT = document()
FILES = {"asyncapi.json": DOCUMENT} | {name: json.loads(text) for name, text in files().items()}
REGISTRY = Registry().with_resources((name, DRAFT202012.create_resource(file)) for name, file in FILES.items())
CHANNEL_FIELDS = {"address", "messages", "title", "summary", "description", "servers", "parameters", "tags", "bindings"}
OPERATION_FIELDS = {"action", "channel", "title", "summary", "description", "messages", "bindings", "tags", "reply"}
MESSAGE_FIELDS = {"headers", "payload", "correlationId", "contentType", "name", "title", "summary", "description"}
RECORDED = pytest.mark.parametrize("message", MESSAGES.values(), ids=list(MESSAGES))


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for inner in part.values():
            yield from _references(inner)
    if isinstance(part, list):
        for inner in part:
            yield from _references(inner)


def _at(reference: str, file: str = "asyncapi.json") -> Any:
    """What a reference of a file leads to, in the same file or one beside it; raises `KeyError` if it leads nowhere."""
    name, _, pointer = reference.partition("#")
    part: Any = FILES[name or file]
    for step in pointer.split("/")[1:]:
        part = part[step]
    return part


def _validator(message: Message, part: str) -> Draft202012Validator:
    """Of the headers or the payload that the document describes for messages of this type."""
    pointer = f"asyncapi.json#/components/messages/{_message_of(message)['title']}/{part}"
    return Draft202012Validator({"$ref": pointer}, registry=REGISTRY)


def _headers(message: Message, keyword: str) -> set[str]:
    """The names of the described (`properties`) or of the required headers, those of shared definitions included."""
    parts = [_message_of(message)["headers"]]
    for part in parts:  # the list grows while it is read
        parts += [_at(each["$ref"]) for each in part.get("allOf", ())]
    return {name for part in parts for name in part.get(keyword, ())}


def _message_of(message: Message) -> dict[str, Any]:
    (found,) = [item for item in DOCUMENT["components"]["messages"].values() if item["name"] == message.type]
    return found


def test_the_document_has_the_fields_of_version_3() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    parts = {"asyncapi", "info", "defaultContentType", "servers", "channels", "operations", "components"}
    assert set(DOCUMENT) == parts
    assert {"title", "version"} <= set(DOCUMENT["info"])
    assert all(set(channel) <= CHANNEL_FIELDS for channel in DOCUMENT["channels"].values())
    assert all(set(operation) <= OPERATION_FIELDS for operation in DOCUMENT["operations"].values())
    messages = DOCUMENT["components"]["messages"].values()
    assert all(set(message) <= MESSAGE_FIELDS | {"bindings", "tags", "examples"} for message in messages)


def dangling() -> list[str]:
    found = []
    for file, content in FILES.items():
        for reference in _references(content):
            try:
                _at(reference, file)
            except KeyError:
                found.append(f"{file}: {reference}")
    return found


def test_every_reference_of_every_file_leads_somewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    assert dangling() == []
    monkeypatch.setitem(
        FILES, "planted.json", {"items": [{"$ref": "definitions.json#/$defs/Nothing"}, {"$ref": "no.json"}]}
    )
    assert dangling() == ["planted.json: definitions.json#/$defs/Nothing", "planted.json: no.json"]


def test_a_header_is_defined_once_and_a_payload_in_its_own_file() -> None:
    shared = [name for schema in DOCUMENT["components"]["schemas"].values() for name in schema["properties"]]
    assert sorted(shared) == sorted(HEADERS)
    for entry in CATALOGUE:
        message = DOCUMENT["components"]["messages"][entry.body.__name__]
        assert _at(message["payload"]["$ref"])["x-linework"]["type"] == entry.type
        assert message["headers"]["properties"].keys() == {"ce_type", "ce_source"}


def test_every_name_in_components_is_allowed() -> None:
    for part in DOCUMENT["components"].values():
        assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in part)


def test_a_channel_is_a_topic_with_all_its_messages() -> None:
    for topic in TOPICS:
        channel = DOCUMENT["channels"][topic.name]
        assert channel["address"] == channel["bindings"]["kafka"]["topic"] == topic.name
    for topic in CHANNELS:
        channel = DOCUMENT["channels"][channel_id(topic)]
        names = {_at(reference["$ref"])["name"] for reference in channel["messages"].values()}
        assert names == {entry.type for entry in CATALOGUE if entry.topic is topic}


def test_a_channel_of_partners_says_where_the_partner_stands_in_its_address() -> None:
    for topic, address in ((PARTNER_IN, "partner.{id}.in"), (PARTNER_OUT, "partner.{id}.out")):
        channel = DOCUMENT["channels"][channel_id(topic)]
        assert (channel["address"], set(channel["parameters"])) == (address, {"id"})


def test_partners_talk_with_intake_alone() -> None:
    of_partners = {name for name in DOCUMENT["operations"] if "partner" in name}
    assert of_partners == {"intake-receives-partner.id.in", "intake-sends-partner.id.out"}


def test_an_operation_names_messages_of_its_own_channel() -> None:
    for operation in DOCUMENT["operations"].values():
        channel = operation["channel"]["$ref"]
        assert operation["action"] in ("send", "receive")
        # Without a list an operation is about every message of its channel.
        assert ("messages" in operation) == (operation["action"] == "send")
        assert all(item["$ref"].startswith(f"{channel}/messages/") for item in operation.get("messages", ()))


@pytest.mark.parametrize("service", Service)
def test_a_service_sends_what_it_owns_and_nothing_else(service: Service) -> None:
    sent = {
        _at(_at(item["$ref"])["$ref"])["name"]
        for name, operation in DOCUMENT["operations"].items()
        if operation["action"] == "send" and name.startswith(f"{service}-")
        for item in operation["messages"]
    }
    assert sent == {entry.type for entry in CATALOGUE if service in entry.owners}


def test_a_server_of_an_installation_asks_for_a_user_or_a_certificate() -> None:
    servers = DOCUMENT["servers"]
    schemes = [_at(one["$ref"])["type"] for one in servers["production"]["security"]]
    assert (servers["production"]["protocol"], schemes) == ("kafka-secure", ["scramSha512", "X509"])
    assert (servers["local"]["protocol"], "security" in servers["local"]) == ("kafka", False)


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.body.__name__)
def test_every_message_has_an_example_that_is_a_record(entry: Entry) -> None:
    (example,) = DOCUMENT["components"]["messages"][entry.body.__name__]["examples"]
    records = [
        (headers_of(message), json.loads(message.data)) for message in MESSAGES.values() if message.type == entry.type
    ]
    assert (example["headers"], example["payload"]) in records


@RECORDED
def test_a_recorded_message_fits_payload_and_headers(message: Message) -> None:
    _validator(message, "payload").validate(json.loads(message.data))
    _validator(message, "headers").validate(headers_of(message))


@RECORDED
@pytest.mark.parametrize(
    "planted", [{"ce_type": "linework.other.v1"}, {"ce_source": "/linework/other"}, {"ce_time": 1}]
)
def test_headers_of_another_type_writer_or_form_do_not_fit(message: Message, planted: dict[str, Any]) -> None:
    assert not _validator(message, "headers").is_valid(headers_of(message) | planted)


@RECORDED
def test_no_header_is_sent_that_is_not_described(message: Message) -> None:
    assert set(headers_of(message)) <= _headers(message, "properties")


@RECORDED
def test_a_header_is_required_exactly_if_nothing_is_read_without_it(message: Message) -> None:
    key, value, headers = encode(message)
    needed = set()
    for name, _ in headers:
        try:
            decode(key, value, [header for header in headers if header[0] != name])
        except MalformedMessage:
            needed.add(name)
    assert needed == _headers(message, "required")


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.body.__name__)
def test_what_is_required_is_described(entry: Entry) -> None:
    assert set(required_headers(entry.kind)) <= set(headers_of_kind(entry.kind))
