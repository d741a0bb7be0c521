"""The OpenAPI documents: everything described, ids once, examples that validate, and the committed ones true."""

import copy
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from deploy import openapi_documents
from jsonschema import Draft202012Validator

from chassis.openapi import operations_of
from contracts.lifecycle import Service

ROOT = Path(__file__).parents[2]
Document = dict[str, Any]
document_of = cache(openapi_documents.document_of)


def faults(document: Document) -> list[str]:
    """What a stranger who generates a client from the document would miss."""
    return [
        *_undescribed(document),
        *_repeated_ids(document),
        *_anonymous(document),
        *_without_example(document),
        *_wrong_examples(document),
    ]


def _undescribed(document: Document) -> Iterator[str]:
    tags = {tag["name"] for tag in document.get("tags", ()) if tag.get("description")}
    for operation in operations_of(document):
        name = operation["operationId"]
        if not operation.get("description"):
            yield f"{name} has no description"
        yield from (f"{name}: the tag {tag} has no description" for tag in operation["tags"] if tag not in tags)
        for parameter in operation.get("parameters", ()):
            if not parameter.get("description"):
                yield f"{name}: the parameter {parameter['name']} has no description"
        for status, response in operation["responses"].items():
            if "$ref" not in response and not response.get("description"):
                yield f"{name}: the response {status} has no description"
    for name, schema in document["components"]["schemas"].items():
        for field, described in schema.get("properties", {}).items():
            if not described.get("description"):
                yield f"{name}.{field} has no description"


def _repeated_ids(document: Document) -> Iterator[str]:
    ids = Counter(operation["operationId"] for operation in operations_of(document))
    yield from (f"{name} is the id of {count} operations" for name, count in ids.items() if count > 1)


def _anonymous(document: Document) -> Iterator[str]:
    """Objects without a name, and values that may be anything: generators call them `Inline1` and `unknown`."""
    for operation in operations_of(document):
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for media in (media for body in bodies for media in body.get("content", {}).values()):
            schema = media.get("schema", {})
            if not schema or "properties" in schema:
                yield f"{operation['operationId']} has a body without a name: {schema}"
    yield from (f"{name} is a name by FastAPI" for name in document["components"]["schemas"] if "_" in name)


def _wrong_examples(document: Document) -> Iterator[str]:
    for operation in operations_of(document):
        for parameter in operation.get("parameters", ()):
            yield from _refused(
                document, parameter["schema"], parameter, f"{operation['operationId']}.{parameter['name']}"
            )
    for name, schema in document["components"]["schemas"].items():
        yield from _refused(document, schema, schema, name)
        for field, described in schema.get("properties", {}).items():
            yield from _refused(document, described, described, f"{name}.{field}")


def _without_example(document: Document) -> Iterator[str]:
    for operation in operations_of(document):
        for media in operation.get("requestBody", {}).get("content", {}).values():
            for choice in (media["schema"], *media["schema"].get("anyOf", ()), *media["schema"].get("oneOf", ())):
                name = choice.get("$ref", "").rpartition("/")[2]
                if name and not document["components"]["schemas"][name].get("examples"):
                    yield f"{name} has no example"


def _refused(document: Document, schema: Document, holder: Mapping[str, Any], name: str) -> Iterator[str]:
    examples = [*holder.get("examples", ()), *([holder["example"]] if "example" in holder else ())]
    validator = Draft202012Validator({**schema, "components": document["components"]})
    for example in examples:
        for error in validator.iter_errors(example):
            yield f"{name}: {example!r} is no example: {error.message}"


@pytest.mark.parametrize("service", Service)
def test_a_stranger_finds_everything_described(service: Service) -> None:
    assert faults(document_of(service)) == []


def _an_operation(document: Document) -> Document:
    return next(operation for operation in operations_of(document) if operation.get("parameters"))


def _two_of_a_name(document: Document) -> None:
    first, second, *_ = operations_of(document)
    first["operationId"] = second["operationId"]


PLANTED: dict[str, Callable[[Document], object]] = {
    "has no description": lambda document: _an_operation(document).pop("description"),
    "the parameter": lambda document: _an_operation(document)["parameters"][0].pop("description"),
    "the tag": lambda document: document["tags"].clear(),
    "the response 200": lambda document: _an_operation(document)["responses"]["200"].pop("description"),
    "Problem.code has no description": lambda document: document["components"]["schemas"]["Problem"]["properties"][
        "code"
    ].pop("description"),
    "is the id of 2 operations": _two_of_a_name,
    "CompleteBody has no example": lambda document: document["components"]["schemas"]["CompleteBody"].pop("examples"),
    "is no example": lambda document: document["components"]["schemas"]["Problem"].update(examples=[{"status": "x"}]),
    "a body without a name": lambda document: _an_operation(document)["responses"]["200"].update(
        content={"application/json": {"schema": {"properties": {}}}}
    ),
    "is a name by FastAPI": lambda document: document["components"]["schemas"].update(Body_x={}),
}


@pytest.mark.parametrize("text", PLANTED)
def test_a_planted_fault_is_caught(text: str) -> None:
    document = copy.deepcopy(document_of(Service.FIELDWORK))
    PLANTED[text](document)
    assert any(text in fault for fault in faults(document))


@pytest.mark.parametrize("service", Service)
def test_if_match_is_required_exactly_where_its_absence_is_refused(service: Service) -> None:
    for operation in operations_of(document_of(service)):
        asked = [one["required"] for one in operation.get("parameters", ()) if one["name"] == "If-Match"]
        assert (asked == [True]) == ("428" in operation["responses"]), operation["operationId"]


@pytest.mark.parametrize("service", Service)
def test_every_refusal_is_the_one_problem(service: Service) -> None:
    document = document_of(service)
    for operation in operations_of(document):
        for status, response in operation["responses"].items():
            if status >= "4":
                named = response.get("$ref", "").rpartition("/")[2]
                content = (document["components"]["responses"][named] if named else response)["content"]
                assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def test_the_committed_documents_are_those_of_the_code(tmp_path: Path) -> None:
    assert openapi_documents.differences(ROOT) == [], "run `make schema`"
    assert len(openapi_documents.differences(tmp_path)) == len(Service)
