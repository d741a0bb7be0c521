"""The OpenAPI document of a service, complete enough for a client generator.

FastAPI derives paths and schemas from routes and models. Added here: an operation id that is the name of the function,
who may use the route, the headers of requests and responses, one `Problem` for every refusal, and what each field and
parameter means (`chassis.field_words`).
"""

import inspect
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Response
from fastapi.routing import APIRoute

from chassis.field_examples import Examples, give_examples
from chassis.field_words import Vocabularies, describe_fields, describe_parameters
from chassis.problems import ETAG
from contracts.access import Grants

Schema = dict[str, Any]
SCHEME = "bearer"
_METHODS = ("get", "put", "post", "patch", "delete")

_SECURITY_SCHEME: Schema = {
    "type": "http",
    "scheme": SCHEME,
    "bearerFormat": "JWT",
    "description": "A token of the issuer; locally: `linework token ROLE`.",
}

PROBLEM: Schema = {
    "type": "object",
    "title": "Problem",
    "description": "Why a request was refused (RFC 9457). The values that `detail` names are further members.",
    "required": ["type", "title", "status", "code", "detail"],
    "additionalProperties": True,
    "properties": {
        "type": {"type": "string", "description": "The address of the page that explains the code."},
        "title": {"type": "string", "description": "The kind of problem for people, by `status`."},
        "status": {"type": "integer", "description": "The HTTP status of the response."},
        "code": {"type": "string", "description": "What was wrong; never changes. `docs/errors.md` lists all codes."},
        "detail": {"type": "string", "description": "What was wrong, in the language that `Accept-Language` prefers."},
        "instance": {
            "type": "string",
            "description": "The path of the request and, after `#`, its `X-Request-Id`.",
        },
        "errors": {
            "type": "array",
            "description": "Of an invalid request: each value that is wrong, at most 100 of them.",
            "items": {"$ref": "#/components/schemas/FieldError"},
        },
    },
    "examples": [
        {
            "type": "/v1/errors#parked_record_not_found",
            "title": "Not found",
            "status": 404,
            "code": "parked_record_not_found",
            "detail": "There is no parked record 17.",
            "instance": "/v1/parked/17#019a5c5e",
        }
    ],
}
FIELD_ERROR: Schema = {
    "type": "object",
    "title": "FieldError",
    "description": "One value of a request that is wrong.",
    "required": ["in", "pointer", "wrong"],
    "additionalProperties": True,
    "properties": {
        "in": {"type": "string", "description": "Where the value was: `body`, `query`, `path` or `header`."},
        "pointer": {
            "type": "string",
            "description": "Where exactly: a JSON Pointer such as `#/phones/0`.",
        },
        "wrong": {"type": "string", "description": "What is wrong with it."},
        "detail": {"type": "string", "description": "The same with the name of the fault, for people."},
        "right": {"type": "string", "description": "What would be right: the limit, or the values to choose from."},
    },
}
_TEXT: Schema = {"type": "string"}
_RETRY_AFTER: Schema = {
    "description": "Seconds after which the request may be repeated.",
    "required": True,
    "schema": {"type": "string", "pattern": "^[0-9]+$"},
}
_LINK: Schema = {
    "description": 'The following page, as `rel="next"`; left out on the last one.',
    "schema": _TEXT,
}
_REQUEST_ID: Schema = {
    "description": "The id of the request in the logs: the one that it came with, or a new one.",
    "required": True,
    "schema": _TEXT,
}
_HEADERS_OF_STATUS: Mapping[str, Mapping[str, Schema]] = {
    "401": {"WWW-Authenticate": {"description": "Always `Bearer`.", "required": True, "schema": _TEXT}},
    "429": {"Retry-After": _RETRY_AFTER},
    "503": {"Retry-After": _RETRY_AFTER},
}


def documented(route: APIRoute, grants: Grants) -> None:
    """Completes what FastAPI knows of a route that these grants open."""
    who = ", ".join(f"{role} ({reach})" for role, reach in grants.items())
    route.description += f"\n\nFor: {who}."
    route.openapi_extra = {
        "security": [{SCHEME: []}],
        "parameters": list(_headers_asked(route)),
        **(route.openapi_extra or {}),
    }


def named(route: APIRoute) -> None:
    """Names the operation after its function, which a service has once."""
    route.operation_id = route.name
    if route.summary is None:
        route.summary = route.name.replace("_", " ").capitalize()


def _headers_asked(route: APIRoute) -> Iterator[Schema]:
    """The headers of a command; `If-Match` where a version can be stale, required where the route asks for it."""
    for dependency in route.dependant.dependencies:
        for header in getattr(dependency.call, "openapi_parameters", ()):
            if header["name"] != "If-Match":
                yield header
            elif 412 in route.responses:
                yield {**header, "required": 428 in route.responses}


