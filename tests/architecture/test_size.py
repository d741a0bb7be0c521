"""Nothing is so long that it has to be scrolled through to be understood."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONGEST_FUNCTION = 60
LONGEST_FILE = 400
LONGEST_TEST_FILE = 500


def sources() -> Iterator[Path]:
    for folder in ("libs", "services", "tools", "tests", "benchmarks", "deploy"):
        yield from (ROOT / folder).rglob("*.py")


def long_functions(text: str) -> list[str]:
    return [
        f"{node.name} has {length} lines"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
    ]


def is_too_long(path: Path, lines: int) -> bool:
    return lines > (LONGEST_TEST_FILE if "tests" in path.parts else LONGEST_FILE)


def test_no_function_is_too_long() -> None:
    # The one function of a migration is a script of SQL.
    files = [path for path in sources() if "migrations" not in path.parts]
    found = {str(path.relative_to(ROOT)): long_functions(path.read_text("utf-8")) for path in files}
    assert {path: functions for path, functions in found.items() if functions} == {}


def test_no_file_is_too_long() -> None:
    lines = {path.relative_to(ROOT): len(path.read_text("utf-8").splitlines()) for path in sources()}
    assert {str(path): count for path, count in lines.items() if is_too_long(path, count)} == {}
    assert len(lines) > 50


def test_a_function_and_a_file_that_are_too_long_are_caught() -> None:
    assert long_functions("async def long():\n" + "    pass\n" * 60) == ["long has 61 lines"]
    assert long_functions("def just():\n" + "    pass\n" * 59) == []
    assert is_too_long(Path("libs/a/src/a.py"), 401)
    assert not is_too_long(Path("libs/a/tests/test_a.py"), 500)
