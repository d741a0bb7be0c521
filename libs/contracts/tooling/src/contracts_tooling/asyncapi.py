"""The AsyncAPI 3.0 document: channels are topics, operations are what each service sends and receives.

Each header and each topic's key is defined once; payloads are the schema files beside the document; examples are
golden records. `tests/interop` holds the document against AsyncAPI's own parser.
"""

import json
from collections.abc import Iterable
from typing import Any

from contracts.catalogue import CATALOGUE, Entry, MessageKind
from contracts.codec import headers_of
from contracts.lifecycle import Service
from contracts.topics import PARTNER_ID, PARTNER_IN, TEMPLATES, TOPICS, Topic
from contracts_tooling.golden import fullest
from contracts_tooling.schemas import Schema, file_name

_BINDING = "0.5.0"
_TEXT: Schema = {"type": "string", "minLength": 1}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_WHOLE: Schema = {"type": "string", "pattern": "^0*[1-9][0-9]*$", "maxLength": 9}

CHANNELS = (*TOPICS, *TEMPLATES)

HEADERS: dict[str, tuple[str, Schema]] = {
    "ce_specversion": ("The version of CloudEvents.", {"type": "string", "const": "1.0"}),
    "ce_id": ("The message's own id; a repeated delivery repeats it.", _TEXT),
    "ce_source": ("The writing service, `/linework/<service>`, or `/partner/<id>`.", _TEXT),
    "ce_type": ("What it is, with a version: a name of the catalogue.", _TEXT),
    "ce_subject": ("The order or entity it is about; equal to the record's key.", _TEXT),
    "ce_time": ("When it was done: RFC 3339 with a time zone, from 1970 to 2199.", _MOMENT),
    "ce_recordedtime": ("When the service wrote it, within the same years; `ce_time` if left out.", _MOMENT),
    "ce_actor": ("Who did it: the subject of the caller's token.", {"type": "string"}),
    "ce_actorrole": ("The role they acted in.", {"type": "string"}),
    "ce_actorname": ("The name colleagues know them by.", {"type": "string"}),
    "ce_orderversion": ("The order's version after the event: 1, 2, 3, … without gaps.", _WHOLE),
    "ce_entityversion": (
        "The entity's version, the highest being the present one; of a fact, its place in its stream: 1, 2, 3, … "
        "without gaps.",
        _WHOLE,
    ),
    "ce_prevhash": (
        "SHA-256 of the order's event before this one; 64 zeros in version 1.",
        {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    ),
    "ce_correlationid": ("What it all began with, such as a call.", _TEXT),
    "ce_causationid": ("The message or command that caused it.", _TEXT),
    "ce_traceparent": ("W3C trace context of the command.", _TEXT),
    "ce_replayid": ("It was sent before, under the same `ce_id`: the event that asked for the replay.", _TEXT),
    "content-type": ("Always `application/json`.", {"type": "string", "const": "application/json"}),
}
"""Every header, what it means and what it holds."""

REQUIRED = ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time")
"""Without these no message is read."""

_REQUIRED_BY_KIND = {
    MessageKind.EVENT: ("ce_orderversion", "ce_prevhash"),
    MessageKind.ENTITY: ("ce_entityversion",),
    MessageKind.FACT: ("ce_entityversion",),
    MessageKind.PARTNER_ANSWER: (),
}
COMMON_HEADERS = "Headers"
_HEADERS_OF_KIND = {
    MessageKind.EVENT: "EventHeaders",
    MessageKind.ENTITY: "VersionedHeaders",
    MessageKind.FACT: "VersionedHeaders",
    MessageKind.PARTNER_ANSWER: "PartnerAnswerHeaders",
}
_ONLY_IN = {
    "ce_orderversion": (MessageKind.EVENT,),
    "ce_prevhash": (MessageKind.EVENT,),
    "ce_entityversion": (MessageKind.ENTITY, MessageKind.FACT),
    "ce_replayid": (MessageKind.PARTNER_ANSWER,),
}


def required_headers(kind: MessageKind) -> tuple[str, ...]:
    return (*REQUIRED, *_REQUIRED_BY_KIND.get(kind, ()))


def headers_of_kind(kind: MessageKind) -> tuple[str, ...]:
    """The headers that a message of this kind may have."""
    return tuple(name for name in HEADERS if kind in _ONLY_IN.get(name, (kind,)))


def document() -> Schema:
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Linework",
            "version": "1.0.0",
            "description": "What the services of Linework say to each other and to others on Kafka. CloudEvents 1.0, "
            "binary mode: attributes in `ce_*` headers, a JSON value, the key equal to `ce_subject`. Partners may "
            "write in structured mode too: `content-type: application/cloudevents+json`, the whole event as the value. "
            "Readers ignore headers, fields and types they do not know.",
        },
        "servers": _servers(),
        "defaultContentType": "application/json",
        "channels": {channel_id(topic): _channel(topic) for topic in CHANNELS},
        "operations": _operations(),
        "components": {
            "messages": {entry.body.__name__: _message(entry) for entry in CATALOGUE},
            "messageBindings": {channel_id(topic): _key_of(topic) for topic in CHANNELS},
            "schemas": _headers(),
            "securitySchemes": _SECURITY,
        },
    }


