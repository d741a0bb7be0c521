"""The checker: one planted violation a rule, and what it lets pass."""

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts_tooling.compatibility import SCHEMAS_FOLDER, Rule, main, present, schemas_in, violations
from contracts_tooling.schemas import DEFINITIONS, files

CREATED = "linework.work_order.created.v1"
DISPATCHED = "linework.work_order.dispatched.v1"
Schemas = dict[str, dict[str, Any]]
Change = Callable[[Schemas], object]


def fields(schemas: Schemas, name: str = CREATED) -> dict[str, Any]:
    return schemas[name]["properties"]


def facts(schemas: Schemas) -> dict[str, Any]:
    return schemas[DISPATCHED]["x-linework"]


def channels(schemas: Schemas) -> list[str]:
    return schemas[CREATED]["$defs"]["Channel"]["enum"]


def _retyped(schemas: Schemas) -> None:
    fields(schemas)["content"]["type"] = "integer"


PLANTED: list[tuple[Rule, str, Change]] = [
    (Rule.TYPE_REMOVED, "", lambda schemas: schemas.pop(CREATED)),
    (Rule.KIND_CHANGED, "", lambda schemas: facts(schemas).update(kind="request")),
    (Rule.TOPIC_CHANGED, "", lambda schemas: facts(schemas).update(topic="elsewhere")),
    (Rule.KEY_CHANGED, "", lambda schemas: facts(schemas).update(key="work area")),
    (Rule.OWNER_REMOVED, "", lambda schemas: facts(schemas).update(owners=[])),
    (Rule.OWNER_ADDED, "", lambda schemas: facts(schemas)["owners"].append("qa")),
    (Rule.FIELD_REMOVED, "territory", lambda schemas: fields(schemas).pop("territory")),
    (Rule.FIELD_MADE_REQUIRED, "territory", lambda schemas: schemas[CREATED]["required"].append("territory")),
    (Rule.FIELD_MADE_OPTIONAL, "content", lambda schemas: schemas[CREATED]["required"].remove("content")),
    (Rule.FIELD_TYPE_CHANGED, "content", _retyped),
    (Rule.NULL_FORBIDDEN, "territory", lambda schemas: fields(schemas)["territory"]["anyOf"].pop()),
    (
        Rule.NULL_ALLOWED,
        "content",
        lambda schemas: fields(schemas).update(content={"anyOf": [{"type": "string"}, {"type": "null"}]}),
    ),
    (Rule.ENUM_VALUE_REMOVED, "channel", lambda schemas: channels(schemas).remove("fax")),
    (Rule.ENUM_VALUE_ADDED, "channel", lambda schemas: channels(schemas).append("telegram")),
    (
        Rule.DEFAULT_CHANGED,
        "is_binding",
        lambda schemas: fields(schemas, DISPATCHED)["is_binding"].update(default=True),
    ),
    (Rule.UNKNOWN_FIELDS_REFUSED, "", lambda schemas: schemas[CREATED].update(additionalProperties=False)),
]


def _require_a_new_field(schemas: Schemas) -> None:
    fields(schemas)["weather"] = {"type": "string"}
    schemas[CREATED]["required"].append("weather")


PLANTED.append((Rule.REQUIRED_FIELD_ADDED, "weather", _require_a_new_field))


def changed(change: Change) -> Schemas:
    schemas = copy.deepcopy(present())
    change(schemas)
    return schemas


@pytest.mark.parametrize(("rule", "place", "change"), PLANTED, ids=[rule for rule, _, _ in PLANTED])
def test_a_planted_violation_is_caught_under_its_rule_and_alone(rule: Rule, place: str, change: Change) -> None:
    (violation,) = violations(present(), changed(change))
    assert (violation.rule, violation.place) == (rule, place)
    assert violation.type in (CREATED, DISPATCHED)
    assert str(violation).startswith(f"{rule}: linework.work_order.")
    assert "\n" not in str(violation)


def test_every_rule_has_a_planted_violation() -> None:
    assert {rule for rule, _, _ in PLANTED} == set(Rule)


