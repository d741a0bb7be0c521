"""Whatever a benchmark or a test starts dies with it, also when it is killed and runs no clean-up."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("benchmarks", "tests", "services", "libs")
SERVERS = {"EmbeddedPostgres", "EmbeddedKafka"}
PROCESSES = {"Popen", "create_subprocess_exec", "create_subprocess_shell"}


def sources() -> Iterator[Path]:
    yield ROOT / "conftest.py"
    for folder in FOLDERS:
        for file in sorted((ROOT / folder).rglob("*.py")):
            if folder in ("benchmarks", "tests") or "tests" in file.parts:
                yield file


def left_behind(tree: ast.AST) -> Iterator[str]:
    """Calls that start something which would outlive a kill -9 of its parent."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        if name in SERVERS and given.get("dies_with_parent") != "True":
            yield f"line {call.lineno}: {name} without dies_with_parent=True"
        # A process that reads its standard input from us ends with it.
        if name in PROCESSES and "preexec_fn" not in given and not given.get("stdin", "").endswith("PIPE"):
            yield f"line {call.lineno}: {name} without preexec_fn=die_with_parent"
        words = [node.value for node in ast.walk(call) if isinstance(node, ast.Constant)]
        if "--detach" in words and "up" in words and "--with-process" not in words:
            yield f"line {call.lineno}: up --detach without --with-process"


@pytest.mark.parametrize("file", [*sources()], ids=lambda file: str(file.relative_to(ROOT)))
def test_what_is_started_dies_with_its_parent(file: Path) -> None:
    assert list(left_behind(ast.parse(file.read_text()))) == []


@pytest.mark.parametrize(
    "line",
    [
        "EmbeddedKafka(folder, 1, 2)",
        "subprocess.Popen(['sleep'])",
        "asyncio.create_subprocess_exec('sleep')",
        "run('up', '--detach')",
    ],
)
def test_what_would_be_left_behind_is_found(line: str) -> None:
    assert len(list(left_behind(ast.parse(line)))) == 1
