"""Whether a change of the contract can be lived with: the schemas before it against those after it.

The stream keeps old records for ever and services are not upgraded in one instant. So a new reader must
read every old record as what it meant, and an old reader every new record. That leaves a field that may be
absent, and new types; anything else is a new version of the type beside the old one. Readers' enums,
owners and nulls are closed, so widening those is refused as well as narrowing them.

    python -m contracts_tooling.compatibility OLD [NEW]

OLD and NEW are folders of schemas, or git revisions; without NEW the schemas of this code are meant.
"""

import argparse
import io
import json
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from contracts_tooling.schemas import Schema, files, read_files

SCHEMAS_FOLDER = "libs/contracts/schemas"
_SAY_NOTHING = ("$schema", "$id", "$defs", "$comment", "title", "description", "default", "examples", "x-linework")


class Rule(StrEnum):
    """Names are stable: they are what a build log or a suppression refers to."""

    TYPE_REMOVED = "type_removed"
    KIND_CHANGED = "kind_changed"
    TOPIC_CHANGED = "topic_changed"
    KEY_CHANGED = "key_changed"
    OWNER_REMOVED = "owner_removed"
    OWNER_ADDED = "owner_added"
    FIELD_REMOVED = "field_removed"
    REQUIRED_FIELD_ADDED = "required_field_added"
    FIELD_MADE_REQUIRED = "field_made_required"
    FIELD_MADE_OPTIONAL = "field_made_optional"
    FIELD_TYPE_CHANGED = "field_type_changed"
    NULL_FORBIDDEN = "null_forbidden"
    NULL_ALLOWED = "null_allowed"
    ENUM_VALUE_REMOVED = "enum_value_removed"
    ENUM_VALUE_ADDED = "enum_value_added"
    DEFAULT_CHANGED = "default_changed"
    UNKNOWN_FIELDS_REFUSED = "unknown_fields_refused"


@dataclass(frozen=True, slots=True)
class IncompatibleChange:
    rule: Rule
    type: str
    place: str
    """The field, as a path from the value; empty for the message as a whole."""
    text: str

    def __str__(self) -> str:
        return f"{self.rule}: {' '.join(filter(None, (self.type, self.place)))}: {self.text}"


def violations(old: Mapping[str, Schema], new: Mapping[str, Schema]) -> list[IncompatibleChange]:
    """What the new schemas, by type name, break of the old ones. Empty: the change is additive."""
    found: list[IncompatibleChange] = []
    for name, schema in sorted(old.items()):
        if name not in new:
            found.append(IncompatibleChange(Rule.TYPE_REMOVED, name, "", "old records of it are still on the stream"))
            continue
        found += [IncompatibleChange(rule, name, "", text) for rule, text in _placement(schema, new[name])]
        compared = _Comparison(schema.get("$defs", {}), new[name].get("$defs", {}))
        found += [
            IncompatibleChange(rule, name, place, text) for rule, place, text in compared.values("", schema, new[name])
        ]
    return found


def _placement(old: Schema, new: Schema) -> Iterator[tuple[Rule, str]]:
    before, after = old["x-linework"], new["x-linework"]
    for rule, name in ((Rule.KIND_CHANGED, "kind"), (Rule.TOPIC_CHANGED, "topic"), (Rule.KEY_CHANGED, "key")):
        if before[name] != after[name]:
            yield rule, f"the {name} was {before[name]!r}, is {after[name]!r}"
    for owner in sorted(set(before["owners"]) - set(after["owners"])):
        yield Rule.OWNER_REMOVED, f"old records by {owner} would be refused"
    for owner in sorted(set(after["owners"]) - set(before["owners"])):
        yield Rule.OWNER_ADDED, f"old readers refuse records by {owner}"


Finding = tuple[Rule, str, str]


