"""Where SQL of reporting may stand: event store, projections, expressions of metrics, stores and views."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "services/reporting/src/reporting"
ALLOWED = re.compile(
    r"record/event_store\.py|projections/\w+\.py|metrics/\w+\.py|figures/query\.py|(\w+/)?(\w+_)?(store|views)\.py"
)
SQL = re.compile(
    r"\s*(with \w+ as|select\s.+\sfrom\s|select from\s|insert into \w|update \w+(\s+as\s+\w+)?\s+set\s|delete from \w"
    r"|truncate \w|lock table|create (temporary )?table|set (local|transaction) )",
    re.DOTALL,
)


def sql_in(text: str) -> Iterator[str]:
    """The beginnings of the strings that are statements; what stands in braces of an f-string counts as a name."""
    tree = ast.parse(text)
    docstrings = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "x" for part in node.values]
            found = "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            found = node.value
        else:
            continue
        word = found.split(maxsplit=1)[:1]
        # Keywords are of one case; a sentence begins with a capital.
        if word and (word[0].islower() or word[0].isupper()) and SQL.match(found.lower()):
            yield found[:60]


def test_sql_stands_in_stores_views_and_projections_only() -> None:
    files = {str(file.relative_to(ROOT)): file for file in ROOT.rglob("*.py")}
    assert "rebuilds/store.py" in files
    found = {name: list(sql_in(file.read_text("utf-8"))) for name, file in files.items() if not ALLOWED.fullmatch(name)}
    assert {name: statements for name, statements in found.items() if statements} == {}


@pytest.mark.parametrize(
    "planted",
    [
        'await statements.fetchrow("select * from rebuilds where id = $1", rebuild_id)',
        'await tx.execute(f"""update {table} set state = $1""", state)',
        'SQL = f"delete from stays_{name} where order_id = any($1)"',
        'await tx.execute("truncate " + ", ".join(names)) or "insert into reports (id) values ($1)"',
        'f"with page as (select place from messages) select * from page"',
        'await tx.execute("SELECT id FROM reports")',
        "await tx.execute(\"set local lock_timeout = '1s'\")",
    ],
)
def test_a_planted_statement_is_caught(planted: str) -> None:
    assert list(sql_in(f"async def route():\n    {'x = ' if planted.startswith('f') else ''}{planted}"))


@pytest.mark.parametrize("name", ["reports/api.py", "rebuilds/use_cases.py", "figures/summing.py", "consumers.py"])
def test_neither_routes_nor_use_cases_nor_jobs_may_have_sql(name: str) -> None:
    assert not ALLOWED.fullmatch(name)


def test_prose_is_no_sql() -> None:
    assert not list(sql_in('x = "Select a day from the list, then update it"\n"""select * from messages"""'))
