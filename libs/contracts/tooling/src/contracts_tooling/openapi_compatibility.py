"""Whether clients of the APIs can live with a change: the OpenAPI documents before it against those after it.

A client that was generated from the old documents must be able to send what it sends and to read what it gets. So a
request may ask for less and permit more, and a response may hold more; anything else is a new route or field beside
the old one, which stays for one release. Readers have to expect values of an enum that they do not know.

    python -m contracts_tooling.openapi_compatibility [OLD] [NEW]

OLD and NEW are folders of documents, or git revisions. Without OLD the last release is meant, which is the latest tag
`v*`, or the last commit where there is none; without NEW the documents of this checkout. Changes that are listed in
`docs/openapi/accepted-changes.txt` are passed over: the list is emptied with each release.
"""

import argparse
import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from contracts_tooling.compatibility import texts_at
from contracts_tooling.openapi_values import Finding, Side, Values
from contracts_tooling.schemas import Schema

FOLDER = "docs/openapi"
ACCEPTED = f"{FOLDER}/accepted-changes.txt"
_METHODS = ("get", "put", "post", "patch", "delete")
_REPOSITORY = Path(__file__).resolve().parents[5]


class ApiRule(StrEnum):
    """Names are stable, as those of `openapi_values`: a build log and the list of accepted changes refer to them."""

    DOCUMENT_REMOVED = "document_removed"
    ROUTE_REMOVED = "route_removed"
    OPERATION_ID_CHANGED = "operation_id_changed"
    TOKEN_REQUIRED = "token_required"
    PARAMETER_REMOVED = "parameter_removed"
    PARAMETER_REQUIRED = "parameter_required"
    BODY_REQUIRED = "body_required"
    BODY_REMOVED = "body_removed"
    RESPONSE_REMOVED = "response_removed"
    MEDIA_TYPE_REMOVED = "media_type_removed"
    HEADER_REMOVED = "header_removed"
    SCHEMA_REMOVED = "schema_removed"


@dataclass(frozen=True, slots=True)
class ApiViolation:
    rule: str
    service: str
    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.rule}: {' '.join(filter(None, (self.service, self.place)))}: {self.text}"


def violations(old: Mapping[str, Schema], new: Mapping[str, Schema]) -> list[ApiViolation]:
    """What the new documents, by service, break of the old ones. Empty: old clients go on."""
    found: list[ApiViolation] = []
    for service, document in sorted(old.items()):
        if service not in new:
            found.append(ApiViolation(ApiRule.DOCUMENT_REMOVED, service, "", "its clients have no service"))
            continue
        found += [ApiViolation(rule, service, place, text) for rule, place, text in _document(document, new[service])]
    return found


def _document(old: Schema, new: Schema) -> Iterator[Finding]:
    for name in sorted(set(old["components"]["schemas"]) - set(new["components"]["schemas"])):
        yield ApiRule.SCHEMA_REMOVED, name, "generated clients have a class of this name"
    for path, methods in sorted(old["paths"].items()):
        for method in (method for method in _METHODS if method in methods):
            place, after = f"{method.upper()} {path}", new["paths"].get(path, {}).get(method)
            if after is None:
                yield ApiRule.ROUTE_REMOVED, place, "old clients call it"
            else:
                yield from _Operation(place, old, new).compared(methods[method], after)


