"""`docs/events.md`: the catalogue for people."""

import inspect
import json
from collections.abc import Iterable
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from contracts.catalogue import CATALOGUE, Entry, MessageKind
from contracts.field_notes import field_notes
from contracts.lifecycle import CUSTODIANS, STEPS, Act, Status, allowed_acts
from contracts.names import STATUSES
from contracts.order import ACTS
from contracts.sealing import FreeText
from contracts.topics import Topic
from contracts_tooling import asyncapi
from contracts_tooling.golden import fullest
from contracts_tooling.schemas import writers_of

_HEAD = """# Events

Generated from `contracts` by `python -m contracts_tooling.generate`; change the code, not this page. Words are
explained in [the glossary](glossary.md), schemas are in `libs/contracts/schemas`, the AsyncAPI document beside them.

A record is a [CloudEvent 1.0](https://cloudevents.io) in binary mode: attributes in headers, a JSON value, and
the key equal to `ce_subject`. Partners may write in [structured mode](partners.md#record-format) too. Readers ignore
headers, fields and types that they do not know. A change adds a field that may be absent, or a new version of a type
beside the old one; `python -m contracts_tooling.compatibility` refuses anything else."""

_KINDS = {
    MessageKind.EVENT: "changes the order: it has an order version and a place in the chain",
    MessageKind.REQUEST: "asks the order's custodian; answered exactly once",
    MessageKind.ANSWER: "answers a request without changing the order",
    MessageKind.ENTITY: "the whole entity as it now is",
    MessageKind.FACT: "has a version in its own stream; a later revision of the same fact replaces it",
    MessageKind.NOTICE: "accompanies the order and does not change it",
    MessageKind.PARTNER_EVENT: "answered once on the partner's `.out`",
    MessageKind.PARTNER_ANSWER: "reports the result of the partner's events",
}

_CHAIN = """## Chain

Each event of an order carries in `ce_prevhash` the hash of the event before it. The hash is SHA-256, in
hexadecimal, over one compact JSON array in UTF-8 (no spaces, only what JSON asks for is escaped): previous hash, id,
type, source, subject, order version (a number), time, recorded time (both `2026-11-22T08:00:00.000000Z`: UTC, six
digits of fraction), the actor's subject, role and name (empty if left out), and the SHA-256 of the value's bytes,
in hexadecimal. Nothing follows the last event: its hash has to be kept elsewhere to protect it."""


_SEALED = """## Sealed texts

Text typed about a subscriber travels sealed under that subscriber's key, in the field that it belongs to:
`sealed:1:<subscriber id>:<base64url of nonce and AES-256-GCM ciphertext>`. Associated data is `linework:1:` and the
id of the order. Keys travel wrapped on `sealing-keys`; when a subscriber is erased, the key is destroyed and no copy of
the text can be read again, while the chain, which covers the sealed text, still verifies. Events that are older than
sealing hold the text itself."""


def page() -> str:
    sections = [_HEAD, _headers(), _lifecycle(), _CHAIN, _SEALED, *map(_topic, asyncapi.CHANNELS)]
    return "\n\n".join(sections) + "\n"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(head)
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _headers() -> str:
    rows = [(f"`{name}`", _presence(name), note) for name, (note, _) in asyncapi.HEADERS.items()]
    return "## Headers\n\n" + _table(("header", "present", "meaning"), rows)


def _presence(name: str) -> str:
    if name in asyncapi.REQUIRED:
        return "always"
    kinds = [kind for kind in MessageKind if name in asyncapi.required_headers(kind)]
    return f"on every {', '.join(kinds)}" if kinds else "may be absent"


def _lifecycle() -> str:
    statuses = [
        (f"`{status}`", STATUSES[status].zh, CUSTODIANS[status] or "none", _codes(allowed_acts(status)))
        for status in Status
    ]
    acts = [
        (f"`{act}`", _codes(_from(act)), _codes(_to(act)), _custodians(act), ", ".join(_recorded_by(act)))
        for act in Act
    ]
    return "\n\n".join(
        (
            "## Life of a work order",
            "A status has one custodian, and only the custodian changes the order. "
            "What is not in these tables is refused.",
            _table(("status", "中文", "custodian", "allowed acts"), statuses),
            _table(("act", "from", "to", "by", "event"), acts),
            f"While an order is suspended only these are allowed: {_codes(_while_suspended())}.",
        )
    )


