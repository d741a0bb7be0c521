"""The AsyncAPI document: its structure as version 3.0 asks for it, and its truth."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from contracts.catalogue import CATALOGUE, Entry
from contracts.codec import MalformedMessage, decode, encode, headers_of
from contracts.lifecycle import Service
from contracts.message import Message
from contracts.topics import PARTNER_IN, PARTNER_OUT, TOPICS
from contracts_tooling.asyncapi import CHANNELS, channel_id, document, headers_of_kind, required_headers
from contracts_tooling.golden import MESSAGES

DOCUMENT = document()
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


def _at(reference: str) -> Any:
    part: Any = DOCUMENT
    for name in reference.removeprefix("#/").split("/"):
        part = part[name]
    return part


def _validator(part: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(part | {"components": DOCUMENT["components"]})


def _message_of(message: Message) -> dict[str, Any]:
    (found,) = [item for item in DOCUMENT["components"]["messages"].values() if item["name"] == message.type]
    return found


def test_the_document_has_the_fields_of_version_3() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert set(DOCUMENT) == {"asyncapi", "info", "defaultContentType", "channels", "operations", "components"}
    assert {"title", "version"} <= set(DOCUMENT["info"])
    assert all(set(channel) <= CHANNEL_FIELDS for channel in DOCUMENT["channels"].values())
    assert all(set(operation) <= OPERATION_FIELDS for operation in DOCUMENT["operations"].values())
    messages = DOCUMENT["components"]["messages"].values()
    assert all(set(message) <= MESSAGE_FIELDS | {"bindings", "tags"} for message in messages)


def test_every_reference_leads_somewhere() -> None:
    references = list(_references(DOCUMENT))
    assert references
    for reference in references:
        assert _at(reference) is not None


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
        assert all(item["$ref"].startswith(f"{channel}/messages/") for item in operation["messages"])


@pytest.mark.parametrize("service", Service)
def test_a_service_sends_what_it_owns_and_nothing_else(service: Service) -> None:
    sent = {
        _at(_at(item["$ref"])["$ref"])["name"]
        for name, operation in DOCUMENT["operations"].items()
        if operation["action"] == "send" and name.startswith(f"{service}-")
        for item in operation["messages"]
    }
    assert sent == {entry.type for entry in CATALOGUE if service in entry.owners}


@RECORDED
def test_a_recorded_message_fits_payload_and_headers(message: Message) -> None:
    described = _message_of(message)
    _validator(_at(described["payload"]["$ref"])).validate(json.loads(message.data))
    _validator(described["headers"]).validate(headers_of(message))


@RECORDED
def test_no_header_is_sent_that_is_not_described(message: Message) -> None:
    assert set(headers_of(message)) <= set(_message_of(message)["headers"]["properties"])


@RECORDED
def test_a_header_is_required_exactly_if_nothing_is_read_without_it(message: Message) -> None:
    key, value, headers = encode(message)
    needed = set()
    for name, _ in headers:
        try:
            decode(key, value, [header for header in headers if header[0] != name])
        except MalformedMessage:
            needed.add(name)
    assert needed == set(_message_of(message)["headers"]["required"])


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.body.__name__)
def test_what_is_required_is_described(entry: Entry) -> None:
    assert set(required_headers(entry.kind)) <= set(headers_of_kind(entry.kind))