_SECURITY: Schema = {
    "scram": {
        "type": "scramSha512",
        "description": "A user of its own for each service and partner, by SASL SCRAM-SHA-512 over TLS.",
    },
    "certificate": {
        "type": "X509",
        "description": "Mutual TLS: the certificate's name is the user's, and has the user's rights.",
    },
}


def _servers() -> dict[str, Schema]:
    """Which of the two ways in a broker asks for is its operator's choice."""
    return {
        "production": {
            "host": "{bootstrap}",
            "protocol": "kafka-secure",
            "title": "An installation",
            "description": "TLS always; a user with a password, or a certificate.",
            "variables": {
                "bootstrap": {"description": "Host and port of a broker.", "examples": ["kafka.example:9093"]}
            },
            "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in _SECURITY],
        },
        "local": {
            "host": "127.0.0.1:8007",
            "protocol": "kafka",
            "title": "One machine",
            "description": "What `make run` starts: on loopback, without TLS, and nobody is asked.",
        },
    }


def _operations() -> dict[str, Schema]:
    pairs = [(service, topic) for service in Service for topic in CHANNELS]
    sent = [_operation(service, topic, sends=True) for service, topic in pairs if _sent(service, topic)]
    return dict(sent + [_operation(service, topic) for service, topic in pairs if _receives(service, topic)])


def _receives(service: Service, topic: Topic) -> bool:
    """Partners talk with intake alone."""
    return topic in TOPICS or (topic is PARTNER_IN and service is Service.INTAKE)


def _of(topic: Topic) -> list[Entry]:
    return [entry for entry in CATALOGUE if entry.topic.name == topic.name]


def _sent(service: Service, topic: Topic) -> list[Entry]:
    return [entry for entry in _of(topic) if service in entry.owners]


def channel_id(topic: Topic) -> str:
    """The topic's name, as the document can refer to it: `partner.id.in` for `partner.<id>.in`."""
    return topic.name.replace("<", "").replace(">", "")


def _channel(topic: Topic) -> Schema:
    parameters = {"parameters": {"id": {"description": "The partner's id."}}} if topic in TEMPLATES else {}
    return {
        "address": topic.name.replace("<", "{").replace(">", "}"),
        **parameters,
        "title": topic.name,
        "description": topic.description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _names(_of(topic))},
        "bindings": {
            "kafka": {
                **({} if topic in TEMPLATES else {"topic": topic.name}),
                "partitions": topic.partitions,
                "topicConfiguration": {name: _configured(name, text) for name, text in topic.config.items()},
                "bindingVersion": _BINDING,
            }
        },
    }


def _configured(name: str, text: str) -> Any:
    if name == "cleanup.policy":
        return text.split(",")
    return int(text) if text.lstrip("-").isdigit() else text


def _names(entries: list[Entry]) -> list[str]:
    return [entry.body.__name__ for entry in entries]


def _operation(service: Service, topic: Topic, *, sends: bool = False) -> tuple[str, Schema]:
    verb, channel = "sends" if sends else "receives", channel_id(topic)
    operation: Schema = {
        "action": "send" if sends else "receive",
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": f"{service.value} {verb} on {topic.name}.",
    }
    if sends:  # without a list all messages of the channel are meant
        sent = _names(_sent(service, topic))
        operation["messages"] = [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in sent]
    return f"{service.value}-{verb}-{channel}", operation


def _message(entry: Entry) -> Schema:
    return {
        "name": entry.type,
        "title": entry.body.__name__,
        "summary": entry.description,
        "headers": {
            "allOf": [{"$ref": f"#/components/schemas/{_HEADERS_OF_KIND.get(entry.kind, COMMON_HEADERS)}"}],
            "properties": {"ce_type": {"const": entry.type}, "ce_source": _sources(entry)},
        },
        "payload": {"$ref": file_name(entry)},
        "examples": [_example(entry)],
        "bindings": {"$ref": f"#/components/messageBindings/{channel_id(entry.topic)}"},
    }


def _example(entry: Entry) -> Schema:
    message = fullest(entry.type)
    return {"name": entry.body.__name__, "headers": headers_of(message), "payload": json.loads(message.data)}


def _sources(entry: Entry) -> Schema:
    if entry.kind is MessageKind.PARTNER_EVENT:
        return {"pattern": f"^/partner/{PARTNER_ID.pattern}$"}
    return {"enum": [f"/linework/{owner.value}" for owner in entry.owners]}


def _key_of(topic: Topic) -> Schema:
    key = {"type": "string", "description": f"The {topic.key}, equal to ce_subject."}
    return {"kafka": {"key": key, "bindingVersion": _BINDING}}


def _headers() -> dict[str, Schema]:
    common = [name for name in HEADERS if name not in _ONLY_IN]
    found: dict[str, Schema] = {COMMON_HEADERS: {"type": "object", **_described(common), "required": list(REQUIRED)}}
    for kind, name in _HEADERS_OF_KIND.items():
        found[name] = {
            "allOf": [{"$ref": f"#/components/schemas/{COMMON_HEADERS}"}],
            **_described(header for header, kinds in _ONLY_IN.items() if kind in kinds),
            "required": list(_REQUIRED_BY_KIND[kind]),
        }
    return found


def _described(names: Iterable[str]) -> Schema:
    return {"properties": {name: {**HEADERS[name][1], "description": HEADERS[name][0]} for name in names}}
