"""SQL stands in stores, views and projections, and nowhere else: the strings of every module are read.

An import says little: SQL is text, and a route that holds a statement imports nothing suspicious.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from .test_imports import SERVICES, modules

# SQL is written in small letters here, so a sentence that begins with "Select" is none.
STATEMENT = re.compile(
    r"\s*(select\s|insert\s+into\s|update\s+\S+\s+set\s|delete\s+from\s|with\s+\w+(\s*\([^)]*\))?\s+as\s*(materialized\s*)?\(|"
    r"lock\s+table\s|truncate\s|alter\s+table\s|create\s+(table|index|view|temp)\s|set\s+local\s)"
)
HOLDS_SQL = re.compile(r"(^|_)(store|views|tables|projections?|queries)(_|$)")
"""A module or one of its packages with such a word in its name holds SQL."""
ALSO = {
    "reporting": ("metrics.", "figures.query"),
}
"""In reporting a metric is an expression of SQL, and `figures.query` puts them together."""


def strings_of(text: str) -> Iterator[str]:
    """The strings of a module, also the parts of f-strings; not its docstrings."""
    tree = ast.parse(text)
    docstrings = {
        id(node.value)
        for parent in ast.walk(tree)
        for node in (parent.body if isinstance(getattr(parent, "body", None), list) else [])
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "x" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def may_hold_sql(module: str) -> bool:
    service, *path = module.split(".")
    if service not in SERVICES:
        return True
    return any(HOLDS_SQL.search(part) for part in path) or ".".join(path).startswith(ALSO.get(service, ("-",)))


def sql_in(text: str) -> list[str]:
    return [string.strip()[:60] for string in strings_of(text) if STATEMENT.match(string)]


@pytest.mark.parametrize("module", sorted(name for name in modules() if not may_hold_sql(name)))
def test_sql_stands_in_stores_views_and_projections(module: str) -> None:
    assert sql_in(Path(modules()[module]).read_text()) == []


@pytest.mark.parametrize(
    "planted",
    [
        'async def get(tx):\n    return await tx.fetch("select id from calls where id = $1")',
        'Q = f"""\n    update {TABLE} set state = $1"""',
        'Q = "with open as (select 1) select * from open"',
        'await tx.execute("select pg_advisory_xact_lock($1, $2)", 1, 2)',
    ],
)
def test_a_planted_statement_is_found(planted: str) -> None:
    assert sql_in(planted)


def test_a_sentence_is_no_statement() -> None:
    assert sql_in('"""select nothing"""\nx = "Select a work area. Then dispatch."\ny = "updates of the order"') == []