def _from(act: Act) -> list[Status]:
    return [status for status in Status if (status, act) in STEPS]


def _to(act: Act) -> list[str]:
    ends = {STEPS[status, act] for status in _from(act)}
    return ["unchanged"] if ends == set(_from(act)) else [status for status in Status if status in ends]


def _custodians(act: Act) -> str:
    return ", ".join(dict.fromkeys(str(CUSTODIANS[status]) for status in _from(act)))


def _recorded_by(act: Act) -> list[str]:
    return [f"`{body.__name__}`" for body, acts in ACTS.items() if act in acts]


def _while_suspended() -> list[Act]:
    return [act for act in Act if any(act in allowed_acts(status, is_suspended=True) for status in _from(Act.RESUME))]


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "–"


def _topic(topic: Topic) -> str:
    config = ", ".join(f"`{name}={value}`" for name, value in topic.config.items())
    writers = ", ".join(topic.writers) or "the partner"
    facts = f"Key: {topic.key}. Writers: {writers}. {topic.partitions} partitions; {config}."
    entries = [entry for entry in CATALOGUE if entry.topic.name == topic.name]
    return "\n\n".join((f"## Topic `{topic.name}`", f"{topic.description}\n\n{facts}", *map(_message, entries)))


def _message(entry: Entry) -> str:
    parts = [
        f"### {entry.body.__name__}",
        f"`{entry.type}` · {entry.kind}: {_KINDS[entry.kind]} · written by {', '.join(writers_of(entry))}",
        " ".join(filter(None, (entry.description, _note(entry.body), _when(entry.body)))),
        _fields(entry.body),
        f"```json\n{_example(entry)}\n```",
    ]
    return "\n\n".join(parts)


def _note(shape: type) -> str:
    written = inspect.cleandoc(shape.__doc__ or "")
    return "" if written.startswith(f"{shape.__name__}(") else " ".join(written.split())


def _when(body: type) -> str:
    acts = ACTS.get(body)
    if not acts:
        return ""
    return "Recorded by " + " or ".join(f"`{act}` (from {_codes(_from(act))})" for act in acts) + "."


def _fields(shape: type) -> str:
    rows = list(_rows(shape, ""))
    return _table(("field", "type", "must be given", "meaning"), rows) if rows else "No fields."


def _rows(shape: type, prefix: str) -> Iterable[tuple[str, str, str, str]]:
    notes, hints = field_notes(shape), get_type_hints(shape, include_extras=True)
    for field in fields(shape):
        is_required = field.default is MISSING and field.default_factory is MISSING
        presence = "yes" if is_required else f"no: {_default(field.default)}"
        hint = hints[field.name]
        yield f"`{prefix}{field.name}`", _type(hint), presence, " ".join(notes.get(field.name, "").split())
        for nested in (hint, *get_args(hint)):
            if is_dataclass(nested) and isinstance(nested, type):
                yield from _rows(nested, f"{prefix}{field.name}.")


def _default(value: Any) -> str:
    # A default with members of its own is the shipped rules, which are in the example.
    return "as shipped" if _has_members(value) else f"`{json.dumps(value)}`"


def _has_members(value: Any) -> bool:
    return is_dataclass(value) or (isinstance(value, tuple) and any(map(is_dataclass, value)))


def _type(hint: Any) -> str:
    names = {str: "text", int: "whole number", bool: "true or false", type(None): "null"}
    if hint in names:
        return names[hint]
    if get_origin(hint) is tuple:
        return f"list of {_type(get_args(hint)[0])}"
    if hint is FreeText:
        return "[sealed text](#sealed-texts)"
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(map(_type, get_args(hint)))
    if issubclass(hint, StrEnum):
        return "one of " + _codes(hint)
    return "object" if is_dataclass(hint) else "time with zone"


def _example(entry: Entry) -> str:
    return json.dumps(json.loads(fullest(entry.type).data), ensure_ascii=False, indent=2)
