"""The pure modules may be imported by domain code: the standard library, each other, nothing else."""

import ast
import sys
from pathlib import Path

import pytest

import contracts

PURE = {
    "calendar",
    "access",
    "lifecycle",
    "device_time",
    "events",
    "facts",
    "requests",
    "directory",
    "escalation",
    "handling",
    "holders",
    "order",
    "order_handling",
    "work_order",
    "order_parts",
    "calls",
    "partners",
    "quality",
    "links",
    "message",
    "names",
    "refusals",
    "chain",
    "sealing",
    "time_zones",
}
SOURCE = Path(contracts.__file__).parent


def _foreign_imports(text: str) -> list[str]:
    return [name for node in ast.walk(ast.parse(text)) for name in _imported(node) if not _is_allowed(name)]


def _imported(node: ast.AST) -> list[str]:
    match node:
        case ast.Import():
            return [alias.name for alias in node.names]
        case ast.ImportFrom(module="contracts", level=0):
            return [f"contracts.{alias.name}" for alias in node.names]
        case ast.ImportFrom():
            return ["." * node.level + (node.module or "")]
    return []


def _is_allowed(name: str) -> bool:
    package, *rest = name.split(".")
    if package == "contracts":
        return bool(rest) and rest[0] in PURE
    return package in sys.stdlib_module_names


@pytest.mark.parametrize("name", sorted(PURE))
def test_a_pure_module_imports_the_standard_library_and_pure_modules_only(name: str) -> None:
    assert _foreign_imports((SOURCE / f"{name}.py").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "planted",
    [
        "import msgspec",
        "from msgspec import json",
        "from contracts import codec",
        "from contracts.codec import encode",
        "from . import codec",
    ],
)
def test_a_planted_import_is_caught(planted: str) -> None:
    assert _foreign_imports(f"def later():\n    {planted}\n")