_TAGS_OF_EVERY_SERVICE = {
    "me": "Who the caller is, and what they may do here.",
    "parked records": "Dead letters: records that could not be applied, and every later record of their keys.",
    "publishing": "Whether the service sends its events to Kafka; it rests while partitions are added.",
}


@dataclass(frozen=True, slots=True)
class Documentation:
    """What a service says of its routes beside what stands in their code."""

    tags: Mapping[str, str] = field(default_factory=dict)
    """What each group of routes is about."""
    vocabularies: Vocabularies = field(default_factory=dict)
    """What fields and parameters mean, see `chassis.field_words`."""
    examples: Examples = field(default_factory=dict)
    """What fields of requests may hold, see `chassis.field_examples`."""

    def described_tags(self) -> list[Schema]:
        """The groups of routes, those of the service first."""
        every = {**self.tags, **_TAGS_OF_EVERY_SERVICE}
        return [{"name": name, "description": text} for name, text in every.items()]


def document(app: FastAPI) -> Schema:
    """The document of an app; made once."""
    if app.openapi_schema is None:
        app.openapi_schema = _completed(FastAPI.openapi(app), app)
    return app.openapi_schema


def _completed(document: Schema, app: FastAPI) -> Schema:
    routes = [route for route in app.routes if isinstance(route, APIRoute) and route.include_in_schema]
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    documentation: Documentation = app.state.documentation
    document["tags"] = documentation.described_tags()
    describe_fields(schemas, routes, documentation.vocabularies)
    for route in routes:
        for method in route.methods or ():
            operation = document["paths"][route.path_format][method.lower()]
            describe_parameters(operation, route, documentation.vocabularies)
            _complete_responses(operation, route, schemas)
    give_examples(schemas, operations_of(document), documentation.examples)
    components["schemas"] = dict(sorted((schemas | {"Problem": PROBLEM, "FieldError": FIELD_ERROR}).items()))
    components["headers"] = {"X-Request-Id": _REQUEST_ID}
    components["securitySchemes"] = {SCHEME: _SECURITY_SCHEME}
    _share_responses(document)
    return document


def _complete_responses(operation: Schema, route: APIRoute, schemas: Mapping[str, Schema]) -> None:
    for status, response in operation["responses"].items():
        response.setdefault("headers", {}).update(_HEADERS_OF_STATUS.get(status, {}))
        if status.startswith("2"):
            _describe_success(response, HTTPStatus(int(status)), schemas)
            if _replies_with_version(route, response, schemas):
                response["headers"]["ETag"] = ETAG
            if "next_cursor" in _shown(response, schemas).get("properties", {}):
                response["headers"]["Link"] = _LINK
        response["headers"]["X-Request-Id"] = {"$ref": "#/components/headers/X-Request-Id"}


def _describe_success(response: Schema, status: HTTPStatus, schemas: Mapping[str, Schema]) -> None:
    shown = _shown(response, schemas)
    if response["description"] == "Successful Response":
        response["description"] = shown.get("description") or status.phrase
    for media in response.get("content", {}).values():
        media.get("schema", {}).pop("title", None)


def _shown(response: Schema, schemas: Mapping[str, Schema]) -> Schema:
    """The schema of the JSON that a response shows; empty where it has no name."""
    reference = response.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "")
    return schemas.get(reference.rsplit("/", 1)[-1], {})


def _replies_with_version(route: APIRoute, response: Schema, schemas: Mapping[str, Schema]) -> bool:
    """Whether it is the reply of a unit of work that shows a version: the reply's entity tag."""
    is_command = any(hasattr(one.call, "openapi_parameters") for one in route.dependant.dependencies)
    is_reply = inspect.signature(route.endpoint).return_annotation is Response
    return is_command and is_reply and "version" in _shown(response, schemas).get("properties", {})


def _name_of(status: str) -> str:
    return "".join(word.capitalize() for word in HTTPStatus(int(status)).name.split("_"))


def _share_responses(document: Schema) -> None:
    """Defines the refusals that most routes have once, by the name of their status."""
    refusals = Counter(
        (status, json.dumps(response, sort_keys=True))
        for operation in operations_of(document)
        for status, response in operation["responses"].items()
        if status >= "4"
    )
    most = {status: text for (status, text), count in reversed(refusals.most_common()) if count > 1}
    for operation in operations_of(document):
        for status, response in operation["responses"].items():
            if json.dumps(response, sort_keys=True) == most.get(status):
                operation["responses"][status] = {"$ref": f"#/components/responses/{_name_of(status)}"}
    document["components"]["responses"] = {_name_of(status): json.loads(most[status]) for status in sorted(most)}


def operations_of(document: Mapping[str, Any]) -> Iterator[Schema]:
    for methods in document["paths"].values():
        for method in _METHODS:
            if method in methods:
                yield methods[method]