@dataclass(frozen=True, slots=True)
class _Operation:
    place: str
    old: Schema
    new: Schema

    def compared(self, before: Schema, after: Schema) -> Iterator[Finding]:
        if before["operationId"] != after["operationId"]:
            text = f"was {before['operationId']}, is {after['operationId']}"
            yield ApiRule.OPERATION_ID_CHANGED, self.place, text
        if after.get("security") and not before.get("security"):
            yield ApiRule.TOKEN_REQUIRED, self.place, "old clients send none"
        yield from self._parameters(_by_name(before), _by_name(after))
        yield from self._bodies(before.get("requestBody"), after.get("requestBody"))
        yield from self._responses(before["responses"], after["responses"])

    def _values(self, side: Side, place: str, before: Schema, after: Schema) -> Iterator[Finding]:
        values = Values(side, self.old["components"]["schemas"], self.new["components"]["schemas"])
        yield from values.compared(place, before, after)

    def _parameters(self, before: Mapping[str, Schema], after: Mapping[str, Schema]) -> Iterator[Finding]:
        for name, parameter in after.items():
            if parameter.get("required") and not before.get(name, {}).get("required"):
                yield ApiRule.PARAMETER_REQUIRED, f"{self.place} {name}", "old clients do not send it"
        for name, parameter in before.items():
            place = f"{self.place} {name}"
            if name not in after:
                yield ApiRule.PARAMETER_REMOVED, place, "old clients send it"
            else:
                yield from self._values(Side.REQUEST, place, parameter["schema"], after[name]["schema"])

    def _bodies(self, before: Schema | None, after: Schema | None) -> Iterator[Finding]:
        if after is not None and after.get("required") and not (before or {}).get("required"):
            yield ApiRule.BODY_REQUIRED, self.place, "old clients send none"
        if before is not None and after is None:
            yield ApiRule.BODY_REMOVED, self.place, "old clients send one"
        if before is not None and after is not None:
            yield from self._content(Side.REQUEST, f"{self.place} body", before, after)

    def _responses(self, before: Schema, after: Schema) -> Iterator[Finding]:
        for status, response in before.items():
            if not status.startswith("2"):
                continue  # a refusal is one Problem everywhere, and may come for more reasons or fewer
            place = f"{self.place} {status}"
            if status not in after:
                yield ApiRule.RESPONSE_REMOVED, place, "old clients expect it"
                continue
            for name in sorted(set(response.get("headers", {})) - set(after[status].get("headers", {}))):
                yield ApiRule.HEADER_REMOVED, f"{place} {name}", "old clients read it"
            yield from self._content(Side.RESPONSE, place, response, after[status])

    def _content(self, side: Side, place: str, before: Schema, after: Schema) -> Iterator[Finding]:
        for media_type, media in before.get("content", {}).items():
            if media_type not in after.get("content", {}):
                yield ApiRule.MEDIA_TYPE_REMOVED, place, f"old clients use {media_type}"
            else:
                yield from self._values(
                    side, place, media.get("schema", {}), after["content"][media_type].get("schema", {})
                )


def _by_name(operation: Schema) -> Mapping[str, Schema]:
    return {f"{one['in']} {one['name']}": one for one in operation.get("parameters", ())}


def _read(texts: Mapping[str, str]) -> dict[str, Schema]:
    return {Path(name).stem: json.loads(text) for name, text in texts.items()}


def documents_in(folder: Path) -> dict[str, Schema]:
    return _read({file.name: file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.json"))})


def documents_at(revision: str) -> dict[str, Schema]:
    return _read(texts_at(revision, FOLDER))


def last_release() -> str:
    """The latest tag of a release that this checkout comes from; `HEAD` where there is none."""
    command = ["git", "describe", "--tags", "--abbrev=0", "--match", "v*"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "HEAD"


def accepted(folder: Path = _REPOSITORY) -> set[str]:
    """The changes that are intended, as they are printed."""
    lines = (folder / ACCEPTED).read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def _named(text: str) -> dict[str, Any]:
    return documents_in(Path(text)) if Path(text).is_dir() else documents_at(text)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m contracts_tooling.openapi_compatibility", description="Refuses what would break API clients."
    )
    parser.add_argument("old", nargs="?", help="a folder of documents or a git revision; the last release if left out")
    parser.add_argument("new", nargs="?", help="the same; the documents of this checkout if left out")
    options = parser.parse_args(arguments)
    base = options.old or last_release()
    try:
        old, new = _named(base), _named(options.new or str(_REPOSITORY / FOLDER))
    except subprocess.CalledProcessError as error:
        message = error.stderr.decode() if isinstance(error.stderr, bytes) else error.stderr
        parser.error(f"neither a folder of documents nor a git revision with {FOLDER}: {message.strip()}")
    if not old:
        parser.error(f"{base} holds no documents")
    found = [violation for violation in violations(old, new) if str(violation) not in accepted()]
    for violation in found:
        print(violation)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
