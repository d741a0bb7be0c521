"""JSON Schemas (2020-12) of every message's value, derived from the dataclasses of the catalogue.

Objects stay open: a reader ignores fields it does not know. What is not in the value but is as fixed, such
as topic, key and owners, is in `x-linework`, so that a folder of schemas is the whole contract and
`contracts_tooling.compatibility` can compare two of them. A shape that several messages use is defined once, in
`definitions.json`; file names are relative `$id`s, so references lead to the file beside it, wherever the folder is.
"""

import copy
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from datetime import date, datetime
from typing import Any, get_args, get_type_hints

import msgspec

from contracts.catalogue import CATALOGUE, Entry, MessageKind
from contracts.field_notes import field_notes
from contracts.sealing import free_texts

Schema = dict[str, Any]

_FREE_TEXT = "Typed text, sealed as in `contracts.sealing`; plain in events that are older than sealing."
DIALECT = "https://json-schema.org/draft/2020-12/schema"
DEFINITIONS = "definitions.json"
"""The file of the shapes that several messages use."""
_LOCAL = re.compile(r'"#/\$defs/(\w+)"')
TIME: Schema = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$",
}
"""A moment in RFC 3339. The pattern insists on a time zone for validators that do not check formats."""

DAY: Schema = {"type": "string", "format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
"""A single day; lists of days were published without a pattern."""
_FORMS: Mapping[Any, Schema] = {datetime: TIME, date: DAY}


def schema_of(entry: Entry) -> Schema:
    """The schema of one message's value, complete in itself."""
    shapes = components([entry.body], "#/$defs/{name}")
    own = shapes.pop(entry.body.__name__)
    schema = {
        "$schema": DIALECT,
        "$id": file_name(entry),
        **own,
        "description": " ".join(filter(None, (entry.description, own.get("description")))),
        "x-linework": {
            "type": entry.type,
            "kind": entry.kind.value,
            "topic": entry.topic.name,
            "key": entry.topic.key,
            "owners": writers_of(entry),
        },
    }
    return schema | ({"$defs": shapes} if shapes else {})


def writers_of(entry: Entry) -> list[str]:
    """Who may write a message: services, or `partner`."""
    return ["partner"] if entry.kind is MessageKind.PARTNER_EVENT else sorted(owner.value for owner in entry.owners)


def file_name(entry: Entry) -> str:
    return f"{entry.type}.json"


def files() -> dict[str, str]:
    """The text of every schema file, by name."""
    schemas = [schema_of(entry) for entry in CATALOGUE]
    uses = Counter(name for schema in schemas for name in schema.get("$defs", {}))
    shared = {name: schema["$defs"][name] for schema in schemas for name in schema.get("$defs", {}) if uses[name] > 1}
    definitions = {"$schema": DIALECT, "$id": DEFINITIONS, "$defs": dict(sorted(shared.items()))}
    texts = {schema["$id"]: _refer_to(shared, json_text(_without(shared, schema))) for schema in schemas}
    return texts | {DEFINITIONS: json_text(definitions)}


def _without(shared: Mapping[str, Schema], schema: Schema) -> Schema:
    own = {name: shape for name, shape in schema.get("$defs", {}).items() if name not in shared}
    rest = {name: value for name, value in schema.items() if name != "$defs"}
    return rest | ({"$defs": own} if own else {})


def _refer_to(shared: Iterable[str], text: str) -> str:
    for name in shared:
        text = text.replace(f'"#/$defs/{name}"', f'"{DEFINITIONS}#/$defs/{name}"')
    return text


def read_files(texts: Mapping[str, str]) -> dict[str, Schema]:
    """By the type of its message, each schema complete in itself, as `schema_of` gives it; other files are left out."""
    shared = json.loads(texts.get(DEFINITIONS, "{}")).get("$defs", {})
    schemas = [json.loads(text.replace(f'"{DEFINITIONS}#', '"#')) for text in texts.values()]
    published = [_complete_in_itself(schema, shared) for schema in schemas if "x-linework" in schema]
    return {schema["x-linework"]["type"]: schema for schema in published}


def _complete_in_itself(schema: Schema, shared: Mapping[str, Schema]) -> Schema:
    """With copies of the shared definitions that it needs, also through each other; raises `KeyError` without one."""
    shapes = dict(schema.get("$defs", {}))
    while missing := [name for name in _LOCAL.findall(json.dumps(schema | {"$defs": shapes})) if name not in shapes]:
        shapes |= copy.deepcopy({name: shared[name] for name in missing})
    return schema | ({"$defs": shapes} if shapes else {})


def json_text(document: Schema) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def components(bodies: Iterable[type], ref_template: str) -> dict[str, Schema]:
    """The schemas of these bodies and of all they hold, by class name."""
    shapes = list(_shapes(bodies))
    _, found = msgspec.json.schema_components(shapes, ref_template=ref_template)
    for shape in shapes:
        _complete(found[shape.__name__], shape)
    return {name: found[name] for name in sorted(found)}


def _shapes(hints: Iterable[Any]) -> Iterable[type]:
    """Every dataclass among the hints and below them, once."""
    found: dict[type, None] = {}
    waiting = list(hints)
    while waiting:
        hint = waiting.pop()
        if is_dataclass(hint) and isinstance(hint, type) and hint not in found:
            found[hint] = None
            waiting.extend(get_type_hints(hint).values())
        waiting.extend(get_args(hint))
    return found


def _complete(schema: Schema, shape: type) -> None:
    """Adds what msgspec leaves out: the form of times, and what the fields mean."""
    properties = schema.get("properties", {})
    for name, hint in get_type_hints(shape).items():
        _describe_times(properties[name], hint)
    notes = {**dict.fromkeys(free_texts(shape), _FREE_TEXT), **field_notes(shape)}
    for name, note in notes.items():
        properties[name]["description"] = note
    schema.setdefault("properties", {})
    schema.setdefault("required", [])


def _describe_times(schema: Schema, hint: Any) -> None:
    if hint is datetime:
        schema.update(TIME)
    for item in get_args(hint):
        if item is datetime or (item is date and "items" not in schema):
            holders = [schema["items"]] if "items" in schema else schema.get("anyOf", [])
            for holder in holders:
                if holder.get("type") == "string":
                    holder.update(_FORMS[item])
        elif "items" in schema:
            _describe_times(schema["items"], item)
