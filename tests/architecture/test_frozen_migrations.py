"""A migration is frozen text: of this repository it imports `execute` and nothing that goes on changing."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALLOWED = frozenset({"chassis.migrations.execute", "alembic.op"})
LIBRARIES = {path.parent: path for path in sorted(ROOT.glob("libs/*/src/*/migrations/*/*.py"))}
SERVICES = [path.parent for path in sorted(ROOT.glob("services/*/alembic.ini"))]


def migrations() -> list[Path]:
    return [*ROOT.glob("services/*/migrations/versions/*.py"), *ROOT.glob("libs/*/src/*/migrations/*/*.py")]


def live_imports(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name not in ALLOWED)
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name for name in names if name not in ALLOWED)


def branches_of(service: Path) -> set[str]:
    """The folders of library migrations that a service names, as `package:folder`."""
    ini = ConfigParser(interpolation=None)
    ini.read(service / "alembic.ini")
    return {line for line in ini["alembic"]["version_locations"].split() if ":" in line}


def test_no_migration_imports_what_lives() -> None:
    found = {str(path.relative_to(ROOT)): list(live_imports(path.read_text("utf-8"))) for path in migrations()}
    assert len(found) > 40
    assert {path: imports for path, imports in found.items() if imports} == {}


@pytest.mark.parametrize(
    "text",
    [
        "from work_orders.order_table import COLUMNS",
        "import intake",
        "def upgrade():\n    from chassis.outbox import SHARDS",
    ],
)
def test_a_planted_import_is_caught(text: str) -> None:
    assert list(live_imports(text))


def test_every_branch_of_a_library_is_used_and_every_service_has_the_technical_tables() -> None:
    named = {service.name: branches_of(service) for service in SERVICES}
    assert len(named) == 5
    assert all("chassis:migrations/versions" in branches for branches in named.values())
    existing = {f"{folder.parents[1].name}:migrations/{folder.name}" for folder in LIBRARIES}
    assert set().union(*named.values()) == existing


def test_no_two_migrations_have_the_same_revision() -> None:
    # Two branches that are merged can each bring the next number; Alembic finds out when a database is made.
    revisions = [
        re.search(r'^revision = "(\w+)"', path.read_text("utf-8"), re.MULTILINE)[1]  # type: ignore[index]
        for path in migrations()
    ]
    assert sorted(one for one, count in Counter(revisions).items() if count > 1) == []