@dataclass(frozen=True, slots=True)
class _Comparison:
    old_shapes: Mapping[str, Schema]
    new_shapes: Mapping[str, Schema]

    def values(self, place: str, old: Schema, new: Schema) -> Iterator[Finding]:
        before, old_null = _without_null(old, self.old_shapes)
        after, new_null = _without_null(new, self.new_shapes)
        if old_null and not new_null:
            yield Rule.NULL_FORBIDDEN, place, "old records may hold null"
        if new_null and not old_null:
            yield Rule.NULL_ALLOWED, place, "old readers refuse null"
        if "enum" in before and "enum" in after:
            yield from _enums(place, before["enum"], after["enum"])
        elif _form(before) != _form(after):
            yield Rule.FIELD_TYPE_CHANGED, place, f"was {_shown(before)}, is {_shown(after)}"
        elif "properties" in before:
            yield from self._fields(place, before, after)
        elif isinstance(before.get("items"), dict):
            yield from self.values(f"{place}[]", before["items"], after["items"])

    def _fields(self, place: str, old: Schema, new: Schema) -> Iterator[Finding]:
        prefix = f"{place}." if place else ""
        required_before, required_after = set(old.get("required", ())), set(new.get("required", ()))
        if new.get("additionalProperties", True) is False and old.get("additionalProperties", True) is not False:
            yield Rule.UNKNOWN_FIELDS_REFUSED, place, "old records may hold other fields"
        for name in sorted(set(new["properties"]) - set(old["properties"])):
            if name in required_after:
                yield Rule.REQUIRED_FIELD_ADDED, f"{prefix}{name}", "old records do not have it"
        for name, before in old["properties"].items():
            field, after = f"{prefix}{name}", new["properties"].get(name)
            if after is None:
                yield Rule.FIELD_REMOVED, field, "old readers expect it, and old records have it"
                continue
            if name in required_after - required_before:
                yield Rule.FIELD_MADE_REQUIRED, field, "old records may be without it"
            elif name in required_before - required_after:
                yield Rule.FIELD_MADE_OPTIONAL, field, "old readers refuse a record without it"
            elif _default(before) != _default(after):
                yield Rule.DEFAULT_CHANGED, field, f"was {before.get('default')!r}, is {after.get('default')!r}"
            yield from self.values(field, before, after)


def _enums(place: str, old: list[Any], new: list[Any]) -> Iterator[Finding]:
    for value in old:
        if value not in new:
            yield Rule.ENUM_VALUE_REMOVED, place, f"old records may hold {value!r}"
    for value in new:
        if value not in old:
            yield Rule.ENUM_VALUE_ADDED, place, f"old readers refuse {value!r}"


def _without_null(schema: Schema, shapes: Mapping[str, Schema]) -> tuple[Schema, bool]:
    """The schema behind references and without null, and whether null was allowed."""
    others = [item for item in schema.get("anyOf", []) if item != {"type": "null"}]
    if len(others) == 1:
        return _resolved(others[0], shapes), len(others) < len(schema["anyOf"])
    return _resolved(schema, shapes), False


def _resolved(schema: Schema, shapes: Mapping[str, Schema]) -> Schema:
    if "$ref" not in schema:
        return schema
    return shapes[schema["$ref"].rsplit("/", 1)[-1]]


def _form(schema: Schema) -> Schema:
    """What must stay equal in a value: all but its notes and what is compared piece by piece."""
    apart = (*_SAY_NOTHING, "properties", "required", "additionalProperties", "items")
    form = {name: value for name, value in schema.items() if name not in apart}
    return form | {"enum": True} if "enum" in form else form


def _shown(schema: Schema) -> str:
    return json.dumps(_form(schema), ensure_ascii=False, sort_keys=True)


def _default(schema: Schema) -> str:
    return json.dumps(schema["default"], sort_keys=True) if "default" in schema else ""


def present() -> dict[str, Schema]:
    """The schemas of this code, by type name."""
    return read_files(files())


def schemas_in(folder: Path) -> dict[str, Schema]:
    return read_files({file.name: file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.json"))})


def schemas_at(revision: str) -> dict[str, Schema]:
    """The committed schemas of a git revision of the repository one stands in."""
    return read_files(texts_at(revision, SCHEMAS_FOLDER))


def texts_at(revision: str, folder: str) -> dict[str, str]:
    """The committed JSON files of a folder at a git revision of the repository one stands in, by name."""
    root = subprocess.run(["git", "rev-parse", "--show-toplevel"], check=True, capture_output=True, text=True)
    command = ["git", "archive", "--format=tar", revision, "--", folder]
    archive = subprocess.run(command, check=True, capture_output=True, cwd=root.stdout.strip())
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        members = {member.name: tar.extractfile(member) for member in tar.getmembers() if member.name.endswith(".json")}
        return {Path(name).name: file.read().decode() for name, file in members.items() if file is not None}


def _named(text: str) -> dict[str, Schema]:
    return schemas_in(Path(text)) if Path(text).is_dir() else schemas_at(text)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m contracts_tooling.compatibility", description="Refuses an incompatible change of the contract."
    )
    parser.add_argument("old", help="a folder of schemas or a git revision")
    parser.add_argument("new", nargs="?", help="the same; this code's schemas if left out")
    options = parser.parse_args(arguments)
    try:
        old, new = _named(options.old), _named(options.new) if options.new else present()
    except subprocess.CalledProcessError as error:
        parser.error(f"neither a folder of schemas nor a git revision: {error.stderr.strip()}")
    if not old:
        parser.error(f"{options.old} holds no schemas")
    found = violations(old, new)
    for violation in found:
        print(violation)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
