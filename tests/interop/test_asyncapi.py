"""Our AsyncAPI document, read by AsyncAPI's own parser. `make interop` installs it."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

_HERE = Path(__file__).parent / "asyncapi"
_SCHEMAS = Path(__file__).parents[2] / "libs" / "contracts" / "schemas"
_WARNING = 1

pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None, reason="there is no node, which AsyncAPI's parser runs on"),
    pytest.mark.skipif(
        not (_HERE / "node_modules" / "@asyncapi" / "parser").is_dir(),
        reason="AsyncAPI's parser is not installed; `make interop` does it with npm",
    ),
]


def parsed(document: Path) -> dict[str, Any]:
    command = ["node", str(_HERE / "parse.mjs"), str(document)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return json.loads(done.stdout)


def test_the_parser_finds_nothing_wrong() -> None:
    said = parsed(_SCHEMAS / "asyncapi.json")
    assert [one for one in said["found"] if one["severity"] <= _WARNING] == []
    assert said["channels"] == len(json.loads((_SCHEMAS / "asyncapi.json").read_text())["channels"])


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(_SCHEMAS, tmp_path / "schemas")) / "asyncapi.json"


@pytest.mark.parametrize(
    ("path", "planted"),
    [
        (("servers", "production", "security", 0, "$ref"), "#/components/securitySchemes/nobody"),
        (("components", "securitySchemes", "scram", "type"), "scram"),
        (("operations", "intake-sends-calls", "action"), "shout"),
    ],
)
def test_the_parser_finds_what_is_planted(copy: Path, path: tuple[Any, ...], planted: Any) -> None:
    document = json.loads(copy.read_text())
    part = document
    for step in path[:-1]:
        part = part[step]
    assert path[-1] in part or isinstance(path[-1], int)
    part[path[-1]] = planted
    copy.write_text(json.dumps(document))
    assert [one for one in parsed(copy)["found"] if one["severity"] == 0] != []
