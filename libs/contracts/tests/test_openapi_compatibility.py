"""The checker of the APIs: one breaking change a rule, and beside it the harmless one that it lets pass."""

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts_tooling.openapi_compatibility import ACCEPTED, FOLDER, ApiRule, last_release, main, violations
from contracts_tooling.openapi_values import ValueRule

Document = dict[str, Any]
Change = Callable[[Document], object]
ROOT = Path(__file__).parents[3]
THING = {
    "type": "object",
    "required": ["id", "kind"],
    "properties": {
        "id": {"type": "string"},
        "kind": {"type": "string", "enum": ["small", "large"]},
        "weight": {"type": "number"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
    },
}
NEW_THING = {
    "type": "object",
    "additionalProperties": False,
    "required": ["kind"],
    "properties": {
        "kind": {"type": "string", "enum": ["small", "large"]},
        "count": {"type": "integer", "maximum": 10, "minimum": 1},
        "code": {"type": "string", "pattern": "^[a-z]+$"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "colour": {"type": "string"},
    },
}


def document() -> Document:
    json_of = lambda name: {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}  # noqa: E731
    return {
        "paths": {
            "/v1/things": {
                "post": {
                    "operationId": "make_thing",
                    "security": [{"bearer": []}],
                    "parameters": [
                        {"name": "If-Match", "in": "header", "required": True, "schema": {"type": "string"}},
                        {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 200}},
                    ],
                    "requestBody": {"required": True, "content": json_of("NewThing")},
                    "responses": {
                        "201": {"headers": {"ETag": {"schema": {"type": "string"}}}, "content": json_of("Thing")},
                        "404": {"content": {}},
                    },
                },
                "get": {"operationId": "list_things", "responses": {"200": {"content": json_of("Thing")}}},
            }
        },
        "components": {"schemas": {"Thing": copy.deepcopy(THING), "NewThing": copy.deepcopy(NEW_THING)}},
    }


def post(document: Document) -> Document:
    return document["paths"]["/v1/things"]["post"]


def shown(document: Document) -> Document:
    return document["components"]["schemas"]["Thing"]["properties"]


def asked(document: Document) -> Document:
    return document["components"]["schemas"]["NewThing"]["properties"]


def required(name: str, document: Document) -> list[str]:
    return document["components"]["schemas"][name]["required"]


def parameter(name: str, *, is_required: bool) -> Document:
    return {"name": name, "in": "query", "required": is_required, "schema": {"type": "string"}}


def _without_body(document: Document) -> None:
    del post(document)["requestBody"]


def _with_body(document: Document, *, is_required: bool) -> None:
    body = {**post(document)["requestBody"], "required": is_required}
    document["paths"]["/v1/things"]["get"]["requestBody"] = body


PLANTED: dict[str, tuple[ApiRule | ValueRule, Change, Change]] = {
    "a route": (
        ApiRule.ROUTE_REMOVED,
        lambda old: old["paths"]["/v1/things"].pop("get"),
        lambda old: old["paths"].update({"/v1/others": copy.deepcopy(old["paths"]["/v1/things"])}),
    ),
    "an operation id": (
        ApiRule.OPERATION_ID_CHANGED,
        lambda old: post(old).update(operationId="create_thing"),
        lambda old: post(old).update(summary="Creates a thing"),
    ),
    "the token": (
        ApiRule.TOKEN_REQUIRED,
        lambda old: old["paths"]["/v1/things"]["get"].update(security=[{"bearer": []}]),
        lambda old: post(old).pop("security"),
    ),
    "a parameter": (
        ApiRule.PARAMETER_REMOVED,
        lambda old: post(old)["parameters"].pop(),
        lambda old: post(old)["parameters"].append(parameter("colour", is_required=False)),
    ),
    "a new required parameter": (
        ApiRule.PARAMETER_REQUIRED,
        lambda old: post(old)["parameters"].append(parameter("colour", is_required=True)),
        lambda old: post(old)["parameters"][0].update(required=False),
    ),
    "a body": (ApiRule.BODY_REMOVED, _without_body, lambda old: post(old)["requestBody"].update(required=False)),
    "a new body": (
        ApiRule.BODY_REQUIRED,
        lambda old: _with_body(old, is_required=True),
        lambda old: _with_body(old, is_required=False),
    ),
    "a response": (
        ApiRule.RESPONSE_REMOVED,
        lambda old: post(old)["responses"].update({"200": post(old)["responses"].pop("201")}),
        lambda old: post(old)["responses"].pop("404"),
    ),
    "a media type": (
        ApiRule.MEDIA_TYPE_REMOVED,
        lambda old: post(old)["responses"]["201"].update(content={"text/csv": {}}),
        lambda old: post(old)["responses"]["201"]["content"].update({"text/csv": {}}),
    ),
    "a header": (
        ApiRule.HEADER_REMOVED,
        lambda old: post(old)["responses"]["201"].pop("headers"),
        lambda old: post(old)["responses"]["201"]["headers"].update(Link={}),
    ),
    "a schema": (
        ApiRule.SCHEMA_REMOVED,
        lambda old: (
            old["components"]["schemas"].update(Item=old["components"]["schemas"].pop("NewThing"))
            or post(old)["requestBody"]["content"]["application/json"]["schema"].update(
                {"$ref": "#/components/schemas/Item"}
            )
        ),
        lambda old: old["components"]["schemas"].update(Item=THING),
    ),
    "a field of a response": (
        ValueRule.FIELD_REMOVED,
        lambda old: shown(old).pop("weight"),
        lambda old: shown(old).update(height={"type": "number"}),
    ),
    "a field of a request": (
        ValueRule.FIELD_REMOVED,
        lambda old: asked(old).pop("colour"),
        lambda old: asked(old).update(height={"type": "number"}),
    ),
    "a new required field": (
        ValueRule.FIELD_REQUIRED,
        lambda old: required("NewThing", old).append("colour"),
        lambda old: required("NewThing", old).clear(),
    ),
    "a field that may be left out": (
        ValueRule.FIELD_MADE_OPTIONAL,
        lambda old: required("Thing", old).remove("id"),
        lambda old: required("Thing", old).append("weight"),
    ),
    "a type in a response": (
        ValueRule.TYPE_CHANGED,
        lambda old: shown(old)["weight"].update(type="string"),
        lambda old: shown(old)["weight"].update(type="integer"),
    ),
    "a type in a request": (
        ValueRule.TYPE_CHANGED,
        lambda old: asked(old)["count"].update(type="string"),
        lambda old: asked(old)["count"].update(type="number"),
    ),
    "a choice in a request": (
        ValueRule.TYPE_CHANGED,
        lambda old: asked(old).update(note={"anyOf": [{"type": "integer"}, {"type": "boolean"}, {"type": "null"}]}),
        lambda old: asked(old)["note"]["anyOf"].append({"type": "integer"}),
    ),
    "null in a request": (
        ValueRule.NULL_FORBIDDEN,
        lambda old: asked(old).update(note={"type": "string"}),
        lambda old: asked(old).update(colour={"anyOf": [{"type": "string"}, {"type": "null"}]}),
    ),
    "null in a response": (
        ValueRule.NULL_ALLOWED,
        lambda old: shown(old).update(id={"anyOf": [{"type": "string"}, {"type": "null"}]}),
        lambda old: shown(old).update(note={"type": "string"}),
    ),
    "an enum of a request": (
        ValueRule.ENUM_VALUE_REMOVED,
        lambda old: asked(old)["kind"]["enum"].remove("large"),
        lambda old: asked(old)["kind"]["enum"].append("medium"),
    ),
    "an upper limit": (
        ValueRule.LIMIT_NARROWED,
        lambda old: asked(old)["count"].update(maximum=5),
        lambda old: asked(old)["count"].update(maximum=50),
    ),
    "a lower limit": (
        ValueRule.LIMIT_NARROWED,
        lambda old: asked(old)["count"].update(minimum=2),
        lambda old: asked(old)["count"].pop("minimum"),
    ),
    "a pattern": (
        ValueRule.LIMIT_NARROWED,
        lambda old: asked(old)["code"].update(pattern="^[a-f]+$"),
        lambda old: asked(old)["code"].pop("pattern"),
    ),
    "unknown fields": (
        ValueRule.UNKNOWN_FIELDS_REFUSED,
        lambda old: old["components"]["schemas"]["NewThing"].update(additionalProperties=False),
        lambda old: old["components"]["schemas"]["NewThing"].update(description="A thing to make."),
    ),
}


def changed(change: Change) -> Document:
    after = document()
    change(after)
    return after


def _before(name: str) -> Document:
    before = document()
    if name == "unknown fields":
        del before["components"]["schemas"]["NewThing"]["additionalProperties"]
    return before


@pytest.mark.parametrize("name", PLANTED)
def test_a_breaking_change_is_refused(name: str) -> None:
    rule, breaking, _ = PLANTED[name]
    assert {found.rule for found in violations({"toy": _before(name)}, {"toy": changed(breaking)})} == {rule}


@pytest.mark.parametrize("name", [name for name in PLANTED if name != "unknown fields"])
def test_a_harmless_change_is_let_pass(name: str) -> None:
    assert violations({"toy": document()}, {"toy": changed(PLANTED[name][2])}) == []


def test_each_rule_has_a_planted_change() -> None:
    assert {rule for rule, *_ in PLANTED.values()} == {*ApiRule, *ValueRule} - {ApiRule.DOCUMENT_REMOVED}


def test_a_service_that_is_gone_is_refused() -> None:
    assert [found.rule for found in violations({"toy": document()}, {})] == [ApiRule.DOCUMENT_REMOVED]


def test_a_schema_that_holds_itself_is_compared_to_its_depth() -> None:
    found = violations({"toy": document()}, {"toy": changed(lambda old: shown(old)["parts"].update(type="object"))})
    assert [(one.rule, one.place) for one in found] == [
        (ValueRule.TYPE_CHANGED, "GET /v1/things 200.parts"),
        (ValueRule.TYPE_CHANGED, "POST /v1/things 201.parts"),
    ]


def _repository(folder: Path, before: Document, after: Document) -> None:
    file = folder / FOLDER / "toy.json"
    file.parent.mkdir(parents=True)
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    file.write_text(json.dumps(before))
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x", "--no-verify"], ["tag", "v1"]):
        subprocess.run(["git", *identity, *command], cwd=folder, check=True)
    file.write_text(json.dumps(after))
    subprocess.run(["git", *identity, "commit", "-qam", "y", "--no-verify"], cwd=folder, check=True)


def test_the_command_compares_with_the_last_release(tmp_path: Path) -> None:
    _repository(tmp_path, document(), changed(lambda old: shown(old).pop("weight")))
    command = [sys.executable, "-m", "contracts_tooling.openapi_compatibility", *("v1", FOLDER)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("field_removed: toy GET /v1/things 200.weight: old clients read it")


def test_the_last_release_is_the_latest_tag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _repository(tmp_path, document(), document() | {"info": {}})
    monkeypatch.chdir(tmp_path)
    assert last_release() == "v1"
    subprocess.run(["git", "tag", "-d", "v1"], check=True, capture_output=True)
    assert last_release() == "HEAD"


def test_what_is_neither_folder_nor_revision_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([str(tmp_path)])
    assert "holds no documents" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["no-such-revision"])
    assert "neither a folder" in capsys.readouterr().err


def test_nothing_that_a_release_has_is_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout: there is no release to compare with")
    monkeypatch.chdir(ROOT)
    assert main([]) == 0, f"keep it for one release, or list the change in {ACCEPTED}"


def test_every_rule_is_explained_beside_the_documents() -> None:
    text = (ROOT / FOLDER / "README.md").read_text(encoding="utf-8")
    assert [rule for rule in (*ApiRule, *ValueRule) if f"`{rule}`" not in text] == []
