"""Whether a value that old clients send, or read, still fits: JSON Schemas of requests and of responses."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from contracts_tooling.schemas import Schema

Finding = tuple[str, str, str]


class Side(StrEnum):
    REQUEST = "request"
    """What old clients send must still be accepted."""
    RESPONSE = "response"
    """What is sent must still be understood by old clients."""


class ValueRule(StrEnum):
    """Names are stable: they are what a build log or the list of accepted changes refers to."""

    FIELD_REMOVED = "field_removed"
    FIELD_REQUIRED = "field_required"
    FIELD_MADE_OPTIONAL = "field_made_optional"
    TYPE_CHANGED = "type_changed"
    NULL_FORBIDDEN = "null_forbidden"
    NULL_ALLOWED = "null_allowed"
    ENUM_VALUE_REMOVED = "enum_value_removed"
    LIMIT_NARROWED = "limit_narrowed"
    UNKNOWN_FIELDS_REFUSED = "unknown_fields_refused"


_NULL = {"type": "null"}
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")


@dataclass(frozen=True, slots=True)
class Values:
    side: Side
    old_shapes: Mapping[str, Schema]
    new_shapes: Mapping[str, Schema]
    _compared: set[tuple[str, str]] = field(default_factory=set)
    """Pairs of shapes on the way, since a shape may hold itself."""

    def compared(self, place: str, old: Schema, new: Schema) -> Iterator[Finding]:
        before, old_null = _options(old, self.old_shapes)
        after, new_null = _options(new, self.new_shapes)
        if old_null and not new_null and self.side is Side.REQUEST:
            yield ValueRule.NULL_FORBIDDEN, place, "old clients may send null"
        if new_null and not old_null and self.side is Side.RESPONSE:
            yield ValueRule.NULL_ALLOWED, place, "old clients do not expect null"
        if len(before) == len(after) == 1:
            yield from self._one(place, before[0], after[0])
        elif not self._fits(before, after):
            yield ValueRule.TYPE_CHANGED, place, f"was one of {len(before)} shapes, is one of {len(after)}"

    def _fits(self, before: list[Schema], after: list[Schema]) -> bool:
        """Whether each old choice is still accepted, or each new one is understood."""
        if self.side is Side.REQUEST:
            return all(any(not [*self._one("", old, new)] for new in after) for old in before)
        return all(any(not [*self._one("", old, new)] for old in before) for new in after)

    def _one(self, place: str, old: Schema, new: Schema) -> Iterator[Finding]:
        pair = json.dumps(old, sort_keys=True), json.dumps(new, sort_keys=True)
        if pair in self._compared or (pair[0] == pair[1] and "$ref" not in pair[0]):
            return
        self._compared.add(pair)
        try:
            yield from self._different(place, old, new)
        finally:
            self._compared.discard(pair)

    def _different(self, place: str, old: Schema, new: Schema) -> Iterator[Finding]:
        if not self._is_same_type(old, new):
            yield ValueRule.TYPE_CHANGED, place, f"was {_type(old)}, is {_type(new)}"
            return
        if self.side is Side.REQUEST:
            yield from _narrowed(place, old, new)
        if "properties" in old or "properties" in new:
            yield from self._fields(place, old, new)
        if isinstance(old.get("items"), dict) and isinstance(new.get("items"), dict):
            yield from self.compared(f"{place}[]", old["items"], new["items"])
        rest = old.get("additionalProperties"), new.get("additionalProperties")
        if isinstance(rest[0], dict) and isinstance(rest[1], dict):
            yield from self.compared(f"{place}.*", rest[0], rest[1])

    def _is_same_type(self, old: Schema, new: Schema) -> bool:
        before, after = _type(old), _type(new)
        wider = ("integer", "number") if self.side is Side.REQUEST else ("number", "integer")
        return before == after or (before, after) == wider or (after == "anything" and self.side is Side.REQUEST)

    def _fields(self, place: str, old: Schema, new: Schema) -> Iterator[Finding]:
        before, after = old.get("properties", {}), new.get("properties", {})
        required_before, required_after = set(old.get("required", ())), set(new.get("required", ()))
        is_request = self.side is Side.REQUEST
        if is_request and new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
            yield ValueRule.UNKNOWN_FIELDS_REFUSED, place, "old clients may send other fields"
        for name in sorted(required_after - required_before) if is_request else ():
            yield ValueRule.FIELD_REQUIRED, f"{place}.{name}", "old clients may leave it out"
        for name, schema in before.items():
            if name not in after:
                text = "old clients send it" if is_request else "old clients read it"
                yield ValueRule.FIELD_REMOVED, f"{place}.{name}", text
                continue
            if not is_request and name in required_before - required_after:
                yield ValueRule.FIELD_MADE_OPTIONAL, f"{place}.{name}", "old clients expect it"
            yield from self.compared(f"{place}.{name}", schema, after[name])


def _narrowed(place: str, old: Schema, new: Schema) -> Iterator[Finding]:
    """What old clients may send and is no longer accepted."""
    if "enum" in new:
        for value in old.get("enum", ()):
            if value not in new["enum"]:
                yield ValueRule.ENUM_VALUE_REMOVED, place, f"old clients may send {value!r}"
    for name in _UPPER:
        if name in new and new[name] < old.get(name, float("inf")):
            yield ValueRule.LIMIT_NARROWED, place, f"{name} was {old.get(name)}, is {new[name]}"
    for name in _LOWER:
        if name in new and new[name] > old.get(name, float("-inf")):
            yield ValueRule.LIMIT_NARROWED, place, f"{name} was {old.get(name)}, is {new[name]}"
    if "pattern" in new and new["pattern"] != old.get("pattern"):
        yield ValueRule.LIMIT_NARROWED, place, f"the pattern was {old.get('pattern')}, is {new['pattern']}"
    if "enum" in new and "enum" not in old:
        yield ValueRule.LIMIT_NARROWED, place, "any value was accepted, only those of a list are"


def _options(schema: Schema, shapes: Mapping[str, Schema]) -> tuple[list[Schema], bool]:
    """The schemas that a value may have, references resolved and null left out, and whether it may be null."""
    resolved = _resolved(schema, shapes)
    choices = resolved.get("anyOf") or resolved.get("oneOf")
    if not choices:
        return [resolved], resolved == _NULL
    found: list[Schema] = []
    is_nullable = _NULL in choices
    for choice in choices:
        if choice != _NULL:
            options, can_be_null = _options(choice, shapes)
            found, is_nullable = found + options, is_nullable or can_be_null
    return found, is_nullable


def _resolved(schema: Schema, shapes: Mapping[str, Schema]) -> Schema:
    if "$ref" in schema:
        return _resolved(shapes[schema["$ref"].rsplit("/", 1)[-1]], shapes)
    (alone,) = schema.get("allOf", [None]) if len(schema.get("allOf", ())) == 1 else [None]
    return _resolved(alone, shapes) if alone else schema


def _type(schema: Schema) -> str:
    """What kind of value it is, in words."""
    if "const" in schema:
        return f"the value {schema['const']!r}"
    return " ".join(filter(None, (schema.get("format"), schema.get("type")))) or "anything"