@pytest.mark.parametrize(
    ("place", "change"),
    [
        (
            "appointment.end",
            lambda schemas: schemas[CREATED]["$defs"]["Appointment"]["properties"]["end"].pop("format"),
        ),
        ("staff_ids[]", lambda schemas: fields(schemas, DISPATCHED)["staff_ids"]["items"].update(type="integer")),
        ("channel", lambda schemas: fields(schemas).update(channel={"type": "string"})),
        ("staff_ids", lambda schemas: fields(schemas, DISPATCHED).update(staff_ids={"type": "string"})),
        ("content", lambda schemas: fields(schemas)["content"].update(maxLength=10)),
        ("appointment", lambda schemas: fields(schemas)["appointment"]["anyOf"].insert(0, {"type": "string"})),
    ],
)
def test_a_change_of_type_is_seen_wherever_it_is(place: str, change: Change) -> None:
    found = {(violation.rule, violation.place) for violation in violations(present(), changed(change))}
    assert (Rule.FIELD_TYPE_CHANGED, place) in found


def _add_an_optional_field(schemas: Schemas) -> None:
    fields(schemas)["weather"] = {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}


def _add_an_optional_field_below(schemas: Schemas) -> None:
    schemas[CREATED]["$defs"]["Appointment"]["properties"]["is_firm"] = {"type": "boolean", "default": False}


def _add_a_version(schemas: Schemas) -> None:
    schemas["linework.work_order.created.v2"] = copy.deepcopy(schemas[CREATED])


def _explain(schemas: Schemas) -> None:
    schemas[CREATED] |= {"description": "Other words.", "title": "Another"}
    fields(schemas)["content"]["description"] = "What was said."


def _move_a_shape(schemas: Schemas) -> None:
    """The same shape under another name, or written in place."""
    fields(schemas)["channel"] = schemas[CREATED]["$defs"].pop("Channel")


@pytest.mark.parametrize(
    "change", [_add_an_optional_field, _add_an_optional_field_below, _add_a_version, _explain, _move_a_shape]
)
def test_an_additive_change_passes(change: Change) -> None:
    assert violations(present(), changed(change)) == []


def _written(folder: Path, schemas: Schemas) -> Path:
    folder.mkdir(parents=True)
    for name, schema in schemas.items():
        (folder / f"{name}.json").write_text(json.dumps(schema), encoding="utf-8")
    (folder / "asyncapi.json").write_text("{}", encoding="utf-8")
    return folder


def test_the_command_prints_one_line_a_violation_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = _written(tmp_path / "old", present()), _written(tmp_path / "new", changed(PLANTED[0][2]))
    assert main([str(old), str(new)]) == 1
    assert capsys.readouterr().out == f"type_removed: {CREATED}: old records of it are still on the stream\n"
    assert main([str(new), str(old)]) == 0
    assert main([str(old)]) == 0
    assert capsys.readouterr().out == ""


def test_a_change_of_a_shared_definition_is_seen_in_every_message_that_uses_it(tmp_path: Path) -> None:
    texts = files()
    definitions = json.loads(texts[DEFINITIONS])
    definitions["$defs"]["Channel"]["enum"].remove("fax")
    for name, text in (texts | {DEFINITIONS: json.dumps(definitions)}).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = violations(present(), schemas_in(tmp_path))
    assert {violation.rule for violation in found} == {Rule.ENUM_VALUE_REMOVED}
    assert {violation.type for violation in found} == {
        name for name, one in present().items() if "Channel" in one.get("$defs", {})
    }
    assert len(found) > 20


def test_whether_a_definition_is_shared_or_in_its_message_makes_no_difference(tmp_path: Path) -> None:
    for name, text in files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    apart = schemas_in(_written(tmp_path / "apart", present()))
    assert violations(apart, schemas_in(tmp_path)) == violations(schemas_in(tmp_path), apart) == []


def test_the_asyncapi_document_beside_the_schemas_is_no_schema(tmp_path: Path) -> None:
    assert schemas_in(_written(tmp_path / "old", present())) == present()


def test_the_command_compares_with_a_git_revision(tmp_path: Path) -> None:
    _written(tmp_path / SCHEMAS_FOLDER, changed(lambda schemas: channels(schemas).append("telegram")))
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x", "--no-verify"]):
        subprocess.run(["git", *identity, *command], cwd=tmp_path, check=True)
    command = [sys.executable, "-m", "contracts_tooling.compatibility", "HEAD"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("enum_value_removed: linework.work_order.created.v1 channel: ")


def test_a_folder_or_revision_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    for text, reason in ((str(tmp_path / "empty"), "holds no schemas"), ("no-such-revision", "neither a folder")):
        with pytest.raises(SystemExit) as exit_:
            main([text])
        assert exit_.value.code == 2
        assert reason in capsys.readouterr().err


def test_every_rule_is_explained_in_the_readme() -> None:
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    assert [rule for rule in Rule if f"`{rule}`" not in text] == []
