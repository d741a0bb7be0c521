"""Who may import whom. Each rule is proved to bite by a violation that is planted here."""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = frozenset(init.parent.name for init in ROOT.glob("services/*/src/*/__init__.py"))
LIBRARIES = ("contracts", "chassis", "work_orders")

PURE_CONTRACTS = frozenset(
    {"lifecycle", "events", "names", "order", "message", "refusals", "requests", "directory", "time_zones"}
    | {"amendment", "calendar", "calls", "device_time", "facts", "handling", "limits", "links", "order_parts"}
    | {"escalation", "order_handling", "partners", "plain_text", "quality", "sealing", "work_order"}
)
TECHNICAL_CONTRACTS = frozenset(
    {"access", "catalogue", "chain", "codec", "field_notes", "message", "origin", "plain_text", "refusals"}
    | {"strict_json", "time_zones", "topics", "version"}
)
WITH_SQLALCHEMY = frozenset(
    {
        "chassis.columns",
        "chassis.database",
        "chassis.document_store",
        "chassis.migrations",
        "chassis.problems",
        "chassis.row_store",
        "chassis.tables",
    }
    | {"work_orders.counts", "work_orders.search", "work_orders.tables", "work_orders.views"}
)
WITH_SQLALCHEMY_IN_A_SERVICE = re.compile(r"(^|_)(store|tables|views|projections)$")
TRADE_WORDS = frozenset({"order", "orders", "dispatch", "subscriber", "staff", "area", "audit", "ticket", "fieldwork"})


def modules() -> dict[str, Path]:
    """Every module of libs and services: its name and its file."""
    found = {}
    for source in (*ROOT.glob("libs/*/src"), *ROOT.glob("services/*/src")):
        for file in source.rglob("*.py"):
            parts = file.relative_to(source).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def imports_of(text: str, module: str) -> Iterator[str]:
    """The modules that are imported anywhere in the text, also inside functions; names imported from a package too."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parent = module.rsplit(".", node.level)[0] if node.level else ""
            base = ".".join(filter(None, (parent, node.module)))
            yield from (f"{base}.{alias.name}" for alias in node.names)


def foreign_to_domain(module: str, imported: str) -> bool:
    service, *rest = module.split(".")
    if service not in SERVICES or not is_in_domain(rest):
        return False
    package, *path = imported.split(".")
    if package == "contracts":
        return path[:1] == [] or path[0] not in PURE_CONTRACTS
    return package not in sys.stdlib_module_names and not (package == service and is_in_domain(path))


def is_in_domain(path: list[str]) -> bool:
    """Of a service as a whole, or of one of its parts: `dispatch.domain`, `qa.sampling.domain`."""
    return "domain" in path[:2]


def sqlalchemy_where_it_does_not_belong(module: str, imported: str) -> bool:
    if imported.split(".")[0] != "sqlalchemy" or module in WITH_SQLALCHEMY:
        return False
    package, *path = module.split(".")
    return package not in SERVICES or not any(WITH_SQLALCHEMY_IN_A_SERVICE.search(part) for part in path)


def another_service(module: str, imported: str) -> bool:
    package = imported.split(".")[0]
    return package in SERVICES and package != module.split(".")[0]


def a_library_above(module: str, imported: str) -> bool:
    package, above = module.split(".")[0], imported.split(".")[0]
    if package not in LIBRARIES or above not in LIBRARIES:
        return False
    return LIBRARIES.index(above) > LIBRARIES.index(package)


def trade_in_the_chassis(module: str, imported: str) -> bool:
    package, *path = imported.split(".")
    return (
        module.split(".")[0] == "chassis"
        and package == "contracts"
        and path[:1] != []
        and (path[0] not in TECHNICAL_CONTRACTS)
    )


RULES: dict[Callable[[str, str], bool], tuple[str, str]] = {
    foreign_to_domain: ("intake.orders.domain.creation", "import msgspec"),
    sqlalchemy_where_it_does_not_belong: ("intake.orders.use_cases", "from sqlalchemy import select"),
    another_service: ("intake.orders.api", "def later():\n    from dispatch import store"),
    a_library_above: ("chassis.relay", "from work_orders.order_table import COLUMNS"),
    trade_in_the_chassis: ("chassis.relay", "from contracts.events import WorkOrderCreated"),
}
MORE_PLANTED = [
    (foreign_to_domain, "intake.orders.domain.creation", "from contracts.codec import new_message"),
    (foreign_to_domain, "intake.orders.domain.creation", "from contracts import codec"),
    (foreign_to_domain, "intake.orders.domain.creation", "from intake.orders import store"),
    (foreign_to_domain, "intake.orders.domain.creation", "from .. import store"),
    (foreign_to_domain, "intake.orders.domain.creation", "from chassis.clock import Clock"),
    (foreign_to_domain, "qa.sampling.domain.plan", "from qa.sampling import store"),
    (foreign_to_domain, "qa.sampling.domain.plan", "import msgspec"),
    (foreign_to_domain, "qa.sampling.domain.plan", "from dispatch.domain import assignment"),
    (another_service, "work_orders.views", "import intake.orders.views"),
    (another_service, "chassis.http", "import intake"),
    (another_service, "contracts.events", "from qa.main import app"),
    (a_library_above, "contracts.events", "from chassis import relay"),
    (sqlalchemy_where_it_does_not_belong, "work_orders.commit", "import sqlalchemy.orm"),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_no_module_imports_what_it_may_not(rule: Callable[[str, str], bool]) -> None:
    found = [
        f"{module} imports {imported}"
        for module, file in modules().items()
        for imported in imports_of(file.read_text(encoding="utf-8"), module)
        if rule(module, imported)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("rule", "module", "text"), [*((rule, *planted) for rule, planted in RULES.items()), *MORE_PLANTED]
)
def test_a_planted_import_is_caught(rule: Callable[[str, str], bool], module: str, text: str) -> None:
    assert any(rule(module, imported) for imported in imports_of(text, module))


@pytest.mark.parametrize(
    "text", ["import dataclasses", "from contracts.events import Zone", "from contracts import order"]
)
def test_what_the_domain_may_import_is_let_through(text: str) -> None:
    module = "intake.orders.domain.creation"
    assert not any(foreign_to_domain(module, imported) for imported in imports_of(text, module))


def trade_words_in(module: str) -> set[str]:
    return set(module.replace(".", "_").split("_")) & TRADE_WORDS


def test_no_module_of_the_chassis_is_named_after_the_trade() -> None:
    assert {module for module in modules() if module.startswith("chassis") and trade_words_in(module)} == set()
    assert trade_words_in("chassis.order_lists") == {"order"}


def test_the_rules_look_at_something() -> None:
    names = modules()
    assert {"intake", "dispatch", "fieldwork", "qa", "reporting"} <= SERVICES
    assert {"intake.orders.domain.creation", "chassis.relay", "work_orders.commit", "contracts.events"} <= set(names)
