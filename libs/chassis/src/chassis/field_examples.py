"""Examples of request bodies in the OpenAPI documents, composed of an example for each field.

The first of these that is there: the example of `Model.field`; the only or first value that the schema permits; the
example of the field's name. A body shows its required fields, and others that have an example as `Model.field`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = dict[str, Any]
Examples = Mapping[str, Any]
_REFERENCE = "#/components/schemas/"
_MOMENT = "2026-03-02T08:00:00+08:00"

EXAMPLES: Examples = {
    "Repair.headers": {"ce_type": "linework.toy.made.v1"},
    "Repair.value": '{"name": "a toy"}',
    "Rest.rest_seconds": 60,
}


def give_examples(schemas: Mapping[str, Schema], operations: Iterator[Schema], examples: Examples) -> None:
    """Gives each schema that a request body has an example."""
    every = {**examples, **EXAMPLES}
    for operation in operations:
        media = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        for name in _named(media.get("schema", {})):
            schemas[name]["examples"] = [_object(name, schemas, every)]


def _named(schema: Schema) -> Iterator[str]:
    for choice in (schema, *schema.get("oneOf", ()), *schema.get("anyOf", ())):
        if "$ref" in choice:
            yield choice["$ref"].removeprefix(_REFERENCE)


def _object(name: str, schemas: Mapping[str, Schema], examples: Examples) -> Any:
    schema = schemas[name]
    if "enum" in schema:
        return schema["enum"][0]
    shown = [
        field
        for field in schema.get("properties", {})
        if field in schema.get("required", ()) or f"{name}.{field}" in examples
    ]
    return {
        field: examples[f"{name}.{field}"]
        if f"{name}.{field}" in examples
        else _value(field, schema["properties"][field], schemas, examples)
        for field in shown
    }


def _value(field: str, schema: Schema, schemas: Mapping[str, Schema], examples: Examples) -> Any:
    if "$ref" in schema:
        return _object(schema["$ref"].removeprefix(_REFERENCE), schemas, examples)
    if "anyOf" in schema:
        return _value(field, schema["anyOf"][0], schemas, examples)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("format") == "date-time":
        return _MOMENT
    if schema.get("type") == "boolean":
        return True
    if schema.get("type") == "array":
        return [_value(field, schema["items"], schemas, examples)]
    return examples.get(field)
