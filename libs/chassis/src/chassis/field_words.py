"""What the fields and parameters of the routes mean, in the OpenAPI documents.

The first of these that is there: the `description` of a field or parameter; the docstring below a field; and of the
vocabulary of its package, `Model.field` or the name alone. A service hands its vocabularies to
`create_app`, as part of its `Documentation`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from typing import Any, get_args, get_type_hints

from fastapi.routing import APIRoute
from pydantic import BaseModel

from contracts.field_notes import field_notes

Schema = dict[str, Any]
Words = Mapping[str, str]
Vocabularies = Mapping[str, Words]
"""By package; the empty name is of every package that has none of its own."""


def _words_for(thing: Any, vocabularies: Vocabularies) -> Words:
    package = thing.__module__.partition(".")[0]
    of_any = vocabularies.get("", {})
    return {**of_any, **WORDS} if package == "chassis" else vocabularies.get(package, of_any)


def describe_fields(schemas: Mapping[str, Schema], routes: Iterable[APIRoute], vocabularies: Vocabularies) -> None:
    """Describes the fields of these components, which are the models of these routes."""
    models = {model.__name__: model for model in models_of(routes)}
    for name, schema in schemas.items():
        if (model := models.get(name)) is not None:
            notes, words = field_notes(model), _words_for(model, vocabularies)
            for field, described in schema.get("properties", {}).items():
                # Says no more than the name, and generators would name a class after it.
                described.pop("title", None)
                special = (words.get(f"{holder.__name__}.{field}") for holder in model.__mro__)
                _describe(described, notes.get(field) or next(filter(None, special), None) or words.get(field))


def describe_parameters(operation: Schema, route: APIRoute, vocabularies: Vocabularies) -> None:
    words = _words_for(route.endpoint, vocabularies)
    for parameter in operation.get("parameters", ()):
        parameter["schema"].pop("title", None)
        name = parameter["name"]
        _describe(parameter, words.get(f"{route.name}.{name}") or words.get(name))


def _describe(described: Schema, text: str | None) -> None:
    if text and not described.get("description"):
        described["description"] = " ".join(text.split())


def models_of(routes: Iterable[APIRoute]) -> Iterable[type]:
    """Every model and dataclass that the routes take or answer with, once."""
    found: dict[type, None] = {}
    waiting: list[Any] = []
    for route in routes:
        waiting += [route.response_model, *get_type_hints(route.endpoint, include_extras=True).values()]
    while waiting:
        hint = waiting.pop()
        if isinstance(hint, type) and (is_dataclass(hint) or issubclass(hint, BaseModel)) and hint not in found:
            found[hint] = None
            waiting += get_type_hints(hint, include_extras=True).values()
        waiting += get_args(hint)
    return found


WORDS: Mapping[str, str] = {
    "Me.name": "The caller's name, by the token.",
    "Me.sub": "The subject of the caller's token.",
    "ParkedRecord.id": "The number of the parked record.",
    "ParkedRecord.headers": "The headers of the record as it was read; in a list at most 20.",
    "ParkedRecord.key": "The record's key: all later records of the key are parked behind it.",
    "ParkedRecord.offset": "The record's offset in its partition.",
    "ParkedRecord.parked_at": "When it was parked.",
    "ParkedRecord.partition": "The partition of the topic.",
    "ParkedRecord.reason": "Why it could not be applied.",
    "ParkedRecord.repaired": "The value and headers that will be applied in its place; null without a repair.",
    "ParkedRecord.settled_at": "When it was released or discarded; null while it is parked.",
    "ParkedRecord.settled_by": "Who released or discarded it; null while it is parked.",
    "ParkedRecord.state": "Whether it is parked, or was released or discarded.",
    "ParkedRecord.topic": "The topic that it was read from.",
    "ParkedRecord.value": "The record's value as text; null for a record without one.",
    "Permission.method": "The HTTP method.",
    "Permission.reach": "How far the caller reaches through the route.",
    "Publishing.rests_until": "Until when nothing is sent to Kafka; null while publishing goes on.",
    "Released.released": "How many records were applied.",
    "Repair.headers": "The headers that will be applied in the place of those that were read.",
    "Repair.value": "The value that will be applied in the place of the one that was read.",
    "list_parked_records.after": "The last id of the page before.",
    "list_parked_records.key": "Only records of this key.",
    "list_parked_records.topic": "Only records of this topic.",
    "parked_id": "The number of the parked record.",
    "release_parked_key.key": "The key whose records are applied.",
    "release_parked_key.topic": "The topic that they were read from.",
}
