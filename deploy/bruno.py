"""Writes a Bruno collection of all five services, made from their OpenAPI documents; what `make bruno` calls.

    python -m deploy.bruno [FOLDER]

A folder for each service and tag, a request for each route with the token of a role that may use it, and an
environment for one machine. It follows from the code and is not committed; what was in the folder before is replaced.
"""

import importlib
import json
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from chassis import access as of_every_service
from chassis.testing import settings_for
from contracts.access import Role
from contracts.lifecycle import Service
from deploy.reference_pages import access_tables
from linework.ports import OFFSETS

FOLDER = Path("dist/bruno")
_BASE = 8000
_METHODS = ("get", "post", "put", "patch", "delete")
_WITHOUT_TAG = "other"
_DEEPEST = 6


def documents() -> dict[str, dict[str, Any]]:
    """The OpenAPI document of each service, as its process serves it."""
    settings = settings_for("postgresql://nobody@127.0.0.1/none")
    return {one.value: importlib.import_module(f"{one.value}.main").app(settings).openapi() for one in Service}


def files(documents: Mapping[str, dict[str, Any]]) -> dict[Path, str]:
    """The text of each file of the collection."""
    found = {
        Path("bruno.json"): json.dumps({"version": "1", "name": "Linework", "type": "collection"}, indent=2) + "\n",
        Path("environments/local.bru"): _environment(),
    }
    grants = access_tables()
    for service, document in documents.items():
        table = {**of_every_service.ROUTES, **grants[service]}
        for path, method, operation in _operations(document):
            tag = next(iter(operation.get("tags", [])), _WITHOUT_TAG)
            name = f"{method} {path.removeprefix('/v1/')}".replace("/", " ")
            role = next((str(role) for role in Role if role in (table.get(f"{method.upper()} {path}") or {})), None)
            text = _request(service, document, path, method, operation, role)
            found[Path(service) / _file_name(tag) / f"{_file_name(name)}.bru"] = text
    return found


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in document["paths"].items():
        yield from ((path, method, methods[method]) for method in _METHODS if method in methods)


def _file_name(text: str) -> str:
    return re.sub(r"[^\w{}.-]+", " ", text).strip()


def _environment() -> str:
    lines = [f"  {one.value}: http://127.0.0.1:{_BASE + OFFSETS[one.value]}" for one in Service]
    tokens = ",\n".join(f"  {role}_token" for role in Role)
    return _block("vars", "\n".join(lines)) + f"vars:secret [\n{tokens}\n]\n"


def _block(name: str, text: str) -> str:
    return f"{name} {{\n{text}\n}}\n\n" if text else ""


def _request(
    service: str,
    document: Mapping[str, Any],
    path: str,
    method: str,
    operation: Mapping[str, Any],
    role: str | None,
) -> str:
    parameters = operation.get("parameters", [])
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    url = f"{{{{{service}}}}}" + re.sub(r"{(\w+)}", r":\1", path)
    title = " ".join(operation.get("summary", path).split())
    parts = {
        "meta": f"  name: {title}\n  type: http",
        method: f"  url: {url}\n  body: {'json' if content else 'none'}\n  auth: {'bearer' if role else 'none'}",
        "params:query": _lines(parameters, "query"),
        "params:path": _lines(parameters, "path"),
        "headers": _lines(parameters, "header"),
        "auth:bearer": f"  token: {{{{{role}_token}}}}" if role else "",
        "body:json": _indented(json.dumps(_body(document, content), ensure_ascii=False, indent=2)) if content else "",
        "docs": _indented(operation.get("description", "")),
    }
    return "".join(_block(name, text) for name, text in parts.items()).rstrip("\n") + "\n"


def _lines(parameters: list[Mapping[str, Any]], place: str) -> str:
    """What may be left out is there to be switched on."""
    here = [one for one in parameters if one["in"] == place]
    return "\n".join(f"  {'' if one.get('required') else '~'}{one['name']}: {_value_of(one)}".rstrip() for one in here)


def _value_of(parameter: Mapping[str, Any]) -> str:
    given = parameter.get("example", next(iter(parameter.get("schema", {}).get("examples", [])), ""))
    return " ".join(str(given).split())


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.strip().splitlines())


def _body(document: Mapping[str, Any], content: Mapping[str, Any]) -> Any:
    """The example of the document, else the required fields with values of their kinds."""
    if "example" in content:
        return content["example"]
    if examples := content.get("examples"):
        return next(iter(examples.values())).get("value")
    return _sample(document, content.get("schema", {}), _DEEPEST)


def _sample(document: Mapping[str, Any], schema: Mapping[str, Any], depth: int) -> Any:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for kind in ("anyOf", "oneOf", "allOf"):
        if kind in schema:
            return _sample(document, schema[kind][0], depth)
    known = [schema[name] for name in ("const", "default", "example") if name in schema]
    known += [*schema.get("examples", []), *schema.get("enum", [])]
    if known or depth == 0:
        return known[0] if known else None
    if schema.get("type") == "object":
        fields = schema.get("properties", {})
        return {
            name: _sample(document, fields[name], depth - 1) for name in schema.get("required", []) if name in fields
        }
    if schema.get("type") == "array":
        return [_sample(document, schema["items"], depth - 1)] if schema.get("minItems") and "items" in schema else []
    return {"integer": schema.get("minimum", 0), "number": 0, "boolean": False, "string": ""}.get(
        schema.get("type", "")
    )


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    if folder.exists() and not (folder / "bruno.json").exists():
        sys.exit(f"make bruno: {folder} is there and is no collection; name another folder.")
    shutil.rmtree(folder, ignore_errors=True)
    collection = files(documents())
    for path, text in collection.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    print(f"{folder}: {len(collection) - 2} requests; open it in Bruno and give the environment its tokens")


if __name__ == "__main__":
    main()
